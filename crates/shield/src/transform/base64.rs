//! `base64Decode`, `base64DecodeExt`, `base64Encode`.

use crate::ByteSet;

/// What a value that `base64Decode` decodes has at least one of.
pub(super) const TRIGGERS: ByteSet = ByteSet::EMPTY
    .with_range(b'A', b'Z')
    .with_range(b'a', b'z')
    .with_range(b'0', b'9')
    .with(b'+')
    .with(b'/')
    .with(b'=')
    .with(b' ')
    .with(b'\n');

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const NONE: u8 = 0xff;

/// The value of each character of the alphabet, `NONE` for other bytes.
const VALUES: [u8; 256] = {
    let mut values = [NONE; 256];
    let mut at = 0;
    while at < 64 {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
};

/// The same for the two alphabets together (RFC 4648 §4 and §5).
const BOTH_VALUES: [u8; 256] = {
    let mut values = VALUES;
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
};

/// Collects groups of four characters into three bytes.
#[derive(Default)]
struct Group {
    bits: u32,
    count: u8,
}

impl Group {
    fn push(&mut self, value: u8, out: &mut Vec<u8>) {
        self.bits = self.bits << 6 | u32::from(value);
        self.count += 1;
        if self.count == 4 {
            out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            *self = Self::default();
        }
    }

    /// What an incomplete last group holds: one byte of two characters, two of three.
    fn finish(self, out: &mut Vec<u8>) {
        let bytes = (self.bits << (6 * (4 - u32::from(self.count)))).to_be_bytes();
        out.extend_from_slice(&bytes[1..usize::from(self.count.max(1))]);
    }
}

/// Decodes a value that is base64 to its end or to a byte 0; any other stays as it is. An engine that made it empty could be
/// evaded by one byte more.
pub(super) fn decode(value: &[u8], out: &mut Vec<u8>) -> bool {
    let end = memchr::memchr(0, value).unwrap_or(value.len());
    let text = &value[..end];
    if text.is_empty() || !is_base64(text) {
        return false;
    }
    out.reserve(text.len() / 4 * 3 + 3);
    let mut group = Group::default();
    for &byte in text {
        let decoded = VALUES[usize::from(byte)];
        if decoded != NONE {
            group.push(decoded, out);
        }
    }
    group.finish(out);
    true
}

/// Characters of the alphabet, line ends anywhere, spaces at the ends of lines, at most two `=` and these last.
fn is_base64(text: &[u8]) -> bool {
    let (mut padding, mut space, mut at) = (0, false, 0);
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b' ' => space = true,
            b'\n' => space = false,
            b'\r' if text.get(at) == Some(&b'\n') => {}
            _ if space => return false,
            b'=' if padding < 2 => padding += 1,
            _ if padding > 0 || VALUES[usize::from(byte)] == NONE => return false,
            _ => {}
        }
    }
    true
}

/// Decodes what is of either alphabet and skips the rest. A `=` after a lone character of a group makes the result empty.
pub(super) fn decode_forgiving(value: &[u8], out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.reserve(value.len() / 4 * 3 + 3);
    let mut group = Group::default();
    for (at, &byte) in value.iter().enumerate() {
        if byte == b'=' && group.count == 1 && value.get(at + 1) != Some(&b'=') {
            out.truncate(start);
            return true;
        }
        let decoded = BOTH_VALUES[usize::from(byte)];
        if decoded != NONE {
            group.push(decoded, out);
        }
    }
    group.finish(out);
    !value.is_empty()
}

/// RFC 4648 §4, with padding, in one line.
pub(super) fn encode(value: &[u8], out: &mut Vec<u8>) -> bool {
    out.reserve(value.len().div_ceil(3) * 4);
    for chunk in value.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = bits >> (18 - 6 * at) & 63;
            out.push(if at as usize <= chunk.len() { ALPHABET[index as usize] } else { b'=' });
        }
    }
    !value.is_empty()
}
