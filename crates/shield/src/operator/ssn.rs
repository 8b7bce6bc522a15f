//! `@verifySSN`: social security numbers of the United States.

/// Whether `value` holds nine digits that may be such a number, as they were given out before 2011: no part of them is zero, the first is
/// below 740 and not 666, and they neither are all the same nor go up one by one.
#[must_use]
pub fn is_ssn(value: &[u8]) -> bool {
    let mut digits = [0; 9];
    let mut found = value.iter().filter(|byte| byte.is_ascii_digit());
    for digit in &mut digits {
        let Some(byte) = found.next() else { return false };
        *digit = u32::from(byte - b'0');
    }
    let steps = |step: u32| digits.windows(2).all(|pair| pair[1] == pair[0] + step);
    if found.next().is_some() || steps(0) || steps(1) {
        return false;
    }
    let number = |part: &[u32]| part.iter().fold(0, |number, digit| number * 10 + digit);
    let (area, group, serial) = (number(&digits[..3]), number(&digits[3..5]), number(&digits[5..]));
    area != 0 && area != 666 && area < 740 && group != 0 && serial != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn areas_groups_and_serials_decide() {
        for right in ["078-05-1120", "739-12-3456", "111-11-1112", "123456788"] {
            assert!(is_ssn(right.as_bytes()), "{right}");
        }
        for wrong in [
            "",
            "123-45-6789",
            "012-34-5678",
            "666-12-3456",
            "740-12-3456",
            "900-12-3456",
            "000-12-3456",
            "123-00-4567",
            "123-45-0000",
            "111111111",
            "12345678",
            "1234567890",
        ] {
            assert!(!is_ssn(wrong.as_bytes()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_between_digits_does_not_count(number in "[0-9]{7,11}", between in "[^0-9]{0,3}") {
            let spread: String = number.chars().map(|digit| format!("{digit}{between}")).collect();
            prop_assert_eq!(is_ssn(spread.as_bytes()), is_ssn(number.as_bytes()));
            prop_assert!(number.len() == 9 || !is_ssn(number.as_bytes()));
        }
    }
}
