//! `cssDecode`: escapes of style sheets (CSS 2, §4.1.3).

use super::escape::{Step, digit, low_byte, pair, replace};
use super::whitespace;

pub(super) fn decode(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace(
        value,
        out,
        |rest| memchr::memchr(b'\\', rest),
        |rest| {
            let digits = rest[1..].iter().take(6).take_while(|&&byte| digit(byte).is_some()).count();
            match rest.get(1) {
                // A backslash at the end and one before a line feed stand for nothing.
                None => Step::Drop(1),
                Some(b'\n') => Step::Drop(2),
                Some(&byte) if digits == 0 => Step::Put(byte, 2),
                // One white space ends an escape and belongs to it.
                Some(_) => {
                    let space = rest.get(1 + digits).is_some_and(|&byte| whitespace::ASCII.contains(byte));
                    Step::Put(byte_of(&rest[1..=digits]), 1 + digits + usize::from(space))
                }
            }
        },
    )
}

/// One byte for one to six digits: the low byte of the character, full-width ASCII folded to ASCII if the number is below
/// U+10000.
fn byte_of(digits: &[u8]) -> u8 {
    let [.., a, b, c, d] = digits else {
        let last = &digits[digits.len().saturating_sub(2)..];
        return pair(last).or_else(|| last.first().copied().and_then(digit)).unwrap_or(0);
    };
    let code = super::escape::four(&[*a, *b, *c, *d]).unwrap_or(0);
    let bmp = digits[..digits.len() - 4].iter().all(|&byte| byte == b'0');
    if bmp { low_byte(code) } else { code.to_be_bytes()[1] }
}
