//! Prints a pattern in the syntax of `regex-syntax`.
//!
//! Only these forms are written, so that no flag matters: single bytes, classes of bytes and ranges, `(…)`, `(?:…)`, `|`,
//! quantifiers, and conditions with their own flags.
//!
//! What PCRE never gives back (possessive quantifiers, atomic groups, `\R`) is written plainly where that finds the same
//! matches, and is an error elsewhere. It finds the same in two cases:
//!
//! - Nothing but the end of the pattern comes after: both take the first way through the group.
//! - Single bytes of a set `C` are repeated, and no way on begins with a byte of `C`: who took fewer than possible stands
//!   before a byte of `C`, and fails. If the repetition has no upper limit, what comes after may begin with optional
//!   repetitions of single bytes even from `C`: each byte one of them takes could be taken here instead, and nothing
//!   would change.

use std::fmt::Write as _;

use super::super::PatternError;
use super::tree::{Follow, Greed, Look, NEWLINES, Node, Repeat};
use crate::ByteSet;

/// Prints `node` as a whole pattern.
pub(super) fn write(node: &Node) -> Result<String, PatternError> {
    let mut writer = Writer { text: String::new() };
    writer.node(node, Follow::END)?;
    Ok(writer.text)
}

#[derive(Debug)]
struct Writer {
    text: String,
}

impl Writer {
    /// Prints a node that `then` may follow.
    fn node(&mut self, node: &Node, then: Follow) -> Result<(), PatternError> {
        match node {
            Node::Empty => self.text.push_str("(?:)"),
            Node::Set(set) => self.set(*set),
            Node::Look(look) => self.look(*look, then)?,
            Node::Newline { at } => {
                if then.bytes.contains(b'\n') {
                    return Err(PatternError::Atomic { at: *at });
                }
                self.text.push_str("(?:\\x0D\\x0A|");
                self.set(NEWLINES);
                self.text.push(')');
            }
            Node::Group(node) => {
                self.text.push('(');
                self.node(node, then)?;
                self.text.push(')');
            }
            Node::Atomic { node, at } => {
                if !is_plain(node, then) {
                    return Err(PatternError::Atomic { at: *at });
                }
                self.part(node, then)?;
            }
            Node::Concat(nodes) => {
                let mut follows = Vec::with_capacity(nodes.len());
                let mut follow = then;
                for node in nodes.iter().rev() {
                    follows.push(follow);
                    follow = node.first(follow);
                }
                for (node, follow) in nodes.iter().zip(follows.into_iter().rev()) {
                    self.part(node, follow)?;
                }
            }
            Node::Alternate(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    if index > 0 {
                        self.text.push('|');
                    }
                    self.node(node, then)?;
                }
            }
            Node::Repeat(repeat) => self.repeat(repeat, then)?,
        }
        Ok(())
    }

    /// Prints a node beside others: alternatives need a group.
    fn part(&mut self, node: &Node, then: Follow) -> Result<(), PatternError> {
        if !matches!(node, Node::Alternate(_)) {
            return self.node(node, then);
        }
        self.text.push_str("(?:");
        self.node(node, then)?;
        self.text.push(')');
        Ok(())
    }

    fn repeat(&mut self, repeat: &Repeat, then: Follow) -> Result<(), PatternError> {
        let Repeat { node, min, max, greed, at } = repeat;
        if *greed == Greed::Possessive && !is_plain_repeat(repeat, then) {
            return Err(PatternError::Possessive { at: *at });
        }
        match node {
            // A CR LF may count as one or as two here, which ends at the same place.
            Node::Newline { .. }
                if *min <= 1 && max.is_none() && *greed != Greed::Lazy && !then.bytes.contains(b'\n') =>
            {
                self.set(NEWLINES);
            }
            Node::Set(_) | Node::Group(_) => self.node(node, inside(repeat, then))?,
            _ => {
                self.text.push_str("(?:");
                self.node(node, inside(repeat, then))?;
                self.text.push(')');
            }
        }
        let _ = match (*min, *max) {
            (0, None) => write!(self.text, "*"),
            (1, None) => write!(self.text, "+"),
            (0, Some(1)) => write!(self.text, "?"),
            (min, None) => write!(self.text, "{{{min},}}"),
            (min, Some(max)) if min == max => write!(self.text, "{{{min}}}"),
            (min, Some(max)) => write!(self.text, "{{{min},{max}}}"),
        };
        if *greed == Greed::Lazy {
            self.text.push('?');
        }
        Ok(())
    }

    fn look(&mut self, look: Look, then: Follow) -> Result<(), PatternError> {
        self.text.push_str(match look {
            Look::Start => r"\A",
            Look::StartLine => "(?m:^)",
            Look::End => r"\z",
            Look::EndLine => "(?m:$)",
            // It takes the line end, so nothing may look at it any more.
            Look::EndOrFinalNewline { .. } if then.is_end() => r"(?:\x0A?\z)",
            Look::EndOrFinalNewline { at } => return Err(PatternError::Unsupported { at }),
            Look::Boundary => r"\b",
            Look::NotBoundary => r"\B",
            Look::WordStart => r"\b{start}",
            Look::WordEnd => r"\b{end}",
        });
        Ok(())
    }

    fn set(&mut self, set: ByteSet) {
        match set.len() {
            256 => self.text.push_str("(?s:.)"),
            0 => self.text.push_str(r"[^\x00-\xFF]"),
            1 => set.iter().for_each(|byte| self.byte(byte)),
            _ => {
                let (negated, members) = if set.len() > 128 { ("^", set.complement()) } else { ("", set) };
                self.text.push('[');
                self.text.push_str(negated);
                self.members(members);
                self.text.push(']');
            }
        }
    }

    /// Prints the bytes of a class, runs of more than two as ranges.
    fn members(&mut self, set: ByteSet) {
        let mut bytes = set.iter().peekable();
        while let Some(first) = bytes.next() {
            let mut last = first;
            while let Some(next) = bytes.next_if(|&next| next == last.saturating_add(1)) {
                last = next;
            }
            self.byte(first);
            if last > first {
                if last - first > 1 {
                    self.text.push('-');
                }
                self.byte(last);
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        // Writing to a string cannot fail.
        let _ = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => write!(self.text, "{}", char::from(byte)),
            _ => write!(self.text, "\\x{byte:02X}"),
        };
    }
}

/// What may follow what a quantifier repeats: itself again, or what comes after.
fn inside(repeat: &Repeat, then: Follow) -> Follow {
    if repeat.max == Some(1) { then } else { repeat.node.first(then).union(then) }
}

/// Whether nothing changes when `node` may be entered again.
fn is_plain(node: &Node, then: Follow) -> bool {
    match node {
        _ if then.is_end() || node.as_set().is_some() => true,
        Node::Repeat(repeat) => is_plain_repeat(repeat, then),
        Node::Group(node) => is_plain(node, then),
        _ => false,
    }
}

/// Whether nothing changes when a greedy quantifier may give back.
fn is_plain_repeat(repeat: &Repeat, then: Follow) -> bool {
    let next = if repeat.max.is_none() { then.firm } else { then.bytes };
    let disjoint = repeat.node.as_set().is_some_and(|set| !set.meets(next));
    then.is_end() || (disjoint && repeat.greed != Greed::Lazy)
}
