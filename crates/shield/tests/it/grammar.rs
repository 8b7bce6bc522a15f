//! Patterns made at random, and subjects made out of them: texts that match, nearly match, or lie side by side.

/// Choices, one byte each; when they are used up every choice is the first, so that what is made comes to an end.
pub(crate) struct Choices<'c>(std::slice::Iter<'c, u8>);

impl<'c> Choices<'c> {
    pub(crate) fn new(bytes: &'c [u8]) -> Self {
        Self(bytes.iter())
    }

    /// A number below `bound`, which is at most 256.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default()) % bound
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// Bytes that patterns and subjects share: letters that words are made of, in both cases, signs, line ends, bytes of no text.
const BYTES: &[u8] = b"aabbceElnorstuSxKz019_ '\"/<=>-;.\n\r\t\0\x7f\x80\xc3\xa4\xfe\xff";
const WORDS: &[&[u8]] = &[
    b"aa",
    b"aaa",
    b"abab",
    b"union",
    b"SELECT",
    b"script",
    b"or",
    b"=1",
    b"../",
    b"<!--",
    b"\xc3\xa4",
    b"\xff\xfe",
    b"e",
    b"passwd",
    b"\r\n",
    b"onload=",
];
const CLASSES: &[&str] =
    &["\\w", "\\W", "\\d", "\\s", "\\S", "[^\\w]", "[\\s\\x22']", "[^a]", "[a-fA-F0-9]", "[\\x80-\\xff]"];
const LOOKS: &[&str] = &["^", "$", "\\b", "\\B", "\\A", "\\z"];

/// A part of a pattern.
#[derive(Debug)]
pub(crate) enum Node {
    Text(Vec<u8>),
    /// Ranges, and whether all but them are meant.
    Set(Vec<(u8, u8)>, bool),
    Class(&'static str),
    Dot,
    Look(&'static str),
    Side(Vec<Node>),
    Either(Vec<Node>),
    Repeat(Box<Node>, usize, Option<usize>, bool),
    /// A group, and whether it tells letters of both cases apart.
    Group(Box<Node>, &'static str),
}

impl Node {
    /// Any part, at most `depth` deep.
    pub(crate) fn any(choices: &mut Choices<'_>, depth: usize) -> Self {
        let kind = choices.below(if depth == 0 { 10 } else { 25 });
        let inner = |choices: &mut Choices<'_>| Self::any(choices, depth - 1);
        match kind {
            0..=2 => Self::Text(choices.one(WORDS).to_vec()),
            3 | 4 => Self::Text(vec![choices.one(BYTES)]),
            5 => Self::set(choices),
            6 => Self::Class(choices.one(CLASSES)),
            7 => Self::Dot,
            8 | 9 => Self::Look(choices.one(LOOKS)),
            10..=14 => Self::Side((0..2 + choices.below(4)).map(|_| inner(choices)).collect()),
            15..=17 => Self::Either((0..2 + choices.below(3)).map(|_| inner(choices)).collect()),
            18..=21 => {
                let min = choices.below(4);
                let max =
                    choices.one(&[None, Some(0), Some(0), Some(1), Some(3)]).map(|more: usize| min + more);
                let max = if min == 0 && max == Some(0) { Some(1) } else { max };
                Self::Repeat(Box::new(inner(choices)), min, max, choices.below(4) == 1)
            }
            22 => Self::broken_word(choices),
            _ => Self::Group(Box::new(inner(choices)), choices.one(&["(?i:", "(", "(?-i:", "(?s:"])),
        }
    }

    /// A word that something may stand between the letters of, as in `w["']*h["']*o`.
    fn broken_word(choices: &mut Choices<'_>) -> Self {
        let word = choices.one(WORDS);
        let between =
            choices.one(&[(b'"', b'\\'), (b'\'', b'\''), (b'x', b'x'), (b' ', b' '), (b'a', b'\xff')]);
        let max = choices.one(&[None, Some(1), Some(2)]);
        let letters = word.iter().flat_map(|&letter| {
            let gap = Self::Repeat(Box::new(Self::Set(vec![between], false)), 0, max, false);
            [Self::Text(vec![letter]), gap]
        });
        Self::Side(letters.collect())
    }

    fn set(choices: &mut Choices<'_>) -> Self {
        let ranges = (0..1 + choices.below(3)).map(|_| {
            let first = choices.one(BYTES);
            (first, first.saturating_add(choices.one(&[0, 0, 1, 5, 25])))
        });
        let ranges = ranges.collect();
        Self::Set(ranges, choices.below(4) == 1)
    }

    /// The pattern as text, all but letters and digits escaped.
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::Text(text) => text.iter().for_each(|&byte| literal(byte, out)),
            Self::Set(ranges, negated) => {
                out.push_str(if *negated { "[^" } else { "[" });
                for &(first, last) in ranges {
                    literal(first, out);
                    out.push('-');
                    literal(last, out);
                }
                out.push(']');
            }
            Self::Class(text) | Self::Look(text) => out.push_str(text),
            Self::Dot => out.push('.'),
            Self::Side(nodes) => nodes.iter().for_each(|node| node.write(out)),
            Self::Either(nodes) => {
                out.push_str("(?:");
                for (at, node) in nodes.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "|" });
                    node.write(out);
                }
                out.push(')');
            }
            Self::Repeat(node, min, max, lazy) => {
                out.push_str("(?:");
                node.write(out);
                let max = max.map_or_else(String::new, |max| max.to_string());
                out.push_str(&format!("){{{min},{max}}}{}", if *lazy { "?" } else { "" }));
            }
            Self::Group(node, open) => {
                out.push_str(open);
                node.write(out);
                out.push(')');
            }
        }
    }

    /// A text that the part matches, where what is around it lets it.
    pub(crate) fn sample(&self, choices: &mut Choices<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Set(ranges, false) => {
                let (first, last) = choices.one(ranges);
                out.push(first.saturating_add(choices.one(&[0, 1, 5, 25])).min(last));
            }
            Self::Set(_, true) | Self::Dot => out.push(choices.one(BYTES)),
            Self::Class(text) => out.push(match *text {
                "\\w" | "\\S" | "[a-fA-F0-9]" => choices.one(b"aE0f9B"),
                "\\d" => choices.one(b"01"),
                "\\s" | "[\\s\\x22']" => choices.one(b" \n\t\r\x0b"),
                "[\\x80-\\xff]" => choices.one(b"\x80\xff\xc3"),
                _ => choices.one(b"-'/b"),
            }),
            Self::Look(text) => match *text {
                "^" | "$" => out.extend_from_slice(choices.one(&[&b""[..], b"\n"])),
                "\\b" => out.extend_from_slice(choices.one(&[&b""[..], b"", b" "])),
                _ => {}
            },
            Self::Side(nodes) => nodes.iter().for_each(|node| node.sample(choices, out)),
            Self::Either(nodes) => nodes[choices.below(nodes.len())].sample(choices, out),
            Self::Repeat(node, min, max, _) => {
                let times = min + choices.below(max.map_or(4, |max| max - min + 1));
                (0..times).for_each(|_| node.sample(choices, out));
            }
            Self::Group(node, open) => {
                let start = out.len();
                node.sample(choices, out);
                if *open == "(?i:" && choices.below(2) == 1 {
                    out[start..].iter_mut().for_each(swap_case);
                }
            }
        }
    }
}

