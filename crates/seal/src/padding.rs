//! Padding, so that the length of a ciphertext says little about the length of its plaintext.
//!
//! Layout: plaintext ‖ zeros ‖ length as 4 bytes big-endian. The whole has 8, 16, 32 or 64 bytes, and beyond
//! that a length of Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication
//! with PURBs", PoPETs 2019, §4), which wastes at most 12 % and tells O(log log n) bits.

use crate::SealError;

/// Bytes of the length at the end.
const LENGTH: usize = 4;

/// Longest plaintext of any format, 16 MiB.
pub(crate) const MAX_PLAINTEXT: usize = 16 << 20;

/// The length that `plain` bytes have when padded.
pub(crate) fn padded_len(plain: usize) -> usize {
    let total = plain + LENGTH;
    match total {
        0..=8 => 8,
        9..=64 => total.next_power_of_two(),
        _ => padme(total),
    }
}

/// The next length whose binary form has only as many significant bits after the first as its exponent needs.
fn padme(total: usize) -> usize {
    let exponent = total.ilog2();
    let significant = exponent.ilog2() + 1;
    let mask = (1 << (exponent - significant)) - 1;
    (total + mask) & !mask
}

/// Pads `bytes[start..]` in place. Reserve [`padded_len`] beforehand if what stands there is secret.
pub(crate) fn pad(bytes: &mut Vec<u8>, start: usize) -> Result<(), SealError> {
    let plain = bytes.len() - start;
    if plain > MAX_PLAINTEXT {
        return Err(SealError::TooLarge);
    }
    let length = u32::try_from(plain).map_err(|_| SealError::TooLarge)?;
    bytes.resize(start + padded_len(plain) - LENGTH, 0);
    bytes.extend_from_slice(&length.to_be_bytes());
    Ok(())
}

/// The length of the plaintext inside `padded`. Only the one canonical padding is accepted.
pub(crate) fn unpad(padded: &[u8]) -> Result<usize, SealError> {
    let (body, length) = padded.split_last_chunk::<LENGTH>().ok_or(SealError::Open)?;
    let plain = u32::from_be_bytes(*length) as usize;
    let zeros = body.get(plain..).ok_or(SealError::Open)?;
    if plain > MAX_PLAINTEXT || padded_len(plain) != padded.len() || zeros.iter().any(|&byte| byte != 0) {
        return Err(SealError::Open);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn small_lengths_fall_into_four_classes() {
        let lengths: Vec<_> = [0, 4, 5, 12, 13, 28, 29, 60, 61].map(padded_len).into();
        assert_eq!(lengths, [8, 8, 16, 16, 32, 32, 64, 64, 72]);
    }

    #[test]
    fn padme_as_published() {
        // By hand from the definition: 5 significant bits at 100, 6 from 256 on, and so forth.
        assert_eq!(padme(65), 72);
        assert_eq!(padme(100), 104);
        assert_eq!(padme(1_000), 1_024);
        assert_eq!(padme(1_025), 1_088);
        assert_eq!(padme(1_000_000), 1_015_808);
    }

    proptest! {
        #[test]
        fn what_was_padded_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..3_000), start in 0usize..50) {
            let mut bytes = vec![7; start];
            bytes.extend_from_slice(&plain);
            pad(&mut bytes, start).unwrap();
            let padded = &bytes[start..];
            prop_assert_eq!(padded.len(), padded_len(plain.len()));
            prop_assert!(padded.len() <= (plain.len() + LENGTH) * 112 / 100 + 32);
            let length = unpad(padded).unwrap();
            prop_assert_eq!(&padded[..length], &plain[..]);
        }

        #[test]
        fn longer_plaintext_is_never_shorter_padded(a in 0usize..MAX_PLAINTEXT, b in 0usize..MAX_PLAINTEXT) {
            prop_assert!(padded_len(a.min(b)) <= padded_len(a.max(b)));
        }

        #[test]
        fn accepted_bytes_are_canonical(bytes in proptest::collection::vec(0u8..2, 0..80)) {
            if let Ok(length) = unpad(&bytes) {
                let mut again = bytes[..length].to_vec();
                pad(&mut again, 0).unwrap();
                prop_assert_eq!(again, bytes);
            }
        }
    }

    #[test]
    fn a_wrong_byte_in_the_padding_is_refused() {
        let mut bytes = b"abcde".to_vec();
        pad(&mut bytes, 0).unwrap();
        assert_eq!(unpad(&bytes), Ok(5));
        bytes[6] = 1;
        assert_eq!(unpad(&bytes), Err(SealError::Open));
    }

    #[test]
    fn too_long_is_refused() {
        let mut bytes = vec![0; MAX_PLAINTEXT + 1];
        assert_eq!(pad(&mut bytes, 0), Err(SealError::TooLarge));
    }
}
