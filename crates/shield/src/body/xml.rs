//! XML documents: their text and the values of their attributes.
//!
//! Well-formedness (XML 1.0) is checked as far as a lenient reader could otherwise see another text than we do. No entity
//! is expanded but the five that XML defines, and a document type declaration is an error, so that nothing is fetched and
//! nothing grows.

use std::borrow::Cow;

use memchr::memmem;
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::{BodyError, Limits, Parsed, Xml, keep};

/// How many bytes an XML declaration may have, in which the encoding is looked for.
const DECLARATION: usize = 256;

/// How many pieces of text a document may have for each argument that a form may have.
const PIECES: usize = 16;

/// One XML document. A body of no bytes is no error.
pub fn xml(body: &[u8], limits: &Limits, into: &mut Parsed) {
    if body.is_empty() {
        return;
    }
    let found = into.xml.insert(Xml::default());
    into.error = decode(body).and_then(|text| read(&text, limits, found)).err();
}

/// The document as text without a byte order mark (XML 1.0 §4.3.3). UTF-8, ISO-8859-1, windows-1252 if they are declared,
/// and UTF-16 with its mark are read.
fn decode(body: &[u8]) -> Result<Cow<'_, str>, BodyError> {
    let (text, utf16) = match body {
        [0xfe, 0xff, rest @ ..] => (Cow::Owned(from_utf16(rest, u16::from_be_bytes)?), true),
        [0xff, 0xfe, rest @ ..] => (Cow::Owned(from_utf16(rest, u16::from_le_bytes)?), true),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => (Cow::Borrowed(rest), false),
    };
    let declared = declared(&text)?;
    let declared = declared.as_deref().unwrap_or(if utf16 { "utf-16" } else { "utf-8" });
    let is = |names: &[&str]| names.iter().any(|name| declared.eq_ignore_ascii_case(name));
    if utf16 == is(&["utf-16"]) && (utf16 || is(&["utf-8", "utf8", "us-ascii", "ascii"])) {
        match text {
            Cow::Borrowed(text) => {
                std::str::from_utf8(text).map(Cow::Borrowed).map_err(|_| BodyError::InvalidEncoding)
            }
            Cow::Owned(text) => {
                String::from_utf8(text).map(Cow::Owned).map_err(|_| BodyError::InvalidEncoding)
            }
        }
    } else if !utf16 && is(&["iso-8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252"]) {
        let windows = is(&["windows-1252", "cp1252"]);
        Ok(text.iter().map(|&byte| if windows { windows_1252(byte) } else { char::from(byte) }).collect())
    } else {
        Err(BodyError::UnsupportedEncoding)
    }
}

/// The encoding that the declaration names, if there is a declaration and it names one.
fn declared(text: &[u8]) -> Result<Option<String>, BodyError> {
    if !text.starts_with(b"<?xml") {
        return Ok(None);
    }
    let start = text.get(..text.len().min(DECLARATION)).unwrap_or_default();
    let end = memmem::find(start, b"?>").ok_or(BodyError::Xml)?;
    let declaration = start.get(..end + 2).filter(|text| text.is_ascii()).ok_or(BodyError::Xml)?;
    let declaration = std::str::from_utf8(declaration).map_err(|_| BodyError::Xml)?;
    let Ok(Event::Decl(declaration)) = Reader::from_str(declaration).read_event() else {
        return Err(BodyError::Xml);
    };
    declaration.version().map_err(|_| BodyError::Xml)?;
    match declaration.encoding() {
        None => Ok(None),
        Some(Ok(encoding)) => Ok(Some(encoding.into_owned())),
        Some(Err(_)) => Err(BodyError::Xml),
    }
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Vec<u8>, BodyError> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(BodyError::InvalidEncoding);
    }
    let text: Result<String, _> = char::decode_utf16(units.iter().map(|&bytes| unit(bytes))).collect();
    text.map(String::into_bytes).map_err(|_| BodyError::InvalidEncoding)
}

/// The character of a byte in windows-1252; what that leaves open is what ISO-8859-1 says.
fn windows_1252(byte: u8) -> char {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match byte {
        0x80..=0x9f => HIGH.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::from(byte)),
        _ => char::from(byte),
    }
}

