//! Find: persons whose indexed field equals a value, or who stand under a reference.
//!
//! The answer for nobody, for an erased person and for what one may not search is the same empty list.

use crate::config::REF_FIELD;
use crate::fault::Fault;
use crate::people::Person;
use crate::put::reference_field;
use crate::trail::{self, Event, Metadata, Outcome, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use model::catalogue::Index;
use model::decision::{Action, Decision, Facts, Reason, Request, allowed, decide};
use model::{PersonId, TenantId};
use store::PersonState;

/// Most persons in one answer.
pub const MAX_FOUND: usize = 100;

/// What is looked for.
pub struct FindRequest {
    /// Name of the field, or `ref`.
    pub field: String,
    /// The value it equals.
    pub value: zeroize::Zeroizing<String>,
    /// Name of the purpose. Not needed for `ref`, which the app knows itself.
    pub purpose: Option<String>,
    /// Name of the recipient.
    pub recipient: Option<String>,
}

/// Why nothing could be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// The role may not search at all.
    #[error("not permitted")]
    Denied(Reason),
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for FindError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Vault {
    /// Finds persons by equality. The search is logged, whatever it finds, before it is answered.
    pub async fn find(
        &self,
        ctx: &Context,
        tenant: TenantId,
        request: &FindRequest,
    ) -> Result<Vec<PersonId>, FindError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(FindError::Denied(Reason::WrongTenant))?;
        let live = opened.live();
        allowed(&ctx.actor.principal, Action::Find, tenant, None, Some(live.state))
            .map_err(FindError::Denied)?;
        house.ledger_ready()?;
        let now = house.clock.now()?;
        let by_ref = request.field == "ref";
        let field = if by_ref { Some(reference_field()) } else { live.config.field(&request.field).cloned() };
        let purpose = request.purpose.as_deref().and_then(|name| live.config.purpose(name));
        let recipient = live.config.recipient(request.recipient.as_deref());
        let searchable = field.filter(|field| field.index == Index::Equality).zip(recipient);

        let snapshot = house.store.snapshot()?;
        let mut found = Vec::new();
        if let Some((field, _)) = &searchable {
            let index = if by_ref { REF_FIELD } else { field.id };
            let form = if by_ref {
                request.value.as_bytes().to_vec()
            } else {
                field.normalise(&request.value).map(|value| field.index_form(&value)).unwrap_or_default()
            };
            let hash = opened.index(house, index)?.blind(&form);
            for id in snapshot.persons_by_index(tenant, index, &hash, MAX_FOUND)? {
                let read = Person::read(&snapshot, tenant, id)?;
                found.extend(read.filter(|one| one.row.state == PersonState::Live));
            }
        }
        let mut metadata = Metadata::of(Event::Find, now, ctx.request, Verdict::Permit);
        metadata.purpose = purpose.map_or(0, |purpose| purpose.id.0);
        let (mut permitted, mut secrets) = (Vec::new(), Vec::new());
        for person in &found {
            let Some((field, recipient)) = &searchable else { break };
            let request = Request {
                principal: &ctx.actor.principal,
                action: Action::Find,
                tenant,
                person: person.row.person,
                field,
                purpose,
                recipient: *recipient,
                break_glass: None,
            };
            let consent = match purpose.filter(|one| one.needs_consent(field.category.is_special())) {
                Some(purpose) => {
                    let id = person.row.person;
                    crate::people::consent_facts(&snapshot, tenant, id, purpose, *recipient)?.0
                }
                None => None,
            };
            let facts = Facts { tenant: Some(live.state), person: Some(person.facts()), consent };
            let decision = decide(&request, &facts, now);
            metadata.count(Some(field), &decision);
            if matches!(decision, Decision::Permit(_)) {
                permitted.push(person);
            }
            let secret = person.log_secret(&opened)?.ok_or(Fault::Corrupt)?;
            secrets.push((secret, person.row.person, field.id, Outcome::of(&decision)));
        }
        metadata.conclude();
        let actor = &ctx.actor.principal;
        let subjects: Vec<Subject<'_>> = secrets
            .iter()
            .map(|(secret, person, field, outcome)| Subject {
                secret,
                detail: SubjectDetail {
                    person: *person,
                    fields: vec![(*field, *outcome)],
                    actor: actor.id,
                    role: actor.role,
                },
            })
            .collect();
        let entry = trail::seal_entry(house, &opened, metadata, &subjects, &ctx.actor)?;
        let versions: Vec<(PersonId, u32)> =
            permitted.iter().map(|one| (one.row.person, one.row.version)).collect();
        drop(subjects);
        drop(snapshot);
        house.ledger.append(entry.into()).await.map_err(Fault::from)?;
        let snapshot = house.store.snapshot()?;
        let mut answer = Vec::with_capacity(versions.len());
        for (person, version) in versions {
            if crate::people::version(&snapshot, tenant, person)? == Some(version) {
                answer.push(person);
            }
        }
        Ok(answer)
    }
}
