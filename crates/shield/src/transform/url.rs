//! `urlDecode`, `urlDecodeUni`, `urlEncode`: percent-encoding (RFC 3986 §2.1), the `+` of forms, the `%u` of IIS.

use super::bestfit::best_fit;
use super::escape::{Step, four, low_byte, pair, replace};
use super::hex::digits;
use crate::ByteSet;

/// The bytes that `urlEncode` replaces.
pub(super) const ENCODED: ByteSet = ByteSet::EMPTY
    .with_range(0, b'*' - 1)
    .with_range(b'*' + 1, b'0' - 1)
    .with_range(b'9' + 1, b'A' - 1)
    .with_range(b'Z' + 1, b'a' - 1)
    .with_range(b'z' + 1, 0xff);

pub(super) fn decode(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace(value, out, |rest| memchr::memchr2(b'%', b'+', rest), percent)
}

/// `%u` before four digits: the ASCII character that looks most like it, else its low byte.
pub(super) fn decode_uni(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace(
        value,
        out,
        |rest| memchr::memchr2(b'%', b'+', rest),
        |rest| match rest {
            [b'%', b'u' | b'U', digits @ ..] => match four(digits) {
                Some(code) => Step::Put(best_fit(code).unwrap_or(low_byte(code)), 6),
                None => Step::Keep(2),
            },
            _ => percent(rest),
        },
    )
}

fn percent(rest: &[u8]) -> Step {
    match rest {
        [b'+', ..] => Step::Put(b' ', 1),
        [_, digits @ ..] if let Some(byte) = pair(digits) => Step::Put(byte, 3),
        _ => Step::Keep(1),
    }
}

pub(super) fn encode(value: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(first) = value.iter().position(|&byte| ENCODED.contains(byte)) else {
        return false;
    };
    out.extend_from_slice(&value[..first]);
    for &byte in &value[first..] {
        match byte {
            b' ' => out.push(b'+'),
            _ if ENCODED.contains(byte) => {
                let [high, low] = digits(byte);
                out.extend_from_slice(&[b'%', high, low]);
            }
            _ => out.push(byte),
        }
    }
    true
}
