//! The relay on the way in: finds the declared values in a request, and puts other texts in their places.

use crate::json::{self, JsonError};
use crate::rules::{InRule, Source};
use bytes::Bytes;
use futures_core::Stream;
use std::convert::Infallible;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use zeroize::Zeroizing;

/// Most fields of a form, and most parts.
const FIELDS: usize = 2_000;

/// Why a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InError {
    /// The body is not what its type says.
    #[error("the body is not what its type says")]
    Syntax,
    /// The rule cannot look into a body of this type.
    #[error("no rule can look into a body of this type")]
    Type,
    /// A declared field stands there twice, or as something else than a text.
    #[error("a protected field stands there twice, or is no text")]
    Twice,
    /// A name that programs would read differently.
    #[error("a name that programs would read differently")]
    Name,
    /// Too many fields.
    #[error("too many fields")]
    Size,
}

impl InError {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Syntax => "body_malformed",
            Self::Type => "body_type",
            Self::Twice => "field_ambiguous",
            Self::Name => "field_name",
            Self::Size => "too_many_fields",
        }
    }
}

impl From<JsonError> for InError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Syntax => Self::Syntax,
            JsonError::Twice => Self::Twice,
            JsonError::Name => Self::Name,
            JsonError::Size => Self::Size,
        }
    }
}

/// A part of a form with files.
pub(crate) struct Part {
    head: String,
    pub(crate) name: String,
    pub(crate) is_file: bool,
    content: Bytes,
}

impl Part {
    /// What it says; none for a file, and for what is no text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok().filter(|_| !self.is_file)
    }
}

/// A body as far as it was taken apart.
enum Shape {
    Empty,
    Form(Vec<(String, Zeroizing<String>)>),
    Parts(Vec<Part>),
    /// Where the strings stand that the rule declares, in the order of its pointers.
    Json(Bytes, Vec<Option<Range<usize>>>),
}

/// One declared value that stands in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Query(usize),
    Form(usize),
    Part(usize),
    Json(usize),
}

/// A value with its field.
pub(crate) struct Value {
    place: Place,
    /// The field of the catalogue.
    pub(crate) field: String,
    /// Whether it only looks somebody up.
    pub(crate) is_lookup: bool,
    /// What was typed.
    pub(crate) text: Zeroizing<String>,
}

/// A request with its declared values.
pub(crate) struct Inward<'r> {
    rule: &'r InRule,
    query: Option<Vec<(String, Zeroizing<String>)>>,
    shape: Shape,
    /// The values, in a fixed order.
    pub(crate) values: Vec<Value>,
}

/// What goes to the app.
pub(crate) struct Rewritten {
    pub(crate) query: Option<String>,
    pub(crate) body: Bytes,
    /// Another type than it came with: the boundary is ours.
    pub(crate) content_type: Option<String>,
}

