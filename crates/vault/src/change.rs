//! The change order (DESIGN §6): the plan that writes a change carries an outbox row with the already sealed
//! ledger entry; after its commit the entry is shipped; only then is the change acknowledged.
//!
//! A committed change is logged exactly once, an uncommitted one never: what a crash or a full disk left in the
//! outbox is looked up in the ledger by its leaf hash, from the tail it saw on, before it is appended.

use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::steps::Step;
use crate::trail::Sealed;
use model::{PrincipalId, RequestId, TenantId};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Conflict, DataOp, KeyOp, NewJob, OutboxRow};

/// How far the trail of an acknowledged change has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logged {
    /// Durable in this node's journal, at this index.
    Durable(u64),
    /// The change is committed and in force; its entry waits in the outbox until the ledger can be written.
    Pending,
}

/// A change ready to be committed.
pub(crate) struct Change {
    pub(crate) name: &'static str,
    pub(crate) tenant: TenantId,
    /// Whose key must still be valid when it is committed; none for the house's own work.
    pub(crate) actor: Option<PrincipalId>,
    pub(crate) ops: Vec<KeyOp>,
    pub(crate) entry: Sealed,
    /// What is reached when it is committed, and when its entry is shipped.
    pub(crate) steps: [Step; 2],
}

/// Outbox rows: those that are shipped and can be deleted, and those that have to be shipped again.
#[derive(Default)]
pub(crate) struct Shipped {
    done: Mutex<Vec<[u8; 16]>>,
    again: Mutex<Vec<OutboxRow>>,
}

/// Writes what has to lie ready before a commit, together with the job that cleans up after it: were the job queued
/// after the commit, a crash in between would leave the rows for ever. One of the same payload that waits already,
/// left by an earlier try of the same change, will do.
pub(crate) async fn write_first(
    house: &House,
    name: &'static str,
    rows: Vec<DataOp>,
    job: NewJob,
) -> Result<Applied, Fault> {
    let mut both = rows.clone();
    both.push(DataOp::InsertJob(job));
    match applied(house.store.apply_data(name, both).await)? {
        Applied::Conflict(Conflict::JobQueued) => applied(house.store.apply_data(name, rows).await),
        other => Ok(other),
    }
}

/// A try of a change of a person, as a job names it that cleans up after it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Try {
    /// The run of the process in which it was made.
    pub(crate) run: [u8; 8],
    /// The version that the person's row has once it is committed.
    pub(crate) row_version: u32,
}

impl Try {
    /// A try in this run to change a row that has `version`.
    pub(crate) fn on(house: &House, version: u32) -> Self {
        Self { run: house.run, row_version: version + 1 }
    }

    /// Whether it may still be committed to a row that has `version` now. A commit can take long (a slow disk, a
    /// machine that slept), so a job that is due is no sign that its change has come or never will.
    pub(crate) fn may_come(self, house: &House, version: u32) -> bool {
        self.run == house.run && version < self.row_version
    }
}

/// Whether a job found its change done with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Nothing is left to do.
    Done,
    /// The change may still be committed; to be called again later.
    NotYet,
}

/// Commits a change with its outbox row and ships the entry. Runs to its end even when the caller goes away.
pub(crate) async fn commit(house: &Arc<House>, change: Change) -> Result<Result<Logged, Conflict>, Fault> {
    let house = house.clone();
    let task = tokio::spawn(async move { run(&house, change).await });
    task.await.unwrap_or(Err(Fault::StoreUnavailable))
}

async fn run(house: &Arc<House>, change: Change) -> Result<Result<Logged, Conflict>, Fault> {
    let Change { name, tenant, actor, mut ops, entry, steps: [committed, shipped] } = change;
    let at = house.clock.latest().unwrap_or_default();
    let ledger = house.ledger.status();
    let row = OutboxRow {
        id: RequestId::fresh(&*house.clock, &*house.entropy).0,
        tenant,
        leaf_hash: ledger::proof::leaf_hash(&entry.leaf),
        leaf: entry.leaf,
        identity: entry.identity,
        postings: entry.postings.concat(),
        incarnation: ledger.incarnation,
        tail: ledger.durable,
        created: at,
    };
    ops.push(KeyOp::InsertOutbox(row.clone()));
    // The first, since the change may be the end of the key itself.
    ops.splice(..0, actor.map(|principal| KeyOp::RequirePrincipal { tenant, principal, at }));
    match applied(house.store.apply_keys(name, ops).await)? {
        Applied::Conflict(Conflict::PrincipalInactive) => Err(Fault::Revoked),
        Applied::Conflict(conflict) => Ok(Err(conflict)),
        Applied::Done => {
            house.step(committed);
            let logged = ship(house, row).await;
            if matches!(logged, Logged::Durable(_)) {
                house.step(shipped);
            }
            Ok(Ok(logged))
        }
    }
}

