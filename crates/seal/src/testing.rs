//! What the unit tests share.

use crate::{Passphrase, Root};
use model::Entropy;
use std::sync::{Arc, Mutex};

/// SHA-256 of a seed and a counter, block after block.
pub(crate) struct Seeded(Mutex<(u64, u64)>);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new((seed, 0)))
    }
}

impl Entropy for Seeded {
    fn fill(&self, into: &mut [u8]) {
        let mut state = self.0.lock().unwrap();
        for chunk in into.chunks_mut(32) {
            state.1 += 1;
            let block = crate::sha256(&[state.0.to_be_bytes(), state.1.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(b"correct horse battery staple".to_vec()).unwrap()
}

/// The demo root of the vectors.
pub(crate) fn root() -> Arc<Root> {
    Arc::new(Root::open(ROOT_FILE, &passphrase()).unwrap())
}

pub(crate) const ROOT_FILE: &[u8] = include_bytes!("../tests/vectors/root-demo.json");
