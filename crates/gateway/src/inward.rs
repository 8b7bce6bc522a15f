//! The relay on the way in: finds the declared values in a request, and puts other texts in their places.
//!
//! What the vault takes must be what the app reads. So whatever two programs could read in two ways is refused, and what
//! goes on is written anew.

mod part;

use crate::json::{self, JsonError};
use crate::media::{self, Media};
use crate::names::Seen;
use crate::rules::{InRule, Source};
use bytes::Bytes;
use http::header::{self, HeaderMap};
use part::Part;
pub(crate) use part::parts;
use std::ops::Range;
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
    #[error("the rule cannot look into a body of this type")]
    Type,
    /// Another charset than UTF-8.
    #[error("another charset than UTF-8")]
    Charset,
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

/// A field of a form or of a query.
struct Field {
    name: String,
    seen: Seen,
    value: Zeroizing<String>,
}

/// A body as far as it was taken apart, with its type.
enum Shape {
    Empty,
    Form(Vec<Field>),
    Parts(Vec<Part>),
    /// Where the strings stand that the rule declares, in the order of its pointers.
    Json(String, Bytes, Vec<Option<Range<usize>>>),
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
    query: Option<Vec<Field>>,
    shape: Shape,
    /// The values, in a fixed order.
    pub(crate) values: Vec<Value>,
}

/// What goes to the app.
pub(crate) struct Rewritten {
    pub(crate) query: Option<String>,
    pub(crate) body: Bytes,
    /// The type of the body, written anew; none where there is no body.
    pub(crate) content_type: Option<String>,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn fields(text: &[u8]) -> Result<Vec<Field>, InError> {
    let mut all = Vec::new();
    for (name, value) in form_urlencoded::parse(text) {
        if all.len() == FIELDS {
            return Err(InError::Size);
        }
        if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
            return Err(InError::Syntax);
        }
        check_name(&name, &value)?;
        let (name, value) = (name.into_owned(), Zeroizing::new(value.into_owned()));
        all.push(Field { seen: Seen::new(&name), name, value });
    }
    Ok(all)
}

/// Whether everybody reads this name alike: some end it at U+0000. By a field `_charset_` some read all others (HTML,
/// "naming form controls").
fn check_name(name: &str, value: &str) -> Result<(), InError> {
    if name.chars().any(char::is_control) {
        return Err(InError::Name);
    }
    let is_charset = name.trim().eq_ignore_ascii_case("_charset_");
    if is_charset && !media::is_utf8(value.trim()) { Err(InError::Charset) } else { Ok(()) }
}

/// The type of a body that rules read: one, in UTF-8, and not encoded.
fn media_of(headers: &HeaderMap) -> Result<Media, InError> {
    let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
    if !codings.all(|coding| coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(InError::Type);
    }
    let mut lines = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return Err(InError::Type) };
    let media = line.to_str().ok().and_then(Media::parse).ok_or(InError::Type)?;
    if media.parameter("charset").is_some_and(|charset| !media::is_utf8(charset)) {
        return Err(InError::Charset);
    }
    Ok(media)
}

impl Shape {
    async fn read(rule: &InRule, headers: &HeaderMap, body: Bytes) -> Result<Self, InError> {
        if body.is_empty() {
            return Ok(Self::Empty);
        }
        let media = media_of(headers)?;
        let has = |wanted: fn(&Source) -> bool| rule.sources().any(wanted);
        let has_form = has(|source| matches!(source, Source::Form(_)));
        // What no source of the rule looks into, an app may read the same names from.
        match media.essence.as_str() {
            FORM if has_form => Ok(Self::Form(fields(&body)?)),
            "multipart/form-data" if has_form => Ok(Self::Parts(part::parts(&media, body).await?)),
            _ if media.is_json() && has(|source| matches!(source, Source::Json(_))) => {
                let found = rule.json.pick(&body)?;
                Ok(Self::Json(media.essence, body, found))
            }
            _ => Err(InError::Type),
        }
    }
}

