//! What a read was decided on, and whether it still stands when the read is to be released (DESIGN §6, read order).

use crate::fault::Fault;
use crate::house::House;
use crate::people::{Person, version};
use crate::tenant::{Live, Tenant};
use crate::trail::{self, Actor, Event, Metadata, Verdict};
use crate::{Context, Vault};
use model::{PersonId, PurposeId, TenantId, Timestamp};
use std::sync::Arc;
use store::{Moment, PrincipalState};

/// How often a read is decided anew when its facts change under it.
pub(crate) const TRIES: usize = 3;

/// What a read was decided on. Made before the snapshot is taken.
pub(crate) struct Seen {
    moment: Moment,
    live: Arc<Live>,
    people: Vec<(PersonId, u32)>,
    until: Option<Timestamp>,
}

/// Whether it still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Nothing has changed that the decision hung on.
    Yes,
    /// Something has: to be decided anew.
    Changed,
    /// The key that asked is not valid any more.
    Revoked,
}

impl Seen {
    /// Before the first look at anything.
    pub(crate) fn begin(house: &House, tenant: &Tenant) -> Self {
        Self { moment: house.store.moment(), live: tenant.live(), people: Vec::new(), until: None }
    }

    /// State and configuration of the tenant as they were seen.
    pub(crate) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// The decision hangs on this row of a person.
    pub(crate) fn on(&mut self, person: &Person) {
        self.people.push((person.row.person, person.row.version));
    }

    /// The decision holds until this moment at most: the term of a consent that it rests on.
    pub(crate) fn ends(&mut self, until: Option<Timestamp>) {
        self.until = match (self.until, until) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }

    /// Looks whether all of it still stands. Rows are read again only of persons about whom the store does not know it
    /// without looking.
    pub(crate) fn stand(&self, house: &House, tenant: &Tenant, actor: &Actor) -> Result<Stand, Fault> {
        let now = house.clock.now()?;
        if !house.is_active(actor, now)? {
            return Ok(Stand::Revoked);
        }
        let live = tenant.live();
        let same = (live.version, live.config_version) == (self.live.version, self.live.config_version);
        if !same || self.until.is_some_and(|until| until <= now) {
            return Ok(Stand::Changed);
        }
        let touched = |one: &&(PersonId, u32)| !house.store.untouched_since(self.moment, one.0);
        let mut snapshot = None;
        for (person, seen) in self.people.iter().filter(touched) {
            let snapshot = match &mut snapshot {
                Some(snapshot) => snapshot,
                none => none.insert(house.store.snapshot()?),
            };
            if version(snapshot, tenant.id, *person)? != Some(*seen) {
                return Ok(Stand::Changed);
            }
        }
        Ok(Stand::Yes)
    }
}

impl House {
    /// Whether the key behind `actor` still counts. Costs nothing as long as no key was revoked since it was checked.
    pub(crate) fn is_active(&self, actor: &Actor, now: Timestamp) -> Result<bool, Fault> {
        if actor.expires.is_some_and(|end| end <= now) {
            return Ok(false);
        }
        if self.actors.revocations() == actor.seen {
            return Ok(true);
        }
        let (tenant, id) = (actor.principal.tenant, actor.principal.id);
        let row = self.store.snapshot()?.principal(tenant, id)?;
        Ok(row.is_some_and(|row| row.state == PrincipalState::Active))
    }
}

impl Vault {
    /// Says in the ledger that the read it holds already was not released.
    pub(crate) async fn note_not_released(
        &self,
        ctx: &Context,
        tenant: TenantId,
        purpose: PurposeId,
    ) -> Result<(), Fault> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(Fault::Corrupt)?;
        let mut metadata = Metadata::of(Event::NotReleased, house.clock.now()?, ctx.request, Verdict::Deny);
        metadata.purpose = purpose.0;
        let entry = trail::seal_entry(house, &opened, metadata, &[], &ctx.actor)?;
        house.ledger.append(entry.into()).await?;
        Ok(())
    }
}
