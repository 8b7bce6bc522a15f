//! Tokens of HTML as browsers read it that forgive everything, from the middle of a page or of a tag (HTML standard §13.2.5).

use memchr::{memchr, memmem};

/// Where in a page a value is thought to stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Between tags.
    Text,
    /// In a tag, where an attribute may start.
    Tag,
    /// In the value of an attribute, within these quotes.
    Quoted(u8),
}

/// What matters of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token<'a> {
    Doctype,
    /// The name of an element that opens, or that closes and has attributes.
    Element(&'a [u8]),
    /// The name of an attribute.
    Attribute(&'a [u8]),
    Value(&'a [u8]),
    Comment(&'a [u8]),
    /// Text, or the end of a tag.
    Other,
}

#[derive(Clone, Copy)]
enum State {
    Text,
    /// After `<`.
    Open,
    /// After `</`.
    Close,
    BeforeAttribute,
    AfterAttribute,
    BeforeValue,
    Quoted(u8),
    AfterQuoted,
    /// After `/` in a tag.
    Slash,
    /// At the `>` of a tag.
    End,
    Done,
}

/// Reads the tokens of a value.
pub(super) struct Tokens<'a> {
    value: &'a [u8],
    at: usize,
    state: State,
}

/// White space of HTML, and the two bytes that Internet Explorer took for it.
const fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | 0x09..=0x0d | 0)
}

impl<'a> Tokens<'a> {
    pub(super) fn new(value: &'a [u8], place: Place) -> Self {
        let state = match place {
            Place::Text => State::Text,
            Place::Tag => State::BeforeAttribute,
            Place::Quoted(quote) => State::Quoted(quote),
        };
        Self { value, at: 0, state }
    }

