//! What every use case stands on: store, ledger, keys, clock. One per process and data folder.

use crate::clock_guard::GuardedClock;
use crate::fault::Fault;
use crate::steps::{Observer, Step};
use crate::tenant::Tenant;
use arc_swap::ArcSwap;
use model::{Entropy, TenantId, Timestamp};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the shred store lives: two live holders and the escrow, on different devices where there are any.
#[derive(Clone, Debug)]
pub struct ShredPlaces {
    /// The two folders with live slot files.
    pub holders: [PathBuf; 2],
    /// The folder with one object per epoch, sealed to the root; it must not keep versions.
    pub escrow: PathBuf,
}

/// What the vault is made of.
pub struct Parts {
    /// The store, opened and migrated.
    pub store: store::Store,
    /// The ledger, opened and recovered.
    pub ledger: ledger::Ledger,
    /// The unsealed root.
    pub root: Arc<seal::Root>,
    /// The keys that sign certificates.
    pub signing: Arc<seal::SigningKeys>,
    /// The guarded clock, already checked against the record.
    pub clock: Arc<GuardedClock>,
    /// Randomness of the operating system.
    pub entropy: Arc<dyn Entropy>,
    /// Folders of the shred store.
    pub shred: ShredPlaces,
    /// Days after which a retired epoch is destroyed (DESIGN §4: 21).
    pub horizon_days: u32,
    /// Who is told of each named step; nobody, but in tests.
    pub steps: Option<Observer>,
}

/// The inside of a vault.
pub(crate) struct House {
    pub(crate) store: store::Store,
    pub(crate) ledger: ledger::Ledger,
    /// The ledger's incarnations before the present one, newest first.
    pub(crate) earlier: Vec<ledger::Ledger>,
    pub(crate) root: Arc<seal::Root>,
    pub(crate) signing: Arc<seal::SigningKeys>,
    pub(crate) clock: Arc<GuardedClock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) shred: ShredPlaces,
    pub(crate) horizon_days: u32,
    pub(crate) tenants: ArcSwap<HashMap<TenantId, Arc<Tenant>>>,
    pub(crate) actors: crate::keys::ActorCache,
    pub(crate) shipped: crate::change::Shipped,
    pub(crate) views: crate::view::Views,
    pub(crate) waiting: crate::submit::Waiting,
    pub(crate) steps: Option<Observer>,
    /// Another one in each run of the process: what a job names that was queued under another one is not under way
    /// any more.
    pub(crate) run: [u8; 8],
    /// When this run began. Ids that were made before belong to changes that are committed, or never will be.
    pub(crate) opened: Timestamp,
}

impl House {
    /// To be called where a named step of a protocol is reached.
    pub(crate) fn step(&self, step: Step) {
        if let Some(observe) = &self.steps {
            observe(step);
        }
    }

    /// The ledger and what it was before it was set aside, newest first.
    pub(crate) fn logs(&self) -> Vec<ledger::Ledger> {
        std::iter::once(&self.ledger).chain(&self.earlier).cloned().collect()
    }

    /// The tenant of this id, if there is one here.
    pub(crate) fn tenant(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.tenants.load().get(&id).cloned()
    }

    /// Adds an opened tenant.
    pub(crate) fn enter(&self, tenant: Arc<Tenant>) {
        self.tenants.rcu(|all| {
            let mut all = HashMap::clone(all);
            all.insert(tenant.id, tenant.clone());
            all
        });
    }

    /// Whether personal data may be released or taken in: not while the ledger cannot be written.
    pub(crate) fn ledger_ready(&self) -> Result<(), Fault> {
        let status = self.ledger.status();
        if status.damaged.is_some() {
            Err(Fault::LedgerDamaged)
        } else if status.unavailable {
            Err(Fault::LedgerUnavailable)
        } else {
            Ok(())
        }
    }
}
