//! `@verifyCPF`: numbers of persons in Brazil (Cadastro de Pessoas Físicas).

/// Whether the first eleven digits of `value` are such a number: the last two are check digits. Numbers of one digit alone and `01234567890`
/// are none.
#[must_use]
pub fn is_cpf(value: &[u8]) -> bool {
    let mut digits = [0; 11];
    let mut found = value.iter().take_while(|&&byte| byte != 0).filter(|byte| byte.is_ascii_digit());
    for digit in &mut digits {
        let Some(byte) = found.next() else { return false };
        *digit = u32::from(byte - b'0');
    }
    let check = |count: u32| {
        let sum: u32 = digits.iter().zip((2..=count + 1).rev()).map(|(digit, weight)| digit * weight).sum();
        // The remainders 0 and 1 give 0.
        (11 - sum % 11) % 11 % 10
    };
    let trivial =
        digits.iter().all(|digit| *digit == digits[0]) || digits == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    !trivial && digits[9] == check(9) && digits[10] == check(10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn check_digits_decide() {
        for right in ["52998224725", "529.982.247-25", "12345678909", "5299822472599"] {
            assert!(is_cpf(right.as_bytes()), "{right}");
        }
        for wrong in
            ["", "5299822472", "52998224726", "52998224735", "01234567890", "11111111111", "99999999999"]
        {
            assert!(!is_cpf(wrong.as_bytes()), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn at_most_one_pair_of_check_digits_passes(number in "[0-9]{9}") {
            let right = (0..100).filter(|check| is_cpf(format!("{number}{check:02}").as_bytes())).count();
            let first = number.as_bytes()[0];
            let trivial = number.bytes().all(|byte| byte == first) || number == "012345678";
            prop_assert_eq!(right, usize::from(!trivial));
        }
    }
}
