//! Figures for monitoring, in the Prometheus text format. No label ever names a person, a tenant, or anything that
//! fewer than five persons share: only what the house itself does is counted.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use vault::LedgerStatus;
use vault::trail::Outcome;

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    answers: [AtomicU64; 6],
    released: AtomicU64,
    transformed: AtomicU64,
    withheld: AtomicU64,
}

impl Metrics {
    /// Counts an answer by the class of its status.
    pub(crate) fn answered(&self, status: u16) {
        self.answers[usize::from(status / 100).min(5)].fetch_add(1, Ordering::Relaxed);
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
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let _ = writeln!(text, "# TYPE obhut_answers_total counter");
        for (class, counter) in self.answers.iter().enumerate().skip(1) {
            let _ = writeln!(text, "obhut_answers_total{{class=\"{class}xx\"}} {}", value(counter));
        }
        let _ = writeln!(text, "# TYPE obhut_values_total counter");
        for (outcome, counter) in
            [("released", &self.released), ("transformed", &self.transformed), ("withheld", &self.withheld)]
        {
            let _ = writeln!(text, "obhut_values_total{{outcome=\"{outcome}\"}} {}", value(counter));
        }
        let _ = writeln!(text, "# TYPE obhut_sealed gauge\nobhut_sealed {}", u8::from(ledger.is_none()));
        if let Some(status) = ledger {
            let _ =
                writeln!(text, "# TYPE obhut_ledger_entries gauge\nobhut_ledger_entries {}", status.durable);
            let _ = writeln!(
                text,
                "# TYPE obhut_ledger_provable gauge\nobhut_ledger_provable {}",
                status.checkpointed
            );
            let up = status.damaged.is_none() && !status.unavailable;
            let _ = writeln!(text, "# TYPE obhut_ledger_up gauge\nobhut_ledger_up {}", u8::from(up));
        }
        text
    }
}
