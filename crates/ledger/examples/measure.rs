//! Measures a ledger: `measure DIR ENTRIES [WAITERS]`. Prints one line for each figure. DIR must be empty, on the disk in
//! question; 10,000,000 entries take about 6 GiB.
#![expect(clippy::print_stdout, reason = "a program that prints figures")]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use ledger::{Appended, CheckpointSigner, Entry, Ledger, Options};
use model::{Clock, Timestamp};
use std::collections::VecDeque;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

struct Signer(Ed25519KeyPair);

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        "ledger.example/measured"
    }
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap_or([0; 32])
    }
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().unwrap_or([0; 64])
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(1_795_471_200_000)
    }
}

/// An entry as a read leaves it: 250 bytes of leaf, 90 of identity, a person and an actor.
fn entry(number: u64) -> Entry {
    let mut leaf = vec![0xA5; 250];
    leaf[..8].copy_from_slice(&number.to_be_bytes());
    let reference = |of: u64| {
        let mixed = of.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut reference = [0; 16];
        reference[..8].copy_from_slice(&mixed.to_be_bytes());
        reference[8..].copy_from_slice(&of.to_be_bytes());
        reference
    };
    Entry {
        leaf,
        identity: vec![0x5A; 90],
        postings: vec![reference(number % 1_000_003), reference(2_000_000 + number % 211)],
    }
}

/// Ready tasks of a small executor on one thread.
#[derive(Default)]
struct Ready {
    tasks: Mutex<VecDeque<usize>>,
    came: Condvar,
}

struct Task(Arc<Ready>, usize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let mut tasks = self.0.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tasks.push_back(self.1);
        if tasks.len() == 1 {
            self.0.came.notify_one();
        }
    }
}

/// Appends entries `numbers` with `waiters` under way at any time.
fn append_all(
    ledger: &Ledger,
    numbers: std::ops::Range<u64>,
    waiters: usize,
) -> Result<(), ledger::AppendError> {
    let ready = Arc::new(Ready::default());
    let wakers: Vec<_> = (0..waiters).map(|task| Waker::from(Arc::new(Task(ready.clone(), task)))).collect();
    let mut numbers = numbers;
    let mut tasks: Vec<Option<Appended>> = Vec::new();
    tasks.resize_with(waiters, || None);
    let mut due: VecDeque<usize> = (0..waiters).collect();
    let mut under_way = 0;
    loop {
        while let Some(task) = due.pop_front() {
            loop {
                if tasks[task].is_none() {
                    let Some(number) = numbers.next() else { break };
                    tasks[task] = Some(ledger.append(entry(number)));
                    under_way += 1;
                }
                let Some(appended) = &mut tasks[task] else { break };
                match Pin::new(appended).poll(&mut Context::from_waker(&wakers[task])) {
                    Poll::Pending => break,
                    Poll::Ready(outcome) => {
                        outcome?;
                        tasks[task] = None;
                        under_way -= 1;
                    }
                }
            }
        }
        if under_way == 0 {
            return Ok(());
        }
        let mut tasks = ready.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while tasks.is_empty() {
            tasks = ready.came.wait(tasks).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        std::mem::swap(&mut *tasks, &mut due);
    }
}

/// Processor time of this process so far, of which ticks are a hundredth of a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Duration::from_millis((ticks(11) + ticks(12)) * 10)
}

fn memory(what: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find_map(|line| line.strip_prefix(what)).unwrap_or("?").trim().to_owned()
}

fn open(dir: &Path) -> Result<Ledger, Box<dyn std::error::Error>> {
    let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).map_err(|_| "key")?;
    let start = Instant::now();
    let options = Options::new("ledger.example/measured");
    let (ledger, recovery) = Ledger::open(dir, options, Arc::new(Signer(key)), Arc::new(Still))?;
    println!(
        "open: {:?}, {} entries, {} records replayed",
        start.elapsed(),
        recovery.entries,
        recovery.replayed_records
    );
    Ok(ledger)
}

fn timed<T>(what: &str, rounds: u32, mut act: impl FnMut(u64) -> T) {
    let mut times: Vec<_> = (0..u64::from(rounds))
        .map(|round| {
            let start = Instant::now();
            std::hint::black_box(act(round));
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("{what}: p50 {:?}, p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (dir, count) = (arguments.next().ok_or("DIR ENTRIES")?, arguments.next().ok_or("DIR ENTRIES")?);
    let (dir, count): (&Path, u64) = (dir.as_ref(), count.parse()?);
    let ledger = open(dir)?;
    let from = ledger.status().durable;
    let waiters = arguments.next().map(|waiters| waiters.parse()).transpose()?;
    for waiters in waiters.map_or(vec![1, 16, 64, 256], |waiters| vec![waiters]) {
        let (start, before) = (Instant::now(), processor_time());
        let base = ledger.status().durable;
        let entries = if waiters == 1 { 5_000 } else { (count / 5).min(400_000) };
        append_all(&ledger, base..base + entries, waiters)?;
        let (wall, cpu) = (start.elapsed(), processor_time() - before);
        let (rate, each) = (entries as f64 / wall.as_secs_f64(), cpu.as_secs_f64() * 1e6 / entries as f64);
        println!("append, {waiters} waiters: {rate:.0}/s durable, {each:.2} us CPU each");
    }
    let (start, before) = (Instant::now(), processor_time());
    let base = ledger.status().durable;
    append_all(&ledger, base..from.max(base).max(count), 2048)?;
    let rest = count.saturating_sub(base).max(1) as f64;
    println!(
        "append the rest, 2048 waiters: {:.0}/s, {:.2} us CPU each; RSS {}",
        rest / start.elapsed().as_secs_f64(),
        (processor_time() - before).as_secs_f64() * 1e6 / rest,
        memory("VmRSS:")
    );
    let start = Instant::now();
    ledger.make_provable()?;
    println!("make_provable: {:?}", start.elapsed());
    ledger.close();
    drop(ledger);
    let ledger = open(dir)?;
    let size = ledger.status().durable;
    let somewhere = |round: u64| round.wrapping_mul(0x9E37_79B9_7F4A_7C15) % size;
    timed("inclusion proof", 2000, |round| ledger.inclusion(somewhere(round), size));
    timed("consistency proof", 2000, |round| ledger.consistency(somewhere(round).max(1), size));
    timed("leaf", 2000, |round| ledger.leaf(somewhere(round)));
    timed("touched, a person", 2000, |round| {
        ledger.touched(&entry(somewhere(round)).postings[0], u64::MAX, 100)
    });
    timed("touched, an actor", 500, |round| {
        ledger.touched(&entry(somewhere(round)).postings[1], u64::MAX, 100)
    });
    println!("RSS {}, peak {}", memory("VmRSS:"), memory("VmHWM:"));
    Ok(())
}
