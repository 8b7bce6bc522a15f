//! The use cases on personal data, one file each.
//!
//! A [`Vault`] is cheap to clone. Each use case takes a [`Context`] (who acts, in which request), decides through
//! [`model::decision`], and follows one of two orders:
//!
//! * the **read order** ([`mod@reveal`]): snapshot, decide, seal the entry, append it and wait until it is durable, check
//!   that person and tenant are unchanged, and only then unwrap and open;
//! * the **change order** ([`change`]): write immutable sealed rows that nothing points to yet, then one commit in
//!   the key file that makes them real and carries the sealed entry, then ship the entry, then acknowledge.
//!
//! To add a use case: 1. an action in `model::decision` and its row in the authorization table, 2. a file here with
//! request, error enum, function and tests, 3. an [`trail::Event`], 4. a route in `console`, 5. a line in the
//! errors document.

pub mod accesses;
pub mod certificate;
pub mod change;
pub mod clock_guard;
pub mod config;
pub mod consent;
pub mod declare;
pub mod epoch;
pub mod erase;
pub mod export;
pub mod fault;
pub mod find;
mod house;
pub mod keys;
pub mod leftovers;
mod people;
pub mod put;
pub mod restrict;
pub mod reveal;
mod seen;
pub mod sessions;
pub mod setup;
pub mod shield;
pub mod sight;
pub mod steps;
pub mod submit;
mod tenant;
pub mod trail;
pub mod view;
pub mod viewer;
pub mod work;

pub use change::{Logged, Swept};
pub use clock_guard::{GuardedClock, StartCheck};
pub use config::TenantConfig;
pub use fault::Fault;
pub use house::{Parts, ShredPlaces};
pub use ledger::Status as LedgerStatus;
pub use steps::Step;
pub use trail::Actor;

use house::House;
use model::{RequestId, TenantId};
use std::sync::Arc;

/// Who acts, in which request.
#[derive(Clone)]
pub struct Context {
    /// The checked actor.
    pub actor: Actor,
    /// The request, as it stands in the answer and in the ledger.
    pub request: RequestId,
}

/// The vault.
#[derive(Clone)]
pub struct Vault {
    house: Arc<House>,
}

impl Vault {
    /// A fresh request id.
    #[must_use]
    pub fn new_request(&self) -> RequestId {
        RequestId::fresh(&*self.house.clock, &*self.house.entropy)
    }

    /// A fresh notice id.
    #[must_use]
    pub fn new_notice(&self) -> model::NoticeId {
        model::NoticeId::fresh(&*self.house.clock, &*self.house.entropy)
    }

    /// The state of a tenant; `None` when it is not open here.
    #[must_use]
    pub fn tenant_state(&self, tenant: TenantId) -> Option<model::tenant::TenantState> {
        self.house.tenant(tenant).map(|opened| opened.live().state)
    }

    /// The fields of a tenant's catalogue, which the process that serves it works by; `None` when it is not open here.
    #[must_use]
    pub fn catalogue(&self, tenant: TenantId) -> Option<Vec<model::catalogue::Field>> {
        self.house.tenant(tenant).map(|opened| opened.live().config.fields.clone())
    }

    /// The name of a tenant's organisation; `None` when it is not open here.
    #[must_use]
    pub fn tenant_name(&self, tenant: TenantId) -> Option<String> {
        self.house.tenant(tenant).map(|opened| opened.live().config.name.clone())
    }

    /// What the house's clock says, for what is shown beside a fact.
    pub fn now(&self) -> Result<model::Timestamp, Fault> {
        self.house.clock.now()
    }

    /// The ledger, for proofs and tiles.
    #[must_use]
    pub fn ledger(&self) -> &ledger::Ledger {
        &self.house.ledger
    }

    /// The public keys that certificates are signed with.
    #[must_use]
    pub fn public_keys(&self) -> seal::PublicKeys {
        self.house.signing.public().clone()
    }

    /// Ships what waits in the outbox and forgets what was shipped. To be called a few times a second.
    pub async fn tend(&self) -> Result<(), Fault> {
        change::tend(&self.house).await
    }

    /// Whether reads can be answered at present.
    pub fn ready(&self) -> Result<(), Fault> {
        self.house.ledger_ready()?;
        self.house.clock.now()?;
        self.house.store.snapshot()?;
        Ok(())
    }

    /// The tenants that are open here.
    #[must_use]
    pub fn tenants(&self) -> Vec<TenantId> {
        self.house.tenants.load().keys().copied().collect()
    }
}

/// A sealed document as a row, stamped with the current moment.
pub(crate) fn document_row(
    place: &seal::DocumentPlace,
    sealed: Vec<u8>,
    house: &House,
) -> store::DocumentRow {
    store::DocumentRow {
        tenant: place.tenant,
        kind: place.kind,
        id: place.id,
        version: place.version,
        sealed: store::Sealed(sealed),
        created: house.clock.latest().unwrap_or_default(),
    }
}
