//! Shred epochs: begin one each week, carry living persons over, destroy what is older than the horizon.
//!
//! An epoch key is destroyed only when no living row carries it, the horizon has passed since its week began, every
//! holder confirms, and the ledger says so. A house that was off catches up in the same order: re-wrap first.

use crate::Vault;
use crate::change::{self, Change};
use crate::fault::{Applied, Fault};
use crate::house::House;
use crate::people::Person;
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::{self, Actor, Event, Metadata, Verdict};
use model::clock::DAY_MS;
use model::{TenantId, Timestamp};
use seal::{EpochKey, PersonPlace};
use std::sync::Arc;
use store::{EpochRow, EpochState, KeyOp, PersonState, Sealed};

/// How many rows one plan re-wraps.
const BATCH: usize = 500;

/// What one run of the epoch job did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EpochRun {
    /// Rows that were wrapped under the current epoch.
    pub rewrapped: u64,
    /// Epochs that were destroyed.
    pub destroyed: u32,
    /// Epochs beyond the horizon that could not be destroyed yet.
    pub overdue: u32,
}

impl Vault {
    /// One run for one tenant. Can be interrupted and run again at any time.
    pub async fn run_epochs(&self, tenant: TenantId) -> Result<EpochRun, Fault> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(Fault::Corrupt)?;
        let now = house.clock.now()?;
        let (current, _) = opened.current_epoch(house, now)?;
        self.enter_unknown(&opened).await?;
        let mut run = EpochRun::default();
        let epochs = house.store.snapshot()?.epochs(tenant)?;
        for epoch in epochs.iter().filter(|one| one.epoch < now.week() && one.state != EpochState::Destroyed)
        {
            // Where no further epoch may live the newest one serves, and nobody can leave it.
            if epoch.epoch < current {
                run.rewrapped += self.carry_over(&opened, epoch.epoch, now).await?;
                self.carry_indexes(&opened, epoch.epoch, now).await?;
            }
            if !self.is_due(epoch.epoch, now) {
                continue;
            }
            match self.retire(&opened, epoch, current, now).await {
                Ok(true) => run.destroyed += 1,
                Ok(false) | Err(_) => run.overdue += 1,
            }
        }
        Ok(run)
    }

    /// Ends an epoch that is beyond its horizon, unless somebody still hangs on it. It first takes no more rows, then
    /// they are counted: so nobody comes in between the count and the end.
    async fn retire(
        &self,
        tenant: &Tenant,
        epoch: &EpochRow,
        current: u32,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let house = &self.house;
        if epoch.epoch >= current {
            return Ok(false);
        }
        let row = EpochRow { state: EpochState::Retiring, ..*epoch };
        crate::keys::done(house.store.apply_keys("retire_epoch", vec![KeyOp::PutEpoch(row)]).await)?;
        house.step(Step::EpochRetired);
        let persons = house.store.snapshot()?.count_persons_in_epoch(tenant.id, epoch.epoch)?;
        if persons + tenant.index_keys_in(house, epoch.epoch)? > 0 {
            return Ok(false);
        }
        self.destroy(tenant, epoch, now).await?;
        Ok(true)
    }

    /// Puts the tenant's index keys under the current epoch.
    async fn carry_indexes(&self, tenant: &Tenant, epoch: u32, now: Timestamp) -> Result<(), Fault> {
        let house = &self.house;
        let (current, key) = tenant.current_epoch(house, now)?;
        for plan in tenant.index_keys_carried(house, epoch, (current, &key))? {
            crate::fault::applied(house.store.apply_keys("carry_index", vec![plan]).await)?;
        }
        Ok(())
    }

    /// An epoch whose key was made, but whose row was not since the process ended in between, gets its row now. Without
    /// it nobody would carry the living over, nor ever destroy the key.
    async fn enter_unknown(&self, tenant: &Tenant) -> Result<(), Fault> {
        let house = &self.house;
        let known = house.store.snapshot()?.epochs(tenant.id)?;
        let made = tenant.shred.epochs().into_iter();
        for info in made.filter(|info| known.iter().all(|row| row.epoch != info.epoch)) {
            let (tenant, epoch, created) = (tenant.id, info.epoch, info.created);
            let row = EpochRow { tenant, epoch, state: EpochState::Active, created, destroyed: None };
            crate::fault::applied(house.store.apply_keys("enter_epoch", vec![KeyOp::PutEpoch(row)]).await)?;
        }
        Ok(())
    }

    /// Whether the horizon has passed since the week of the epoch began. The living left it in the week after, so
    /// whoever was erased under it is gone from every copy 28 days later at the latest.
    fn is_due(&self, epoch: u32, now: Timestamp) -> bool {
        let age = now.0.saturating_sub(i64::from(epoch) * 7 * DAY_MS);
        age >= i64::from(self.house.horizon_days) * DAY_MS
    }

    async fn carry_over(&self, tenant: &Tenant, epoch: u32, now: Timestamp) -> Result<u64, Fault> {
        let house = &self.house;
        let mut after = None;
        let mut count = 0;
        loop {
            let rows = house.store.snapshot()?.persons_in_epoch(tenant.id, epoch, after, BATCH)?;
            let Some(last) = rows.last() else { return Ok(count) };
            after = Some(last.person);
            let (current, key) = tenant.current_epoch(house, now)?;
            let mut plans = tokio::task::JoinSet::new();
            for row in rows.into_iter().filter(|row| row.state == PersonState::Live) {
                // One row that does not open stays behind, and with it the epoch, which is then overdue.
                let Ok(op) = carried(house, tenant, Person::bare(row), current, &key) else { continue };
                // One plan each, many of which share a commit: a row that changed meanwhile fails alone, and is
                // found again by the next run.
                plans.spawn(house.store.apply_keys("carry_over", vec![op]));
            }
            while let Some(applied) = plans.join_next().await {
                let applied = applied.map_err(|_| Fault::StoreUnavailable)?;
                if let Applied::Done = crate::fault::applied(applied)? {
                    count += 1;
                    house.step(Step::EpochRowCarried);
                }
            }
        }
    }

    /// The ledger first says that the epoch is being destroyed, durably; then every holder destroys it; then the row
    /// says so and the ledger confirms. A crash in between is taken up by the next run.
    async fn destroy(&self, tenant: &Tenant, epoch: &EpochRow, now: Timestamp) -> Result<(), Fault> {
        let house = &self.house;
        let actor = self.system_actor(tenant)?;
        let entry = |verdict| {
            let mut metadata = Metadata::of(Event::Epoch, now, self.new_request(), verdict);
            metadata.released = epoch.epoch;
            trail::seal_entry(house, tenant, metadata, &[], &actor)
        };
        house.ledger.append(entry(Verdict::Partial)?.into()).await?;
        house.step(Step::EpochAnnounced);
        let destroyed = tenant.shred.destroy(epoch.epoch, &*house.entropy).map_err(|_| Fault::ShredStore)?;
        if destroyed.holders < 2 || !destroyed.escrow {
            return Err(Fault::ShredStore);
        }
        house.step(Step::EpochDestroyed);
        let row = EpochRow { state: EpochState::Destroyed, destroyed: Some(now), ..*epoch };
        let (ops, entry) = (vec![KeyOp::PutEpoch(row)], entry(Verdict::Permit)?);
        let steps = [Step::EpochEndCommitted, Step::EpochEndShipped];
        let tenant = tenant.id;
        let change = Change { name: "destroy_epoch", tenant, actor: None, ops, entry, steps };
        change::commit(house, change).await?.map_err(|_| Fault::Busy)?;
        Ok(())
    }

    /// In whose name the house itself acts in a tenant: the principal of the tenant's first key, in the role
    /// `system`, which no key can have.
    fn system_actor(&self, tenant: &Tenant) -> Result<Arc<Actor>, Fault> {
        let rows = self.house.store.snapshot()?.principals(tenant.id)?;
        let first = rows.iter().filter(|row| row.subject.is_none()).min_by_key(|row| row.principal);
        let first = first.ok_or(Fault::Corrupt)?;
        let mut actor = crate::keys::actor_of(&self.house, tenant, first)?;
        actor.principal.role = model::principal::Role::System;
        Ok(Arc::new(actor))
    }
}

/// The same keys of a living person under another epoch.
fn carried(
    house: &House,
    tenant: &Tenant,
    person: Person,
    epoch: u32,
    key: &EpochKey,
) -> Result<KeyOp, Fault> {
    let keys = person.keys(tenant)?;
    let row = &person.row;
    let place = PersonPlace { tenant: tenant.id, person: row.person, epoch, row_version: row.version };
    Ok(KeyOp::RewrapPerson {
        tenant: tenant.id,
        person: row.person,
        expected_version: row.version,
        expected_epoch: row.epoch,
        epoch,
        wrapped: Sealed(keys.wrap(key, &place, &*house.entropy)?),
    })
}
