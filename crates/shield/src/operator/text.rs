//! `@streq`, `@contains`, `@strmatch`, `@containsWord`, `@beginsWith`, `@endsWith`, `@within`: texts, byte by byte.

use memchr::memmem::Finder;

/// `@streq`
#[must_use]
pub fn equal(value: &[u8], operand: &[u8]) -> bool {
    value == operand
}

/// `@contains` and `@strmatch`: the operand stands somewhere in the value, the empty one in each.
#[must_use]
pub fn contains(value: &[u8], operand: &[u8]) -> bool {
    memchr::memmem::find(value, operand).is_some()
}

/// `@containsWord`: the operand stands in the value with no ASCII letter before and behind it.
#[must_use]
pub fn contains_word(value: &[u8], operand: &[u8]) -> bool {
    if operand.is_empty() {
        return true;
    }
    let is_letter = |at: Option<usize>| at.and_then(|at| value.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let finder = Finder::new(operand);
    let mut from = 0;
    while let Some(found) = value.get(from..).and_then(|rest| finder.find(rest)) {
        let start = from + found;
        if !is_letter(start.checked_sub(1)) && !is_letter(start.checked_add(operand.len())) {
            return true;
        }
        from = start + 1;
    }
    false
}

/// `@beginsWith`
#[must_use]
pub fn begins_with(value: &[u8], operand: &[u8]) -> bool {
    value.starts_with(operand)
}

/// `@endsWith`
#[must_use]
pub fn ends_with(value: &[u8], operand: &[u8]) -> bool {
    value.ends_with(operand)
}

/// `@within`: the value stands somewhere in the operand, the empty one in each.
#[must_use]
pub fn within(value: &[u8], operand: &[u8]) -> bool {
    contains(operand, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_compared_as_they_stand() {
        assert!(equal(b"abc", b"abc") && !equal(b"ABC", b"abc") && !equal(b"abc ", b"abc"));
        assert!(contains(b"xabcx", b"abc") && contains(b"", b"") && !contains(b"ab", b"abc"));
        assert!(begins_with(b"abcd", b"abc") && !begins_with(b"xabc", b"abc") && begins_with(b"a", b""));
        assert!(ends_with(b"xabc", b"abc") && !ends_with(b"abcx", b"abc") && !ends_with(b"bc", b"abc"));
        assert!(within(b"b", b"a b c") && within(b"", b"a") && !within(b"a b c d", b"a b c"));
    }

    #[test]
    fn words_end_where_no_letter_follows() {
        for (value, expected) in [
            ("abc", true),
            ("xabc", false),
            ("abcx", false),
            ("x abc", true),
            ("1abc1", true),
            ("x_abc_", true),
            ("abcx abc", true),
            ("xabc abc", true),
            ("\u{e4}abc", true),
            ("", false),
        ] {
            assert_eq!(contains_word(value.as_bytes(), b"abc"), expected, "{value:?}");
        }
        // Places that overlap are looked at too.
        assert!(contains_word(b"x- - -", b"- -"));
        assert!(contains_word(b"", b""));
    }

    proptest! {
        #[test]
        fn a_word_is_found_wherever_it_stands(before in "[ab .]{0,8}", word in "[ab]{1,3}", after in "[ab .]{0,8}") {
            let text = format!("{before}{word}{after}");
            let apart = !before.ends_with(|last: char| last.is_ascii_alphabetic())
                && !after.starts_with(|first: char| first.is_ascii_alphabetic());
            prop_assert!(contains_word(text.as_bytes(), word.as_bytes()) || !apart);
            prop_assert!(contains(text.as_bytes(), word.as_bytes()));
        }

        #[test]
        fn words_are_those_between_what_is_no_letter(text in "[ab1 ]{0,16}", word in "[ab]{1,3}") {
            let naive = text.split(|byte: char| !byte.is_ascii_alphabetic()).any(|part| part == word);
            prop_assert_eq!(contains_word(text.as_bytes(), word.as_bytes()), naive);
        }
    }
}