impl<'r> Inward<'r> {
    /// Takes a request apart.
    pub(crate) async fn read(
        rule: &'r InRule,
        headers: &HeaderMap,
        query: Option<&str>,
        body: Bytes,
    ) -> Result<Self, InError> {
        let shape = Shape::read(rule, headers, body).await?;
        let query = query.map(|query| fields(query.as_bytes())).transpose()?;
        let mut all = Self { rule, query, shape, values: Vec::new() };
        all.stands_once()?;
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

    fn query(&self) -> &[Field] {
        self.query.as_deref().unwrap_or_default()
    }

    /// Whether what the rule takes from the body stands in the query as well, or the other way round: many apps read
    /// both as one, some with the one first, some with the other.
    fn stands_once(&self) -> Result<(), InError> {
        let place = |source: &Source| match source {
            Source::Form(name) => (false, Seen::new(name)),
            Source::Json(pointer) => (false, Seen::of_pointer(pointer)),
            Source::Query(name) => (true, Seen::new(name)),
        };
        let all: Vec<(bool, Seen)> = self.rule.sources().map(place).collect();
        for (is_query, wanted) in &all {
            let in_query = self.query().iter().any(|field| field.seen.is_alike(wanted));
            let in_body = self.has_in_body(wanted);
            let elsewhere = if *is_query { in_body } else { in_query };
            let is_declared_there =
                || all.iter().any(|(other, seen)| other != is_query && seen.is_alike(wanted));
            if (in_query && in_body) || (elsewhere && !is_declared_there()) {
                return Err(InError::Twice);
            }
        }
        Ok(())
    }

    /// Whether the body has something that could be taken for this.
    fn has_in_body(&self, wanted: &Seen) -> bool {
        match &self.shape {
            Shape::Empty => false,
            Shape::Form(fields) => fields.iter().any(|field| field.seen.is_alike(wanted)),
            Shape::Parts(parts) => parts.iter().any(|part| part.seen.is_alike(wanted)),
            Shape::Json(_, _, found) => {
                let mut given = self.rule.json.all().iter().zip(found).filter(|(_, range)| range.is_some());
                given.any(|(pointer, _)| Seen::of_pointer(pointer).is_alike(wanted))
            }
        }
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
            (Source::Query(name), _) => one_of(self.query(), name, Place::Query),
            (Source::Form(name), Shape::Form(fields)) => one_of(fields, name, Place::Form),
            (Source::Form(name), Shape::Parts(parts)) => one_part(parts, name),
            (Source::Json(pointer), Shape::Json(_, bytes, found)) => {
                let Some(number) = self.rule.json.number(pointer) else { return Ok(None) };
                let Some(range) = found.get(number).and_then(Option::as_ref) else { return Ok(None) };
                let text = json::decoded(bytes, range).ok_or(InError::Syntax)?;
                Ok(Some((Place::Json(number), Zeroizing::new(text))))
            }
            _ => Ok(None),
        }
    }

    /// The request with other texts in the places of its values, one for each.
    pub(crate) fn write(mut self, texts: &[String], boundary: &str) -> Result<Rewritten, InError> {
        let mut put = Vec::new();
        for (value, text) in self.values.iter().zip(texts) {
            match (value.place, &mut self.shape) {
                (Place::Query(number), _) => {
                    if let Some(field) = self.query.as_mut().and_then(|query| query.get_mut(number)) {
                        field.value = Zeroizing::new(text.clone());
                    }
                }
                (Place::Form(number), Shape::Form(fields)) => {
                    fields[number].value = Zeroizing::new(text.clone());
                }
                (Place::Part(number), Shape::Parts(parts)) => parts[number].content = text.clone().into(),
                (Place::Json(number), _) => put.push((number, text)),
                _ => {}
            }
        }
        let query = self.query.as_deref().map(encoded);
        let (body, content_type) = match self.shape {
            Shape::Empty => (Bytes::new(), None),
            Shape::Form(fields) => (encoded(&fields).into(), Some(FORM.to_owned())),
            Shape::Parts(parts) => {
                let kind = format!("multipart/form-data; boundary={boundary}");
                (part::join(&parts, boundary)?, Some(kind))
            }
            Shape::Json(essence, bytes, found) => {
                let ranges =
                    put.into_iter().filter_map(|(number, text)| Some((found[number].as_ref()?, text)));
                (splice(&bytes, ranges.collect()), Some(essence))
            }
        };
        Ok(Rewritten { query, body, content_type })
    }
}

fn encoded(fields: &[Field]) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for field in fields {
        out.append_pair(&field.name, &field.value);
    }
    out.finish()
}

type Found = Option<(Place, Zeroizing<String>)>;

fn one_of(fields: &[Field], name: &str, place: fn(usize) -> Place) -> Result<Found, InError> {
    let wanted = Seen::new(name);
    let mut named = fields.iter().enumerate().filter(|(_, field)| field.seen.is_alike(&wanted));
    let Some((number, field)) = named.next() else { return Ok(None) };
    if named.next().is_some() || field.name != name {
        return Err(InError::Twice);
    }
    Ok(Some((place(number), field.value.clone())))
}

