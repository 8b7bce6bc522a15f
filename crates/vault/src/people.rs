//! A person's rows, opened as far as a step needs them and no further.

use crate::fault::Fault;
use crate::tenant::Tenant;
use model::decision::{ConsentFacts, FieldScope, PersonFacts};
use model::purpose::Purpose;
use model::{PersonId, PurposeId, RecipientId, TenantId};
use seal::{LogSecret, PersonKeys, PersonPlace};
use store::{LimitKind, PersonRow, PersonState, Snapshot, person_flags};

/// A person's row with what limits its use.
pub(crate) struct Person {
    pub(crate) row: PersonRow,
    restricted: Vec<FieldScope>,
    objections: Vec<PurposeId>,
    pub(crate) held: bool,
}

impl Person {
    /// Reads a person; `None` when no such row exists. Limits are read only where the row says that there are some.
    pub(crate) fn read(
        snapshot: &Snapshot,
        tenant: TenantId,
        person: PersonId,
    ) -> Result<Option<Self>, Fault> {
        let Some(row) = snapshot.person(tenant, person)? else { return Ok(None) };
        let mut read = Self { row, restricted: Vec::new(), objections: Vec::new(), held: false };
        if read.row.flags & person_flags::LIMITED != 0 {
            for limit in snapshot.limits_of(tenant, person)? {
                match limit.kind {
                    LimitKind::Restriction if limit.field.0 == 0 => read.restricted.push(FieldScope::All),
                    LimitKind::Restriction => read.restricted.push(FieldScope::One(limit.field)),
                    LimitKind::Objection => read.objections.push(limit.purpose),
                    LimitKind::Hold => read.held = true,
                }
            }
        }
        Ok(Some(read))
    }

    /// What the decision has to know.
    pub(crate) fn facts(&self) -> PersonFacts<'_> {
        PersonFacts {
            erased: self.row.state != PersonState::Live,
            restricted: &self.restricted,
            objections: &self.objections,
        }
    }

    fn place(&self) -> PersonPlace {
        PersonPlace {
            tenant: self.row.tenant,
            person: self.row.person,
            epoch: self.row.epoch,
            row_version: self.row.version,
        }
    }

    /// The person's log secret alone; the keys of her values stay wrapped. `None` when the person is erased.
    pub(crate) fn log_secret(&self, tenant: &Tenant) -> Result<Option<LogSecret>, Fault> {
        let Some(wrapped) = &self.row.wrapped else { return Ok(None) };
        let epoch = tenant.shred.key(self.row.epoch).ok_or(Fault::Corrupt)?;
        Ok(Some(PersonKeys::unwrap_log_secret(&epoch, &self.place(), &wrapped.0)?))
    }

    /// All keys of the person. To be called after the decision and, for a read, after its trace is durable.
    pub(crate) fn keys(&self, tenant: &Tenant) -> Result<PersonKeys, Fault> {
        let wrapped = self.row.wrapped.as_ref().ok_or(Fault::Corrupt)?;
        let epoch = tenant.shred.key(self.row.epoch).ok_or(Fault::Corrupt)?;
        Ok(PersonKeys::unwrap(&epoch, &self.place(), &wrapped.0)?)
    }
}

/// The consent that speaks for this purpose and recipient, the one that permits first, else the latest.
pub(crate) fn consent_facts(
    snapshot: &Snapshot,
    tenant: TenantId,
    person: PersonId,
    purpose: &Purpose,
    recipient: RecipientId,
) -> Result<(Option<ConsentFacts>, Option<model::ConsentId>), Fault> {
    let rows = snapshot.consents_for(tenant, person, purpose.id, recipient)?;
    let best = rows.iter().max_by_key(|row| (row.state.permits(), row.changed));
    Ok(best.map_or((None, None), |row| {
        let facts = ConsentFacts {
            state: row.state,
            until: row.until,
            purpose: row.purpose,
            recipient: row.recipient,
            explicit: row.explicit,
        };
        (Some(facts), Some(row.consent))
    }))
}
