//! Submissions: values that a user typed into the app, taken in before the app has accepted them (DESIGN §7).
//!
//! A submission is a provisional person: a row with keys of its own, sealed records, and fresh tokens that point to it.
//! Nobody can read it. When the app accepts, one plan makes the person real, or moves values and tokens to the person
//! whose they are and removes the provisional row; the plan carries the ledger entry. When the app does not, the row
//! goes and with it the only keys. A crash in between leaves the one or the other.
//!
//! A stable token proves nothing, since every equal value has the same one: a provisional person has none, and gets hers
//! when she is committed.
//!
//! What became of it can be unknown: the app did not answer, or this process ended. Such a submission waits. If one of
//! its tokens is seen in an answer of the app, the app has kept it, and it is committed; after [`WAIT_MS`] it goes.

mod card;
mod committing;
mod kinds;
mod taking;
mod waiting;

pub use kinds::{NewSubmission, Outcome, SubmitError, Submitted, Whose};

pub(crate) use card::{Seen, abandon_early, abandon_of, seen};
pub(crate) use waiting::Waiting;

use crate::change::Logged;
use crate::fault::Fault;
use crate::put::{TRIES, token_for};
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::Actor;
use crate::{Context, Vault};
use card::{Card, abandon, abandon_where};
use committing::{How, commit, give_up};
use model::decision::{Action, Reason, allowed};
use model::token::StorageToken;
use model::{PersonId, TenantId};
use std::collections::BTreeSet;
use store::PersonState;
use taking::{Sorted, sort, target_of, write};
use zeroize::Zeroizing;

/// How long a submission waits whose outcome is unknown, ms.
pub const WAIT_MS: i64 = 24 * 3_600_000;
/// Most submissions that wait, under way or of unknown outcome.
pub const MAX_WAITING: usize = 10_000;
/// Most values in one.
pub const MAX_VALUES: usize = 500;

