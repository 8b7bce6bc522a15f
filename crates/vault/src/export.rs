//! Export: everything about one person (GDPR Art. 15 and 20), in one answer.

use crate::consent::{Consent, ConsentError};
use crate::fault::Fault;
use crate::people::Person;
use crate::put::reference_field;
use crate::reveal::OpenPerson;
use crate::trail::{self, Event, Metadata, Outcome, Subject, SubjectDetail};
use crate::{Context, Vault};
use model::catalogue::Field;
use model::decision::{Action, Decision, Facts, Reason, Request, allowed, decide};
use model::{PersonId, RecipientId, TenantId, Timestamp};
use store::PersonState;
use zeroize::Zeroizing;

/// All about one person.
#[derive(Debug)]
pub struct Export {
    /// The person.
    pub person: PersonId,
    /// When it was read.
    pub at: Timestamp,
    /// The app's reference.
    pub reference: Option<Zeroizing<String>>,
    /// Values with the fields they stand in.
    pub values: Vec<(Field, Zeroizing<String>)>,
    /// Names of fields that are left out, since they speak of third persons.
    pub left_out: Vec<String>,
    /// Consent records.
    pub consents: Vec<Consent>,
    /// Index of the ledger entry.
    pub entry: u64,
}

/// Why nothing was exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// No such person, or one who is erased.
    #[error("unknown person")]
    UnknownPerson,
    /// The person changed again and again meanwhile.
    #[error("the facts changed meanwhile")]
    Changed,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for ExportError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Vault {
    /// Exports a person in the read order. Fields that speak of third persons are left out and named (Art. 15(4)).
    pub async fn export(&self, ctx: &Context, tenant: TenantId, id: PersonId) -> Result<Export, ExportError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(ExportError::Denied(Reason::WrongTenant))?;
        let state = Some(opened.live().state);
        allowed(&ctx.actor.principal, Action::Export, tenant, Some(id), state)
            .map_err(ExportError::Denied)?;
        house.ledger_ready()?;
        for _ in 0..3 {
            let now = house.clock.now()?;
            let live = opened.live();
            let person = {
                let snapshot = house.store.snapshot()?;
                Person::read(&snapshot, tenant, id)?.ok_or(ExportError::UnknownPerson)?
            };
            if person.row.state != PersonState::Live {
                return Err(ExportError::UnknownPerson);
            }
            let (third, own): (Vec<Field>, Vec<Field>) =
                live.config.fields.iter().cloned().partition(|field| field.third_party);
            let decide_one = |field: Field| {
                let request = Request {
                    principal: &ctx.actor.principal,
                    action: Action::Export,
                    tenant,
                    person: id,
                    field: &field,
                    purpose: None,
                    recipient: RecipientId(0),
                    break_glass: None,
                };
                let facts = Facts { tenant: Some(live.state), person: Some(person.facts()), consent: None };
                let decision = decide(&request, &facts, now);
                (field, decision)
            };
            let decided: Vec<(Field, Decision)> =
                std::iter::once(reference_field()).chain(own).map(decide_one).collect();
            let mut metadata = Metadata::of(Event::Export, now, ctx.request, crate::trail::Verdict::Permit);
            for (field, decision) in &decided {
                metadata.count(Some(field), decision);
            }
            metadata.conclude();
            let secret = person.log_secret(&opened)?.ok_or(Fault::Corrupt)?;
            let actor = &ctx.actor.principal;
            let fields = decided.iter().map(|(field, decision)| (field.id, Outcome::of(decision))).collect();
            let detail = SubjectDetail { person: id, fields, actor: actor.id, role: actor.role };
            let subject = [Subject { secret: &secret, detail }];
            let entry = trail::seal_entry(house, &opened, metadata, &subject, &ctx.actor)?;
            let position = house.ledger.append(entry.into()).await.map_err(Fault::from)?;
            let snapshot = house.store.snapshot()?;
            if crate::people::version(&snapshot, tenant, id)? != Some(person.row.version) {
                continue;
            }
            let mut open = OpenPerson::new(person.keys(&opened)?);
            let (mut reference, mut values) = (None, Vec::new());
            for (field, decision) in decided {
                let value = open.value(&snapshot, tenant, &person, &field, &decision)?;
                match value {
                    Some(value) if field.id == crate::config::REF_FIELD => reference = Some(value),
                    Some(value) => values.push((field, value)),
                    None => {}
                }
            }
            let consents = self.read_consents(&opened, id).map_err(|error| match error {
                ConsentError::Fault(fault) => ExportError::Fault(fault),
                _ => ExportError::Changed,
            })?;
            let left_out = third.into_iter().map(|field| field.name).collect();
            let entry = position.index;
            return Ok(Export { person: id, at: now, reference, values, left_out, consents, entry });
        }
        Err(ExportError::Changed)
    }
}
