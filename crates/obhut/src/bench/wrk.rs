//! Reveals fired by wrk, a client that others wrote.

use super::{Measured, process};
use crate::system::Problem;
use model::PersonId;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// Most persons that are asked for: each thread of wrk keeps the list.
const MOST: usize = 100_000;

/// What to fire at.
pub(crate) struct Aim<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) port: u16,
    pub(crate) pid: u32,
    pub(crate) tenant: &'a str,
    pub(crate) key: &'a str,
    pub(crate) people: &'a [PersonId],
}

/// Fires for so many seconds.
pub(crate) fn reveal(aim: &Aim<'_>, clients: usize, seconds: u64) -> Result<Measured, Problem> {
    let (list, script) = (aim.folder.join("wrk.txt"), aim.folder.join("wrk.lua"));
    let step = (aim.people.len() / MOST).max(1);
    let mut ids = String::new();
    for person in aim.people.iter().step_by(step) {
        let _ = writeln!(ids, "{person}");
    }
    std::fs::write(&list, ids)?;
    let path = format!("/v1/tenants/{}/reveal", aim.tenant);
    std::fs::write(&script, lua(&list, &path, aim.key))?;
    let before = process::cpu_us(aim.pid)?;
    let run = Command::new("wrk")
        .args(["-t2", &format!("-c{clients}"), &format!("-d{seconds}s"), "--timeout", "10s", "-s"])
        .arg(&script)
        .arg(format!("https://localhost:{}/", aim.port))
        .output()
        .map_err(|error| Problem::with_help(format!("wrk does not start: {error}"), "install wrk"))?;
    let cpu = process::cpu_us(aim.pid)? - before;
    let text = String::from_utf8_lossy(&run.stdout);
    let result = text.lines().find_map(|line| serde_json::from_str::<Value>(line).ok());
    let result = result.ok_or_else(|| Problem::new("wrk said nothing that can be read"))?;
    let figure = |name: &str| result[name].as_f64().unwrap_or(0.0);
    if figure("errors") > 0.0 || figure("requests") < 1.0 {
        return Err(Problem::new(format!("wrk had failures: {result}")));
    }
    Ok(Measured {
        op: "reveal (wrk)".to_owned(),
        clients,
        per_second: figure("requests") / (figure("duration_us") / 1e6),
        p50_ms: figure("p50_us") / 1e3,
        p99_ms: figure("p99_us") / 1e3,
        cpu_us: cpu / figure("requests"),
        rss_mib: process::rss_mib(aim.pid),
    })
}

/// The script: a random person each time; the results as one line of JSON.
fn lua(list: &Path, path: &str, key: &str) -> String {
    format!(
        r#"local ids = {{}}
for id in io.lines("{list}") do ids[#ids + 1] = id end
local threads = 0
function setup(thread) thread:set("seed", threads) threads = threads + 1 end
function init() math.randomseed(4711 + seed) end
local headers = {{ ["Authorization"] = "Bearer {key}", ["Content-Type"] = "application/json" }}
function request()
  local body = '{{"purpose":"rostering","items":[{{"person":"' .. ids[math.random(#ids)] .. '","fields":["name"]}}]}}'
  return wrk.format("POST", "{path}", headers, body)
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('{{"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":%d}}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"#,
        list = list.display(),
    )
}
