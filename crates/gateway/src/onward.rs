//! What goes on to the app: as it came, or with tokens in the places of values.

use crate::arriving::Arriving;
use crate::body::{self, Guarded, Why};
use crate::config::Pass;
use crate::exchange::{Asked, Way, first_look};
use crate::headers;
use crate::inward::Rewritten;
use crate::problem::{self, Problem};
use crate::rules::{InRule, Source, Subject};
use crate::upstream::Body;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Request, Uri};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use std::sync::Arc;

/// Longest target, in bytes: `http::Uri` holds no more.
const TARGET_BYTES: usize = u16::MAX as usize - 1;
/// Most bytes of a token in a query.
const TOKEN_BYTES: usize = 128;

/// The head as the app gets it.
fn head_for_app(way: Way<'_>, asked: &Asked) -> HeaderMap {
    let mut headers = asked.headers.clone();
    for principal in way.setup.principals() {
        if let Some(name) = principal.header() {
            headers.remove(name);
        }
    }
    let origin = asked.origin(way.setup);
    let ranged = way.passes(Pass::Range);
    let conditional = way.route.is_none_or(|route| route.out.is_empty());
    headers::to_app(&mut headers, &origin, conditional);
    if !ranged {
        headers.remove(header::RANGE);
        headers.remove(header::IF_RANGE);
    }
    headers
}

/// Where a request goes at the app. What cannot be said goes nowhere: another target would answer for this one.
fn target(path: &str, query: Option<&str>) -> Result<Uri, Problem> {
    let text = match query {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    text.parse().map_err(|_| problem::TARGET_TOO_LONG)
}

/// Whether a rule reads the query. One that does has it written anew, so that the app reads what the rule has read; any other
/// query goes on as it came.
fn reads_query(rule: &InRule) -> bool {
    let of_query = |source: &Source| matches!(source, Source::Query(_));
    let subject = matches!(&rule.subject, Some(Subject::Field(source)) if of_query(source));
    subject || rule.fields.keys().chain(rule.lookup.keys()).any(of_query)
}

/// Refuses a query that will not fit any more when it is written anew with tokens in it: before anything is taken in.
pub(crate) fn check_target(rule: &InRule, asked: &Asked, values: usize) -> Result<(), Problem> {
    let Some(query) = asked.query.as_ref().filter(|_| reads_query(rule)) else { return Ok(()) };
    let pairs = form_urlencoded::parse(query.as_bytes());
    let anew = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let longest = asked.path.len() + 1 + anew.len() + values * TOKEN_BYTES;
    if longest > TARGET_BYTES { Err(problem::TARGET_TOO_LONG) } else { Ok(()) }
}

/// A request that goes on as it came; its body is looked at on its way, and afterwards it can be asked why it was cut off.
pub(crate) fn plain(
    way: Way<'_>,
    asked: &Asked,
    arriving: Arriving,
) -> Result<(Request<Body>, Why), Problem> {
    let why: Why = Arc::new(Mutex::new(None));
    let body = if arriving.is_end_stream() {
        body::full(Bytes::new())
    } else {
        let looked = !way.passes(Pass::Upload);
        let first = looked.then(|| first_look(way, "request"));
        Guarded::new(arriving, way.setup.max_request, looked, why.clone(), first).boxed_unsync()
    };
    let mut request = Request::new(body);
    *request.method_mut() = asked.method.clone();
    *request.uri_mut() = target(&asked.path, asked.query.as_deref())?;
    *request.headers_mut() = head_for_app(way, asked);
    Ok((request, why))
}

/// A request that the relay has rewritten.
pub(crate) fn rewritten(
    way: Way<'_>,
    rule: &InRule,
    asked: &Asked,
    out: Rewritten,
) -> Result<Request<Body>, Problem> {
    let mut head = head_for_app(way, asked);
    head.remove(header::CONTENT_LENGTH);
    head.remove(header::EXPECT);
    for name in headers::DIGESTS {
        head.remove(name);
    }
    if let Some(kind) = out.content_type.and_then(|kind| HeaderValue::from_str(&kind).ok()) {
        head.insert(header::CONTENT_TYPE, kind);
    }
    let mut request = Request::new(body::full(out.body));
    *request.method_mut() = asked.method.clone();
    let query = if reads_query(rule) { out.query.as_deref() } else { asked.query.as_deref() };
    *request.uri_mut() = target(&asked.path, query)?;
    *request.headers_mut() = head;
    Ok(request)
}
