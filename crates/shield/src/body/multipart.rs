//! `multipart/form-data` (RFC 7578, RFC 2046 §5.1): fields, files and headers of parts, and flags for what is unusual.
//!
//! An upload can be written so that two readers find different fields in it; an attack then hides in the one that we do not
//! look at. So whatever a common reader (those of PHP, Python, Go, Node and Rust) could split, name or end in another way
//! is an error if nobody writes so, and else a flag, and the content of the part is inspected as an argument as well.

mod boundary;
mod disposition;
mod document;
mod part;

use memchr::memmem;

use super::{BodyError, Limits, Parsed};

/// What was unusual about a multipart body: the variables `MULTIPART_*` of ModSecurity.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Flags {
    /// `MULTIPART_DATA_BEFORE`: something stands before the first boundary.
    pub data_before: bool,
    /// `MULTIPART_DATA_AFTER`: something stands after the final boundary, if only a line end.
    pub data_after: bool,
    /// `MULTIPART_BOUNDARY_QUOTED`: the boundary parameter is in quotation marks. Usual with some clients.
    pub boundary_quoted: bool,
    /// `MULTIPART_BOUNDARY_WHITESPACE`: white space stands beside the equals sign of the boundary parameter.
    pub boundary_whitespace: bool,
    /// `MULTIPART_HEADER_FOLDING`: a header of a part goes on in the next line.
    pub header_folding: bool,
    /// `MULTIPART_LF_LINE`: a line of boundaries or headers, or the one before a boundary, ends with a line feed alone.
    pub lf_line: bool,
    /// `MULTIPART_CRLF_LF_LINES`: others end with both.
    pub crlf_lf_lines: bool,
    /// `MULTIPART_MISSING_SEMICOLON`: no semicolon stands before the boundary parameter.
    pub missing_semicolon: bool,
    /// `MULTIPART_INVALID_QUOTING`: a parameter of a part is in single quotes.
    pub invalid_quoting: bool,
    /// `MULTIPART_INVALID_PART`: a part could not be understood.
    pub invalid_part: bool,
    /// `MULTIPART_INVALID_HEADER_FOLDING`: a header goes on after white space other than blanks and tabulators.
    pub invalid_header_folding: bool,
    /// `MULTIPART_FILE_LIMIT_EXCEEDED`: there are too many parts.
    pub file_limit_exceeded: bool,
    /// `MULTIPART_UNMATCHED_BOUNDARY`: the boundary stands amid a line. Always an error.
    pub unmatched_boundary: bool,
    /// Something else that two readers may take in two ways. No variable of its own; part of `strict_error`.
    pub ambiguous: bool,
    /// `MULTIPART_STRICT_ERROR`: an error, or one of the flags except `unmatched_boundary` and `crlf_lf_lines`.
    pub strict_error: bool,
}

impl Flags {
    /// Notes a line end.
    fn line(&mut self, crlf: bool, seen_crlf: &mut bool) {
        *seen_crlf |= crlf;
        self.lf_line |= !crlf;
        self.crlf_lf_lines = *seen_crlf && self.lf_line;
    }

    /// Whether one of the flags of `strict_error` is set.
    pub(crate) fn is_strict(self) -> bool {
        self.data_before
            || self.data_after
            || self.boundary_quoted
            || self.boundary_whitespace
            || self.header_folding
            || self.lf_line
            || self.missing_semicolon
            || self.invalid_quoting
            || self.invalid_part
            || self.invalid_header_folding
            || self.file_limit_exceeded
            || self.ambiguous
    }
}

/// A multipart body. A body of no bytes is an error only if its boundary is one.
pub fn multipart(body: &[u8], content_type: &[u8], limits: &Limits, into: &mut Parsed) {
    into.error = boundary::parameter(content_type, &mut into.multipart)
        .and_then(|boundary| {
            Reader { body, limits, into, seen_crlf: false, parts: 0, loose: false }.read(boundary)
        })
        .err();
    into.multipart.strict_error = into.error.is_some() || into.multipart.is_strict();
}

