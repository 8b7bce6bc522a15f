//! What the gateway notices: counted for the overviews, and written to the access log where that is wanted.

use crate::system::say;
use gateway::RouteLine;
use gateway::events::{Event, EventSink};
use model::Clock;
use parking_lot::Mutex;
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use watch::attacks::Attacks;

/// Most different lines that are counted; more are counted together.
const LINES: usize = 2_000;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    /// By the first digit of the status.
    Answered(u16),
    Refused(&'static str),
    TokenFromClient(&'static str),
    Shown,
    Masked,
    Erased,
    Unruled,
    Leak(&'static str, &'static str),
    Settled(&'static str),
    App(&'static str),
    Others,
}

/// A route, where there is one, and what happened there.
type Line = (Option<Arc<str>>, Kind);

/// Counts by route and kind.
pub(crate) struct Seen {
    log: bool,
    attacks: Arc<Attacks>,
    clock: Arc<dyn Clock>,
    routes: Mutex<Vec<RouteLine>>,
    counts: Mutex<HashMap<Line, u64>>,
}

impl Seen {
    pub(crate) fn new(
        log: bool,
        routes: Vec<RouteLine>,
        attacks: Arc<Attacks>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { log, attacks, clock, routes: Mutex::new(routes), counts: Mutex::default() }
    }

    /// What the shield saw.
    pub(crate) fn attacks(&self) -> &Arc<Attacks> {
        &self.attacks
    }

    /// Other routes are in force.
    pub(crate) fn replace(&self, routes: Vec<RouteLine>) {
        *self.routes.lock() = routes;
    }

    /// The routes in force.
    pub(crate) fn routes(&self) -> Vec<RouteLine> {
        self.routes.lock().clone()
    }

    /// What was counted since the start, in no order.
    pub(crate) fn counts(&self) -> Vec<(Line, u64)> {
        self.counts.lock().iter().map(|(line, count)| (line.clone(), *count)).collect()
    }

    fn count(&self, route: Option<Arc<str>>, kind: Kind, by: u64) {
        if by == 0 {
            return;
        }
        let mut counts = self.counts.lock();
        let line = (route, kind);
        if let Some(count) = counts.get_mut(&line) {
            *count += by;
        } else {
            let line = if counts.len() < LINES { line } else { (None, Kind::Others) };
            *counts.entry(line).or_default() += by;
        }
    }

    fn write(&self, event: &Event) {
        // Neither path nor query nor address: all three can tell who somebody is. A method of one's own could, too.
        if let Event::Answered { route, method, status, took } = event {
            let method = Some(method.as_str()).filter(|method| method.len() <= 7).unwrap_or("OTHER");
            let line = json!({
                "route": route.as_deref(), "method": method, "status": status,
                "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            });
            say(&line.to_string());
        }
    }
}

impl EventSink for Seen {
    fn emit(&self, event: Event) {
        if self.log {
            self.write(&event);
        }
        match event {
            Event::Answered { route, status, .. } => self.count(route, Kind::Answered(status / 100), 1),
            Event::Refused { route, code } => self.count(route, Kind::Refused(code), 1),
            Event::TokenFromClient { route, part } => self.count(route, Kind::TokenFromClient(part), 1),
            Event::Tokens { route, shown, masked, erased } => {
                for (kind, by) in [(Kind::Shown, shown), (Kind::Masked, masked), (Kind::Erased, erased)] {
                    self.count(Some(route.clone()), kind, by);
                }
            }
            Event::Unruled { route, count } => self.count(route, Kind::Unruled, count),
            Event::Leak { route, place, kind, count } => self.count(route, Kind::Leak(kind, place), count),
            Event::Settled { route, outcome } => self.count(Some(route), Kind::Settled(outcome), 1),
            Event::Upstream { route, code } => self.count(route, Kind::App(code), 1),
            Event::Shield(event) => self.attacks.note(crate::attacks::attack(*event, self.clock.now())),
            _ => {}
        }
    }
}
