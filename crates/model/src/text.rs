//! Which characters a text may hold, whoever it comes from.
//!
//! A value belongs to the person: what writing needs is kept as it was given, also where it does not show (the joiners
//! of Persian, Hindi and emoji, the marks of Hebrew and Arabic). Refused is what makes a screen show something else
//! than what is stored: control characters, the explicit directions of UAX #9 that reorder what stands *around* them
//! (Unicode TR #36 §2.5.2), and the separators U+2028 and U+2029 that some readers take for the end of a line.

/// Whether `text` can be shown as it is stored. Line breaks and tabs are welcome.
pub(crate) fn is_shown_as_stored(text: &str) -> bool {
    text.chars().all(|one| matches!(one, '\n' | '\r' | '\t') || !is_control(one))
}

/// Whether `text` fits one line of a page or a document: 1 to `most` bytes, shown as stored, no line break or tab.
pub(crate) fn is_line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && !text.chars().any(is_control)
}

/// Whether a character shows nothing itself: it is kept in values, and does not count when they are compared.
pub(crate) fn is_invisible(one: char) -> bool {
    matches!(
        one,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}'
    )
}

fn is_control(one: char) -> bool {
    one.is_control() || reorders(one) || matches!(one, '\u{2028}' | '\u{2029}')
}

/// Embeddings, overrides and isolates of UAX #9 §2.1, §2.2 and §2.4, with what ends them.
fn reorders(one: char) -> bool {
    matches!(one, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character only separates the digits of a phone number, or came along when it was copied from a contact.
pub(crate) fn separates_digits(one: char) -> bool {
    matches!(one, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}' | '-' | '.' | '/' | '(' | ')')
        || matches!(one, '\u{2010}'..='\u{2015}')
        || is_invisible(one)
        || reorders(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_writing_needs_is_kept() {
        for text in [
            "مهدی\u{200c}نژاد",
            "क्\u{200d}ष",
            "👩\u{200d}⚕\u{fe0f}",
            "a\u{200e}b",
            "Zeile\r\n\tzwei",
            "e\u{301}",
        ] {
            assert!(is_shown_as_stored(text), "{text:?}");
        }
    }

    #[test]
    fn what_shows_something_else_is_not() {
        for one in
            ['\0', '\u{1b}', '\u{7f}', '\u{85}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{2028}']
        {
            assert!(!is_shown_as_stored(&format!("a{one}b")), "{one:?}");
            assert!(!is_line(&format!("a{one}b"), 100), "{one:?}");
        }
        assert!(is_line("a b", 3) && !is_line("a b", 2) && !is_line("", 2) && !is_line("a\nb", 3));
    }
}
