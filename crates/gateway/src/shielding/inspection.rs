//! One request and its answer under the rules, and what is told of them when they end. No value leaves it: an event has what the
//! rules say of themselves, and names of members that [`super::names`] lets through.

use super::Rules;
use super::names::{Learned, target};
use super::work::Room;
use crate::config::ShieldMode;
use crate::events::{Event, EventSink, RuleSeen, ShieldEvent, Side};
use crate::problem::{self, Problem};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use shield::{Matched, Refusal, Report, Transaction, Verdict};
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Most rules in one event.
const MOST_RULES: usize = 100;

/// What is inspected of one request and its answer.
pub(crate) struct Inspection {
    /// None once it has ended, or was lost to a fault.
    pub(super) transaction: Option<Transaction>,
    pub(super) rules: Arc<Rules>,
    pub(super) room: Room,
    pub(super) learned: Arc<Learned>,
    /// Who asked.
    pub(super) client: Option<IpAddr>,
    /// Who shares the threads with others; none is a proxy, which speaks for many.
    pub(super) sharer: Option<IpAddr>,
    pub(super) sink: Arc<dyn EventSink>,
    pub(super) route: Option<Arc<str>>,
    pub(super) method: Method,
    pub(super) mode: ShieldMode,
    /// By which who was refused and who looks into it speak of the same.
    pub(super) reference: String,
    /// What the client got.
    pub(super) status: u16,
    /// On which side it was refused.
    pub(super) refused: Option<Side>,
    /// Why the gateway refuses by itself, or would.
    pub(super) own: Option<Problem>,
    pub(super) is_told: bool,
}

/// Where the inspection of a request waits for its answer.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Inspection>>);

impl Slot {
    pub(crate) fn put(&self, inspection: Inspection) {
        *self.0.lock() = Some(inspection);
    }

    pub(crate) fn take(&self) -> Option<Inspection> {
        self.0.lock().take()
    }

    /// The client gets this, and there is nothing to be inspected any more.
    pub(crate) fn answered(&self, status: StatusCode) {
        if let Some(mut inspection) = self.take() {
            inspection.status = status.as_u16();
        }
    }
}

/// What came of a step.
pub(super) enum Step {
    /// It may go on.
    On,
    /// The rules, or the engine itself, refuse.
    Refuse(Verdict),
    /// It could not be inspected.
    Lost,
}

impl Inspection {
    /// Runs a step over so many bytes.
    pub(super) async fn step(
        &mut self,
        bytes: usize,
        step: impl FnOnce(&mut Transaction) -> Option<Verdict> + Send + 'static,
    ) -> Step {
        // A trial run refuses nothing.
        let lost = || if self.mode == ShieldMode::Detect { Step::On } else { Step::Lost };
        let Some(transaction) = self.transaction.take() else { return lost() };
        match self.room.clone().run(self.sharer, bytes, transaction, step).await {
            Some((transaction, verdict)) => {
                self.transaction = Some(transaction);
                verdict.map_or(Step::On, Step::Refuse)
            }
            None => {
                let lost = lost();
                self.own = Some(problem::SHIELD_UNAVAILABLE);
                lost
            }
        }
    }

    /// Why the engine refused by itself.
    pub(super) fn refusal(&self) -> Option<Problem> {
        self.transaction.as_ref().and_then(|transaction| transaction.report().refusal).map(problem_of)
    }

    /// Ends it and tells what was seen.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.is_told, true) {
            return;
        }
        let report = self
            .transaction
            .take()
            .and_then(|mut transaction| catch_unwind(AssertUnwindSafe(move || transaction.finish())).ok());
        if let Some(event) = self.event(report.unwrap_or_default()) {
            self.sink.emit(Event::Shield(Box::new(event)));
        }
    }

    fn event(&self, report: Report) -> Option<ShieldEvent> {
        let logged: Vec<&Matched> =
            report.matched.iter().filter(|matched| matched.logged && matched.phase < 5).collect();
        let decided = report.matched.iter().find(|matched| matched.decided && matched.phase < 5);
        let refusal = self.own.or(report.refusal.map(problem_of));
        let refused = self.refused.is_some() || decided.is_some() || refusal.is_some();
        if logged.is_empty() && !refused {
            return None;
        }
        let of_phase = |matched: &Matched| if matched.phase <= 2 { Side::Request } else { Side::Answer };
        let first = decided.or(logged.first().copied());
        let side = self.refused.or(first.map(of_phase)).unwrap_or(Side::Request);
        Some(ShieldEvent {
            reference: self.reference.clone(),
            route: self.route.clone(),
            method: known(&self.method),
            mode: self.mode,
            refused,
            status: self.status,
            side,
            rules: logged.into_iter().take(MOST_RULES).map(|matched| self.seen(matched)).collect(),
            by: decided.map(|matched| matched.rule),
            score: if side == Side::Request { report.inbound_score } else { report.outbound_score },
            refusal: refusal.map(Problem::code),
        })
    }

    fn seen(&self, matched: &Matched) -> RuleSeen {
        let said = self.rules.said.get(&matched.rule);
        RuleSeen {
            id: matched.rule,
            severity: matched.severity,
            tags: said.map_or_else(|| Arc::from([]), |said| said.tags.clone()),
            message: said.map_or_else(|| "".into(), |said| said.message.clone()),
            target: matched.variable.map(|variable| {
                target(variable.name(), &matched.name, &self.rules.names, &self.learned, self.client)
            }),
        }
    }
}

impl Drop for Inspection {
    fn drop(&mut self) {
        self.end();
    }
}

fn problem_of(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::BodyTooLarge => problem::TOO_LARGE_TO_INSPECT,
        _ => problem::TOO_MUCH_TO_INSPECT,
    }
}

/// A method that everybody knows; another is the client's own word.
fn known(method: &Method) -> Method {
    let all = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
    ];
    let other = || Method::from_bytes(b"OTHER").unwrap_or_default();
    all.into_iter().find(|one| one == method).unwrap_or_else(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_a_known_one_or_not_said() {
        let own = Method::from_bytes(b"KANARINA").expect("a method");
        assert_eq!((known(&Method::PATCH), known(&own).as_str()), (Method::PATCH, "OTHER"));
    }
}
