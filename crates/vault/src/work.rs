//! The vault's background work, as jobs: what follows an erasure or a change, epochs, and keeping the logs of the
//! store short. Each can run more than once.

use crate::Vault;
use crate::change::Swept;
use crate::erase::{SWEEP_DELAY_MS, SWEEP_JOB};
use crate::fault::Fault;
use crate::leftovers::LEFTOVERS_JOB;
use crate::put::VERSIONS_JOB;
use jobs::{Context, Job, Outcome, Registry, RegistryError, Running, Schedule};
use std::sync::Arc;
use std::time::Duration;

/// Tends the shred epochs of all tenants.
pub const EPOCHS_JOB: &str = "epochs";
/// Forgets idempotency keys that are old.
pub const IDEMPOTENCY_JOB: &str = "prune_idempotency";
/// Removes submissions whose term is over.
pub const SUBMISSIONS_JOB: &str = "expire_submissions";
/// Writes the store's logs back, so that what was erased is in no file any more.
pub const TRUNCATE_JOB: &str = "truncate_logs";

/// Between two looks at the epochs, ms.
const EPOCHS_EVERY_MS: i64 = 3_600_000;
/// Between two looks for what crashes left, ms. A look that has been taken costs nothing.
const LEFTOVERS_EVERY_MS: i64 = 3_600_000;
/// Between two looks for old idempotency keys, ms.
const IDEMPOTENCY_EVERY_MS: i64 = 3_600_000;
/// Between two looks for submissions whose term is over, ms.
const SUBMISSIONS_EVERY_MS: i64 = 600_000;
/// Between two truncations, ms: an erased key may lie in a log for less than a minute (DESIGN §3.5).
const TRUNCATE_EVERY_MS: i64 = 20_000;
/// How long readers may hold a truncation up before they are interrupted.
const READERS: Duration = Duration::from_secs(2);

/// Something in the store, the shred store or the ledger did not work.
const FAULT: u16 = 1;
/// An epoch is beyond its horizon and could not be destroyed.
const OVERDUE: u16 = 2;
/// What is to be swept after may still be under way.
const NOT_YET: u16 = 3;

impl Vault {
    /// Registers the vault's jobs and their times.
    pub fn register(&self, registry: &mut Registry) -> Result<(), RegistryError> {
        registry.add(Arc::new(Sweep(self.clone())))?;
        registry.add(Arc::new(Versions(self.clone())))?;
        registry.add(Arc::new(Epochs(self.clone())))?;
        registry.add(Arc::new(Truncate(self.clone())))?;
        registry.add(Arc::new(Leftovers(self.clone())))?;
        registry.add(Arc::new(Idempotency(self.clone())))?;
        registry.add(Arc::new(Submissions(self.clone())))?;
        let every = |kind, every_ms| Schedule { kind, payload: Vec::new(), every_ms };
        registry.schedule(every(EPOCHS_JOB, EPOCHS_EVERY_MS))?;
        registry.schedule(every(LEFTOVERS_JOB, LEFTOVERS_EVERY_MS))?;
        registry.schedule(every(SUBMISSIONS_JOB, SUBMISSIONS_EVERY_MS))?;
        registry.schedule(every(IDEMPOTENCY_JOB, IDEMPOTENCY_EVERY_MS))?;
        registry.schedule(every(TRUNCATE_JOB, TRUNCATE_EVERY_MS))
    }
}

/// What a sweep says of itself.
fn swept(result: Result<Swept, Fault>, context: &Context) -> Outcome {
    match result {
        Ok(Swept::Done) => Outcome::Done,
        Ok(Swept::NotYet) => Outcome::RetryAt(context.now().plus_ms(SWEEP_DELAY_MS), NOT_YET),
        Err(_) => Outcome::Retry(FAULT),
    }
}

struct Sweep(Vault);

impl Job for Sweep {
    fn kind(&self) -> &'static str {
        SWEEP_JOB
    }

    fn run(&self, payload: Vec<u8>, context: Context) -> Running<'_> {
        Box::pin(async move { swept(self.0.sweep_erased(&payload).await, &context) })
    }
}

struct Versions(Vault);

impl Job for Versions {
    fn kind(&self) -> &'static str {
        VERSIONS_JOB
    }

    fn run(&self, payload: Vec<u8>, context: Context) -> Running<'_> {
        Box::pin(async move { swept(self.0.sweep_versions(&payload).await, &context) })
    }
}

struct Epochs(Vault);

impl Job for Epochs {
    fn kind(&self) -> &'static str {
        EPOCHS_JOB
    }

    fn run(&self, payload: Vec<u8>, context: Context) -> Running<'_> {
        Box::pin(async move {
            let (mut overdue, mut faults) = (0, 0);
            for tenant in self.0.tenants() {
                if context.is_stopping() {
                    return Outcome::Again(payload);
                }
                // What is wrong with one tenant must not keep the data of all others.
                match self.0.run_epochs(tenant).await {
                    Ok(run) => overdue += run.overdue,
                    Err(_) => faults += 1,
                }
            }
            match (faults, overdue) {
                (0, 0) => Outcome::Done,
                (0, _) => Outcome::Retry(OVERDUE),
                _ => Outcome::Retry(FAULT),
            }
        })
    }
}

struct Leftovers(Vault);

impl Job for Leftovers {
    fn kind(&self) -> &'static str {
        LEFTOVERS_JOB
    }

    fn run(&self, _: Vec<u8>, _: Context) -> Running<'_> {
        Box::pin(async move {
            match self.0.sweep_leftovers().await {
                Ok(_) => Outcome::Done,
                Err(_) => Outcome::Retry(FAULT),
            }
        })
    }
}

struct Idempotency(Vault);

impl Job for Idempotency {
    fn kind(&self) -> &'static str {
        IDEMPOTENCY_JOB
    }

    fn run(&self, payload: Vec<u8>, _: Context) -> Running<'_> {
        Box::pin(async move {
            match self.0.prune_idempotency().await {
                Ok(true) => Outcome::Again(payload),
                Ok(false) => Outcome::Done,
                Err(_) => Outcome::Retry(FAULT),
            }
        })
    }
}

struct Submissions(Vault);

impl Job for Submissions {
    fn kind(&self) -> &'static str {
        SUBMISSIONS_JOB
    }

    fn run(&self, _: Vec<u8>, _: Context) -> Running<'_> {
        Box::pin(async move {
            match self.0.expire_submissions().await {
                Ok(_) => Outcome::Done,
                Err(_) => Outcome::Retry(FAULT),
            }
        })
    }
}

struct Truncate(Vault);

impl Job for Truncate {
    fn kind(&self) -> &'static str {
        TRUNCATE_JOB
    }

    fn run(&self, _: Vec<u8>, _: Context) -> Running<'_> {
        let store = self.0.house.store.clone();
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || store.checkpoint_truncate(READERS)).await {
                Ok(Ok(())) => Outcome::Done,
                _ => Outcome::Retry(FAULT),
            }
        })
    }
}
