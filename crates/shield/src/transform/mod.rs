//! Transformations of values before an operator looks at them (`t:…`), with the meaning that ModSecurity v3 gives them.
//!
//! Every one of them reads its value once, from the front to the end, and writes at most a small multiple of its length.
//! None fails: what is not well-formed stays as it is, unless the description of the variant says something else.

mod base64;
mod bestfit;
mod bytemap;
mod cmdline;
mod comments;
mod css;
mod digest;
mod escape;
mod hex;
mod html;
mod path;
mod script;
mod text;
mod unicode;
mod url;
mod whitespace;

#[cfg(test)]
mod tests;

use crate::ByteSet;

/// One transformation (ModSecurity reference manual, "Transformation functions").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum Transformation {
    /// `base64Decode`: RFC 4648 with line ends allowed, padding optional; other values stay as they are.
    Base64Decode,
    /// `base64DecodeExt`: the same and forgiving, bytes outside of both alphabets are skipped.
    Base64DecodeExt,
    /// `base64Encode`.
    Base64Encode,
    /// `cmdLine`: undoes what shells ignore (quotes, carets, backslashes, runs of separators), lower case.
    CmdLine,
    /// `compressWhitespace`: each run of ASCII white space becomes one space.
    CompressWhitespace,
    /// `cssDecode`: escapes of CSS 2 (`\41`, `\"`), reduced to one byte each.
    CssDecode,
    /// `escapeSeqDecode`: escapes of ANSI C (`\n`, `\x41`, `\101`).
    EscapeSeqDecode,
    /// `hexDecode`: pairs of hexadecimal digits; a last odd one is dropped.
    HexDecode,
    /// `hexEncode`: two lower-case digits per byte.
    HexEncode,
    /// `htmlEntityDecode`: numeric entities (their low byte) and `quot`, `amp`, `lt`, `gt`, `nbsp`.
    HtmlEntityDecode,
    /// `jsDecode`: escapes of JavaScript (`\u0041`, `\x41`, `\101`, `\n`).
    JsDecode,
    /// `length`: the number of bytes, in decimal digits.
    Length,
    /// `lowercase`: ASCII letters only.
    Lowercase,
    /// `md5`: the 16 bytes of the digest.
    Md5,
    /// `normalizePath`: `//`, `/./` and `/../` resolved.
    NormalizePath,
    /// `normalizePathWin`: the same, backslashes being slashes.
    NormalizePathWin,
    /// `parityEven7bit`: bit 7 set so that the number of ones is even.
    ParityEven7bit,
    /// `parityOdd7bit`: bit 7 set so that the number of ones is odd.
    ParityOdd7bit,
    /// `parityZero7bit`: bit 7 cleared.
    ParityZero7bit,
    /// `removeComments`: `/*…*/` and `<!--…-->` removed, and all from `--` or `#` on.
    RemoveComments,
    /// `removeCommentsChar`: the marks `/*`, `*/`, `<!--`, `-->`, `--`, `#` removed, what is between them kept.
    RemoveCommentsChar,
    /// `removeNulls`: bytes 0 removed.
    RemoveNulls,
    /// `removeWhitespace`: ASCII white space and the bytes of no-break spaces (0xa0, 0xc2) removed.
    RemoveWhitespace,
    /// `replaceComments`: each `/*…*/` becomes one space.
    ReplaceComments,
    /// `replaceNulls`: bytes 0 become spaces.
    ReplaceNulls,
    /// `sha1`: the 20 bytes of the digest.
    Sha1,
    /// `sqlHexDecode`: `0x414243` becomes `ABC`.
    SqlHexDecode,
    /// `trim`: ASCII white space at both ends removed.
    Trim,
    /// `trimLeft`: ASCII white space at the start removed.
    TrimLeft,
    /// `trimRight`: ASCII white space at the end removed.
    TrimRight,
    /// `uppercase`: ASCII letters only.
    Uppercase,
    /// `urlDecode`: `%41` and `+`; invalid escapes stay.
    UrlDecode,
    /// `urlDecodeUni`: the same and `%u0041`, characters outside of ASCII replaced by the ASCII character like them.
    UrlDecodeUni,
    /// `urlEncode`: all but ASCII letters, digits and `*`.
    UrlEncode,
    /// `utf8toUnicode`: characters of more than one byte become `%uHHHH`.
    Utf8ToUnicode,
}

