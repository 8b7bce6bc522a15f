//! `removeComments`, `removeCommentsChar`, `replaceComments`: comments of SQL, C and HTML.

use super::escape::{Step, replace as replace_escapes};

/// Each `/*…*/` becomes a space, an unfinished one too.
pub(super) fn replace(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace_escapes(
        value,
        out,
        |rest| {
            // A star is rarer than a slash.
            let mut stars = memchr::memchr_iter(b'*', rest);
            stars.find(|&star| star > 0 && rest[star - 1] == b'/').map(|star| star - 1)
        },
        |rest| {
            let end = memchr::memmem::find(&rest[2..], b"*/");
            Step::Put(b' ', end.map_or(rest.len(), |end| end + 4))
        },
    )
}

/// The marks go, what is between them stays.
pub(super) fn remove_marks(value: &[u8], out: &mut Vec<u8>) -> bool {
    replace_escapes(value, out, next_mark, |rest| match rest {
        [b'<', b'!', b'-', b'-', ..] => Step::Drop(4),
        [b'-', b'-', b'>', ..] => Step::Drop(3),
        [b'/', b'*', ..] | [b'*', b'/', ..] | [b'-', b'-', ..] => Step::Drop(2),
        [b'#', ..] => Step::Drop(1),
        _ => Step::Keep(1),
    })
}

/// Comments go: `/*` or `<!--` to `*/` or `-->`, whichever comes first. The byte after a comment is copied unseen, as
/// ModSecurity and Coraza do. From `--` or `#` on nothing is left, and an unfinished comment leaves a space.
pub(super) fn remove(value: &[u8], out: &mut Vec<u8>) -> bool {
    let mut changed = false;
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = value.get(at..).and_then(next_mark) {
        at += found;
        let open = match &value[at..] {
            [b'/', b'*', ..] => 2,
            [b'<', b'!', b'-', b'-', ..] => 4,
            [b'-', b'-', ..] | [b'#', ..] => {
                out.extend_from_slice(&value[copied..at]);
                return true;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        changed = true;
        out.extend_from_slice(&value[copied..at]);
        let Some(end) = end_of_comment(value, at + open) else {
            out.push(b' ');
            return true;
        };
        copied = end;
        at = end + 1;
    }
    if changed {
        out.extend_from_slice(value.get(copied..).unwrap_or_default());
    }
    changed
}

fn next_mark(rest: &[u8]) -> Option<usize> {
    rest.iter().position(|byte| matches!(byte, b'/' | b'*' | b'<' | b'-' | b'#'))
}

/// The place after the end of the comment whose text starts at `at`.
fn end_of_comment(value: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'*', b'-', value.get(at..)?)?;
        match &value[at..] {
            [b'*', b'/', ..] => return Some(at + 2),
            [b'-', b'-', b'>', ..] => return Some(at + 3),
            _ => at += 1,
        }
    }
}
