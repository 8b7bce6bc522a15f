//! `cmdLine`: a command line without what shells of Unix and Windows ignore, after Marc Stern's rules in the ModSecurity
//! reference manual.

use crate::ByteSet;

const REMOVED: ByteSet = ByteSet::EMPTY.with(b'"').with(b'\'').with(b'\\').with(b'^');
const SEPARATORS: ByteSet =
    ByteSet::EMPTY.with(b' ').with(b',').with(b';').with(b'\t').with(b'\r').with(b'\n');
/// `/` and `(` matter only after a separator, which is a trigger itself.
pub(super) const TRIGGERS: ByteSet = REMOVED.union(SEPARATORS).with_range(b'A', b'Z');
/// What makes a single space before it not final: it or the next byte goes or moves.
const AFTER_SPACE: ByteSet = REMOVED.union(SEPARATORS).with(b'/').with(b'(');

/// Removes `" ' \ ^`, makes each run of separators one space and none before `/` and `(`, and all of it lower case.
pub(super) fn cmd_line(value: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(first) = first_change(value) else {
        return false;
    };
    out.extend_from_slice(&value[..first]);
    let mut space = false;
    for &byte in &value[first..] {
        match byte {
            b'"' | b'\'' | b'\\' | b'^' => {}
            b' ' | b',' | b';' | b'\t' | b'\r' | b'\n' => {
                if !space {
                    out.push(b' ');
                }
                space = true;
            }
            b'/' | b'(' => {
                if space {
                    out.pop();
                }
                out.push(byte);
                space = false;
            }
            _ => {
                out.push(byte.to_ascii_lowercase());
                space = false;
            }
        }
    }
    true
}

/// The first byte that does not simply stay; ordinary words with single spaces have none.
fn first_change(value: &[u8]) -> Option<usize> {
    value.iter().enumerate().position(|(at, &byte)| {
        TRIGGERS.contains(byte)
            && (byte != b' ' || value.get(at + 1).is_some_and(|&next| AFTER_SPACE.contains(next)))
    })
}
