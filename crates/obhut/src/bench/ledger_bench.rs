//! `obhut bench ledger`.

use super::{Measured, disk, percentile, process};
use crate::system::{Problem, SystemClock, say};
use ledger::{CheckpointSigner, Entry, Ledger, Options};
use model::Entropy;
use seal::{SigningKeys, SystemEntropy};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Seconds of appending.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Waiting clients.
    #[arg(long, default_value_t = 256)]
    clients: usize,
    /// Entries that are in the ledger before restart, proofs and who-touched are measured.
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// Where the ledger is made; on the disk that is to be measured.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The results as JSON lines.
    #[arg(long)]
    json: bool,
}

struct Signer(SigningKeys);

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        "bench.invalid/ledger"
    }
    fn public_key(&self) -> [u8; 32] {
        self.0.ed25519_public()
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.ed25519_sign(message)
    }
}

/// Measures and prints.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Problem> {
    let name: [u8; 6] = model::clock::random(&SystemEntropy);
    let base = args.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = base.join(format!("obhut-bench-{}", data_encoding::HEXLOWER.encode(&name)));
    crate::wiring::private_folder(&folder)?;
    let result = measure(args, &folder);
    std::fs::remove_dir_all(&folder)?;
    result
}

fn open(folder: &Path, signer: Arc<Signer>) -> Result<Ledger, Problem> {
    let options = Options::new("bench.invalid/ledger");
    let opened = Ledger::open(folder, options, signer, Arc::new(SystemClock));
    Ok(opened.map_err(Problem::from_error("the ledger"))?.0)
}

fn measure(args: &Args, folder: &Path) -> Result<ExitCode, Problem> {
    let (p50, p99) = disk::fdatasync(folder)?;
    say(&format!("fdatasync of 4 KiB: p50 {p50:.2} ms, p99 {p99:.2} ms; load {}", disk::load()));
    let signer =
        Arc::new(Signer(SigningKeys::generate(&SystemEntropy).map_err(Problem::from_error("keys"))?));
    let ledger = open(folder, signer.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let appended = runtime.block_on(append(&ledger, args.clients, args.seconds))?;
    say(&if args.json { serde_json::to_string(&appended).unwrap_or_default() } else { appended.line() });
    while ledger.status().durable < args.entries {
        let chunk = (args.entries - ledger.status().durable).min(20_000);
        let entries = (0..chunk).map(|_| entry(&SystemEntropy)).collect();
        ledger.append_many(entries).map_err(Problem::from_error("appending"))?;
    }
    let marked = [7; 16];
    let last = ledger
        .append_blocking(Entry { leaf: vec![1; 200], identity: Vec::new(), postings: vec![marked] })
        .map_err(Problem::from_error("appending"))?;
    ledger.make_provable().map_err(Problem::from_error("the checkpoint"))?;
    ledger.close();
    drop(ledger);
    let begin = Instant::now();
    let ledger = open(folder, signer)?;
    say(&format!("restart at {} entries: {:.1} ms", last.index + 1, begin.elapsed().as_secs_f64() * 1e3));
    let mut times = Vec::new();
    for number in 0..1_000_u64 {
        let index = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (last.index + 1);
        let begin = Instant::now();
        ledger.inclusion(index, last.index + 1).map_err(Problem::from_error("a proof"))?;
        times.push(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    times.sort_unstable();
    say(&format!(
        "inclusion proof: p50 {:.0} µs, p99 {:.0} µs",
        percentile(&times, 0.5) * 1e3,
        percentile(&times, 0.99) * 1e3
    ));
    let begin = Instant::now();
    let found = ledger.touched(&marked, u64::MAX, 10).map_err(Problem::from_error("who touched"))?;
    say(&format!("who touched: {:.2} ms, {} found", begin.elapsed().as_secs_f64() * 1e3, found.len()));
    ledger.close();
    Ok(ExitCode::SUCCESS)
}

fn entry(entropy: &dyn Entropy) -> Entry {
    let mut leaf = vec![0; 160];
    entropy.fill(&mut leaf);
    let subject: [u8; 16] = model::clock::random(entropy);
    Entry { leaf, identity: vec![5; 150], postings: vec![subject, [3; 16]] }
}

async fn append(ledger: &Ledger, clients: usize, seconds: u64) -> Result<Measured, Problem> {
    let stop = Arc::new(AtomicBool::new(false));
    let pid = std::process::id();
    let cpu_before = process::cpu_us(pid)?;
    let begin = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| {
            let (ledger, stop) = (ledger.clone(), stop.clone());
            tokio::spawn(async move {
                let mut times = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    ledger.append(entry(&SystemEntropy)).await?;
                    times.push(u32::try_from(begin.elapsed().as_micros()).unwrap_or(u32::MAX));
                }
                Ok::<_, ledger::AppendError>(times)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    for task in tasks {
        let task = task.await.map_err(Problem::from_error("a client"))?;
        times.extend(task.map_err(Problem::from_error("appending"))?);
    }
    let elapsed = begin.elapsed().as_secs_f64();
    let cpu_us = (process::cpu_us(pid)? - cpu_before) / times.len().max(1) as f64;
    times.sort_unstable();
    Ok(Measured {
        op: "append".to_owned(),
        clients,
        per_second: times.len() as f64 / elapsed,
        p50_ms: percentile(&times, 0.5),
        p99_ms: percentile(&times, 0.99),
        cpu_us,
        rss_mib: process::rss_mib(pid),
    })
}
