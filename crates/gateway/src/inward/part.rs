//! Forms with files (RFC 7578): taken apart by the library, and their heads written anew.

use super::{FIELDS, InError, check_name};
use crate::media::{self, Media};
use crate::names::Seen;
use bytes::Bytes;
use futures_core::Stream;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A part of a form.
pub(crate) struct Part {
    head: String,
    pub(crate) name: String,
    pub(super) seen: Seen,
    pub(crate) is_file: bool,
    pub(super) content: Bytes,
}

impl Part {
    /// What it says; none for a file, and for what is no text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok().filter(|_| !self.is_file)
    }
}

/// A body that is all there, as a stream.
struct Once(Option<Bytes>);

impl Stream for Once {
    type Item = Result<Bytes, Infallible>;
    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Ok))
    }
}

/// Takes a form with files apart.
pub(crate) async fn parts(media: &Media, body: Bytes) -> Result<Vec<Part>, InError> {
    let boundary = media.parameter("boundary").filter(|boundary| !boundary.is_empty());
    let mut form = multer::Multipart::new(Once(Some(body)), boundary.ok_or(InError::Syntax)?);
    let mut all = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| InError::Syntax)? {
        let name = field.name().ok_or(InError::Syntax)?.to_owned();
        let is_file = field.file_name().is_some();
        let head = head(&name, field.file_name(), field.content_type().map(|kind| kind.essence_str()))?;
        let charset = field.content_type().and_then(|kind| kind.get_param("charset"));
        // Of a file it says how the file is to be read, and no name.
        if !is_file && charset.is_some_and(|charset| !media::is_utf8(charset.as_str())) {
            return Err(InError::Charset);
        }
        let content = field.bytes().await.map_err(|_| InError::Syntax)?;
        let value = if is_file { "" } else { std::str::from_utf8(&content).unwrap_or_default() };
        check_name(&name, value)?;
        if all.len() == FIELDS {
            return Err(InError::Size);
        }
        all.push(Part { head, seen: Seen::new(&name), name, is_file, content });
    }
    Ok(all)
}

/// The head of a part, written anew: one with two names would be read in two ways. So would one with a backslash, which
/// some read as an escape and some do not, or with what looks like another parameter to who does not heed quotes.
fn head(name: &str, file: Option<&str>, kind: Option<&str>) -> Result<String, InError> {
    let odd = |char: char| char.is_control() || matches!(char, '\\' | '"' | '=' | ';' | '\u{fffd}');
    if name.chars().any(odd) {
        return Err(InError::Name);
    }
    let mut head = format!("content-disposition: form-data; name=\"{name}\"");
    if let Some(file) = file {
        head.push_str("; filename=\"");
        for char in file.chars() {
            match char {
                // As browsers write it (HTML, "multipart form data").
                '"' => head.push_str("%22"),
                '\\' | '=' => head.push('_'),
                char if char.is_control() => head.push('_'),
                char => head.push(char),
            }
        }
        head.push('"');
    }
    head.push_str("\r\n");
    if let Some(kind) = kind {
        head.push_str(&format!("content-type: {kind}\r\n"));
    }
    Ok(head)
}

/// The parts as one body. None of them may hold the boundary: it would be two.
pub(super) fn join(parts: &[Part], boundary: &str) -> Result<Bytes, InError> {
    let length = |part: &Part| part.head.len() + part.content.len() + boundary.len() + 8;
    let mut out = Vec::with_capacity(parts.iter().map(length).sum::<usize>() + boundary.len() + 6);
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
        out.extend_from_slice(&part.content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    let count = memchr::memmem::find_iter(&out, boundary).count();
    if count == parts.len() + 1 { Ok(out.into()) } else { Err(InError::Syntax) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A head as strictly as it can be read: these bytes and no others, without any escape.
    fn strict(head: &str) -> Option<(&str, Option<&str>)> {
        let rest = head.strip_prefix("content-disposition: form-data; name=\"")?;
        let (name, rest) = rest.split_once('"')?;
        let (file, rest) = match rest.strip_prefix("; filename=\"") {
            Some(rest) => rest.split_once('"').map(|(file, rest)| (Some(file), rest))?,
            None => (None, rest),
        };
        (rest == "\r\n").then_some((name, file))
    }

    /// As readers do who look for parameters with a pattern, quotes or not, and take the last (old Rack) or the first.
    fn loose(head: &str) -> Vec<&str> {
        let starts = head.match_indices("name=").map(|(at, found)| &head[at + found.len()..]);
        starts.map(|rest| rest.trim_start_matches('"').split(['"', ';']).next().unwrap_or_default()).collect()
    }

    fn taken(disposition: &str) -> Result<Vec<Part>, InError> {
        let body = format!("--b\r\nContent-Disposition: {disposition}\r\n\r\nx\r\n--b--\r\n");
        let media = Media::parse("multipart/form-data; boundary=b").expect("a type");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(parts(&media, body.into()))
    }

    #[test]
    fn a_head_has_one_reading() {
        for odd in [
            r#"form-data; name=x\; filename="; name=worker_id; y=""#,
            r#"form-data; name="x\"; name="worker_id""#,
            r#"form-data; name="x name=worker_id""#,
            r#"form-data; name="worker_id;x""#,
            "form-data; name=\"worker_id\u{85}\"",
        ] {
            assert_eq!(taken(odd).err(), Some(InError::Name), "{odd}");
        }
        let parts = taken(r#"form-data; name="a"; filename="C:\x name=b;\".txt""#).expect("taken");
        assert_eq!(strict(&parts[0].head), Some(("a", Some("C:_x name_b;%22.txt"))));
        assert_eq!(loose(&parts[0].head), ["a", "C:_x name_b"]);
    }

    #[test]
    fn a_part_that_holds_the_boundary_is_refused() {
        let mut parts = taken("form-data; name=a").expect("taken");
        assert!(join(&parts, "XXB").is_ok());
        parts[0].content = "x\r\n--XXB\r\ncontent-disposition: form-data; name=\"b\"\r\n\r\ny".into();
        assert_eq!(join(&parts, "XXB"), Err(InError::Syntax));
    }

    proptest! {
        #[test]
        fn whatever_is_written_reads_back(name in any::<String>(), file in proptest::option::of(any::<String>())) {
            if let Ok(head) = head(&name, file.as_deref(), None) {
                let read = strict(&head);
                prop_assert_eq!(read.map(|(name, _)| name), Some(name.as_str()));
                prop_assert_eq!(read.is_some_and(|(_, file)| file.is_some()), file.is_some());
                let names = if file.is_some() { 2 } else { 1 };
                prop_assert_eq!(loose(&head).len(), names, "{}", head);
                prop_assert!(!head.contains('\\') && head.matches("\r\n").count() == 1);
            }
        }

        #[test]
        fn no_disposition_gives_a_head_of_two_readings(disposition in "form-data(; ?(name|filename|x)=(\"[a-z=; \\\\\"]{0,6}\"?|[a-z\\\\]{0,3})){0,3}") {
            for part in taken(&disposition).unwrap_or_default() {
                prop_assert_eq!(strict(&part.head).map(|(name, _)| name), Some(part.name.as_str()));
            }
        }
    }
}
