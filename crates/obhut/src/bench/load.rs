//! The load: keep-alive TLS connections that send one request after the other.

use super::{Measured, percentile, process};
use crate::client::Client;
use crate::system::Problem;
use http::Method;
use rustls::ClientConfig;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// One request of a load.
pub(crate) struct Shot {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) body: Option<Value>,
}

/// What a load does: the shot number `n` of connection `c`; `None` when there is nothing left to do.
pub(crate) type Shots = Arc<dyn Fn(usize, u64) -> Option<Shot> + Send + Sync>;

/// Where the load goes.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
    /// The processes whose CPU time counts; the first one's memory is reported.
    pub(crate) pids: Vec<u32>,
}

/// Fires for so many seconds and reports. An answer that is not a success ends the measurement as a problem.
pub(crate) async fn fire(
    op: &str,
    target: &Target,
    clients: usize,
    seconds: u64,
    shots: Shots,
) -> Result<Measured, Problem> {
    let stop = Arc::new(AtomicBool::new(false));
    let mut connections = Vec::new();
    for _ in 0..clients {
        connections.push(Client::connect(target.address, target.tls.clone()).await?);
    }
    let cpu_before = cpu(target)?;
    let begin = Instant::now();
    let tasks: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(number, client)| tokio::spawn(one(client, number, shots.clone(), stop.clone())))
        .collect();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.map_err(Problem::from_error("a client"))??);
    }
    let elapsed = begin.elapsed().as_secs_f64();
    let cpu_us = (cpu(target)? - cpu_before) / times.len().max(1) as f64;
    times.sort_unstable();
    Ok(Measured {
        op: op.to_owned(),
        clients,
        per_second: times.len() as f64 / elapsed,
        p50_ms: percentile(&times, 0.5),
        p99_ms: percentile(&times, 0.99),
        cpu_us,
        rss_mib: target.pids.first().map_or(0.0, |pid| process::rss_mib(*pid)),
    })
}

fn cpu(target: &Target) -> Result<f64, Problem> {
    target.pids.iter().map(|pid| process::cpu_us(*pid)).sum()
}

async fn one(
    mut client: Client,
    number: usize,
    shots: Shots,
    stop: Arc<AtomicBool>,
) -> Result<Vec<u32>, Problem> {
    let mut times = Vec::with_capacity(100_000);
    for count in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let Some(shot) = shots(number, count) else { break };
        let begin = Instant::now();
        let answer = client.send(shot.method, &shot.path, shot.key.as_deref(), shot.body.as_ref()).await?;
        times.push(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX));
        if !answer.status.is_success() {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(Problem::new(format!("{} {}: {text}", shot.path, answer.status)));
        }
    }
    Ok(times)
}
