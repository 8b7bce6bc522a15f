//! For the kill test: appends entries as fast as it can and writes each acknowledgement to standard output, until
//! it is killed. `append_until_killed DIR FROM`: entries are numbered from FROM on.
#![expect(clippy::print_stderr, reason = "a helper that talks to its parent")]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use ledger::{CheckpointSigner, Entry, Ledger, Options};
use model::{Clock, Timestamp};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct Signer(Ed25519KeyPair);

impl CheckpointSigner for Signer {
    fn key_name(&self) -> &str {
        "ledger.example/werk-sued"
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

/// Entry `number` of the test: the parent makes the same one.
fn entry(number: u64) -> Entry {
    let reference = number.to_be_bytes();
    let mut posting = [0; 16];
    posting[8..].copy_from_slice(&(number % 7).to_be_bytes());
    let identity = reference.repeat(3);
    Entry { leaf: reference.repeat(20), identity, postings: vec![posting] }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = arguments.next().ok_or("DIR FROM")?;
    let from: u64 = arguments.next().ok_or("DIR FROM")?.parse()?;
    let key = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).map_err(|_| "key")?;
    let options = Options {
        segment_bytes: 1 << 20,
        checkpoint_interval_ms: 20,
        ..Options::new("ledger.example/werk-sued")
    };
    let (ledger, recovery) = Ledger::open(dir.as_ref(), options, Arc::new(Signer(key)), Arc::new(Still))?;
    eprintln!("{recovery:?}");
    let next = AtomicU64::new(from);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(line) = append(&ledger, next.fetch_add(1, Ordering::Relaxed)) {
                    // One write for each line: a pipe takes it whole.
                    if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(())
}

fn append(ledger: &Ledger, number: u64) -> Option<String> {
    let position = ledger.append_blocking(entry(number)).ok()?;
    Some(format!("{number} {}\n", position.index))
}