/// Whether a document may hold the character (XML 1.0 §2.2).
const fn is_allowed(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Reads a document to its end.
fn read(text: &str, limits: &Limits, into: &mut Xml) -> Result<(), BodyError> {
    // Above the controls, only two characters are not allowed; both begin with this byte.
    let controls = text.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'));
    if controls || (text.as_bytes().contains(&0xef) && !text.chars().all(is_allowed)) {
        return Err(BodyError::Xml);
    }
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut place = Place { depth: 0, rooted: false, piece: 0 };
    let mut first = true;
    loop {
        match reader.read_event().map_err(|_| BodyError::Xml)? {
            Event::Start(start) => {
                place.edge(limits, into)?;
                place.enter(limits)?;
                element(&start, limits, into)?;
            }
            Event::Empty(start) => {
                place.edge(limits, into)?;
                place.enter(limits)?;
                element(&start, limits, into)?;
                place.leave()?;
            }
            Event::End(_) => {
                place.edge(limits, into)?;
                place.leave()?;
            }
            Event::Text(text) => {
                let content = text.xml10_content();
                // `]]>` may not stand in text (XML 1.0 §2.4): a reader could take it for the end of something.
                if memmem::find(content.as_bytes(), b"]]>").is_some() {
                    return Err(BodyError::Xml);
                }
                place.text(&content, limits, into)?;
            }
            Event::CData(text) => {
                place.inside()?;
                place.text(&text.xml10_content(), limits, into)?;
            }
            Event::GeneralRef(reference) => {
                place.inside()?;
                let mut space = [0; 4];
                place.text(resolve(&reference, &mut space)?, limits, into)?;
            }
            Event::Decl(_) if first => {}
            Event::Decl(_) => return Err(BodyError::Xml),
            Event::DocType(_) => return Err(BodyError::DocumentType),
            Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if place.rooted && place.depth == 0 => return Ok(()),
            Event::Eof => return Err(BodyError::Xml),
        }
        first = false;
    }
}

/// Where in a document the reader is.
struct Place {
    /// Elements that are open.
    depth: usize,
    /// Whether the root element has begun.
    rooted: bool,
    /// Where in the text the piece begins that is being read.
    piece: usize,
}

impl Place {
    fn enter(&mut self, limits: &Limits) -> Result<(), BodyError> {
        if self.depth == 0 && self.rooted {
            return Err(BodyError::Xml);
        }
        if self.depth >= limits.depth {
            return Err(BodyError::TooDeep);
        }
        self.depth += 1;
        self.rooted = true;
        Ok(())
    }

    fn leave(&mut self) -> Result<(), BodyError> {
        self.depth = self.depth.checked_sub(1).ok_or(BodyError::Xml)?;
        Ok(())
    }

    /// The edge of an element: what stood since the last one is a piece of its own.
    fn edge(&mut self, limits: &Limits, into: &mut Xml) -> Result<(), BodyError> {
        let (from, to) = (std::mem::replace(&mut self.piece, into.text.len()), into.text.len());
        if into.text.get(from..to).is_some_and(|piece| !piece.trim_ascii().is_empty()) {
            if into.pieces.len() >= limits.arguments.saturating_mul(PIECES) {
                return Err(BodyError::TooManyArguments);
            }
            into.pieces.push(from..to);
        }
        Ok(())
    }

    /// Only in the root element.
    fn inside(&self) -> Result<(), BodyError> {
        if self.depth == 0 { Err(BodyError::Xml) } else { Ok(()) }
    }

    fn text(&self, text: &str, limits: &Limits, into: &mut Xml) -> Result<(), BodyError> {
        if self.depth == 0 {
            // White space around the root is no text of it.
            let blank = text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
            return if blank { Ok(()) } else { Err(BodyError::Xml) };
        }
        if into.text.len().saturating_add(text.len()) > limits.argument_bytes {
            return Err(BodyError::TooManyBytes);
        }
        into.text.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// What a reference stands for.
fn resolve<'a>(reference: &BytesRef<'_>, space: &'a mut [u8; 4]) -> Result<&'a str, BodyError> {
    match reference.resolve_char_ref() {
        Ok(Some(char)) if is_allowed(char) => Ok(char.encode_utf8(space)),
        Ok(None) => resolve_predefined_entity(reference).ok_or(BodyError::UnknownEntity),
        _ => Err(BodyError::Xml),
    }
}

/// Takes the attributes of a tag.
fn element(start: &BytesStart<'_>, limits: &Limits, into: &mut Xml) -> Result<(), BodyError> {
    name(start.name().as_ref())?;
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| BodyError::Xml)?;
        let key = attribute.key.as_ref();
        name(key)?;
        if attribute.value.contains('<') {
            return Err(BodyError::Xml);
        }
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| match error {
            quick_xml::Error::Escape(quick_xml::escape::EscapeError::UnrecognizedEntity(..)) => {
                BodyError::UnknownEntity
            }
            _ => BodyError::Xml,
        })?;
        // A reference may have made what the document itself may not hold.
        if matches!(value, Cow::Owned(_)) && !value.chars().all(is_allowed) {
            return Err(BodyError::Xml);
        }
        if key != "xmlns" && !key.starts_with("xmlns:") {
            keep(&mut into.attributes, key.as_bytes(), value.as_bytes(), limits)?;
        }
    }
    Ok(())
}

/// Checks that a name is one, as far as ASCII goes (XML 1.0 §2.3).
fn name(name: &str) -> Result<(), BodyError> {
    let bytes = name.as_bytes();
    let begins = |byte: u8| byte.is_ascii_alphabetic() || b"_:".contains(&byte) || !byte.is_ascii();
    match bytes.first() {
        Some(&first) if begins(first) => {
            let goes_on = |byte: u8| begins(byte) || byte.is_ascii_digit() || b"-.".contains(&byte);
            if bytes.iter().all(|&byte| goes_on(byte)) { Ok(()) } else { Err(BodyError::Xml) }
        }
        _ => Err(BodyError::Xml),
    }
}

#[cfg(test)]
mod tests;