/// Names in SecLang, in the order of [`Transformation::ALL`].
const NAMES: [&str; Transformation::ALL.len()] = [
    "base64Decode",
    "base64DecodeExt",
    "base64Encode",
    "cmdLine",
    "compressWhitespace",
    "cssDecode",
    "escapeSeqDecode",
    "hexDecode",
    "hexEncode",
    "htmlEntityDecode",
    "jsDecode",
    "length",
    "lowercase",
    "md5",
    "normalizePath",
    "normalizePathWin",
    "parityEven7bit",
    "parityOdd7bit",
    "parityZero7bit",
    "removeComments",
    "removeCommentsChar",
    "removeNulls",
    "removeWhitespace",
    "replaceComments",
    "replaceNulls",
    "sha1",
    "sqlHexDecode",
    "trim",
    "trimLeft",
    "trimRight",
    "uppercase",
    "urlDecode",
    "urlDecodeUni",
    "urlEncode",
    "utf8toUnicode",
];

impl Transformation {
    /// All of them, in the order of their names.
    pub const ALL: &[Self] = &[
        Self::Base64Decode,
        Self::Base64DecodeExt,
        Self::Base64Encode,
        Self::CmdLine,
        Self::CompressWhitespace,
        Self::CssDecode,
        Self::EscapeSeqDecode,
        Self::HexDecode,
        Self::HexEncode,
        Self::HtmlEntityDecode,
        Self::JsDecode,
        Self::Length,
        Self::Lowercase,
        Self::Md5,
        Self::NormalizePath,
        Self::NormalizePathWin,
        Self::ParityEven7bit,
        Self::ParityOdd7bit,
        Self::ParityZero7bit,
        Self::RemoveComments,
        Self::RemoveCommentsChar,
        Self::RemoveNulls,
        Self::RemoveWhitespace,
        Self::ReplaceComments,
        Self::ReplaceNulls,
        Self::Sha1,
        Self::SqlHexDecode,
        Self::Trim,
        Self::TrimLeft,
        Self::TrimRight,
        Self::Uppercase,
        Self::UrlDecode,
        Self::UrlDecodeUni,
        Self::UrlEncode,
        Self::Utf8ToUnicode,
    ];

