//! `hexDecode`, `hexEncode`, `sqlHexDecode`.

use super::escape::pair;

pub(super) const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Two digits per byte; what is no digit counts as one anyway, by its distance from `0` or `A`, as in ModSecurity.
pub(super) fn decode(value: &[u8], out: &mut Vec<u8>) -> bool {
    let loose = |byte: u8| {
        if byte >= b'A' { (byte & 0xdf).wrapping_sub(b'A').wrapping_add(10) } else { byte.wrapping_sub(b'0') }
    };
    out.extend(
        value.as_chunks::<2>().0.iter().map(|&[high, low]| (loose(high) << 4).wrapping_add(loose(low))),
    );
    !value.is_empty()
}

pub(super) fn encode(value: &[u8], out: &mut Vec<u8>) -> bool {
    out.reserve(value.len() * 2);
    out.extend(value.iter().flat_map(|&byte| digits(byte)));
    !value.is_empty()
}

/// The two digits of a byte.
pub(super) const fn digits(byte: u8) -> [u8; 2] {
    [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]
}

/// Literals like `0x414243` become the bytes that they stand for; an odd last digit stays behind them.
pub(super) fn decode_sql(value: &[u8], out: &mut Vec<u8>) -> bool {
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = value.get(at..).and_then(|rest| memchr::memchr2(b'x', b'X', rest)) {
        at += found + 1;
        let literal = at.checked_sub(2).filter(|&start| start >= copied && value[start] == b'0');
        let (Some(start), Some(_)) = (literal, pair(&value[at..])) else {
            continue;
        };
        out.extend_from_slice(&value[copied..start]);
        while let Some(byte) = pair(&value[at..]) {
            out.push(byte);
            at += 2;
        }
        copied = at;
    }
    if copied > 0 {
        out.extend_from_slice(&value[copied..]);
    }
    copied > 0
}
