//! Character sets by name: whether what rules read as ASCII is read as that by everybody.

/// The field of a form in which a browser tells the character set of all others (HTML, `_charset_`).
pub(crate) const FIELD: &[u8] = b"_charset_";

/// Names, and how names begin, of the character sets in which a byte below 128 that stands alone is ASCII.
const PLAIN: &[&[u8]] = &[
    // What libraries say of bytes that are no text.
    b"binary",
    b"utf-8",
    b"utf8",
    b"us-ascii",
    b"ascii",
    b"gb2312",
    b"gbk",
    b"gb18030",
    b"shift_jis",
    b"shift-jis",
    b"sjis",
    b"macintosh",
];
const BEGINNINGS: &[&[u8]] = &[
    b"ansi_x3.4-",
    b"iso-8859-",
    b"iso8859-",
    b"iso_8859-",
    b"latin",
    b"windows-",
    b"cp125",
    b"koi8-",
    b"euc-",
    b"big5",
    b"tis-620",
];

/// Whether text in this character set says what its bytes say as ASCII. In UTF-7, UTF-16, UTF-32, the sets of EBCDIC and those
/// with escapes it does not, and a name that nobody knows may stand for any of them. No name is no other set.
pub(crate) fn is_plain(name: &[u8]) -> bool {
    let name = name.trim_ascii();
    let is = |known: &&[u8]| name.eq_ignore_ascii_case(known);
    let begins =
        |known: &&[u8]| name.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
    name.is_empty() || PLAIN.iter().any(is) || BEGINNINGS.iter().any(begins)
}

/// Whether a `Content-Type` names a character set that is not plain. Readers differ in where they find the parameter, so each
/// place counts where one of them may.
pub(crate) fn names_other(media: &[u8]) -> bool {
    const NAME: &[u8] = b"charset";
    let mut rest = media;
    while let Some(at) = rest.windows(NAME.len()).position(|word| word.eq_ignore_ascii_case(NAME)) {
        rest = rest.get(at + NAME.len()..).unwrap_or_default();
        // RFC 8187 has `charset*=utf-8''…`, with a set of its own and escapes: nobody writes it here.
        if rest.trim_ascii_start().starts_with(b"*") {
            return true;
        }
        let sign = rest.iter().position(|byte| !b" \t".contains(byte)).unwrap_or(rest.len());
        let Some(value) = rest.get(sign..).and_then(|value| value.strip_prefix(b"=")) else { continue };
        let value = value.trim_ascii_start();
        let value =
            value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value).trim_ascii_start();
        let end = value.iter().position(|byte| b"\"'; \t,".contains(byte)).unwrap_or(value.len());
        if !is_plain(value.get(..end).unwrap_or_default()) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_sets_in_which_ascii_is_something_else_are_known_by_not_being_plain() {
        for plain in [
            "",
            " ",
            "binary",
            "ANSI_X3.4-1968",
            "sjis",
            "UTF-8",
            "utf8",
            "us-ascii",
            "ISO-8859-15",
            "windows-1252",
            "koi8-r",
            "GBK",
            "euc-jp",
        ] {
            assert!(is_plain(plain.as_bytes()), "{plain}");
        }
        for other in [
            "utf-7",
            "UTF7",
            "utf-16",
            "utf-16le",
            "UTF-32BE",
            "ucs-2",
            "ibm037",
            "cp037",
            "cp500",
            "ebcdic-us",
            "iso-2022-jp",
            "hz-gb-2312",
            "unicode-1-1-utf-7",
            "csUTF7",
            "x",
            "utf-8x",
            "\u{fc}",
        ] {
            assert!(!is_plain(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn each_place_counts_where_a_reader_may_find_one() {
        for plain in [
            "text/plain",
            "text/plain; charset=utf-8",
            "text/plain;charset=\"UTF-8\"",
            "text/plain; charset=",
            "multipart/form-data; boundary=charset",
            "text/plain; charset = 'iso-8859-1' ; x=y",
            "charset",
        ] {
            assert!(!names_other(plain.as_bytes()), "{plain}");
        }
        for other in [
            "text/plain; charset=utf-7",
            "text/plain;CHARSET=\"utf-16\"",
            "a/b; charset = utf-32",
            "a/b; charset='ibm037'",
            "a/b; charset=utf-8; charset=utf-7",
            "a/b, charset=utf-7",
            "a/b; charset*=utf-7''",
            "a/b; charset*=utf-8''utf-7",
            "a/b; charset*0=utf-8",
            "a/b; charset *=utf-8''utf%2D7",
            "a/b; charset=\"utf-7",
            "a/b; x=\"; charset=utf-7\"",
        ] {
            assert!(names_other(other.as_bytes()), "{other}");
        }
    }
}
