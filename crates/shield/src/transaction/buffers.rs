//! Memory that one transaction leaves to the next.

use super::sift::Gathered;
use super::tx::Tx;
use super::values::Values;
use super::{Entry, Hit};
use crate::Engine;
use crate::seclang::Variable;
use std::sync::{Mutex, PoisonError};

/// How many sets of buffers are kept for later.
const KEPT: usize = 64;

/// What a transaction needs memory for.
#[derive(Default)]
pub(super) struct Buffers {
    pub(super) values: Values,
    pub(super) entries: Vec<Vec<Entry>>,
    pub(super) gathered: Gathered,
    pub(super) tx: Tx,
    pub(super) hits: Vec<Hit>,
    pub(super) text: Vec<u8>,
}

/// Buffers of transactions that have ended.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Buffers>>);

impl Pool {
    /// Empty buffers that fit the engine.
    pub(super) fn take(&self, engine: &Engine) -> Buffers {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut buffers = kept.unwrap_or_default();
        buffers.entries.resize_with(Variable::COUNT, Vec::new);
        buffers.gathered.fit(engine);
        buffers.tx.clear(engine);
        buffers
    }

    /// Keeps buffers for later; what they held is forgotten.
    pub(super) fn give_back(&self, mut buffers: Buffers) {
        buffers.values.clear();
        for entries in &mut buffers.entries {
            entries.clear();
            entries.shrink_to(1_024);
        }
        buffers.gathered.clear();
        buffers.hits.clear();
        buffers.text.clear();
        buffers.text.shrink_to(64 * 1024);
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < KEPT {
            pool.push(buffers);
        }
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Pool")
    }
}
