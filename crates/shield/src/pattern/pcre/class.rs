//! Bracketed classes (pcre2pattern(3), "Square brackets and character classes").

use super::super::PatternError;
use super::escape::{self, DIGITS, Escape, LETTERS, Place, SPACE, WORD};
use crate::ByteSet;

/// What changes the meaning of a class.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClassFlags {
    /// `(?i)`.
    pub(super) caseless: bool,
    /// `(?xx)`: spaces and tabs do not count.
    pub(super) spaced: bool,
}

/// Reads the class whose bracket is at `at`; returns its bytes and where it ends.
pub(super) fn read(text: &[u8], at: usize, flags: ClassFlags) -> Result<(ByteSet, usize), PatternError> {
    if posix_end(text, at).is_some() {
        return Err(PatternError::Syntax { at });
    }
    let mut reader = Reader { text, at: at + 1, start: at, quoted: false, flags };
    let negated = text.get(reader.at) == Some(&b'^');
    if negated {
        reader.at += 1;
    }
    let mut set = ByteSet::EMPTY;
    let mut first = true;
    while let Some(item) = reader.item(first)? {
        first = false;
        set = set.union(match item {
            Item::Set(more) => more,
            Item::Byte(from) => match reader.range_end()? {
                Some(to) if to < from => return Err(PatternError::Syntax { at: reader.at }),
                Some(to) => ByteSet::EMPTY.with_range(from, to),
                None => ByteSet::EMPTY.with(from),
            },
        });
    }
    if flags.caseless {
        set = caseless(set);
    }
    Ok((if negated { set.complement() } else { set }, reader.at))
}

/// The set, and each letter of it in its other case.
pub(super) fn caseless(set: ByteSet) -> ByteSet {
    set.intersection(LETTERS).iter().fold(set, |set, letter| set.with(letter ^ 0x20))
}

/// A member of a class.
#[derive(Clone, Copy, Debug)]
enum Item {
    Byte(u8),
    Set(ByteSet),
}

#[derive(Clone, Copy, Debug)]
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    /// Where the class opens, for errors.
    start: usize,
    /// Between `\Q` and `\E`.
    quoted: bool,
    flags: ClassFlags,
}

impl Reader<'_> {
    /// The next member; none when the class ends. The `first` may be a closing bracket.
    fn item(&mut self, first: bool) -> Result<Option<Item>, PatternError> {
        self.skip();
        let Some(&byte) = self.text.get(self.at) else { return Err(PatternError::Syntax { at: self.start }) };
        if self.quoted {
            self.at += 1;
            return Ok(Some(Item::Byte(byte)));
        }
        match byte {
            b']' if !first => {
                self.at += 1;
                Ok(None)
            }
            b'[' => match posix_end(self.text, self.at) {
                Some(end) => self.posix(end).map(Some),
                None => {
                    self.at += 1;
                    Ok(Some(Item::Byte(byte)))
                }
            },
            b'\\' => {
                let (escape, end) = escape::read(self.text, self.at, Place::Class)?;
                let item = match escape {
                    Escape::Byte(byte) => Item::Byte(byte),
                    Escape::Set(set) => Item::Set(set),
                    _ => return Err(PatternError::Syntax { at: self.at }),
                };
                self.at = end;
                Ok(Some(item))
            }
            _ => {
                self.at += 1;
                Ok(Some(Item::Byte(byte)))
            }
        }
    }

    /// The last byte of a range, when what was read last is its first one.
    fn range_end(&mut self) -> Result<Option<u8>, PatternError> {
        let mut ahead = *self;
        ahead.skip();
        if ahead.quoted || ahead.text.get(ahead.at) != Some(&b'-') {
            return Ok(None);
        }
        ahead.at += 1;
        match ahead.item(false)? {
            Some(Item::Byte(to)) => {
                *self = ahead;
                Ok(Some(to))
            }
            // A hyphen before a class or at the end is a hyphen; it is read as the next member.
            Some(Item::Set(_)) | None => Ok(None),
        }
    }

    /// Passes over what means nothing: `\E`, `\Q\E`, and spaces where they do not count.
    fn skip(&mut self) {
        loop {
            match self.text.get(self.at..).unwrap_or_default() {
                [b'\\', b'E', ..] => {
                    self.quoted = false;
                    self.at += 2;
                }
                [b'\\', b'Q', ..] if !self.quoted => {
                    self.quoted = true;
                    self.at += 2;
                }
                [b' ' | b'\t', ..] if self.flags.spaced && !self.quoted => self.at += 1,
                _ => return,
            }
        }
    }

    /// The POSIX class that is here and whose closing bracket is before `end`.
    fn posix(&mut self, end: usize) -> Result<Item, PatternError> {
        let syntax = PatternError::Syntax { at: self.at };
        let name = self.text.get(self.at + 1..end.saturating_sub(1)).unwrap_or_default();
        let [b':', name @ .., b':'] = name else { return Err(syntax) };
        let (name, negated) = match name {
            [b'^', name @ ..] => (name, true),
            name => (name, false),
        };
        let set = posix_set(name, self.flags.caseless).ok_or(syntax)?;
        self.at = end;
        Ok(Item::Set(if negated { set.complement() } else { set }))
    }
}

/// Where the POSIX class ends whose outer bracket is at `at`: `[:…:]`, or `[.….]` and `[=…=]`, which PCRE knows but refuses.
pub(super) fn posix_end(text: &[u8], at: usize) -> Option<usize> {
    let mark = match text.get(at..)? {
        [b'[', mark @ (b':' | b'.' | b'='), ..] => *mark,
        _ => return None,
    };
    let mut at = at + 2;
    loop {
        match text.get(at..)? {
            [b'\\', b']' | b'\\', ..] => at += 2,
            [b'[', next, ..] if *next == mark => return None,
            [b']', ..] => return None,
            [byte, b']', ..] if *byte == mark => return Some(at + 2),
            [_, _, ..] => at += 1,
            _ => return None,
        }
    }
}

fn posix_set(name: &[u8], caseless: bool) -> Option<ByteSet> {
    const EMPTY: ByteSet = ByteSet::EMPTY;
    Some(match name {
        b"alpha" => LETTERS,
        b"lower" | b"upper" if caseless => LETTERS,
        b"lower" => EMPTY.with_range(b'a', b'z'),
        b"upper" => EMPTY.with_range(b'A', b'Z'),
        b"alnum" => LETTERS.union(DIGITS),
        b"ascii" => EMPTY.with_range(0, 0x7f),
        b"blank" => EMPTY.with(b' ').with(b'\t'),
        b"cntrl" => EMPTY.with_range(0, 0x1f).with(0x7f),
        b"digit" => DIGITS,
        b"graph" => EMPTY.with_range(b'!', b'~'),
        b"print" => EMPTY.with_range(b' ', b'~'),
        b"punct" => EMPTY.with_range(b'!', b'~').intersection(LETTERS.union(DIGITS).complement()),
        b"space" => SPACE,
        b"word" => WORD,
        b"xdigit" => DIGITS.with_range(b'a', b'f').with_range(b'A', b'F'),
        _ => return None,
    })
}