fn pairs(text: &[u8]) -> Result<Vec<(String, Zeroizing<String>)>, InError> {
    let all: Vec<_> = form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
        .collect();
    let broken = all.iter().any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
    match (all.len() > FIELDS, broken) {
        (true, _) => Err(InError::Size),
        (_, true) => Err(InError::Syntax),
        _ => Ok(all),
    }
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

impl<'r> Inward<'r> {
    /// Takes a request apart.
    pub(crate) async fn read(
        rule: &'r InRule,
        content_type: Option<&str>,
        query: Option<&str>,
        body: Bytes,
    ) -> Result<Self, InError> {
        let shape = match content_type.map(essence).as_deref() {
            None | Some("") if body.is_empty() => Shape::Empty,
            Some("application/x-www-form-urlencoded") => Shape::Form(pairs(&body)?),
            Some("multipart/form-data") => Shape::Parts(parts(content_type.unwrap_or_default(), body).await?),
            Some(kind)
                if kind == "application/json"
                    || (kind.starts_with("application/") && kind.ends_with("+json")) =>
            {
                let found = rule.json.pick(&body)?;
                Shape::Json(body, found)
            }
            _ => return Err(InError::Type),
        };
        let query = query.map(|query| pairs(query.as_bytes())).transpose()?;
        let mut all = Self { rule, query, shape, values: Vec::new() };
        let declared =
            rule.fields.iter().map(|one| (one, false)).chain(rule.lookup.iter().map(|one| (one, true)));
        let mut declared: Vec<_> = declared.collect();
        declared.sort_by_key(|((_, field), _)| *field);
        for ((source, field), is_lookup) in declared {
            if let Some((place, text)) = all.find(source)? {
                all.values.push(Value { place, field: field.clone(), is_lookup, text });
            }
        }
        Ok(all)
    }

    /// Whether a file is in it; an empty place for one is none.
    pub(crate) fn has_files(&self) -> bool {
        matches!(&self.shape, Shape::Parts(parts) if parts.iter().any(|part| part.is_file && !part.content.is_empty()))
    }

    /// The text of another declared place, such as the reference of a person.
    pub(crate) fn reference(&self, source: &Source) -> Result<Option<String>, InError> {
        Ok(self.find(source)?.map(|(_, text)| text.to_string()).filter(|text| !text.is_empty()))
    }

    fn find(&self, source: &Source) -> Result<Option<(Place, Zeroizing<String>)>, InError> {
        match (source, &self.shape) {
            (Source::Query(name), _) => {
                let none = Vec::new();
                let query = self.query.as_ref().unwrap_or(&none);
                one_of(query.iter().map(|(name, value)| (name.as_str(), value)), name, Place::Query)
            }
            (Source::Form(name), Shape::Form(fields)) => {
                one_of(fields.iter().map(|(name, value)| (name.as_str(), value)), name, Place::Form)
            }
            (Source::Form(name), Shape::Parts(parts)) => {
                let mut named = parts.iter().enumerate().filter(|(_, part)| is_alike(&part.name, name));
                let Some((number, part)) = named.next() else { return Ok(None) };
                if named.next().is_some() || part.is_file || part.name != *name {
                    return Err(InError::Twice);
                }
                let text = std::str::from_utf8(&part.content).map_err(|_| InError::Syntax)?;
                Ok(Some((Place::Part(number), Zeroizing::new(text.to_owned()))))
            }
            (Source::Json(pointer), Shape::Json(bytes, found)) => {
                let Some(number) = self.rule.json.number(pointer) else { return Ok(None) };
                let Some(range) = found.get(number).and_then(Option::as_ref) else { return Ok(None) };
                let text = json::decoded(bytes, range).ok_or(InError::Syntax)?;
                Ok(Some((Place::Json(number), Zeroizing::new(text))))
            }
            _ => Ok(None),
        }
    }

    /// The request with other texts in the places of its values, one for each.
    pub(crate) fn write(mut self, texts: &[String], boundary: &str) -> Rewritten {
        let mut put = Vec::new();
        for (value, text) in self.values.iter().zip(texts) {
            match (value.place, &mut self.shape) {
                (Place::Query(number), _) => {
                    if let Some(pair) = self.query.as_mut().and_then(|query| query.get_mut(number)) {
                        pair.1 = Zeroizing::new(text.clone());
                    }
                }
                (Place::Form(number), Shape::Form(fields)) => fields[number].1 = Zeroizing::new(text.clone()),
                (Place::Part(number), Shape::Parts(parts)) => parts[number].content = text.clone().into(),
                (Place::Json(number), _) => put.push((number, text)),
                _ => {}
            }
        }
        let encode = |pairs: &[(String, Zeroizing<String>)]| {
            let mut out = form_urlencoded::Serializer::new(String::new());
            for (name, value) in pairs {
                out.append_pair(name, value);
            }
            out.finish()
        };
        let query = self.query.as_deref().map(encode);
        let (body, content_type) = match &self.shape {
            Shape::Empty => (Bytes::new(), None),
            Shape::Form(fields) => (encode(fields).into(), None),
            Shape::Parts(parts) => {
                let kind = format!("multipart/form-data; boundary={boundary}");
                (join(parts, boundary), Some(kind))
            }
            Shape::Json(bytes, found) => {
                let ranges =
                    put.into_iter().filter_map(|(number, text)| Some((found[number].as_ref()?, text)));
                (splice(bytes, ranges.collect()), None)
            }
        };
        Rewritten { query, body, content_type }
    }
}

/// Whether an app could take one name for the other: some do not see case, some read dots, blanks and brackets as `_`.
fn is_alike(name: &str, wanted: &str) -> bool {
    let fold = |text: &str| -> String {
        let one = |char: char| if matches!(char, '.' | ' ' | '[' | '\0') { '_' } else { char };
        text.trim().to_lowercase().chars().map(one).collect()
    };
    name == wanted || fold(name) == fold(wanted)
}

fn one_of<'a>(
    pairs: impl Iterator<Item = (&'a str, &'a Zeroizing<String>)>,
    wanted: &str,
    place: fn(usize) -> Place,
) -> Result<Option<(Place, Zeroizing<String>)>, InError> {
    let mut named = pairs.enumerate().filter(|(_, (name, _))| is_alike(name, wanted));
    let first = named.next();
    if named.next().is_some() || first.as_ref().is_some_and(|(_, (name, _))| *name != wanted) {
        return Err(InError::Twice);
    }
    Ok(first.map(|(number, (_, value))| (place(number), value.clone())))
}

