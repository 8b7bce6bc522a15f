//! A person's rows, opened as far as a step needs them and no further.

use crate::fault::Fault;
use crate::house::House;
use crate::tenant::Tenant;
use model::decision::{ConsentFacts, FieldScope, PersonFacts};
use model::purpose::Purpose;
use model::{PersonId, PurposeId, RecipientId, TenantId};
use seal::{LogSecret, PersonKeys, PersonPlace};
use store::{KeyOp, LimitKind, PersonRow, PersonState, Sealed, Snapshot, Wrap};

/// Set in a row's flags when there are limits to be read.
pub(crate) const LIMITED: u32 = 1;

/// The version of a person's row; `None` when there is no such row.
pub(crate) fn version(snapshot: &Snapshot, tenant: TenantId, person: PersonId) -> Result<Option<u32>, Fault> {
    Ok(snapshot.person_head(tenant, person)?.map(|head| head.version))
}

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
        if read.row.flags & LIMITED != 0 {
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

    /// A row of which only the keys are needed.
    pub(crate) fn bare(row: PersonRow) -> Self {
        Self { row, restricted: Vec::new(), objections: Vec::new(), held: false }
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

    /// The row with its version raised by one and, where given, other flags. The keys are wrapped anew, since the
    /// version is part of what binds them to their row.
    pub(crate) fn rewrapped(
        &self,
        house: &House,
        tenant: &Tenant,
        keys: &PersonKeys,
        flags: Option<u32>,
    ) -> Result<KeyOp, Fault> {
        let epoch_key = tenant.shred.key(self.row.epoch).ok_or(Fault::Corrupt)?;
        let place = PersonPlace { row_version: self.row.version + 1, ..self.place() };
        let wrapped = keys.wrap(&epoch_key, &place, &*house.entropy)?;
        Ok(KeyOp::UpdatePerson {
            tenant: self.row.tenant,
            person: self.row.person,
            expected_version: self.row.version,
            state: None,
            flags,
            wrapped: Wrap::Set { epoch: self.row.epoch, wrapped: Sealed(wrapped) },
        })
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

/// The consent that speaks for this edition of the purpose and this recipient: the one that permits first, else the
/// latest.
pub(crate) fn consent_facts(
    snapshot: &Snapshot,
    tenant: TenantId,
    person: PersonId,
    purpose: &Purpose,
    recipient: RecipientId,
) -> Result<(Option<ConsentFacts>, Option<model::ConsentId>), Fault> {
    let rows = snapshot.consents_for(tenant, person, purpose.id, recipient)?;
    let speaks = |row: &&store::ConsentRow| row.edition == purpose.edition;
    let best = rows.iter().max_by_key(|row| (speaks(row), row.state.permits(), row.changed));
    Ok(best.map_or((None, None), |row| {
        let facts = ConsentFacts {
            state: row.state,
            until: row.until,
            purpose: row.purpose,
            recipient: row.recipient,
            edition: row.edition,
            explicit: row.explicit,
        };
        (Some(facts), Some(row.consent))
    }))
}
