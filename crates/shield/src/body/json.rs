//! JSON (RFC 8259) as arguments: one for each string, number, boolean and null, named by its path.
//!
//! Names are those of ModSecurity v3: `json`, then `.key` for a member and `.array_0` for an element. Numbers keep their
//! text. The document is read in one pass without a tree, so that its depth costs no stack and its size no memory but that
//! of the arguments.

use hifijson::SliceLexer;
use hifijson::escape::{Lex as _, Lit};
use hifijson::num::LexWrite as _;
use hifijson::token::Lex as _;
use hifijson::{Read as _, Write as _};

use super::{BodyError, Limits, Parsed, keep};
use crate::Pairs;

/// What stands for an empty key in a name.
const EMPTY_KEY: &[u8] = b"empty-key";
/// What stands for half a surrogate pair in a value; writers that cut text by UTF-16 units send such.
const LONE_SURROGATE: u8 = b'?';

/// One JSON document and nothing after it. A body of no bytes is no error.
pub fn json(body: &[u8], limits: &Limits, into: &mut Parsed) {
    if body.is_empty() {
        return;
    }
    let (text, encoding) = valid(body);
    let mut reader = Reader::new(text, limits, &mut into.args);
    let read = reader.document().and_then(|()| match reader.lexer.ws_peek() {
        None => Ok(()),
        Some(_) => Err(BodyError::AfterJson),
    });
    into.error = encoding.or(read.err());
}

/// JSON documents one after another, separated by white space or by record separators (RFC 7464): they are named as if they
/// were the elements of one array.
pub fn json_lines(body: &[u8], limits: &Limits, into: &mut Parsed) {
    let (text, encoding) = valid(body);
    let mut reader = Reader::new(text, limits, &mut into.args);
    let read = reader.documents();
    into.error = encoding.or(read.err());
}

/// The part of a body that is UTF-8, and the error if that is not all of it.
fn valid(body: &[u8]) -> (&[u8], Option<BodyError>) {
    match std::str::from_utf8(body) {
        Ok(_) => (body, None),
        Err(error) => (body.get(..error.valid_up_to()).unwrap_or_default(), Some(BodyError::InvalidEncoding)),
    }
}

/// A container that is open.
struct Frame {
    /// How many bytes of the path are its name.
    path: usize,
    /// The index of its current element, if it is an array.
    index: Option<usize>,
}

struct Reader<'a, 'b> {
    lexer: SliceLexer<'a>,
    limits: &'b Limits,
    args: &'b mut Pairs,
    /// Name of the value that is read.
    path: Vec<u8>,
    frames: Vec<Frame>,
    /// Where strings with escapes are put together.
    scratch: Vec<u8>,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(text: &'a [u8], limits: &'b Limits, args: &'b mut Pairs) -> Self {
        let path = b"json".to_vec();
        Self { lexer: SliceLexer::new(text), limits, args, path, frames: Vec::new(), scratch: Vec::new() }
    }

    fn documents(&mut self) -> Result<(), BodyError> {
        let root = self.path.len();
        let mut index = 0_usize;
        loop {
            match self.lexer.ws_peek() {
                None => return Ok(()),
                Some(b'\x1e') => {
                    self.lexer.take_next();
                }
                Some(_) => {
                    self.path.truncate(root);
                    element(&mut self.path, index);
                    self.document()?;
                    index = index.saturating_add(1);
                }
            }
        }
    }

    /// One value, to its end.
    fn document(&mut self) -> Result<(), BodyError> {
        loop {
            let opened = self.value()?;
            if !opened && !self.onward()? {
                return Ok(());
            }
        }
    }

    /// One scalar or empty container, or the beginning of another container up to its first value: true then.
    fn value(&mut self) -> Result<bool, BodyError> {
        match self.lexer.ws_peek().ok_or(BodyError::Json)? {
            b'{' => self.open(None, b'}'),
            b'[' => self.open(Some(0), b']'),
            b'"' => {
                self.lexer.take_next();
                let text = string(&mut self.lexer, &mut self.scratch)?;
                keep(self.args, &self.path, text, self.limits)?;
                Ok(false)
            }
            b'-' | b'0'..=b'9' => {
                let (text, _) = self.lexer.num_bytes().validated().map_err(|_| BodyError::Json)?;
                keep(self.args, &self.path, text, self.limits)?;
                Ok(false)
            }
            _ => {
                let text: &[u8] = match self.lexer.null_or_bool().ok_or(BodyError::Json)? {
                    None => b"",
                    Some(false) => b"false",
                    Some(true) => b"true",
                };
                keep(self.args, &self.path, text, self.limits)?;
                Ok(false)
            }
        }
    }