    fn rest(&self) -> &'a [u8] {
        self.value.get(self.at..).unwrap_or_default()
    }

    /// Skips `skipped` bytes, goes on as `state`.
    fn go<T>(&mut self, skipped: usize, state: State, token: T) -> T {
        self.at += skipped;
        self.state = state;
        token
    }

    /// Takes `length` bytes as a token and skips `skipped` behind it.
    fn take(&mut self, length: usize, skipped: usize, state: State) -> &'a [u8] {
        let taken = &self.rest()[..length];
        self.go(length + skipped, state, taken)
    }

    /// Takes all that is left.
    fn take_rest(&mut self) -> &'a [u8] {
        self.take(self.rest().len(), 0, State::Done)
    }

    fn skip_white(&mut self) -> Option<u8> {
        let white = self.rest().iter().take_while(|&&byte| is_white(byte)).count();
        self.at += white;
        self.rest().first().copied()
    }

    /// One step of the state machine; a step without a token is `Some(None)`, the end `None`.
    fn step(&mut self) -> Option<Option<Token<'a>>> {
        let rest = self.rest();
        match self.state {
            State::Done => return None,
            State::Text => {
                let length = memchr(b'<', rest)?;
                return Some(self.go(length + 1, State::Open, (length > 0).then_some(Token::Other)));
            }
            State::Open => return Some(self.open(*rest.first()?)),
            State::Close => match rest.first()? {
                b'>' => self.state = State::Text,
                byte if byte.is_ascii_alphabetic() => return Some(Some(self.element(true))),
                _ => return Some(Some(self.bogus_comment())),
            },
            State::BeforeAttribute => match self.skip_white()? {
                b'/' => self.go(1, State::Slash, ()),
                b'>' => return Some(self.go(1, State::Text, Some(Token::Other))),
                _ => return Some(Some(self.attribute())),
            },
            State::AfterAttribute => match self.skip_white()? {
                b'/' => self.go(1, State::Slash, ()),
                b'=' => self.go(1, State::BeforeValue, ()),
                b'>' => self.state = State::End,
                _ => return Some(Some(self.attribute())),
            },
            State::BeforeValue => match self.skip_white()? {
                quote @ (b'"' | b'\'' | b'`') => self.go(1, State::Quoted(quote), ()),
                _ => return Some(Some(self.bare_value())),
            },
            State::Quoted(quote) => {
                let text = match memchr(quote, rest) {
                    Some(length) => self.take(length, 1, State::AfterQuoted),
                    None => self.take_rest(),
                };
                return Some(Some(Token::Value(text)));
            }
            State::AfterQuoted => match rest.first()? {
                b'/' => self.go(1, State::Slash, ()),
                _ => self.state = State::BeforeAttribute,
            },
            State::Slash => match rest.first()? {
                b'>' => return Some(self.go(1, State::Text, Some(Token::Other))),
                _ => self.state = State::BeforeAttribute,
            },
            State::End => return Some(self.go(1, State::Text, Some(Token::Other))),
        }
        Some(None)
    }

    fn open(&mut self, byte: u8) -> Option<Token<'a>> {
        match byte {
            b'!' => {
                self.at += 1;
                Some(self.declaration())
            }
            b'/' => self.go(1, State::Close, None),
            b'?' => {
                self.at += 1;
                Some(self.bogus_comment())
            }
            b'%' => {
                self.at += 1;
                Some(self.comment_to(b"%>"))
            }
            0 => Some(self.element(false)),
            byte if byte.is_ascii_alphabetic() => Some(self.element(false)),
            _ => self.go(0, State::Text, Some(Token::Other)),
        }
    }

    fn declaration(&mut self) -> Token<'a> {
        let rest = self.rest();
        if rest.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"doctype")) {
            return self.go(0, State::Done, Token::Doctype);
        }
        if rest.starts_with(b"[CDATA[") {
            self.at += 7;
            match memmem::find(self.rest(), b"]]>") {
                Some(length) => self.take(length, 3, State::Text),
                None => self.take_rest(),
            };
            return Token::Other;
        }
        if rest.starts_with(b"--") {
            self.at += 2;
            return self.comment();
        }
        self.bogus_comment()
    }

    /// Ends in `-->` or `--!>` or `-!>`, and bytes 0 may stand after the first dash.
    fn comment(&mut self) -> Token<'a> {
        let rest = self.rest();
        let mut from = 0;
        while let Some(found) = rest.get(from..).and_then(|rest| memchr(b'-', rest)) {
            let dash = from + found;
            let nulls = rest[dash + 1..].iter().take_while(|&&byte| byte == 0).count();
            match rest[dash + 1 + nulls..] {
                [b'-' | b'!', b'>', ..] => return Token::Comment(self.take(dash, nulls + 3, State::Text)),
                [_, _, ..] => from = dash + 1,
                _ => break,
            }
        }
        Token::Comment(self.take_rest())
    }

    fn bogus_comment(&mut self) -> Token<'a> {
        self.comment_to(b">")
    }

    fn comment_to(&mut self, end: &[u8]) -> Token<'a> {
        Token::Comment(match memmem::find(self.rest(), end) {
            Some(length) => self.take(length, end.len(), State::Text),
            None => self.take_rest(),
        })
    }

    /// The name of an element, in which bytes 0 may stand.
    fn element(&mut self, closes: bool) -> Token<'a> {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| matches!(byte, b' ' | 0x09..=0x0d | b'/' | b'>'));
        let Some(length) = end else {
            return Token::Element(self.take_rest());
        };
        match rest[length] {
            b'>' if closes => self.go(length + 1, State::Text, Token::Other),
            b'>' => Token::Element(self.take(length, 0, State::End)),
            b'/' => Token::Element(self.take(length, 1, State::Slash)),
            _ => Token::Element(self.take(length, 1, State::BeforeAttribute)),
        }
    }

    /// The name of an attribute; its first byte may be any.
    fn attribute(&mut self) -> Token<'a> {
        let rest = self.rest();
        let end = rest.iter().skip(1).position(|&byte| is_white(byte) || matches!(byte, b'/' | b'=' | b'>'));
        let Some(length) = end.map(|end| end + 1) else {
            return Token::Attribute(self.take_rest());
        };
        Token::Attribute(match rest[length] {
            b'/' => self.take(length, 1, State::Slash),
            b'=' => self.take(length, 1, State::BeforeValue),
            b'>' => self.take(length, 0, State::End),
            _ => self.take(length, 1, State::AfterAttribute),
        })
    }

    fn bare_value(&mut self) -> Token<'a> {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| is_white(byte) || byte == b'>');
        Token::Value(match end {
            None => self.take_rest(),
            Some(length) if rest[length] == b'>' => self.take(length, 0, State::End),
            Some(length) => self.take(length, 1, State::BeforeAttribute),
        })
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if let Some(token) = self.step()? {
                return Some(token);
            }
        }
    }
}
