//! What an app may read in another way than it is declared.
//!
//! Nobody here knows the app. Many take a body for JSON whatever its type says (`json.NewDecoder`, `php://input`,
//! `get_json(force=True)`), some take every `multipart/…` for a form, and some undo backslashes in cookies. ModSecurity reads a
//! request by what it declares alone; a transaction that reads closely adds the other readings to the arguments, so that
//! rules see them too.

use super::{Entry, Refusal, Transaction};
use crate::Pairs;
use crate::body::{Limits, Parsed, Processor, loose, loosely};
use crate::seclang::Variable;
use memchr::memmem;

impl Transaction {
    /// With the readings of a request that its types do not declare.
    #[must_use]
    pub fn reading_closely(mut self) -> Self {
        self.body.closely = true;
        self
    }

    /// Adds what others may find in a body, beside what its processor found.
    pub(super) fn fill_other_readings(&mut self, body: &[u8], content_type: &[u8]) -> Result<(), Refusal> {
        let limits = self.engine.settings.limits;
        let is_json = matches!(self.body.processor, Some(Processor::Json | Processor::JsonLines));
        if !is_json && loose::is_wide(body) {
            return Err(Refusal::Ambiguous);
        }
        if !is_json {
            let args = json_of(body, self.body.processor, &limits);
            self.add_arguments(&args, Variable::ArgsPost, Variable::ArgsPostNames);
        }
        if self.body.processor.is_none()
            && let Some(form) = as_form(content_type)
        {
            let mut read = Parsed::default();
            loosely(body, &form, &limits, &mut read);
            if read.error.is_some() {
                // What is there more than anybody looks at may be read by the app.
                return Err(Refusal::TooMuch);
            }
            self.add_arguments(&read.args, Variable::ArgsPost, Variable::ArgsPostNames);
            self.fill_file_names(&read);
        }
        Ok(())
    }

    fn fill_file_names(&mut self, read: &Parsed) {
        for file in &read.files {
            let (name, value) = (self.values.intern(&file.field), self.values.intern(&file.filename));
            self.entries[Variable::Files as usize].push(Entry { name, value });
            self.entries[Variable::FilesNames as usize].push(Entry { name, value: name });
        }
    }
}

/// What readers of JSON find in a body of another type: all of a document; of one that only lenient readers take, and of a text
/// with escapes of JSON in it, its string literals.
fn json_of(body: &[u8], processor: Option<Processor>, limits: &Limits) -> Pairs {
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let begins = text.first().is_some_and(|first| b"{[\"".contains(first));
    let mut read = Parsed::default();
    if begins {
        read = Processor::Json.parse(text, b"application/json", limits);
        if read.error.is_none() {
            return read.args;
        }
    }
    let escapes = || {
        !matches!(processor, Some(Processor::Multipart | Processor::Xml))
            && memmem::find(text, b"\\u00").is_some()
    };
    if (begins || escapes()) && loose::is_textual(text) {
        loose::literals(text, b"json", limits, &mut read.args);
    }
    read.args
}

/// The type of a form with files in the place of another multipart type.
fn as_form(content_type: &[u8]) -> Option<Vec<u8>> {
    const MULTIPART: &[u8] = b"multipart/";
    let text = content_type.trim_ascii_start();
    if !text.get(..MULTIPART.len())?.eq_ignore_ascii_case(MULTIPART) {
        return None;
    }
    let end = text.iter().position(|byte| b"; \t".contains(byte)).unwrap_or(text.len());
    Some([b"multipart/form-data", text.get(end..)?].concat())
}

/// A cookie's value as Python and others read one in quotation marks (RFC 2109): with `\"` and `\054` undone.
pub(super) fn unquoted(value: &[u8], limits: &Limits) -> Option<Vec<u8>> {
    let [b'"', inner @ .., b'"'] = value.trim_ascii() else { return None };
    if !inner.contains(&b'\\') || inner.len() > limits.argument_bytes {
        return None;
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', [escaped, after @ ..]) => {
                out.push(*escaped);
                after
            }
            _ => {
                out.push(*first);
                after
            }
        };
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_in_quotation_marks_lose_their_backslashes() {
        let limits = Limits::default();
        let read = |text: &str| unquoted(text.as_bytes(), &limits);
        assert_eq!(read(r#""1\047 \125NION""#).as_deref(), Some(&b"1' UNION"[..]));
        assert_eq!(read(r#""a\"b\\c\400\07""#).as_deref(), Some(&b"a\"b\\c40007"[..]));
        assert_eq!(read(r#""plain""#), None);
        assert_eq!(read(r"a\047"), None);
    }

    #[test]
    fn every_multipart_type_may_be_a_form() {
        let form = |text: &str| as_form(text.as_bytes()).map(|form| String::from_utf8(form).expect("text"));
        assert_eq!(
            form(" Multipart/Related; boundary=B").as_deref(),
            Some("multipart/form-data; boundary=B")
        );
        assert_eq!(form("multipart/mixed").as_deref(), Some("multipart/form-data"));
        assert_eq!(form("text/plain"), None);
    }
}
