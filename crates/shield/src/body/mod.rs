//! Body processors: from the bytes of a request to arguments, files and flags. Each is strict and bounded, and each fills a
//! [`Parsed`]: what was found before an error stays in it.
//!
//! To add one: a variant of [`Processor`] with its media types and name, a function in a module of its own that fills a
//! [`Parsed`], its arm in [`Processor::parse`], a reason in [`BodyError`] if none fits, known answers and a property test.

pub(crate) mod charset;
mod json;
mod limits;
pub(crate) mod loose;
mod multipart;
mod urlencoded;
mod xml;

use std::ops::Range;

pub use json::{json, json_lines};
pub use limits::{BodyError, Limits};
pub(crate) use multipart::loosely;
pub use multipart::{Flags, multipart};
pub(crate) use urlencoded::unescape;
pub use urlencoded::{Escapes, query, urlencoded};
pub use xml::xml;

use crate::Pairs;

/// What a body processor found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Parsed {
    /// Arguments: fields of a form, parts that are no files, values of a JSON document.
    pub args: Pairs,
    /// Whether the escapes of a form were valid.
    pub escapes: Escapes,
    /// Files of a multipart body.
    pub files: Vec<File>,
    /// Headers of parts: the name of the part, and the whole line without its end (`Content-Type: text/plain`).
    pub part_headers: Pairs,
    /// What an XML document holds.
    pub xml: Option<Xml>,
    /// What was unusual about a multipart body.
    pub multipart: Flags,
    /// Why parsing ended early, if it did.
    pub error: Option<BodyError>,
}

impl Parsed {
    /// Bytes of all files together (`FILES_COMBINED_SIZE`). A file with several names counts once.
    #[must_use]
    pub fn files_size(&self) -> u64 {
        let once = |(index, file): (usize, &File)| {
            let before = index.checked_sub(1).and_then(|index| self.files.get(index));
            if before.is_some_and(|before| before.content == file.content) { 0 } else { file.size }
        };
        self.files.iter().enumerate().map(once).sum()
    }
}

/// A file of a multipart body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// Name of the part.
    pub field: Vec<u8>,
    /// Name of the file. A part that readers may give different names has one file for each, all with the same content.
    pub filename: Vec<u8>,
    /// Bytes of the content.
    pub size: u64,
    /// Where in the body the content lies.
    pub content: Range<usize>,
}

/// What an XML document holds.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Xml {
    /// `XML:/*`: all text of the root element, in order, with references resolved and line ends as one line feed.
    pub text: Vec<u8>,
    /// Where in `text` each piece lies that stands between two tags, blanks apart: what begins a value in an element does not
    /// begin the whole text, and some rules look at beginnings.
    pub pieces: Vec<Range<usize>>,
    /// `XML://@*`: name and value of each attribute, in order; declarations of name spaces are none.
    pub attributes: Pairs,
}

/// Which processor reads a body.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Processor {
    /// A form.
    Urlencoded,
    /// A form with files.
    Multipart,
    /// One JSON document.
    Json,
    /// JSON documents one after another.
    JsonLines,
    /// An XML document.
    Xml,
}

impl Processor {
    /// The processor for a `Content-Type`, as far as one is known.
    #[must_use]
    pub fn of(content_type: &[u8]) -> Option<Self> {
        let starts = |prefix: &str| {
            content_type
                .trim_ascii_start()
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        // Whatever follows these two names, readers take it for the same.
        if starts("application/x-www-form-urlencoded") {
            return Some(Self::Urlencoded);
        }
        if starts("multipart/form-data") {
            return Some(Self::Multipart);
        }
        let media = content_type.split(|byte| b";, \t".contains(byte)).find(|piece| !piece.is_empty())?;
        let is = |names: &[&str]| names.iter().any(|name| media.eq_ignore_ascii_case(name.as_bytes()));
        let ends = |suffix: &str| {
            let at = media.len().saturating_sub(suffix.len());
            media.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(suffix.as_bytes()))
        };
        if is(&["application/json", "text/json", "text/x-json"]) || ends("+json") {
            Some(Self::Json)
        } else if is(&[
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
            "application/x-jsonlines",
        ]) || is(&["application/json-seq"])
        {
            Some(Self::JsonLines)
        } else if is(&["application/xml", "text/xml"]) || ends("+xml") {
            Some(Self::Xml)
        } else {
            None
        }
    }

