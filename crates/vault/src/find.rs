//! Find: persons whose indexed field equals a value, or who stand under a reference.
//!
//! The answer for nobody, for an erased person and for what one may not search is the same empty list.

use crate::config::{REF_FIELD, TenantConfig};
use crate::fault::Fault;
use crate::house::House;
use crate::people::{Person, consent_facts};
use crate::put::reference_field;
use crate::seen::{Seen, Stand, TRIES};
use crate::steps::Step;
use crate::tenant::{Live, Tenant};
use crate::trail::{self, Event, Metadata, Outcome, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use model::catalogue::{Field, Index};
use model::decision::{Action, Decision, Facts, Reason, Request, allowed, decide};
use model::purpose::Purpose;
use model::{PersonId, PurposeId, RecipientId, TenantId, Timestamp};
use store::{PersonState, Snapshot};

/// Most persons in one answer.
pub const MAX_FOUND: usize = 100;

/// What is looked for.
pub struct FindRequest {
    /// Name of the field, or `ref`.
    pub field: String,
    /// The value it equals.
    pub value: zeroize::Zeroizing<String>,
    /// Name of the purpose. Not needed for `ref`, by which only those may search who may correct a person.
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
    /// The facts changed again and again between decision and answer.
    #[error("the facts changed meanwhile")]
    Changed,
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
        allowed(&ctx.actor.principal, Action::Find, tenant, None, Some(opened.live().state))
            .map_err(FindError::Denied)?;
        house.ledger_ready()?;
        for _ in 0..TRIES {
            let Search { entry, permitted, purpose, seen } = search(house, &opened, ctx, request)?;
            house.ledger.append(entry.into()).await.map_err(Fault::from)?;
            house.step(Step::ReadAppended);
            match seen.stand(house, &opened, &ctx.actor)? {
                Stand::Yes => return Ok(permitted),
                Stand::Changed => self.note_not_released(ctx, tenant, purpose).await?,
                Stand::Revoked => {
                    self.note_not_released(ctx, tenant, purpose).await?;
                    return Err(Fault::Revoked.into());
                }
            }
        }
        Err(FindError::Changed)
    }
}

/// A search that was decided on and is ready to be logged.
struct Search {
    entry: trail::Sealed,
    /// Whom the caller may find.
    permitted: Vec<PersonId>,
    purpose: PurposeId,
    seen: Seen,
}

/// What is searched, once it is known to be searchable.
struct Target<'a> {
    field: Field,
    purpose: Option<&'a Purpose>,
    recipient: RecipientId,
}

fn search(house: &House, tenant: &Tenant, ctx: &Context, request: &FindRequest) -> Result<Search, FindError> {
    let now = house.clock.now()?;
    let mut seen = Seen::begin(house, tenant);
    let live = seen.live().clone();
    let snapshot = house.store.snapshot()?;
    let purpose = request.purpose.as_deref().and_then(|name| live.config.purpose(name));
    let target = target(&live.config, request, purpose);
    let mut metadata = Metadata::of(Event::Find, now, ctx.request, Verdict::Permit);
    metadata.purpose = purpose.map_or(0, |purpose| purpose.id.0);
    let (mut permitted, mut touched) = (Vec::new(), Vec::new());
    if let Some(target) = &target {
        for person in equal(house, tenant, &snapshot, target, &request.value)? {
            let (decision, until) = decide_one(&snapshot, &live, ctx, target, &person, now)?;
            seen.on(&person);
            // To be found is all or nothing: a transform shows nobody.
            let decision = match decision {
                Decision::Partial(_) => Decision::Deny(Reason::FieldNotDeclared),
                other => other,
            };
            metadata.count(Some(&target.field), &decision);
            if matches!(decision, Decision::Permit(_)) {
                permitted.push(person.row.person);
                seen.ends(until);
            }
            let secret = person.log_secret(tenant)?.ok_or(Fault::Corrupt)?;
            touched.push((secret, person.row.person, target.field.id, Outcome::of(&decision)));
        }
    }
    metadata.conclude();
    let actor = &ctx.actor.principal;
    let subjects: Vec<Subject<'_>> = touched
        .iter()
        .map(|(secret, person, field, outcome)| {
            let fields = vec![(*field, *outcome)];
            let detail = SubjectDetail { person: *person, fields, actor: actor.id, role: actor.role };
            Subject { secret, detail }
        })
        .collect();
    let entry = trail::seal_entry(house, tenant, metadata, &subjects, &ctx.actor)?;
    let purpose = purpose.map_or(PurposeId(0), |purpose| purpose.id);
    Ok(Search { entry, permitted, purpose, seen })
}

/// The field to be searched; `None` when it is unknown, not indexed, or for an unknown recipient.
fn target<'a>(
    config: &TenantConfig,
    request: &FindRequest,
    purpose: Option<&'a Purpose>,
) -> Option<Target<'a>> {
    let field =
        if request.field == "ref" { reference_field() } else { config.field(&request.field).cloned()? };
    let recipient = config.recipient(request.recipient.as_deref())?;
    (field.index == Index::Equality).then_some(Target { field, purpose, recipient })
}

/// The living persons whose field equals the value.
fn equal(
    house: &House,
    tenant: &Tenant,
    snapshot: &Snapshot,
    target: &Target<'_>,
    value: &str,
) -> Result<Vec<Person>, FindError> {
    let form = if target.field.id == REF_FIELD {
        value.as_bytes().to_vec()
    } else {
        match target.field.normalise(value) {
            Ok(value) => target.field.index_form(&value),
            // What the field would never take, nobody has.
            Err(_) => return Ok(Vec::new()),
        }
    };
    let hash = tenant.index(house, target.field.id)?.blind(&form);
    let mut persons = Vec::new();
    for id in snapshot.persons_by_index(tenant.id, target.field.id, &hash, MAX_FOUND)? {
        let read = Person::read(snapshot, tenant.id, id)?;
        persons.extend(read.filter(|one| one.row.state == PersonState::Live));
    }
    Ok(persons)
}

/// The decision on one person, and until when it holds.
fn decide_one(
    snapshot: &Snapshot,
    live: &Live,
    ctx: &Context,
    target: &Target<'_>,
    person: &Person,
    now: Timestamp,
) -> Result<(Decision, Option<Timestamp>), FindError> {
    let (tenant, id) = (person.row.tenant, person.row.person);
    let special = target.field.category.is_special();
    let consent = match target.purpose.filter(|one| one.needs_consent(special)) {
        Some(purpose) => consent_facts(snapshot, tenant, id, purpose, target.recipient)?.0,
        None => None,
    };
    let request = Request {
        principal: &ctx.actor.principal,
        // Who may correct a person knows her reference already; it has no purpose of its own.
        action: if target.field.id == REF_FIELD { Action::Rectify } else { Action::Find },
        tenant,
        person: id,
        field: &target.field,
        purpose: target.purpose,
        recipient: target.recipient,
        break_glass: None,
    };
    let facts = Facts { tenant: Some(live.state), person: Some(person.facts()), consent };
    Ok((decide(&request, &facts, now), consent.and_then(|one| one.until)))
}