    /// The transformation of that name, in any case; `none` is not one, since it clears a list.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("normalisePath") {
            return Some(Self::NormalizePath);
        }
        if name.eq_ignore_ascii_case("normalisePathWin") {
            return Some(Self::NormalizePathWin);
        }
        Self::ALL.iter().zip(NAMES).find(|(_, own)| name.eq_ignore_ascii_case(own)).map(|(&found, _)| found)
    }

    /// Its name in SecLang.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// A value that holds none of these bytes comes out as it went in. `ALL` for those that change whatever they get, some of them
    /// the empty value too: it holds no byte, and yet has a length and a digest.
    #[must_use]
    pub const fn triggers(self) -> ByteSet {
        match self {
            Self::Base64DecodeExt
            | Self::Base64Encode
            | Self::HexDecode
            | Self::HexEncode
            | Self::Length
            | Self::Md5
            | Self::Sha1 => ByteSet::ALL,
            Self::Base64Decode => base64::TRIGGERS,
            Self::CmdLine => cmdline::TRIGGERS,
            Self::CompressWhitespace | Self::Trim | Self::TrimLeft | Self::TrimRight => whitespace::ASCII,
            Self::CssDecode | Self::EscapeSeqDecode | Self::JsDecode => ByteSet::EMPTY.with(b'\\'),
            Self::HtmlEntityDecode => ByteSet::EMPTY.with(b'&'),
            Self::Lowercase => bytemap::LOWERCASE.changes(),
            Self::NormalizePath => ByteSet::EMPTY.with(b'/').with(b'.'),
            Self::NormalizePathWin => ByteSet::EMPTY.with(b'/').with(b'.').with(b'\\'),
            Self::ParityEven7bit => bytemap::EVEN.changes(),
            Self::ParityOdd7bit => bytemap::ODD.changes(),
            Self::ParityZero7bit => bytemap::ZERO.changes(),
            Self::RemoveComments | Self::RemoveCommentsChar => {
                ByteSet::EMPTY.with(b'*').with(b'-').with(b'#')
            }
            Self::RemoveNulls => ByteSet::EMPTY.with(0),
            Self::RemoveWhitespace => whitespace::REMOVED,
            Self::ReplaceComments => ByteSet::EMPTY.with(b'*'),
            Self::ReplaceNulls => bytemap::NULLS.changes(),
            Self::SqlHexDecode => ByteSet::EMPTY.with(b'x').with(b'X'),
            Self::Uppercase => bytemap::UPPERCASE.changes(),
            Self::UrlDecode | Self::UrlDecodeUni => ByteSet::EMPTY.with(b'%').with(b'+'),
            Self::UrlEncode => url::ENCODED,
            Self::Utf8ToUnicode => unicode::TRIGGERS,
        }
    }

    /// Appends the transformed value to `out` and says so; or says no, and then `out` is as it was and so is the value.
    #[must_use]
    pub fn apply(self, value: &[u8], out: &mut Vec<u8>) -> bool {
        match self {
            Self::Base64Decode => base64::decode(value, out),
            Self::Base64DecodeExt => base64::decode_forgiving(value, out),
            Self::Base64Encode => base64::encode(value, out),
            Self::CmdLine => cmdline::cmd_line(value, out),
            Self::CompressWhitespace => whitespace::compress(value, out),
            Self::CssDecode => css::decode(value, out),
            Self::EscapeSeqDecode => script::escape_sequences(value, out),
            Self::HexDecode => hex::decode(value, out),
            Self::HexEncode => hex::encode(value, out),
            Self::HtmlEntityDecode => html::decode(value, out),
            Self::JsDecode => script::javascript(value, out),
            Self::Length => text::length(value, out),
            Self::Lowercase => bytemap::LOWERCASE.apply(value, out),
            Self::Md5 => digest::md5(value, out),
            Self::NormalizePath => path::normalize(value, out, false),
            Self::NormalizePathWin => path::normalize(value, out, true),
            Self::ParityEven7bit => bytemap::EVEN.apply(value, out),
            Self::ParityOdd7bit => bytemap::ODD.apply(value, out),
            Self::ParityZero7bit => bytemap::ZERO.apply(value, out),
            Self::RemoveComments => comments::remove(value, out),
            Self::RemoveCommentsChar => comments::remove_marks(value, out),
            Self::RemoveNulls => text::remove_nulls(value, out),
            Self::RemoveWhitespace => whitespace::remove(value, out),
            Self::ReplaceComments => comments::replace(value, out),
            Self::ReplaceNulls => bytemap::NULLS.apply(value, out),
            Self::Sha1 => digest::sha1(value, out),
            Self::SqlHexDecode => hex::decode_sql(value, out),
            Self::Trim => whitespace::trim(value, out, true, true),
            Self::TrimLeft => whitespace::trim(value, out, true, false),
            Self::TrimRight => whitespace::trim(value, out, false, true),
            Self::Uppercase => bytemap::UPPERCASE.apply(value, out),
            Self::UrlDecode => url::decode(value, out),
            Self::UrlDecodeUni => url::decode_uni(value, out),
            Self::UrlEncode => url::encode(value, out),
            Self::Utf8ToUnicode => unicode::utf8_to_unicode(value, out),
        }
    }
}
