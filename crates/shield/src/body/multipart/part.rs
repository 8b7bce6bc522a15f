//! One part: its headers and its content.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::disposition::Disposition;
use super::document::Content;
use super::{BodyError, Reader};
use crate::Pairs;
use crate::body::{File, charset, keep};

const DISPOSITION: &[u8] = b"content-disposition";

/// The headers of a part.
#[derive(Default)]
struct Head<'a> {
    /// Lines without their ends; one that goes on in the next is joined with a blank.
    lines: Vec<Cow<'a, [u8]>>,
    /// Whether a line goes on in the next.
    folded: bool,
    /// Bytes up to the content.
    length: usize,
    error: Option<BodyError>,
}

impl<'a> Reader<'a, '_> {
    /// A part from its first header line on; `ended` if a boundary follows. A part with an error is kept as far as it was
    /// understood, its content as an argument.
    pub(super) fn part(&mut self, range: Range<usize>, ended: bool) -> Result<(), BodyError> {
        self.parts = self.parts.saturating_add(1);
        if self.parts > self.limits.parts {
            self.into.multipart.file_limit_exceeded = true;
            return Err(BodyError::TooManyParts);
        }
        let section = self.body.get(range.clone()).unwrap_or_default();
        let head = self.head(section);
        let content = section.get(head.length..).unwrap_or_default();
        let content = match content {
            _ if !ended => content,
            [content @ .., b'\r', b'\n'] | [content @ .., b'\n'] => content,
            _ => {
                // The line end before the boundary is that of the empty line: some readers want one for each.
                self.into.multipart.ambiguous = true;
                content
            }
        };
        let disposition = disposition(&head.lines);
        if self.loose && disposition.name.is_empty() {
            // A part of a message, not of a form.
            return Ok(());
        }
        let ambiguous = disposition.ambiguous || head.lines.iter().any(|line| is_encoded(line));
        let checked =
            head.lines.iter().enumerate().try_for_each(|(at, line)| name(line, head.lines.get(..at)));
        let error = head.error.or(checked.err()).or(disposition.error);
        let doubtful = error.is_some() || head.folded || ambiguous;
        let flags = &mut self.into.multipart;
        flags.invalid_part |= error.is_some();
        flags.ambiguous |= ambiguous;
        flags.invalid_quoting |= disposition.single_quotes;
        let start = range.start.saturating_add(head.length);
        self.keep(disposition, &head.lines, start..start.saturating_add(content.len()), doubtful)?;
        error.map_or(Ok(()), Err)
    }

    /// Adds a part to what was found; one that is a file for one reader and none for the next is both, and one that holds a
    /// document is that as well.
    fn keep(
        &mut self,
        disposition: Disposition,
        lines: &[Cow<'a, [u8]>],
        content: Range<usize>,
        doubtful: bool,
    ) -> Result<(), BodyError> {
        let Disposition { name, filenames, .. } = disposition;
        for line in lines {
            header(&mut self.into.part_headers, &name, line, self.limits.argument_bytes)?;
        }
        let shown = doubtful || filenames.is_empty();
        if shown {
            let value = self.body.get(content.clone()).unwrap_or_default();
            keep(&mut self.into.args, &name, value, self.limits)?;
        }
        self.content(&name, Content::of(lines, &filenames), content.clone(), shown)?;
        for filename in filenames {
            let size = content.len() as u64;
            self.into.files.push(File { field: name.clone(), filename, size, content: content.clone() });
        }
        Ok(())
    }

    /// Reads header lines up to the empty one.
    fn head(&mut self, section: &'a [u8]) -> Head<'a> {
        let mut head = Head::default();
        let mut rest = section;
        loop {
            let Some(end) = memchr(b'\n', rest) else {
                head.length = section.len();
                head.error = head.error.or(Some(BodyError::PartHeader));
                return head;
            };
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            head.length = section.len() - rest.len();
            let crlf = line.strip_suffix(b"\r");
            self.line(crlf.is_some());
            let line = crlf.unwrap_or(line);
            if line.is_empty() {
                return head;
            }
            if let Err(error) = self.head_line(&mut head, line) {
                // The first error is the one that is told; after a limit nothing more is read.
                head.error = head.error.or(Some(error));
                if error.is_limit() {
                    return head;
                }
            }
        }
    }

    fn head_line(&mut self, head: &mut Head<'a>, line: &'a [u8]) -> Result<(), BodyError> {
        // A carriage return alone ends a line for some readers, a NUL byte the whole header.
        let broken = line.iter().any(|byte| b"\0\r".contains(byte));
        if is_space(line) {
            self.into.multipart.header_folding = true;
            head.folded = true;
            let text = line.iter().position(|&byte| !is_space(&[byte])).unwrap_or(line.len());
            let (space, text) = line.split_at(text);
            self.into.multipart.invalid_header_folding |= space.iter().any(|byte| !b" \t".contains(byte));
            let last = head.lines.last_mut().ok_or(BodyError::PartHeader)?;
            if last.len().saturating_add(1).saturating_add(text.len()) > self.limits.part_header_bytes {
                return Err(BodyError::PartHeaderTooLong);
            }
            let joined = last.to_mut();
            joined.push(b' ');
            joined.extend_from_slice(text);
        } else if line.len() > self.limits.part_header_bytes {
            return Err(BodyError::PartHeaderTooLong);
        } else if head.lines.len() >= self.limits.part_headers {
            return Err(BodyError::TooManyPartHeaders);
        } else {
            head.lines.push(Cow::Borrowed(line));
        }
        if broken { Err(BodyError::PartHeader) } else { Ok(()) }
    }
}

/// Whether a line begins with white space.
fn is_space(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t' | b'\x0b' | b'\x0c', ..])
}

/// Adds a header line under the name of its part.
fn header(into: &mut Pairs, name: &[u8], line: &[u8], limit: usize) -> Result<(), BodyError> {
    if into.size().saturating_add(name.len()).saturating_add(line.len()) > limit {
        return Err(BodyError::TooManyBytes);
    }
    into.push(name, line);
    Ok(())
}

/// Name and value of a header line.
pub(super) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', line)?;
    Some((line.get(..colon)?, line.get(colon + 1..)?))
}