    /// The name in `REQBODY_PROCESSOR` and in `ctl:requestBodyProcessor`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urlencoded => "URLENCODED",
            Self::Multipart => "MULTIPART",
            Self::Json | Self::JsonLines => "JSON",
            Self::Xml => "XML",
        }
    }

    /// Reads a body. The `Content-Type` is needed for the boundary of a multipart body.
    #[must_use]
    pub fn parse(self, body: &[u8], content_type: &[u8], limits: &Limits) -> Parsed {
        let mut parsed = Parsed::default();
        match self {
            Self::Urlencoded => urlencoded(body, limits, &mut parsed),
            Self::Multipart => multipart(body, content_type, limits, &mut parsed),
            Self::Json => json(body, limits, &mut parsed),
            Self::JsonLines => json_lines(body, limits, &mut parsed),
            Self::Xml => xml(body, limits, &mut parsed),
        }
        parsed
    }
}

/// Adds an argument unless a limit is reached.
fn keep(into: &mut Pairs, name: &[u8], value: &[u8], limits: &Limits) -> Result<(), BodyError> {
    if into.len() >= limits.arguments {
        return Err(BodyError::TooManyArguments);
    }
    let size = into.size().saturating_add(name.len()).saturating_add(value.len());
    if size > limits.argument_bytes {
        return Err(BodyError::TooManyBytes);
    }
    into.push(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_name_their_processor() {
        for (content_type, expected) in [
            ("application/x-www-form-urlencoded", Some(Processor::Urlencoded)),
            ("Application/X-WWW-Form-Urlencoded;charset=utf-8", Some(Processor::Urlencoded)),
            ("application/x-www-form-urlencodedX", Some(Processor::Urlencoded)),
            (" multipart/form-data; boundary=x", Some(Processor::Multipart)),
            ("multipart/mixed; boundary=x", None),
            ("application/json", Some(Processor::Json)),
            ("application/json,text/plain", Some(Processor::Json)),
            ("application/fhir+JSON; charset=utf-8", Some(Processor::Json)),
            ("application/x-ndjson", Some(Processor::JsonLines)),
            ("text/xml;charset=x", Some(Processor::Xml)),
            ("application/soap+xml", Some(Processor::Xml)),
            ("+xml", Some(Processor::Xml)),
            ("text/plain", None),
            ("json", None),
            ("", None),
            (" ;", None),
        ] {
            assert_eq!(Processor::of(content_type.as_bytes()), expected, "{content_type}");
        }
    }

    #[test]
    fn a_file_with_two_names_counts_once() {
        let file = |filename: &[u8], content: Range<usize>| File {
            field: b"f".to_vec(),
            filename: filename.to_vec(),
            size: content.len() as u64,
            content,
        };
        let files = vec![file(b"a", 10..15), file(b"b", 10..15), file(b"a", 20..23)];
        assert_eq!(Parsed { files, ..Parsed::default() }.files_size(), 8);
    }

    #[test]
    fn each_processor_reads_its_kind() {
        let parse = |processor: Processor, body: &str| {
            let parsed =
                processor.parse(body.as_bytes(), b"multipart/form-data; boundary=B", &Limits::default());
            assert_eq!(parsed.error, None, "{processor:?}");
            parsed.args.iter().map(|(name, value)| [name, value].concat()).collect::<Vec<_>>().concat()
        };
        assert_eq!(parse(Processor::Urlencoded, "a=1"), b"a1");
        assert_eq!(parse(Processor::Json, "{\"a\":1}"), b"json.a1");
        assert_eq!(parse(Processor::JsonLines, "1\n2"), b"json.array_01json.array_12");
        assert_eq!(parse(Processor::Xml, "<a/>"), b"");
        let part = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\n";
        assert_eq!(parse(Processor::Multipart, part), b"a1");
    }
}