fn literal(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!("\\x{byte:02x}"));
    }
}

fn swap_case(byte: &mut u8) {
    *byte = if byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
}

/// A subject: samples of parts with noise around them, and perhaps one fault in it. Some are longer than what a scanner folds
/// at once.
pub(crate) fn subject(parts: &[Node], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match choices.below(8) {
        0..=3 => {}
        4 | 5 => (0..choices.below(6)).for_each(|_| out.push(choices.one(BYTES))),
        6 => out.extend(std::iter::repeat_n(choices.one(b"a .\n"), 495 + choices.below(30))),
        _ => out.extend(std::iter::repeat_n(choices.one(b"a .\n"), 1015 + choices.below(20))),
    }
    for _ in 0..1 + choices.below(2) {
        parts[choices.below(parts.len())].sample(choices, &mut out);
    }
    if choices.below(2) == 1 {
        (0..choices.below(10)).for_each(|_| out.push(choices.one(BYTES)));
    }
    if !out.is_empty() {
        fault(choices, &mut out);
    }
    out
}

fn fault(choices: &mut Choices<'_>, out: &mut Vec<u8>) {
    let at = out.len() - 1 - choices.below(out.len().min(40));
    match choices.below(12) {
        1 => out[at] = choices.one(BYTES),
        2 => {
            out.remove(at);
        }
        3 => out.insert(at, out[at]),
        4 => swap_case(&mut out[at]),
        5 => out.truncate(at),
        6 => out.extend_from_within(at..),
        _ => {}
    }
}
