//! The values that a change leaves as they are.

use super::{Changes, PutError, reference_field};
use crate::Context;
use crate::config::REF_FIELD;
use crate::fault::Fault;
use crate::people::Person;
use crate::reveal::TABLE_PERSON;
use crate::tenant::Tenant;
use model::catalogue::{Category, Field};
use model::decision::{Action, Decision, Facts, Reason, Request, decide};
use model::{Compartment, FieldId, RecipientId, Timestamp};
use seal::{PersonKeys, RecordPlace, open_record};
use store::Snapshot;
use zeroize::Zeroizing;

/// Reads the values that a rectification leaves as they are, each under a permit of its own.
pub(super) struct Keeping<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) tenant: &'a Tenant,
    pub(super) ctx: &'a Context,
    pub(super) person: &'a Person,
    pub(super) changes: &'a Changes<'a>,
    pub(super) now: Timestamp,
}

pub(super) type KeptValue = (FieldId, Category, Zeroizing<Vec<u8>>);

impl Keeping<'_> {
    pub(super) fn read(
        &self,
        keys: &PersonKeys,
        compartment: Compartment,
    ) -> Result<Vec<KeptValue>, PutError> {
        let (tenant, person) = (self.tenant.id, self.person.row.person);
        let Some(version) = keys.record_version(compartment) else { return Ok(Vec::new()) };
        let sealed = self.snapshot.record(tenant, person, compartment, version)?.ok_or(Fault::Corrupt)?;
        let place = RecordPlace { tenant, person, table: TABLE_PERSON, compartment, version, key_version: 1 };
        let record = open_record(keys, &place, &sealed.0)?;
        let live = self.tenant.live();
        let mut kept = Vec::new();
        let goes = |number: &FieldId| {
            let replaced = self.changes.values.iter().any(|one| one.field.id == *number);
            replaced || self.changes.removed.iter().any(|field| field.id == *number)
        };
        for number in record.fields().filter(|number| !goes(number)) {
            let field = if number == REF_FIELD {
                reference_field()
            } else {
                live.config.field_by_id(number).cloned().ok_or(Fault::Corrupt)?
            };
            match self.decide(&field, live.state) {
                Decision::Permit(permit) => {
                    let value = record.open(&permit, number, field.category)?.ok_or(Fault::Corrupt)?;
                    kept.push((number, field.category, value));
                }
                other => return Err(PutError::Denied(other.reason().unwrap_or(Reason::RoleMayNot))),
            }
        }
        Ok(kept)
    }

    fn decide(&self, field: &Field, state: model::tenant::TenantState) -> Decision {
        let request = Request {
            principal: &self.ctx.actor.principal,
            action: Action::Rectify,
            tenant: self.tenant.id,
            person: self.person.row.person,
            field,
            purpose: None,
            recipient: RecipientId(0),
            break_glass: None,
        };
        let facts = Facts { tenant: Some(state), person: Some(self.person.facts()), consent: None };
        decide(&request, &facts, self.now)
    }
}
