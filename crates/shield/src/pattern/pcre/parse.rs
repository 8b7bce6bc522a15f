//! Reads the text of a pattern.

use super::super::PatternError;
use super::class::{self, ClassFlags};
use super::escape::{self, Escape, Place};
use super::tree::{Greed, Look, Node, Repeat};
use crate::ByteSet;

/// Deepest nesting of groups: what builds the automaton recurses. The Core Rule Set needs below 15; PCRE2 allows 250.
const MAX_DEPTH: u32 = 100;
/// Largest number in a quantifier, as in PCRE2.
const MAX_REPEAT: u32 = 65_535;

/// Reads a pattern as PCRE2 does with `DOTALL` and `MULTILINE`, without UTF.
pub(super) fn parse(text: &[u8]) -> Result<Node, PatternError> {
    let flags = Flags { multiline: true, dot_all: true, ..Flags::default() };
    let mut parser = Parser { text, at: 0, flags, depth: 0, groups: 0, quoted: false };
    let node = parser.alternation()?;
    match text.get(parser.at) {
        // Only a closing parenthesis stops it early.
        Some(_) => Err(PatternError::Syntax { at: parser.at }),
        None => Ok(node),
    }
}

/// The options in force.
#[derive(Clone, Copy, Default, Debug)]
struct Flags {
    caseless: bool,
    multiline: bool,
    dot_all: bool,
    extended: bool,
    extended_more: bool,
    ungreedy: bool,
    no_capture: bool,
}

#[derive(Debug)]
struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    flags: Flags,
    depth: u32,
    groups: u32,
    /// Between `\Q` and `\E`.
    quoted: bool,
}

