//! What may be said of a request in a log: nothing that a client sent, and nothing of what it got.

use model::RequestId;
use std::time::Duration;

/// One answered request, in words that are the house's own. It has no place for a path, a query, a header, an address
/// or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Method, or `other`.
    pub method: &'static str,
    /// The route's template, such as `/v1/tenants/{tenant}/reveal`; `none` when no route fits.
    pub route: &'static str,
    /// HTTP status.
    pub status: u16,
    /// The code of the problem, if it is one.
    pub code: Option<&'static str>,
    /// The request, as it stands in the answer and in the ledger; none before its caller was known.
    pub request: Option<RequestId>,
    /// From the head of the request to the head of the answer.
    pub duration: Duration,
}

/// Who writes access lines. Called once per answer on the thread that serves it, so it must not wait.
pub trait AccessLog: Send + Sync {
    /// One request was answered.
    fn answered(&self, line: &Line);
}
