//! Parts that hold a document. Scripts in browsers send JSON beside files as a `Blob`, which arrives as a file called
//! `blob`, and frameworks read a part by its type, whether it is a file or not: an attack in it would pass as an upload.

use std::borrow::Cow;
use std::ops::Range;

use super::part::split;
use super::{BodyError, Reader};
use crate::body::{Limits, Parsed, Processor, Xml, keep, loose};

/// What browsers call a file that is none.
const BLOB: &[u8] = b"blob";
/// What the names of values in JSON begin with; in a part, its name stands there.
const ROOT: &[u8] = b"json";

/// The byte order mark of UTF-8, which some readers pass over.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// How the content of a part is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    /// Only if it is a field.
    Plain,
    /// As a document of this kind; as a text if it is none.
    Document(Processor),
    /// As JSON if it is that, else as a text if it is one.
    Text,
    /// As JSON if it is that, as a text if it nearly is, else not at all.
    Unknown,
}

impl Content {
    /// By the header lines of a part and the names of its file.
    pub(super) fn of(lines: &[Cow<'_, [u8]>], filenames: &[Vec<u8>]) -> Self {
        let kind = lines
            .iter()
            .filter_map(|line| split(line))
            .find(|(name, _)| name.eq_ignore_ascii_case(b"content-type"))
            .map_or(&b""[..], |(_, value)| value.trim_ascii());
        let starts =
            |prefix: &[u8]| kind.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        let is_blob = filenames.iter().any(|name| name.eq_ignore_ascii_case(BLOB));
        // Tracks, maps and drawings are written in XML under types of their own: files that people keep, not messages.
        let media = kind.split(|byte| b";, \t".contains(byte)).next().unwrap_or_default();
        let is_kept = !filenames.is_empty() && !is_blob && media.contains(&b'+');
        match Processor::of(kind) {
            Some(Processor::Xml) if is_kept => Self::Plain,
            // A drawing or a model written in XML or JSON is a file to everybody who reads it by its type.
            Some(processor @ (Processor::Json | Processor::JsonLines | Processor::Xml))
                if starts(b"application/") || starts(b"text/") =>
            {
                Self::Document(processor)
            }
            _ if !is_blob => Self::Plain,
            _ if kind.is_empty() || starts(b"text/") => Self::Text,
            _ => Self::Unknown,
        }
    }
}

impl Reader<'_, '_> {
    /// Adds what the content of a part holds; `shown` if it is an argument as a whole anyhow.
    pub(super) fn content(
        &mut self,
        name: &[u8],
        kind: Content,
        range: Range<usize>,
        shown: bool,
    ) -> Result<(), BodyError> {
        let content = self.body.get(range).unwrap_or_default();
        let content = content.strip_prefix(MARK).unwrap_or(content);
        let guessed = looks_like_json(content).then_some(Processor::Json);
        let (processor, as_text) = match kind {
            Content::Plain => return Ok(()),
            Content::Document(processor) => (Some(processor), !content.is_empty()),
            Content::Text => (guessed, is_text(content)),
            Content::Unknown => (guessed, guessed.is_some() && is_text(content)),
        };
        // Some readers of JSON find out by themselves that its characters have two or four bytes.
        self.into.multipart.ambiguous |= processor != Some(Processor::Xml) && loose::is_wide(content);
        let read = match processor {
            Some(processor) => self.document(name, processor, content, kind)?,
            None => false,
        };
        if !read && as_text && !shown {
            keep(&mut self.into.args, name, content, self.limits)?;
        }
        Ok(())
    }

    /// Adds the values of a document; whether it could be read to its end.
    fn document(
        &mut self,
        name: &[u8],
        processor: Processor,
        content: &[u8],
        kind: Content,
    ) -> Result<bool, BodyError> {
        let args = &self.into.args;
        let limits = Limits {
            arguments: self.limits.arguments.saturating_sub(args.len()),
            argument_bytes: self.limits.argument_bytes.saturating_sub(args.size()),
            ..*self.limits
        };
        let found = processor.parse(content, b"", &limits);
        let typed = matches!(kind, Content::Document(_));
        match found.error {
            Some(error) if error.is_limit() => return Err(error),
            // Another reader may know the encoding, and find there what nobody here can.
            Some(BodyError::InvalidEncoding | BodyError::UnsupportedEncoding) if typed => {
                self.into.multipart.ambiguous = true;
            }
            // What only begins like a document may be any text, or a document to a reader that is less strict.
            Some(_) => {
                if processor != Processor::Xml && loose::is_textual(content) {
                    loose::literals(content, name, self.limits, &mut self.into.args);
                }
                if !typed {
                    return Ok(false);
                }
            }
            None => {}
        }
        let read = found.error.is_none();
        self.take(name, found)?;
        Ok(read)
    }

    fn take(&mut self, name: &[u8], found: Parsed) -> Result<(), BodyError> {
        for (path, value) in found.args.iter() {
            let path = [name, path.strip_prefix(ROOT).unwrap_or(path)].concat();
            keep(&mut self.into.args, &path, value, self.limits)?;
        }
        match (&mut self.into.xml, found.xml) {
            (_, None) => Ok(()),
            (Some(all), Some(xml)) => join(all, &xml, self.limits),
            (none, xml) => {
                *none = xml;
                Ok(())
            }
        }
    }
}

/// Adds a second document to what the first one held.
fn join(all: &mut Xml, xml: &Xml, limits: &Limits) -> Result<(), BodyError> {
    let start = all.text.len();
    if start.saturating_add(xml.text.len()) > limits.argument_bytes {
        return Err(BodyError::TooManyBytes);
    }
    all.text.extend_from_slice(&xml.text);
    all.pieces.extend(xml.pieces.iter().map(|piece| start + piece.start..start + piece.end));
    xml.attributes.iter().try_for_each(|(name, value)| keep(&mut all.attributes, name, value, limits))
}

/// Whether a JSON object or array may begin here: numbers and words alone hold no attack, or are a text.
fn looks_like_json(content: &[u8]) -> bool {
    matches!(content.trim_ascii_start(), [b'{' | b'[', ..])
}

/// Whether a content is text: UTF-8 without the signs that none has.
fn is_text(content: &[u8]) -> bool {
    !content.is_empty()
        && !content.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
        && std::str::from_utf8(content).is_ok()
}
