//! Export: everything about one person (GDPR Art. 15 and 20), in one answer.

use crate::config::REF_FIELD;
use crate::consent::{Consent, ConsentError};
use crate::fault::Fault;
use crate::house::House;
use crate::people::Person;
use crate::put::reference_field;
use crate::reveal::OpenPerson;
use crate::seen::{Seen, Stand, TRIES};
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::{self, Event, Metadata, Outcome, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use model::catalogue::Field;
use model::decision::{Action, Decision, Facts, Reason, Request, allowed, decide};
use model::{PersonId, PurposeId, RecipientId, TenantId, Timestamp};
use seal::LogSecret;
use store::PersonState;
use zeroize::Zeroizing;

/// All about one person.
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

/// Values stay out of logs.
impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("person", &self.person).finish_non_exhaustive()
    }
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
        for _ in 0..TRIES {
            let draft = draft(house, &opened, ctx, id)?;
            let entry = draft.seal(house, &opened, ctx)?;
            let position = house.ledger.append(entry.into()).await.map_err(Fault::from)?;
            house.step(Step::ReadAppended);
            let stand = match draft.seen.stand(house, &opened, &ctx.actor)? {
                Stand::Yes => match self.open_export(&opened, &draft, position.index) {
                    Ok(export) => return Ok(export),
                    // What is gone was replaced or erased just now, or else it is lost.
                    Err(error) => match draft.seen.stand(house, &opened, &ctx.actor)? {
                        Stand::Yes => return Err(error),
                        other => other,
                    },
                },
                other => other,
            };
            self.note_not_released(ctx, tenant, PurposeId(0)).await?;
            if stand == Stand::Revoked {
                return Err(Fault::Revoked.into());
            }
        }
        Err(ExportError::Changed)
    }

    fn open_export(&self, tenant: &Tenant, draft: &Draft, entry: u64) -> Result<Export, ExportError> {
        let snapshot = self.house.store.snapshot()?;
        let person = &draft.person;
        let mut open = OpenPerson::new(person.keys(tenant)?);
        let (mut reference, mut values) = (None, Vec::new());
        for (field, decision) in &draft.decided {
            match open.value(&snapshot, tenant.id, person, field, decision)? {
                Some(value) if field.id == REF_FIELD => reference = Some(value),
                Some(value) => values.push((field.clone(), value)),
                None => {}
            }
        }
        let consents = self.read_consents(tenant, person.row.person).map_err(|error| match error {
            ConsentError::Fault(fault) => ExportError::Fault(fault),
            _ => ExportError::Changed,
        })?;
        let left_out = draft.left_out.clone();
        Ok(Export { person: person.row.person, at: draft.at, reference, values, left_out, consents, entry })
    }
}

/// An export that is decided on.
struct Draft {
    at: Timestamp,
    seen: Seen,
    person: Person,
    secret: LogSecret,
    decided: Vec<(Field, Decision)>,
    left_out: Vec<String>,
}

fn draft(house: &House, tenant: &Tenant, ctx: &Context, id: PersonId) -> Result<Draft, ExportError> {
    let at = house.clock.now()?;
    let mut seen = Seen::begin(house, tenant);
    let live = seen.live().clone();
    let person = {
        let snapshot = house.store.snapshot()?;
        Person::read(&snapshot, tenant.id, id)?.ok_or(ExportError::UnknownPerson)?
    };
    if person.row.state != PersonState::Live {
        return Err(ExportError::UnknownPerson);
    }
    seen.on(&person);
    let (third, own): (Vec<Field>, Vec<Field>) =
        live.config.fields.iter().cloned().partition(|field| field.third_party);
    let decide_one = |field: Field| {
        let request = Request {
            principal: &ctx.actor.principal,
            action: Action::Export,
            tenant: tenant.id,
            person: id,
            field: &field,
            purpose: None,
            recipient: RecipientId(0),
            break_glass: None,
        };
        let facts = Facts { tenant: Some(live.state), person: Some(person.facts()), consent: None };
        let decision = decide(&request, &facts, at);
        (field, decision)
    };
    let decided = std::iter::once(reference_field()).chain(own).map(decide_one).collect();
    let secret = person.log_secret(tenant)?.ok_or(Fault::Corrupt)?;
    let left_out = third.into_iter().map(|field| field.name).collect();
    Ok(Draft { at, seen, person, secret, decided, left_out })
}

impl Draft {
    fn seal(&self, house: &House, tenant: &Tenant, ctx: &Context) -> Result<trail::Sealed, Fault> {
        let mut metadata = Metadata::of(Event::Export, self.at, ctx.request, Verdict::Permit);
        for (field, decision) in &self.decided {
            metadata.count(Some(field), decision);
        }
        metadata.conclude();
        let actor = &ctx.actor.principal;
        let fields = self.decided.iter().map(|(field, decision)| (field.id, Outcome::of(decision))).collect();
        let person = self.person.row.person;
        let detail = SubjectDetail { person, fields, actor: actor.id, role: actor.role };
        let subject = [Subject { secret: &self.secret, detail }];
        trail::seal_entry(house, tenant, metadata, &subject, &ctx.actor)
    }
}