    /// Opens a container that ends with `end`; false if it is empty.
    fn open(&mut self, index: Option<usize>, end: u8) -> Result<bool, BodyError> {
        self.lexer.take_next();
        if self.frames.len() >= self.limits.depth {
            return Err(BodyError::TooDeep);
        }
        if self.lexer.ws_peek() == Some(end) {
            self.lexer.take_next();
            if !self.frames.is_empty() {
                // Its name may be all that it is sent for: `{"password":{"$ne":{}}}`.
                keep(self.args, &self.path, b"", self.limits)?;
            }
            return Ok(false);
        }
        self.frames.push(Frame { path: self.path.len(), index });
        self.name()?;
        Ok(true)
    }

    /// Sets the path to the next value of the innermost container and reads its key, if it has one.
    fn name(&mut self) -> Result<(), BodyError> {
        let Some(frame) = self.frames.last() else {
            return Err(BodyError::Json);
        };
        self.path.truncate(frame.path);
        if let Some(index) = frame.index {
            element(&mut self.path, index);
            return Ok(());
        }
        self.path.push(b'.');
        self.lexer.expect(SliceLexer::ws_peek, b'"').ok_or(BodyError::Json)?;
        let key = string(&mut self.lexer, &mut self.scratch)?;
        self.path.extend_from_slice(if key.is_empty() { EMPTY_KEY } else { key });
        self.lexer.expect(SliceLexer::ws_peek, b':').ok_or(BodyError::Json)
    }

    /// Goes on after a value: closes what ends here; false when everything is closed.
    fn onward(&mut self) -> Result<bool, BodyError> {
        while let Some(frame) = self.frames.last_mut() {
            let end = if frame.index.is_some() { b']' } else { b'}' };
            match self.lexer.ws_peek() {
                Some(b',') => {
                    self.lexer.take_next();
                    frame.index = frame.index.map(|index| index.saturating_add(1));
                    self.name()?;
                    return Ok(true);
                }
                Some(byte) if byte == end => {
                    self.lexer.take_next();
                    self.frames.pop();
                }
                _ => return Err(BodyError::Json),
            }
        }
        Ok(false)
    }
}

/// Adds the name of an element of an array.
fn element(path: &mut Vec<u8>, index: usize) {
    path.extend_from_slice(b".array_");
    let at = path.len();
    let mut rest = index;
    loop {
        path.push(b'0' + u8::try_from(rest % 10).unwrap_or_default());
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let Some(digits) = path.get_mut(at..) {
        digits.reverse();
    }
}

/// A string after its opening quotation mark: a piece of the body if it has no escape, else put together in `scratch`.
fn string<'s, 'a: 's>(lexer: &mut SliceLexer<'a>, scratch: &'s mut Vec<u8>) -> Result<&'s [u8], BodyError> {
    let ends = |byte: u8| matches!(byte, b'\\' | b'"' | 0..=0x1f);
    let mut run: &'a [u8] = &[];
    lexer.write_until(&mut run, ends);
    if lexer.peek_next() == Some(b'"') {
        lexer.take_next();
        return Ok(run);
    }
    scratch.clear();
    loop {
        scratch.extend_from_slice(run);
        match lexer.take_next() {
            Some(b'"') => return Ok(scratch),
            Some(b'\\') => escape(lexer, scratch)?,
            _ => return Err(BodyError::Json),
        }
        lexer.write_until(&mut run, ends);
    }
}

/// An escape after its backslash.
fn escape(lexer: &mut SliceLexer<'_>, out: &mut Vec<u8>) -> Result<(), BodyError> {
    let kind = lexer.take_next().ok_or(BodyError::Json)?;
    if kind != b'u' {
        let byte = match Lit::try_from(kind).ok_or(BodyError::Json)? {
            Lit::QuotationMark => b'"',
            Lit::ReverseSolidus => b'\\',
            Lit::Solidus => b'/',
            Lit::Backspace => 0x08,
            Lit::FormFeed => 0x0c,
            Lit::LineFeed => b'\n',
            Lit::CarriageReturn => b'\r',
            Lit::Tab => b'\t',
        };
        out.push(byte);
        return Ok(());
    }
    let mut unit: u16 = lexer.hex().map_err(|_| BodyError::Json)?;
    // A first half counts only with a second half right after it; whatever else follows stands for itself.
    while (0xd800..0xdc00).contains(&unit) && lexer.strip_prefix(b"\\u") {
        let second: u16 = lexer.hex().map_err(|_| BodyError::Json)?;
        if (0xdc00..0xe000).contains(&second) {
            let code = 0x1_0000 + (u32::from(unit - 0xd800) << 10) + u32::from(second - 0xdc00);
            push(out, char::from_u32(code));
            return Ok(());
        }
        out.push(LONE_SURROGATE);
        unit = second;
    }
    push(out, char::from_u32(u32::from(unit)));
    Ok(())
}

fn push(out: &mut Vec<u8>, char: Option<char>) {
    match char {
        Some(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.push(LONE_SURROGATE),
    }
}

#[cfg(test)]
mod tests;