/// The bytes with other texts in the places of some strings.
fn splice(bytes: &[u8], mut put: Vec<(&Range<usize>, &String)>) -> Bytes {
    put.sort_unstable_by_key(|(range, _)| range.start);
    let (mut out, mut at) = (Vec::with_capacity(bytes.len() + 64 * put.len()), 0);
    for (range, new) in put {
        out.extend_from_slice(&bytes[at..range.start]);
        out.extend_from_slice(json::escaped(new).as_bytes());
        at = range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out.into()
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
pub(crate) async fn parts(content_type: &str, body: Bytes) -> Result<Vec<Part>, InError> {
    let boundary = multer::parse_boundary(content_type).map_err(|_| InError::Syntax)?;
    let mut form = multer::Multipart::new(Once(Some(body)), boundary);
    let mut all = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| InError::Syntax)? {
        let name = field.name().ok_or(InError::Syntax)?.to_owned();
        let is_file = field.file_name().is_some();
        // Written anew: a head with two names would be read in two ways.
        let mut head = format!("content-disposition: form-data; name=\"{}\"", quoted(&name));
        if let Some(file) = field.file_name() {
            head.push_str(&format!("; filename=\"{}\"", quoted(file)));
        }
        head.push_str("\r\n");
        if let Some(kind) = field.content_type() {
            head.push_str(&format!("content-type: {kind}\r\n"));
        }
        let content = field.bytes().await.map_err(|_| InError::Syntax)?;
        all.push(Part { head, name, is_file, content });
        if all.len() > FIELDS {
            return Err(InError::Size);
        }
    }
    Ok(all)
}

/// A name as browsers write it in the head of a part (HTML, "multipart form data").
fn quoted(text: &str) -> String {
    text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn join(parts: &[Part], boundary: &str) -> Bytes {
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.content.len() + 200).sum());
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
        out.extend_from_slice(&part.content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Routes;

    fn rule() -> InRule {
        let text = r#"
            [[route]]
            name = "save"
            path = "/w/{id}"
            [[relay]]
            routes = ["save"]
            in = { person = { path = "id" }, accept = ["201"], fields = { "form:name" = "name", "json:/a/name" = "name", "query:q" = "email" } }
        "#;
        let tables: crate::config::Tables = toml::from_str(text).expect("tables");
        let routes = Routes::build(&tables.route, &tables.relay, None).expect("routes");
        let path = crate::rules::segments("/w/1").expect("a path");
        routes.of(&http::Method::POST, &path).expect("one").0.inward.clone().expect("a rule")
    }

    fn run(kind: Option<&str>, query: Option<&str>, body: &str) -> Result<(Vec<String>, Rewritten), InError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let rule = rule();
        let taken =
            runtime.block_on(Inward::read(&rule, kind, query, Bytes::copy_from_slice(body.as_bytes())))?;
        let values: Vec<String> = taken.values.iter().map(|value| value.text.to_string()).collect();
        let texts: Vec<String> = (0..values.len()).map(|number| format!("T{number}")).collect();
        Ok((values, taken.write(&texts, "XXB")))
    }

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
    const JSON: Option<&str> = Some("application/json; charset=utf-8");

    #[test]
    fn a_form_keeps_everything_else() {
        let (values, out) =
            run(FORM, Some("q=a%40b.de&x=1"), "csrf=z%26&name=J%C3%B6rg+M&name2=c").expect("taken");
        assert_eq!(values, ["a@b.de", "Jörg M"]);
        assert_eq!(out.query.as_deref(), Some("q=T0&x=1"));
        assert_eq!(&out.body[..], b"csrf=z%26&name=T1&name2=c");
    }

    #[test]
    fn json_keeps_its_bytes() {
        let (values, out) =
            run(JSON, None, r#"{ "n":1.50, "a": {"name":"J\u00f6rg", "b":"x"} }"#).expect("taken");
        assert_eq!(values, ["Jörg"]);
        assert_eq!(&out.body[..], br#"{ "n":1.50, "a": {"name":"T0", "b":"x"} }"#);
        assert!(run(JSON, None, r#"{"a":{"name":null}}"#).expect("taken").0.is_empty());
        for wrong in [r#"{"a":{"name":7}}"#, r#"{"a":{"name":["x"]}}"#, r#"{"a":{"name":"x","name":"y"}}"#] {
            assert_eq!(run(JSON, None, wrong).err(), Some(InError::Twice), "{wrong}");
        }
    }

    #[test]
    fn parts_are_replaced_and_files_stay() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nJörg\r\n--b\r\n\
            Content-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\nfile\r\n--b--\r\n";
        let (values, out) = run(Some("multipart/form-data; boundary=b"), None, body).expect("taken");
        assert_eq!(values, ["Jörg"]);
        let text = String::from_utf8(out.body.to_vec()).expect("text");
        assert!(
            text.starts_with("--XXB\r\ncontent-disposition: form-data; name=\"name\"\r\n\r\nT0\r\n--XXB"),
            "{text}"
        );
        assert!(text.contains("filename=\"a.txt\"\r\ncontent-type: text/plain\r\n\r\nfile\r\n--XXB--"));
        let file = body.replace("name=\"name\"", "name=\"name\"; filename=\"x\"");
        assert_eq!(run(Some("multipart/form-data; boundary=b"), None, &file).err(), Some(InError::Twice));
    }

    #[test]
    fn what_a_rule_cannot_look_into_is_refused() {
        assert_eq!(run(FORM, None, "name=a&name=b").err(), Some(InError::Twice));
        assert_eq!(run(FORM, None, "Name=a").err(), Some(InError::Twice));
        assert_eq!(run(JSON, None, r#"{"A":{"name":"x"}}"#).err(), Some(InError::Twice));
        let doubled = "--b\r\nContent-Disposition: form-data; name=\"other\"; x=\"; name=\\\"name\"\r\n\r\nJ\r\n--b--\r\n";
        if let Ok((_, out)) = run(Some("multipart/form-data; boundary=b"), None, doubled) {
            let text = String::from_utf8(out.body.to_vec()).expect("text");
            assert_eq!(text.matches("name=").count(), 1, "{text}");
        }
        assert_eq!(run(FORM, None, "name=%ff").err(), Some(InError::Syntax));
        assert_eq!(run(Some("text/plain"), None, "name=a").err(), Some(InError::Type));
        assert_eq!(run(None, None, "name=a").err(), Some(InError::Type));
        assert_eq!(run(JSON, None, "name=a").err(), Some(InError::Syntax));
        assert!(run(None, None, "").expect("nothing").0.is_empty());
    }
}