impl Parser<'_> {
    /// Branches up to the end or a closing parenthesis, which stays.
    fn alternation(&mut self) -> Result<Node, PatternError> {
        let mut branches = vec![self.sequence()?];
        while self.peek() == Some(b'|') {
            self.at += 1;
            branches.push(self.sequence()?);
        }
        Ok(match branches.pop() {
            Some(only) if branches.is_empty() => only,
            Some(last) => {
                branches.push(last);
                Node::Alternate(branches)
            }
            None => Node::Empty,
        })
    }

    fn sequence(&mut self) -> Result<Node, PatternError> {
        let mut nodes = Vec::new();
        loop {
            self.skip()?;
            match self.peek() {
                None => break,
                Some(b'|' | b')') if !self.quoted => break,
                Some(_) => {}
            }
            if let Some(item) = self.item()? {
                let node = self.quantified(item)?;
                nodes.push(node);
            }
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.remove(0),
            _ => Node::Concat(nodes),
        })
    }

    /// One item; none for a group that only sets flags.
    fn item(&mut self) -> Result<Option<Node>, PatternError> {
        let at = self.at;
        let Some(byte) = self.peek() else { return Ok(None) };
        if self.quoted {
            self.at += 1;
            return Ok(Some(self.literal(byte)));
        }
        if self.repetition_at(at).is_some() {
            return Err(PatternError::Syntax { at });
        }
        match byte {
            b'(' => self.group(),
            b'[' => self.class().map(Some),
            b'\\' => self.escape().map(Some),
            _ => {
                self.at += 1;
                Ok(Some(match byte {
                    b'^' if self.flags.multiline => Node::Look(Look::StartLine),
                    b'^' => Node::Look(Look::Start),
                    b'$' if self.flags.multiline => Node::Look(Look::EndLine),
                    b'$' => Node::Look(Look::EndOrFinalNewline { at }),
                    b'.' if self.flags.dot_all => Node::Set(ByteSet::ALL),
                    b'.' => Node::Set(not_newline()),
                    _ => self.literal(byte),
                }))
            }
        }
    }

    fn literal(&self, byte: u8) -> Node {
        let set = ByteSet::EMPTY.with(byte);
        Node::Set(if self.flags.caseless { class::caseless(set) } else { set })
    }

    fn class(&mut self) -> Result<Node, PatternError> {
        for (text, look) in [(b"[[:<:]]", Look::WordStart), (b"[[:>:]]", Look::WordEnd)] {
            if self.rest().starts_with(text) {
                self.at += text.len();
                return Ok(Node::Look(look));
            }
        }
        let flags = ClassFlags { caseless: self.flags.caseless, spaced: self.flags.extended_more };
        let (set, end) = class::read(self.text, self.at, flags)?;
        self.at = end;
        Ok(Node::Set(set))
    }

    fn escape(&mut self) -> Result<Node, PatternError> {
        let at = self.at;
        let (escape, end) = escape::read(self.text, at, Place::Pattern { groups: self.groups })?;
        self.at = end;
        Ok(match escape {
            Escape::Byte(byte) => self.literal(byte),
            Escape::Set(set) => Node::Set(set),
            Escape::Look(look) => Node::Look(look),
            Escape::Newline => Node::Newline { at },
            Escape::NotNewline => Node::Set(not_newline()),
            // `skip` passes over both.
            Escape::Quote | Escape::Unquote => return Err(PatternError::Syntax { at }),
        })
    }

    /// What begins with an opening parenthesis.
    fn group(&mut self) -> Result<Option<Node>, PatternError> {
        let at = self.at;
        self.at += 1;
        match self.rest() {
            [b'*', b':' | b'a'..=b'z' | b'A'..=b'Z', ..] => return Err(PatternError::Unsupported { at }),
            [b'?', ..] => self.at += 1,
            _ if self.flags.no_capture => return self.inner(at, self.flags).map(Some),
            _ => return self.capture(at).map(Some),
        }
        match self.rest() {
            [b'=' | b'!' | b'*', ..] | [b'<', b'=' | b'!' | b'*', ..] => Err(PatternError::LookAround { at }),
            [b'>', ..] => {
                self.at += 1;
                let node = Box::new(self.inner(at, self.flags)?);
                Ok(Some(Node::Atomic { node, at }))
            }
            [b'(', ..] => Err(PatternError::Conditional { at }),
            [b'|' | b'C', ..] => Err(PatternError::Unsupported { at }),
            [b'R' | b'&' | b'0'..=b'9' | b'+', ..] | [b'-', b'0'..=b'9', ..] | [b'P', b'>', ..] => {
                Err(PatternError::Recursion { at })
            }
            [b'P', b'=', ..] => Err(PatternError::BackReference { at }),
            [b'P', b'<', ..] => self.named(at, 2, b'>').map(Some),
            [b'<', ..] => self.named(at, 1, b'>').map(Some),
            [b'\'', ..] => self.named(at, 1, b'\'').map(Some),
            _ => self.flags(at),
        }
    }

    fn capture(&mut self, at: usize) -> Result<Node, PatternError> {
        self.groups += 1;
        Ok(Node::Group(Box::new(self.inner(at, self.flags)?)))
    }

    /// `(?<name>…)`; `skip` bytes come before the name, `close` ends it. Names mean nothing here: SecLang counts groups.
    fn named(&mut self, at: usize, skip: usize, close: u8) -> Result<Node, PatternError> {
        self.at += skip;
        let name =
            self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let valid = self.peek().is_some_and(|first| !first.is_ascii_digit()) && (1..=32).contains(&name);
        self.at += name;
        if !valid || self.peek() != Some(close) {
            return Err(PatternError::Syntax { at: self.at });
        }
        self.at += 1;
        self.capture(at)
    }

    /// `(?i-s)` and `(?i-s:…)`.
    fn flags(&mut self, at: usize) -> Result<Option<Node>, PatternError> {
        let mut flags = self.flags;
        let mut on = true;
        let mut reset = false;
        if self.peek() == Some(b'^') {
            self.at += 1;
            reset = true;
            let ungreedy = flags.ungreedy;
            flags = Flags { ungreedy, ..Flags::default() };
        }
        loop {
            let byte = self.peek();
            let place = self.at;
            self.at += 1;
            match byte {
                Some(b'i') => flags.caseless = on,
                Some(b'm') => flags.multiline = on,
                Some(b's') => flags.dot_all = on,
                Some(b'n') => flags.no_capture = on,
                Some(b'U') => flags.ungreedy = on,
                Some(b'J') => {}
                Some(b'x') => {
                    flags.extended = on;
                    flags.extended_more = on && self.peek() == Some(b'x');
                    if self.peek() == Some(b'x') {
                        self.at += 1;
                    }
                }
                Some(b'-') if on && !reset => on = false,
                Some(b')') => {
                    self.flags = flags;
                    return Ok(None);
                }
                Some(b':') => return self.inner(at, flags).map(Some),
                Some(_) => return Err(PatternError::Syntax { at: place }),
                None => return Err(PatternError::Syntax { at }),
            }
        }
    }

    /// What is in a group that opened at `at`, and its closing parenthesis. Flags set in it end with it.
    fn inner(&mut self, at: usize, flags: Flags) -> Result<Node, PatternError> {
        if self.depth == MAX_DEPTH {
            return Err(PatternError::TooLarge);
        }
        let outer = std::mem::replace(&mut self.flags, flags);
        self.depth += 1;
        let node = self.alternation()?;
        self.depth -= 1;
        self.flags = outer;
        if self.peek() != Some(b')') {
            return Err(PatternError::Syntax { at });
        }
        self.at += 1;
        // A quantifier may repeat a condition in a group, but not one without.
        Ok(if matches!(node, Node::Look(_)) { Node::Concat(vec![node]) } else { node })
    }

    /// Repeats `node` if a quantifier follows.
    fn quantified(&mut self, node: Node) -> Result<Node, PatternError> {
        self.skip()?;
        let at = self.at;
        if self.quoted {
            return Ok(node);
        }
        let Some((min, max, end)) = self.repetition_at(at) else { return Ok(node) };
        if matches!(node, Node::Look(_))
            || min > MAX_REPEAT
            || max.is_some_and(|max| max < min || max > MAX_REPEAT)
        {
            return Err(PatternError::Syntax { at });
        }
        self.at = end;
        self.skip()?;
        let greed = match self.peek() {
            Some(b'+') if !self.quoted => Some(Greed::Possessive),
            Some(b'?') if !self.quoted => Some(if self.flags.ungreedy { Greed::Greedy } else { Greed::Lazy }),
            _ => None,
        };
        if greed.is_some() {
            self.at += 1;
        }
        let default = if self.flags.ungreedy { Greed::Lazy } else { Greed::Greedy };
        Ok(Node::Repeat(Box::new(Repeat { node, min, max, greed: greed.unwrap_or(default), at })))
    }

    /// The quantifier at `at`: least, most, and where it ends.
    fn repetition_at(&self, at: usize) -> Option<(u32, Option<u32>, usize)> {
        match self.text.get(at)? {
            b'*' => Some((0, None, at + 1)),
            b'+' => Some((1, None, at + 1)),
            b'?' => Some((0, Some(1), at + 1)),
            b'{' => {
                let (min, end) = self.digits(at + 1)?;
                match self.text.get(end..)? {
                    [b'}', ..] => Some((min, Some(min), end + 1)),
                    [b',', b'}', ..] => Some((min, None, end + 2)),
                    [b',', ..] => {
                        let (max, end) = self.digits(end + 1)?;
                        (self.text.get(end) == Some(&b'}')).then_some((min, Some(max), end + 1))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn digits(&self, start: usize) -> Option<(u32, usize)> {
        let (value, end) = escape::number(self.text, start, 10, usize::MAX);
        (end > start).then_some((value, end))
    }

    /// Passes over what means nothing: `\Q`, `\E`, comments, and spaces where they do not count.
    fn skip(&mut self) -> Result<(), PatternError> {
        loop {
            let at = self.at;
            match self.rest() {
                [b'\\', b'E', ..] => {
                    self.quoted = false;
                    self.at += 2;
                }
                _ if self.quoted => return Ok(()),
                [b'\\', b'Q', ..] => {
                    self.quoted = true;
                    self.at += 2;
                }
                [b'(', b'?', b'#', comment @ ..] => match memchr::memchr(b')', comment) {
                    Some(end) => self.at += 3 + end + 1,
                    None => return Err(PatternError::Syntax { at }),
                },
                [b'#', comment @ ..] if self.flags.extended => {
                    self.at += 1 + memchr::memchr(b'\n', comment).map_or(comment.len(), |end| end + 1);
                }
                [byte, ..] if self.flags.extended && escape::SPACE.contains(*byte) => self.at += 1,
                _ => return Ok(()),
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }
}

fn not_newline() -> ByteSet {
    ByteSet::EMPTY.with(b'\n').complement()
}
