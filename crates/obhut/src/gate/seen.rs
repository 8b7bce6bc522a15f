//! What the gateway notices: counted for the overviews, and written to the access log where that is wanted.

use crate::system::say;
use gateway::RouteLine;
use gateway::events::{Event, EventSink};
use parking_lot::Mutex;
use serde_json::json;
use std::collections::BTreeMap;

/// Most different lines that are counted; more are counted together.
const LINES: usize = 2_000;

/// Counts by route and kind.
pub(crate) struct Seen {
    log: bool,
    routes: Mutex<Vec<RouteLine>>,
    counts: Mutex<BTreeMap<(String, String), u64>>,
}

impl Seen {
    pub(crate) fn new(log: bool, routes: Vec<RouteLine>) -> Self {
        Self { log, routes: Mutex::new(routes), counts: Mutex::default() }
    }

    /// The routes in force.
    pub(crate) fn routes(&self, routes: Vec<RouteLine>) {
        *self.routes.lock() = routes;
    }

    fn count(&self, route: Option<String>, kind: String, by: u64) {
        if by == 0 {
            return;
        }
        let mut counts = self.counts.lock();
        let route = route.unwrap_or_else(|| "(no route)".to_owned());
        let known = counts.contains_key(&(route.clone(), kind.clone()));
        let key =
            if known || counts.len() < LINES { (route, kind) } else { ("(others)".into(), "others".into()) };
        *counts.entry(key).or_default() += by;
    }

    fn write(&self, event: &Event) {
        // Neither path nor query nor address: all three can tell who somebody is.
        if let Event::Answered { route, method, status, took } = event {
            let line = json!({
                "route": route, "method": method, "status": status,
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
            Event::Answered { route, status, .. } => {
                self.count(route, format!("answered {}xx", status / 100), 1)
            }
            Event::Refused { route, code } => self.count(route, format!("refused: {code}"), 1),
            Event::TokenFromClient { route, part } => {
                self.count(route, format!("token from client: {part}"), 1)
            }
            Event::Tokens { route, shown, masked, erased } => {
                self.count(Some(route.clone()), "tokens shown".to_owned(), shown);
                self.count(Some(route.clone()), "tokens masked".to_owned(), masked);
                self.count(Some(route), "tokens of erased".to_owned(), erased);
            }
            Event::Unruled { route, count } => self.count(route, "tokens without a rule".to_owned(), count),
            Event::Leak { route, place, kind, count } => {
                self.count(route, format!("leak: {kind} in {place}"), count)
            }
            Event::Settled { route, outcome } => self.count(Some(route), format!("submissions {outcome}"), 1),
            Event::Upstream { route, code } => self.count(route, format!("app: {code}"), 1),
            _ => {}
        }
    }
}