impl Vault {
    /// Takes values in provisionally. `app` is the gateway's own right to write; `by` is who typed them.
    pub async fn submit(
        &self,
        app: &Context,
        by: Option<Actor>,
        tenant: TenantId,
        new: &NewSubmission,
    ) -> Result<Submitted, SubmitError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(SubmitError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&app.actor.principal, Action::Create, tenant, None, state).map_err(SubmitError::Denied)?;
        house.ledger_ready()?;
        let now = house.clock.now()?;
        let target = target_of(house, &opened, &new.whose)?;
        let Sorted { checked, places, removed, mut texts } = sort(house, &opened, new, target, now)?;
        if checked.is_empty() && removed.is_empty() {
            return Ok(Submitted { id: None, texts });
        }
        for _ in 0..TRIES {
            // Known to wait before it is there, so that nobody ever takes it for one that was left over.
            let id = PersonId::fresh(&*house.clock, &*house.entropy);
            if !house.waiting.begin(id, by.as_ref()) {
                return Err(SubmitError::Quota);
            }
            let tried =
                write(house, &opened, (id, by.as_ref()), new, (target, &checked, &removed), now).await;
            let Ok(Some(tokens)) = tried else {
                house.waiting.end(id);
                tried?;
                continue;
            };
            house.step(Step::SubmissionTaken);
            for ((place, token), one) in places.into_iter().zip(tokens).zip(&checked) {
                texts[place] = token.format(one.field.token);
            }
            return Ok(Submitted { id: Some(id), texts });
        }
        Err(Fault::Busy.into())
    }

    /// The stable token of a value: by it the app finds whom it knows.
    pub fn stable_token(&self, tenant: TenantId, field: &str, value: &str) -> Result<String, SubmitError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(SubmitError::Denied(Reason::WrongTenant))?;
        let live = opened.live();
        let field =
            live.config.field(field).filter(|field| field.stable).ok_or(SubmitError::UnknownField(0))?;
        let value = field.normalise(value).map_err(|error| SubmitError::Value(0, error))?;
        Ok(token_for(house, &opened, field, &Zeroizing::new(value))?.format(field.token))
    }

    /// The request of a submission has ended, and nobody knows what became of it. It goes on waiting.
    pub fn leave(&self, id: PersonId) {
        self.house.waiting.leave(id);
    }

    /// Says what became of a submission. When this returns after acceptance, the change is committed.
    pub async fn settle(
        &self,
        app: &Context,
        tenant: TenantId,
        id: PersonId,
        outcome: Outcome,
    ) -> Result<Option<Logged>, SubmitError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(SubmitError::Denied(Reason::WrongTenant))?;
        // It waits until it is settled, so that nobody takes it for one of unknown outcome meanwhile.
        let waiting = house.waiting.under_way(id);
        if matches!(outcome, Outcome::Unknown) {
            self.leave(id);
            return Ok(None);
        }
        let settled = self.settle_by(&opened, app, waiting, id, outcome).await;
        // What could not be settled by a fault of ours is as good as unknown.
        match settled {
            Err(error @ SubmitError::Fault(_)) if !error.is_final() => house.waiting.leave(id),
            _ => house.waiting.end(id),
        }
        settled
    }

    async fn settle_by(
        &self,
        opened: &Tenant,
        app: &Context,
        waiting: Option<Option<Actor>>,
        id: PersonId,
        outcome: Outcome,
    ) -> Result<Option<Logged>, SubmitError> {
        let (house, tenant) = (&self.house, opened.id);
        let was_waiting = waiting.is_some();
        let Outcome::Accepted { reference, by } = outcome else {
            return abandon(house, tenant, id).await.map(|()| None);
        };
        house.ledger_ready()?;
        let by = waiting.flatten().or(by);
        let how = How { by, reference: reference.as_deref(), late: false };
        let mut committed = commit(house, opened, app, how, id).await;
        if was_waiting && committed == Ok(None) {
            // Nobody else could commit it: the person was erased meanwhile.
            committed = Err(SubmitError::Person);
        }
        if let Err(error) = &committed
            && error.is_final()
        {
            let error = *error;
            give_up(house, opened, id, error).await?;
        }
        committed
    }

    /// Commits submissions of unknown outcome whose tokens the app has shown to have kept. How many.
    pub async fn promote(
        &self,
        app: &Context,
        tenant: TenantId,
        tokens: &[StorageToken],
    ) -> Result<usize, SubmitError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(SubmitError::Denied(Reason::WrongTenant))?;
        let mut found = BTreeSet::new();
        {
            let snapshot = house.store.snapshot()?;
            for token in tokens {
                let Some(row) = snapshot.token(tenant, token.as_bytes())? else { continue };
                let head = snapshot.person_head(tenant, row.person)?;
                let provisional = head.is_some_and(|head| head.state == PersonState::Provisional);
                if provisional && !house.waiting.is_under_way(row.person) {
                    found.insert(row.person);
                }
            }
        }
        let mut promoted = 0;
        for id in found {
            let how = How { by: None, reference: None, late: true };
            match commit(house, &opened, app, how, id).await {
                Ok(_) => promoted += 1,
                // Something newer stands there, or who typed it may not write any more: it is over.
                Err(error) if error.is_final() => give_up(house, &opened, id, error).await?,
                Err(_) => {}
            }
        }
        Ok(promoted)
    }

    /// Removes submissions whose term is over, and cards of those that are settled. How many.
    pub async fn expire_submissions(&self) -> Result<u64, Fault> {
        let house = &self.house;
        let now = house.clock.now()?;
        let mut count = 0;
        for tenant in self.tenants() {
            let opened = house.tenant(tenant).ok_or(Fault::Corrupt)?;
            let over = |id: &PersonId, card: &Card, state: Option<PersonState>| match state {
                // Settled, and its card was left behind.
                Some(PersonState::Live | PersonState::Erased) => true,
                // Its request is still under way.
                _ if house.waiting.is_under_way(*id) => false,
                Some(PersonState::Provisional) => now.0 - card.created.0 >= WAIT_MS,
                // Written, and never taken: by an earlier run, since in this one it may be taken in the next moment. Or its
                // end was not told to the end.
                None => card.created < house.opened || now.0 - card.created.0 >= WAIT_MS,
            };
            count += abandon_where(house, &opened, over).await?;
        }
        Ok(count)
    }
}
