//! The way out: the head of the app's answer, and the first window of its body, before the client gets either. It is the app's
//! own answer that is inspected, with tokens in it: values that are shown afterwards are nobody's leak.

use super::inspection::{Inspection, Step};
use super::refused;
use super::windows::{OVERLAP, WINDOW, Windows};
use crate::config::ShieldMode;
use crate::events::Side;
use crate::exchange::{Asked, Way};
use crate::problem;
use crate::upstream::Body;
use bytes::Bytes;
use http::Response;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::response::Parts;
use shield::{Transaction, Verdict};

/// What comes of an answer.
pub(crate) enum Looked {
    /// It may go on; the inspection, where there is more to be looked at.
    On(Option<Box<Inspection>>),
    /// This goes to the client in its place.
    Refused(Response<Body>),
}

/// Inspects the head of an answer. What has to be looked at beyond it goes on with its inspection.
pub(crate) async fn head(way: Way<'_>, asked: &Asked, head: &Parts) -> Looked {
    let Some(mut inspection) = way.inspection.take() else { return Looked::On(None) };
    inspection.status = head.status.as_u16();
    if !way.setup.shield.response || inspection.transaction.is_none() {
        return Looked::On(None);
    }
    let (status, headers) = (head.status.as_u16(), owned(&head.headers));
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let step = inspection.step(bytes, move |transaction| {
        let headers: Vec<(&[u8], &[u8])> =
            headers.iter().map(|(name, value)| (name.as_str().as_bytes(), value.as_bytes())).collect();
        transaction.response_head(status, b"HTTP/1.1", &headers)
    });
    match step.await {
        Step::On if inspection.transaction.as_ref().is_some_and(Transaction::wants_answer) => {
            Looked::On(Some(Box::new(inspection)))
        }
        Step::On => Looked::On(None),
        other => refuse(way, asked, inspection, other),
    }
}

fn owned(headers: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
    headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Inspects what there is of a body. The inspection comes back where more of it follows and is to be inspected.
pub(crate) async fn look(
    way: Way<'_>,
    asked: &Asked,
    mut inspection: Box<Inspection>,
    bytes: &Bytes,
    is_whole: bool,
) -> Looked {
    let limit = way.setup.shield.response_limit;
    let looked_at = bytes.slice(..bytes.len().min(limit));
    let ends = is_whole || looked_at.len() == limit;
    let step =
        inspection.step(looked_at.len(), move |transaction| in_windows(transaction, &looked_at, ends)).await;
    match step {
        Step::On if ends => Looked::On(None),
        Step::On => Looked::On(Some(inspection)),
        other => refuse(way, asked, *inspection, other),
    }
}

/// Looks at bytes window by window, each of which begins with the end of the one before.
fn in_windows(transaction: &mut Transaction, bytes: &[u8], ends: bool) -> Option<Verdict> {
    let mut from = 0;
    loop {
        let to = bytes.len().min(from + WINDOW);
        let last = to == bytes.len();
        let verdict = transaction.response_window(&bytes[from.saturating_sub(OVERLAP)..to], last && ends);
        if verdict.is_some() || last {
            return verdict;
        }
        from = to;
    }
}

fn refuse(way: Way<'_>, asked: &Asked, mut inspection: Inspection, step: Step) -> Looked {
    inspection.refused = Some(Side::Answer);
    let (problem, verdict) = match step {
        // The status that a rule names is about requests: this is no fault of who asked.
        Step::Refuse(Verdict::Deny(_)) => (problem::ANSWER_REFUSED, None),
        Step::Refuse(verdict) => (problem::ANSWER_REFUSED, Some(verdict)),
        _ => (problem::SHIELD_UNAVAILABLE, None),
    };
    debug_assert!(inspection.mode == ShieldMode::Block, "a trial run refuses nothing");
    Looked::Refused(refused::answer(way, asked, &mut inspection, problem, verdict))
}

impl Windows {
    /// What follows the first window.
    pub(crate) fn after(
        way: Way<'_>,
        inspection: Box<Inspection>,
        begun: &Bytes,
        rest: crate::line::FromApp,
    ) -> Self {
        let left = way.setup.shield.response_limit.saturating_sub(begun.len());
        let tail = begun.slice(begun.len().saturating_sub(OVERLAP)..);
        Self::new(inspection, tail, left, rest)
    }
}
