//! From the text of a Perl-compatible regular expression to the text of a linear-time one.
//!
//! ModSecurity v3 compiles `@rx` with PCRE2, the options `DOTALL` and `MULTILINE`, without UTF, line end LF. Many texts mean
//! something else to `regex-syntax`: `\<` is a letter there but a boundary here, `[[]` opens a nested class, `\v` is one
//! byte and not six, `(?x)` drops spaces in classes too. So nothing is passed on: [`mod@parse`] reads a pattern the way
//! pcre2pattern(3) describes it and resolves all flags and escapes; [`mod@write`] prints the tree in a small subset of the other
//! syntax that means the same under every flag.

mod class;
mod escape;
mod parse;
mod tree;
mod write;

#[cfg(test)]
mod tests;

use super::PatternError;

/// Longest pattern, in bytes. The longest of the Core Rule Set has below 10,000.
const MAX_BYTES: usize = 1 << 16;

/// Translates a pattern of PCRE2, as ModSecurity v3 compiles it, to the syntax of `regex-syntax` with its flags `unicode` and
/// `utf8` off. Both find the same matches and the same groups in every value, with one exception: where the pattern can
/// match nothing at all, `^` also holds behind a line end that ends the value (PCRE2: `ALT_CIRCUMFLEX`);
/// [`Pattern`](super::Pattern) corrects that.
///
/// A hyphen beside a class such as `\d` in brackets (`[\w-.]`) is a hyphen, as in Perl and PCRE1; PCRE2 refuses it.
///
/// # Errors
/// [`PatternError`]: what the pattern holds that cannot be honoured, and where.
pub fn translate(pcre: impl AsRef<[u8]>) -> Result<String, PatternError> {
    let pcre = pcre.as_ref();
    if pcre.len() > MAX_BYTES {
        return Err(PatternError::TooLarge);
    }
    write::write(&parse::parse(pcre)?)
}
