//! `@eq`, `@ge`, `@gt`, `@le`, `@lt`: the number that a text is.

/// The number at the start of `text`, as C's `atoll` reads it: white space, a sign, decimal digits, and whatever follows. A text that does
/// not start with one is 0; one that does not fit is the nearest that does.
#[must_use]
pub fn number(text: &[u8]) -> i64 {
    let blank = text.iter().take_while(|byte| matches!(byte, b' ' | 0x09..=0x0d)).count();
    let (negative, digits) = match &text[blank..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    digits.iter().take_while(|byte| byte.is_ascii_digit()).fold(0_i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        number.saturating_mul(10).saturating_add(if negative { -digit } else { digit })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_are_read_to_the_first_byte_that_is_no_digit() {
        for (text, expected) in [
            ("", 0),
            ("abc", 0),
            ("12abc", 12),
            (" \t\u{b}12", 12),
            ("+12", 12),
            ("-7", -7),
            ("--7", 0),
            ("- 7", 0),
            ("0x1f", 0),
            ("12.9", 12),
            ("1 2", 1),
            ("012", 12),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775808", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("-99999999999999999999", i64::MIN),
        ] {
            assert_eq!(number(text.as_bytes()), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_as_itself(value: i64, after in "[^0-9].*") {
            prop_assert_eq!(number(format!("{value}{after}").as_bytes()), value);
        }
    }
}