/// Checks the name of a header: visible ASCII, and not one of those `before`, of which one reader would take the first and
/// another the last.
fn name(line: &[u8], before: Option<&[Cow<'_, [u8]>]>) -> Result<(), BodyError> {
    let (name, _) = split(line).ok_or(BodyError::PartHeader)?;
    let same = |line: &Cow<'_, [u8]>| split(line).is_some_and(|(other, _)| other.eq_ignore_ascii_case(name));
    if name.is_empty()
        || !name.iter().all(u8::is_ascii_graphic)
        || before.unwrap_or_default().iter().any(same)
    {
        return Err(BodyError::PartHeader);
    }
    Ok(())
}

/// Whether a header says that the content is encoded: some readers then decode it, so that the bytes say nothing (RFC 7578
/// §4.7 does away with `Content-Transfer-Encoding`, and §4.4 with most character sets).
fn is_encoded(line: &[u8]) -> bool {
    let Some((name, value)) = split(line) else {
        return false;
    };
    let is =
        |value: &[u8], plain: &[&str]| plain.iter().any(|plain| value.eq_ignore_ascii_case(plain.as_bytes()));
    if is(name, &["content-transfer-encoding"]) {
        return !is(value.trim_ascii(), &["7bit", "8bit", "binary"]);
    }
    is(name, &["content-type"]) && charset::names_other(value)
}

/// The disposition of a part with these header lines.
fn disposition(lines: &[Cow<'_, [u8]>]) -> Disposition {
    let mut found = lines
        .iter()
        .filter_map(|line| split(line))
        .filter(|(name, _)| name.eq_ignore_ascii_case(DISPOSITION));
    found.next().map_or_else(Disposition::missing, |(_, value)| Disposition::read(value))
}
