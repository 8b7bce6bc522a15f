//! `@verifySVNR`: social insurance numbers of Austria (Sozialversicherungsnummer).

/// Whether the first ten digits of `value` are such a number: three of a series, a check digit, a date of birth. Numbers of one digit alone
/// and in order are none.
#[must_use]
pub fn is_svnr(value: &[u8]) -> bool {
    const WEIGHTS: [u32; 10] = [3, 7, 9, 0, 5, 8, 4, 2, 1, 6];
    let mut digits = [0; 10];
    let mut found = value.iter().take_while(|&&byte| byte != 0).filter(|byte| byte.is_ascii_digit());
    for digit in &mut digits {
        let Some(byte) = found.next() else { return false };
        *digit = u32::from(byte - b'0');
    }
    let trivial = digits.iter().all(|digit| *digit == digits[0])
        || digits == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
        || digits == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    !trivial && sum % 11 % 10 == digits[3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_digit_decides() {
        for right in ["1237010180", "1237 010180", "12370101801"] {
            assert!(is_svnr(right.as_bytes()), "{right}");
        }
        for wrong in ["", "123701018", "1238010180", "0123456789", "1234567890", "8888888888"] {
            assert!(!is_svnr(wrong.as_bytes()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn at_most_one_check_digit_passes(series in "[0-9]{3}", date in "[0-9]{6}") {
            let right = (0..10).filter(|check| is_svnr(format!("{series}{check}{date}").as_bytes())).count();
            prop_assert!(right <= 1);
        }
    }
}
