//! wrk, a client that others wrote, fired at a server of this machine.

use super::process;
use crate::system::Problem;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// How to fire.
pub(super) struct Firing<'a> {
    pub(super) folder: &'a Path,
    pub(super) clients: usize,
    pub(super) seconds: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    /// CPU time of the server per request, user and system.
    pub(super) cpu_us: f64,
    /// Answers that were no success.
    pub(super) refused: f64,
    pub(super) requests: f64,
}

impl Firing<'_> {
    /// Fires at a port and a path; `head` is the script's beginning, `pids` are the processes that serve. Answers that are no
    /// success are failures.
    pub(super) fn at(
        &self,
        case: &str,
        port: u16,
        path: &str,
        head: &str,
        pids: &[u32],
    ) -> Result<Figures, Problem> {
        let (figures, said) = self.fire(port, path, head, pids)?;
        if figures.refused > 0.0 || figures.requests < 1.0 {
            return Err(Problem::new(format!("{case}: wrk had failures: {said}")));
        }
        Ok(figures)
    }

    /// The same, and what wrk said; answers of any status are counted.
    pub(super) fn fire(
        &self,
        port: u16,
        path: &str,
        head: &str,
        pids: &[u32],
    ) -> Result<(Figures, Value), Problem> {
        let script = self.folder.join("wrk.lua");
        std::fs::write(&script, [head, DONE].concat())?;
        let cpu = || pids.iter().map(|pid| process::cpu_us(*pid)).sum::<Result<f64, _>>();
        let before = cpu()?;
        let threads = self.clients.min(2);
        let run = Command::new("wrk")
            .args([format!("-t{threads}"), format!("-c{}", self.clients), format!("-d{}s", self.seconds)])
            .args(["--timeout", "10s", "-s"])
            .arg(&script)
            .arg(format!("https://localhost:{port}{path}"))
            .output()
            .map_err(|error| Problem::with_help(format!("wrk does not start: {error}"), "install wrk"))?;
        let used = cpu()? - before;
        let text = String::from_utf8_lossy(&run.stdout);
        let result = text.lines().find_map(|line| serde_json::from_str::<Value>(line).ok());
        let result = result.ok_or_else(|| Problem::new("wrk said nothing that can be read"))?;
        let figure = |name: &str| result[name].as_f64().unwrap_or(0.0);
        let figures = Figures {
            per_second: figure("requests") / (figure("duration_us") / 1e6),
            p50_ms: figure("p50_us") / 1e3,
            p99_ms: figure("p99_us") / 1e3,
            cpu_us: used / figure("requests").max(1.0),
            refused: figure("errors"),
            requests: figure("requests"),
        };
        Ok((figures, result))
    }
}

const DONE: &str = r#"function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"#;