async fn ship(house: &House, row: OutboxRow) -> Logged {
    match house.ledger.append(entry_of(&row)).await {
        Ok(position) => {
            house.shipped.done.lock().push(row.id);
            Logged::Durable(position.index)
        }
        Err(_) => {
            house.shipped.again.lock().push(row);
            Logged::Pending
        }
    }
}

fn entry_of(row: &OutboxRow) -> ledger::Entry {
    let postings = row.postings.as_chunks::<16>().0.to_vec();
    ledger::Entry { leaf: row.leaf.clone(), identity: row.identity.clone(), postings }
}

/// Deletes shipped rows and ships again what failed. Called a few times a second.
pub(crate) async fn tend(house: &Arc<House>) -> Result<(), Fault> {
    let done = std::mem::take(&mut *house.shipped.done.lock());
    let result = delete(house, &done).await;
    if result.is_err() {
        house.shipped.done.lock().extend(done);
    }
    let again = std::mem::take(&mut *house.shipped.again.lock());
    for row in again {
        reconcile(house, row).await;
    }
    result
}

async fn delete(house: &House, ids: &[[u8; 16]]) -> Result<(), Fault> {
    for chunk in ids.chunks(512) {
        let ops = chunk.iter().map(|id| KeyOp::DeleteOutbox { id: *id }).collect();
        applied(house.store.apply_keys("shipped", ops).await)?;
        house.step(Step::OutboxForgotten);
    }
    Ok(())
}

/// Where an entry stands at the earliest.
pub(crate) struct Place {
    pub(crate) hash: [u8; 32],
    pub(crate) incarnation: u32,
    pub(crate) tail: u64,
}

/// Looks an entry up: in the ledger that is written now, and in those before it back to the one of its time. An earlier
/// one that cannot be read any more is passed over; what stood there alone is entered once more, rather than never.
pub(crate) fn find(
    logs: &[ledger::Ledger],
    place: &Place,
) -> Result<Option<(ledger::Ledger, u64)>, ledger::ReadError> {
    for (number, log) in logs.iter().enumerate() {
        let incarnation = log.status().incarnation;
        if incarnation < place.incarnation {
            break;
        }
        let from = if incarnation == place.incarnation { place.tail } else { 0 };
        match log.find_leaf(&place.hash, from) {
            Ok(Some(index)) => return Ok(Some((log.clone(), index))),
            Err(error) if number == 0 => return Err(error),
            Ok(None) | Err(_) => {}
        }
    }
    Ok(None)
}

/// Ships a row unless the ledger has it already.
async fn reconcile(house: &House, row: OutboxRow) {
    let (logs, place) =
        (house.logs(), Place { hash: row.leaf_hash, incarnation: row.incarnation, tail: row.tail });
    let found = tokio::task::spawn_blocking(move || find(&logs, &place)).await;
    house.step(Step::OutboxLookedUp);
    match found {
        Ok(Ok(Some(_))) => house.shipped.done.lock().push(row.id),
        Ok(Ok(None)) => {
            ship(house, row).await;
            house.step(Step::OutboxShippedAgain);
        }
        _ => house.shipped.again.lock().push(row),
    }
}

/// At a start, before the first request: every row that an earlier run left behind. Returns how many there were.
pub(crate) async fn reconcile_all(house: &Arc<House>) -> Result<usize, Fault> {
    let mut after = None;
    let mut count = 0;
    loop {
        let rows = house.store.snapshot()?.outbox(after, 256)?;
        let Some(last) = rows.last() else { break };
        after = Some(last.id);
        count += rows.len();
        for row in rows {
            reconcile(house, row).await;
        }
    }
    let done = std::mem::take(&mut *house.shipped.done.lock());
    delete(house, &done).await?;
    Ok(count)
}