fn one_part(parts: &[Part], name: &str) -> Result<Found, InError> {
    let wanted = Seen::new(name);
    let mut named = parts.iter().enumerate().filter(|(_, part)| part.seen.is_alike(&wanted));
    let Some((number, part)) = named.next() else { return Ok(None) };
    if named.next().is_some() || part.is_file || part.name != name {
        return Err(InError::Twice);
    }
    let text = std::str::from_utf8(&part.content).map_err(|_| InError::Syntax)?;
    Ok(Some((Place::Part(number), Zeroizing::new(text.to_owned()))))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Routes;

    fn rule() -> InRule {
        rule_of(
            r#"person = { path = "id" }, fields = { "form:name" = "name", "json:/a/name" = "name", "query:q" = "email" }"#,
        )
    }

    fn rule_of(text: &str) -> InRule {
        let text = format!(
            "[[route]]\nname = \"save\"\npath = \"/w/{{id}}\"\n[[relay]]\nroutes = [\"save\"]\nin = {{ accept = [\"201\"], {text} }}"
        );
        let tables: crate::config::Tables = toml::from_str(&text).expect("tables");
        let routes = Routes::build(&tables.route, &tables.relay, None).expect("routes");
        let path = crate::rules::segments("/w/1").expect("a path");
        routes.of(&http::Method::POST, &path).expect("one").0.inward.clone().expect("a rule")
    }

    fn run(kind: Option<&str>, query: Option<&str>, body: &str) -> Result<(Vec<String>, Rewritten), InError> {
        run_with(&rule(), kind.map(|kind| ("content-type", kind)).as_slice(), query, body)
    }

    fn run_with(
        rule: &InRule,
        lines: &[(&'static str, &str)],
        query: Option<&str>,
        body: &str,
    ) -> Result<(Vec<String>, Rewritten), InError> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a value"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let body = Bytes::copy_from_slice(body.as_bytes());
        let taken = runtime.block_on(Inward::read(rule, &headers, query, body))?;
        let values: Vec<String> = taken.values.iter().map(|value| value.text.to_string()).collect();
        let texts: Vec<String> = (0..values.len()).map(|number| format!("T{number}")).collect();
        Ok((values, taken.write(&texts, "XXB")?))
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

    const FORM_LINE: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    #[test]
    fn another_charset_is_refused_and_the_type_is_written_anew() {
        let form = |kind: &str| run(Some(kind), None, "name=x");
        for wrong in ["utf-7", "utf-16", "iso-8859-1", "\"ibm037\"", "UTF-8-x"] {
            let kind = format!("application/x-www-form-urlencoded; charset={wrong}");
            assert_eq!(form(&kind).err(), Some(InError::Charset), "{wrong}");
        }
        for odd in ["; charset=utf-8; charset=utf-8", "; charset", "; charset=\"utf\\-8\"", ", text/plain"] {
            let kind = format!("application/x-www-form-urlencoded{odd}");
            assert_eq!(form(&kind).err(), Some(InError::Type), "{odd}");
        }
        let (_, out) = form("Application/X-www-form-urlencoded ; Charset=\"Utf-8\"; x=y").expect("taken");
        assert_eq!(out.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
        let (_, out) = run(Some("application/Merge-Patch+json; charset=UTF8"), None, "{}").expect("taken");
        assert_eq!(out.content_type.as_deref(), Some("application/merge-patch+json"));
        let twice = [FORM_LINE, ("content-type", "text/plain")];
        assert_eq!(run_with(&rule(), &twice, None, "name=x").err(), Some(InError::Type));
        let coded = [FORM_LINE, ("content-encoding", "deflate")];
        assert_eq!(run_with(&rule(), &coded, None, "name=x").err(), Some(InError::Type));
        let named = |charset: &str| run(FORM, None, &format!("name=x&_charset_={charset}"));
        assert_eq!(named("utf-16").err(), Some(InError::Charset));
        assert!(named("UTF-8").is_ok());
        let part = |charset: &str| {
            let body = format!(
                "--b\r\nContent-Disposition: form-data; name=\"name\"\r\nContent-Type: text/plain; charset={charset}\r\n\r\nJ\r\n--b--\r\n"
            );
            run(Some("multipart/form-data; boundary=b"), None, &body)
        };
        assert_eq!(part("utf-7").err(), Some(InError::Charset));
        let (_, out) = part("utf-8").expect("taken");
        assert!(String::from_utf8_lossy(&out.body).contains("content-type: text/plain\r\n\r\nT0"));
    }

    /// `getParameter` of a servlet and `$_REQUEST` of PHP take query and body as one, each with another of them first.
    #[test]
    fn what_a_rule_takes_stands_in_the_query_or_in_the_body() {
        let rule = rule_of(
            r#"person = { field = "form:worker_id" }, fields = { "form:name" = "name", "json:/user/mail" = "email", "query:q" = "email" }"#,
        );
        let form = |query, body| run_with(&rule, &[FORM_LINE], Some(query), body).err();
        assert_eq!(form("x=1&q=a", "worker_id=9&name=x"), None, "the control");
        for query in ["worker_id=7", "Worker.ID=7", "worker_id[]=7", "name=y", "user[mail]=y", "user.mail"] {
            assert_eq!(form(query, "worker_id=9&name=x"), Some(InError::Twice), "{query}");
        }
        assert_eq!(form("x=1", "worker_id=9&name=x&q=a"), Some(InError::Twice));
        let json =
            |query, body| run_with(&rule, &[("content-type", "application/json")], Some(query), body).err();
        assert_eq!(json("q=a", r#"{"user":{"mail":"x"}}"#), None, "the control");
        assert_eq!(json("q=a", r#"{"user":{"mail":"x"},"Q":"y"}"#), Some(InError::Twice));
        assert_eq!(json("user[mail]=y", "{}"), Some(InError::Twice));
        let either = rule_of(r#"lookup = { "form:q" = "email", "query:q" = "email", "json:/q" = "email" }"#);
        let either = |kind: &str, query: &str, body: &str| {
            run_with(&either, &[("content-type", kind)], Some(query), body).map(|(values, _)| values)
        };
        let form = "application/x-www-form-urlencoded";
        assert_eq!(either(form, "q=a", ""), Ok(vec!["a".to_owned()]));
        assert_eq!(either(form, "x", "q=a"), Ok(vec!["a".to_owned()]));
        assert_eq!(either(form, "q=a", "q=a"), Err(InError::Twice));
        assert_eq!(either("application/json", "x", r#"{"q":"a"}"#), Ok(vec!["a".to_owned()]));
        assert_eq!(either("application/json", "q=a", r#"{"q":"a"}"#), Err(InError::Twice));
    }

    #[test]
    fn a_name_that_some_cut_off_is_refused() {
        for body in ["name=x&name%00=y", "name=x&na%0Ame=y", "name=x&a%7F=y", "%C2%85=y"] {
            assert_eq!(run(FORM, None, body).err(), Some(InError::Name), "{body}");
        }
        assert_eq!(run(FORM, Some("q%00=x"), "name=x").err(), Some(InError::Name));
        assert_eq!(run(JSON, None, r#"{"a":{"name":"x","name\u0000":"y"}}"#).err(), Some(InError::Name));
        assert!(run(FORM, None, "name=x%00&b=%00").is_ok(), "values are the app's");
    }

    #[test]
    fn a_body_that_no_source_looks_into_is_refused() {
        let forms = rule_of(r#"person = { path = "id" }, fields = { "form:name" = "name" }"#);
        let members = rule_of(r#"person = { path = "id" }, fields = { "json:/name" = "name" }"#);
        let queries = rule_of(r#"lookup = { "query:q" = "email" }"#);
        let parts = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nJ\r\n--b--\r\n";
        let bodies = [
            ("application/x-www-form-urlencoded", "name=x"),
            ("multipart/form-data; boundary=b", parts),
            ("application/json", r#"{"name":"x"}"#),
        ];
        for (rule, takes) in
            [(&forms, [true, true, false]), (&members, [false, false, true]), (&queries, [false; 3])]
        {
            for ((kind, body), takes) in bodies.iter().zip(takes) {
                let taken = run_with(rule, &[("content-type", kind)], None, body);
                assert_eq!(taken.err(), (!takes).then_some(InError::Type), "{kind}");
                assert!(
                    run_with(rule, &[("content-type", kind)], None, "").is_ok(),
                    "nothing at all is no body"
                );
            }
        }
    }

    #[test]
    fn no_more_fields_are_kept_than_are_looked_through() {
        assert_eq!(run(FORM, None, &"a&".repeat(1 << 20)).err(), Some(InError::Size));
        assert!(run(FORM, None, &"a&".repeat(FIELDS)).is_ok());
    }

    #[test]
    fn what_a_rule_cannot_look_into_is_refused() {
        assert_eq!(run(FORM, None, "name=a&name=b").err(), Some(InError::Twice));
        assert_eq!(run(FORM, None, "Name=a").err(), Some(InError::Twice));
        assert_eq!(run(JSON, None, r#"{"A":{"name":"x"}}"#).err(), Some(InError::Twice));
        let doubled = "--b\r\nContent-Disposition: form-data; name=\"other\"; x=\"; name=\\\"name\"\r\n\r\nJ\r\n--b--\r\n";
        let (_, out) = run(Some("multipart/form-data; boundary=b"), None, doubled).expect("taken");
        assert_eq!(String::from_utf8_lossy(&out.body).matches("name=").count(), 1);
        assert_eq!(run(FORM, None, "name=%ff").err(), Some(InError::Syntax));
        assert_eq!(run(Some("text/plain"), None, "name=a").err(), Some(InError::Type));
        assert_eq!(run(None, None, "name=a").err(), Some(InError::Type));
        assert_eq!(run(JSON, None, "name=a").err(), Some(InError::Syntax));
        assert!(run(None, None, "").expect("nothing").0.is_empty());
    }
}
