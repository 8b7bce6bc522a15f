//! Figures for monitoring, in the Prometheus text format. No label ever names a person, a tenant or a field. What
//! counts requests on persons is shown in steps of five, so that no figure moves for fewer than five of them.

use http::Method;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use vault::LedgerStatus;
use vault::trail::Outcome;

/// The methods that are told apart.
pub(crate) const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "other"];
/// Classes of status, `1xx` to `5xx`.
const CLASSES: usize = 5;
/// The fewest requests that move a figure of requests on persons.
const STEP: u64 = 5;

/// The place of a method in [`METHODS`].
pub(crate) fn method(method: &Method) -> usize {
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

/// The counters.
#[derive(Debug)]
pub(crate) struct Metrics {
    routes: Vec<Route>,
    released: AtomicU64,
    transformed: AtomicU64,
    withheld: AtomicU64,
}

#[derive(Debug)]
struct Route {
    path: &'static str,
    answers: [[AtomicU64; CLASSES]; METHODS.len()],
}

impl Metrics {
    /// With one set of counters per route.
    pub(crate) fn new(routes: impl Iterator<Item = &'static str>) -> Self {
        let routes = routes.map(|path| Route { path, answers: Default::default() }).collect();
        Self {
            routes,
            released: AtomicU64::new(0),
            transformed: AtomicU64::new(0),
            withheld: AtomicU64::new(0),
        }
    }

    /// Counts an answer of a route by method and class of its status.
    pub(crate) fn answered(&self, route: usize, method: usize, status: u16) {
        let class = usize::from(status / 100).clamp(1, CLASSES) - 1;
        let answers = self.routes.get(route).and_then(|route| route.answers.get(method));
        if let Some(answers) = answers {
            answers[class].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The template of a route.
    pub(crate) fn route(&self, route: usize) -> &'static str {
        self.routes.get(route).map_or("none", |route| route.path)
    }

    /// Counts a decided value. Redacted and refused values are one figure, since their ratio could tell of few.
    pub(crate) fn decided(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Permit => &self.released,
            Outcome::Partial => &self.transformed,
            Outcome::Redact | Outcome::Deny => &self.withheld,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// The text of all figures.
    pub(crate) fn render(&self, ledger: Option<&LedgerStatus>) -> String {
        let mut text = String::new();
        self.answers(&mut text);
        self.requests(&mut text);
        self.values(&mut text);
        house(&mut text, ledger);
        text
    }

    /// All answers of the house, whoever they were about.
    fn answers(&self, text: &mut String) {
        heading(text, "obhut_answers_total", "counter", "Answers by class of status.");
        for class in 0..CLASSES {
            let all = self.routes.iter().flat_map(|route| &route.answers).map(|answers| &answers[class]);
            let count: u64 = all.map(value).sum();
            let _ = writeln!(text, "obhut_answers_total{{class=\"{}xx\"}} {count}", class + 1);
        }
    }

    fn requests(&self, text: &mut String) {
        let help = "Answers by route, method and class of status, in steps of five.";
        heading(text, "obhut_requests_total", "counter", help);
        for route in &self.routes {
            for (method, answers) in METHODS.iter().zip(&route.answers) {
                for (class, counter) in (1..).zip(answers) {
                    let (path, count) = (route.path, coarse(value(counter)));
                    if count > 0 {
                        let _ = writeln!(
                            text,
                            "obhut_requests_total{{route=\"{path}\",method=\"{method}\",class=\"{class}xx\"}} {count}"
                        );
                    }
                }
            }
        }
    }

    fn values(&self, text: &mut String) {
        let help = "Values decided on in reveals, by outcome, in steps of five.";
        heading(text, "obhut_values_total", "counter", help);
        for (outcome, counter) in
            [("released", &self.released), ("transformed", &self.transformed), ("withheld", &self.withheld)]
        {
            let count = coarse(value(counter));
            let _ = writeln!(text, "obhut_values_total{{outcome=\"{outcome}\"}} {count}");
        }
    }
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn coarse(count: u64) -> u64 {
    count - count % STEP
}

fn heading(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn gauge(text: &mut String, name: &str, help: &str, figure: u64) {
    heading(text, name, "gauge", help);
    let _ = writeln!(text, "{name} {figure}");
}

fn house(text: &mut String, ledger: Option<&LedgerStatus>) {
    gauge(text, "obhut_sealed", "Whether the house waits for its passphrase.", u64::from(ledger.is_none()));
    let Some(status) = ledger else { return };
    gauge(text, "obhut_ledger_entries", "Durable entries of the ledger.", status.durable);
    gauge(text, "obhut_ledger_provable", "Entries in a signed checkpoint.", status.checkpointed);
    let up = status.damaged.is_none() && !status.unavailable;
    gauge(text, "obhut_ledger_up", "Whether the ledger can be written.", u64::from(up));
    let help = "Whether durable entries cannot be made provable at present.";
    gauge(text, "obhut_ledger_stalled", help, u64::from(status.stalled));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_figure_moves_for_fewer_than_five() {
        let metrics = Metrics::new(["/a", "/b"].into_iter());
        let shown = |metrics: &Metrics| metrics.render(None).contains("route=\"/a\"");
        for _ in 0..4 {
            metrics.answered(0, 1, 204);
            metrics.decided(Outcome::Deny);
        }
        assert!(!shown(&metrics), "four are not shown");
        assert!(metrics.render(None).contains("outcome=\"withheld\"} 0\n"));
        metrics.answered(0, 1, 204);
        metrics.decided(Outcome::Redact);
        assert!(shown(&metrics), "five are");
        let text = metrics.render(None);
        assert!(text.contains("{route=\"/a\",method=\"POST\",class=\"2xx\"} 5\n"), "{text}");
        assert!(text.contains("outcome=\"withheld\"} 5\n") && text.contains("{class=\"2xx\"} 5\n"));
        assert!(!text.contains("/b"));
    }

    #[test]
    fn every_status_and_method_has_its_place() {
        let metrics = Metrics::new(["/a"].into_iter());
        for status in [0, 99, 100, 599, 600, u16::MAX] {
            metrics.answered(0, method(&Method::TRACE), status);
        }
        metrics.answered(7, 9, 200);
        let text = metrics.render(None);
        assert!(text.contains("{class=\"1xx\"} 3\n") && text.contains("{class=\"5xx\"} 3\n"), "{text}");
    }
}
