//! `htmlEntityDecode`: character references of HTML, each to one byte.

use super::escape::{Step, replace};

pub(super) fn decode(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace(value, out, |rest| memchr::memchr(b'&', rest), entity)
}

/// Reads the entity at the start of `rest`, with or without a semicolon at its end.
fn entity(rest: &[u8]) -> Step {
    let (prefix, base) = match rest {
        [_, b'#', b'x' | b'X', _, ..] => (3, 16),
        [_, b'#', b'x' | b'X'] => return Step::Keep(3),
        [_, b'#', _, ..] => (2, 10),
        [_, b'#'] => return Step::Keep(2),
        _ => return named(rest),
    };
    let count = run(&rest[prefix..], |byte| char::from(byte).is_digit(base));
    if count == 0 {
        return Step::Keep(prefix);
    }
    let end = prefix + count;
    Step::Put(number(&rest[prefix..end], base), end + semicolon(rest, end))
}

fn named(rest: &[u8]) -> Step {
    let count = run(&rest[1..], |byte| byte.is_ascii_alphanumeric());
    let end = 1 + count;
    let name = &rest[1..end];
    let known: [(&[u8], u8); 5] =
        [(b"quot", b'"'), (b"amp", b'&'), (b"lt", b'<'), (b"gt", b'>'), (b"nbsp", 0xa0)];
    match known.iter().find(|(known, _)| name.eq_ignore_ascii_case(known)) {
        Some(&(_, byte)) => Step::Put(byte, end + semicolon(rest, end)),
        None => Step::Keep(end),
    }
}

/// The low byte of the number; of one that does not fit 63 bits, that of the largest.
fn number(digits: &[u8], base: u32) -> u8 {
    let value = digits.iter().try_fold(0_i64, |sum, &digit| {
        sum.checked_mul(i64::from(base))?.checked_add(i64::from(char::from(digit).to_digit(base)?))
    });
    value.unwrap_or(i64::MAX).to_le_bytes()[0]
}

fn run(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|&&byte| is(byte)).count()
}

fn semicolon(rest: &[u8], at: usize) -> usize {
    usize::from(rest.get(at) == Some(&b';'))
}
