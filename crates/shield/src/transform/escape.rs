//! What the decoders have in common: find an escape, replace it by a byte, copy what is between.

/// What a decoder makes of an escape, and how many bytes of the value it read for that (at least one).
pub(super) enum Step {
    /// These bytes stay as they are.
    Keep(usize),
    /// They become one other byte.
    Put(u8, usize),
    /// They go.
    Drop(usize),
}

/// Appends `value` to `out`, every escape replaced. `find` gives the place of the next byte that may start an escape,
/// `decode` reads the escape at the start of what it is given. Nothing is written before the first change.
pub(super) fn replace(
    value: &[u8],
    out: &mut Vec<u8>,
    find: impl Fn(&[u8]) -> Option<usize>,
    decode: impl Fn(&[u8]) -> Step,
) -> bool {
    // `value[..copied]` is in `out`; `value[..at]` is read.
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = value.get(at..).and_then(&find) {
        let start = at + found;
        let (byte, read) = match decode(&value[start..]) {
            Step::Keep(read) => {
                at = start + read;
                continue;
            }
            Step::Put(byte, read) => (Some(byte), read),
            Step::Drop(read) => (None, read),
        };
        out.extend_from_slice(&value[copied..start]);
        out.extend(byte);
        at = start + read;
        copied = at;
    }
    if copied == 0 {
        return false;
    }
    out.extend_from_slice(value.get(copied..).unwrap_or_default());
    true
}

/// The value of a hexadecimal digit.
pub(super) const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The byte that two hexadecimal digits at the start of `digits` stand for.
pub(super) fn pair(digits: &[u8]) -> Option<u8> {
    match digits {
        [high, low, ..] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// The number that four hexadecimal digits at the start of `digits` stand for.
pub(super) fn four(digits: &[u8]) -> Option<u16> {
    Some(u16::from(pair(digits)?) << 8 | u16::from(pair(digits.get(2..)?)?))
}

/// How many octal digits are at the start of `digits`, three at most, and their value.
pub(super) fn octal(digits: &[u8]) -> (usize, u16) {
    let count = digits.iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
    (count, digits[..count].iter().fold(0, |sum, byte| sum * 8 + u16::from(byte - b'0')))
}

/// One byte for a character of 16 bits: the ASCII character for a full-width one (U+FF01 to U+FF5E), else the low byte.
pub(super) const fn low_byte(code: u16) -> u8 {
    let [high, low] = code.to_be_bytes();
    if high == 0xff && low > 0 && low < 0x5f { low + 0x20 } else { low }
}
