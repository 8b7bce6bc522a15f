//! `@verifyCC`: numbers of payment cards.

/// Whether the digits of `value`, whatever stands between them, pass Luhn's test (ISO/IEC 7812-1, annex B).
#[must_use]
pub fn is_card(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit());
    let (mut sum, mut count) = (0_u32, 0_u32);
    for digit in digits.rev().map(|byte| u32::from(byte - b'0')) {
        // Each second digit from the right counts twice, by the sum of its digits. Modulo ten, so that no value is too long.
        let weighed = if count % 2 == 1 { digit / 5 + digit * 2 % 10 } else { digit };
        sum = (sum + weighed) % 10;
        count += 1;
    }
    count > 0 && sum == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cards_pass() {
        for right in ["4111111111111111", "4111-1111-1111-1111", "49927398716", "0", "18"] {
            assert!(is_card(right.as_bytes()), "{right}");
        }
        for wrong in ["", "abc", "4111111111111112", "49927398717"] {
            assert!(!is_card(wrong.as_bytes()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn exactly_one_last_digit_passes(number in "[0-9]{1,30}") {
            let right = (0..10).filter(|last| is_card(format!("{number}{last}").as_bytes())).count();
            prop_assert_eq!(right, 1);
        }
    }
}
