//! What somebody gets whose request, or whose answer, the shield refuses: a short page or a problem document with a reference,
//! another place, or nothing at all.

use super::inspection::Inspection;
use crate::body::full;
use crate::events::Event;
use crate::exchange::{Asked, Way};
use crate::headers;
use crate::problem::Problem;
use crate::upstream::Body;
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};
use shield::Verdict;

/// Stands in an answer that is none: the connection is closed in its place.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("closed by the shield")]
pub(crate) struct Closed;

/// The answer to a verdict; without one, the problem's own.
pub(super) fn answer(
    way: Way<'_>,
    asked: &Asked,
    inspection: &mut Inspection,
    problem: Problem,
    verdict: Option<Verdict>,
) -> Response<Body> {
    way.emit(Event::Refused { route: way.name(), code: problem.code() });
    let answer = match verdict {
        Some(Verdict::Drop) => {
            let mut closed = Response::new(full(Bytes::new()));
            *closed.status_mut() = StatusCode::FORBIDDEN;
            closed.extensions_mut().insert(Closed);
            closed
        }
        Some(Verdict::Redirect(status, place)) => redirect(status, &place)
            .unwrap_or_else(|| problem.referring(&asked.headers, problem.status(), &inspection.reference)),
        Some(Verdict::Deny(status)) => {
            let named = StatusCode::from_u16(status).ok();
            let named = named.filter(|status| status.is_client_error() || status.is_server_error());
            problem.referring(&asked.headers, named.unwrap_or(problem.status()), &inspection.reference)
        }
        None => problem.referring(&asked.headers, problem.status(), &inspection.reference),
    };
    let is_closed = answer.extensions().get::<Closed>().is_some();
    inspection.status = if is_closed { 0 } else { answer.status().as_u16() };
    inspection.end();
    answer
}

/// None where the place is none that can stand in a header.
fn redirect(status: u16, place: &[u8]) -> Option<Response<Body>> {
    let status = StatusCode::from_u16(status).ok().filter(StatusCode::is_redirection);
    let mut answer = Response::new(full(Bytes::new()));
    *answer.status_mut() = status.unwrap_or(StatusCode::FOUND);
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_bytes(place).ok()?);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    headers::harden(answer.headers_mut());
    Some(answer)
}