/// A multipart body that need be no form: its named parts, whatever stands between them. Limits alone are errors.
pub(crate) fn loosely(body: &[u8], content_type: &[u8], limits: &Limits, into: &mut Parsed) {
    let found = boundary::parameter(content_type, &mut into.multipart).and_then(|boundary| {
        Reader { body, limits, into, seen_crlf: false, parts: 0, loose: true }.read(boundary)
    });
    into.error = found.err().filter(|error| error.is_limit());
}

struct Reader<'a, 'b> {
    body: &'a [u8],
    limits: &'b Limits,
    into: &'b mut Parsed,
    /// Whether a line ended with both carriage return and line feed.
    seen_crlf: bool,
    parts: usize,
    /// Whether it reads on after an error.
    loose: bool,
}

/// A line that is a boundary.
struct Delimiter {
    /// Whether it is the final one.
    last: bool,
    /// Where the line after it begins.
    next: usize,
}

impl Reader<'_, '_> {
    fn read(&mut self, boundary: &[u8]) -> Result<(), BodyError> {
        if self.body.is_empty() {
            return Ok(());
        }
        let delimiter = [b"--", boundary].concat();
        // A reader that takes quotation marks for a part of the boundary would look for these lines.
        let quoted = [b"--\"", boundary].concat();
        if self.into.multipart.boundary_quoted && memmem::find(self.body, &quoted).is_some() {
            return Err(BodyError::Boundary);
        }
        let mut part = None;
        let mut end = None;
        for at in memmem::find_iter(self.body, &delimiter) {
            if end.is_some() && !self.loose {
                // PHP and Django go on after the final boundary.
                return Err(BodyError::Boundary);
            }
            let found = self.delimiter(at, delimiter.len());
            if self.loose && found.is_err() {
                continue;
            }
            match part.take() {
                Some(start) => self.part(start..at, true).or_else(|error| self.forgive(error))?,
                None => self.into.multipart.data_before |= at > 0,
            }
            let found = found?;
            if found.last {
                end = Some(found.next);
                self.into.multipart.data_after = found.next < self.body.len();
            } else {
                part = Some(found.next);
            }
        }
        match (end, part) {
            (Some(_), _) => Ok(()),
            (None, Some(start)) => {
                self.part(start..self.body.len(), false).or_else(|error| self.forgive(error))?;
                Err(BodyError::FinalBoundaryMissing)
            }
            (None, None) => Err(BodyError::NoBoundary),
        }
    }

    fn forgive(&self, error: BodyError) -> Result<(), BodyError> {
        if self.loose && !error.is_limit() { Ok(()) } else { Err(error) }
    }

    /// What the boundary at `at` is. A line that begins with it and goes on in another way is an error, as is one amid a line
    /// or after a carriage return alone: PHP, Django or Werkzeug end a part there. No client takes a boundary that its
    /// contents hold.
    fn delimiter(&mut self, at: usize, length: usize) -> Result<Delimiter, BodyError> {
        let before = self.body.get(..at).unwrap_or_default();
        match before {
            [] => {}
            [.., b'\r', b'\n'] => self.line(true),
            [.., b'\n'] => self.line(false),
            _ => {
                self.into.multipart.unmatched_boundary = true;
                return Err(BodyError::Boundary);
            }
        }
        let next = at + length;
        let rest = self.body.get(next..).unwrap_or_default();
        let (last, next, rest) = match rest {
            [b'-', b'-', rest @ ..] => (true, next + 2, rest),
            _ => (false, next, rest),
        };
        let next = match rest {
            [b'\r', b'\n', ..] => {
                self.line(true);
                next + 2
            }
            [b'\n', ..] => {
                self.line(false);
                next + 1
            }
            [] if last => next,
            _ => return Err(BodyError::Boundary),
        };
        Ok(Delimiter { last, next })
    }

    fn line(&mut self, crlf: bool) {
        self.into.multipart.line(crlf, &mut self.seen_crlf);
    }
}

#[cfg(test)]
mod tests;
