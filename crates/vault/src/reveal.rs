//! Reveal: values of persons for a purpose. The read order of DESIGN §6, step by step.

use crate::clock_guard::GuardedClock;
use crate::config::TenantConfig;
use crate::fault::Fault;
use crate::house::House;
use crate::people::{Person, consent_facts};
use crate::seen::{Seen, Stand};
use crate::steps::Step;
use crate::tenant::{Live, Tenant};
use crate::trail::{self, Event, MAX_SUBJECTS, Metadata, Outcome, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use model::catalogue::Field;
use model::decision::{Action, Decision, Facts, PersonFacts, Reason, Request, decide};
use model::purpose::Purpose;
use model::token::StorageToken;
use model::{ConsentId, PersonId, PurposeId, RecipientId, TenantId, Timestamp};
use seal::{LogSecret, OpenedRecord, PersonKeys, RecordPlace, open_record};
use std::collections::HashMap;
use store::Snapshot;
use zeroize::Zeroizing;

/// Most items in one request.
pub const MAX_ITEMS: usize = 1_024;
/// Most values in one request.
pub const MAX_VALUES: usize = 8_192;
/// Records of persons stand in this table; the number is part of the associated data.
pub(crate) const TABLE_PERSON: u8 = 1;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct RevealRequest {
    /// Name of the purpose.
    pub purpose: String,
    /// Name of the recipient; none is the tenant itself.
    pub recipient: Option<String>,
    /// The values.
    pub items: Vec<Item>,
}

/// One item of a request.
#[derive(Clone, Debug)]
pub enum Item {
    /// The value that a token stands for.
    Token(StorageToken),
    /// Named fields of a person.
    Fields(PersonId, Vec<String>),
}

/// The answer for one field.
pub struct Revealed {
    /// The field's name; none for a token that stands for nothing here.
    pub field: Option<String>,
    /// How it was decided.
    pub decision: Outcome,
    /// The value or its transform; none when refused, redacted, or when there is no value.
    pub value: Option<Zeroizing<String>>,
    /// Why it was not released.
    pub reason: Option<Reason>,
}

/// The answer: one list per item, in the order of the request, and where the trail stands.
pub struct RevealAnswer {
    /// One list per item.
    pub items: Vec<Vec<Revealed>>,
    /// Index of the ledger entry.
    pub entry: u64,
}

/// Values stay out of logs.
impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Revealed").field("decision", &self.decision).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RevealAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevealAnswer").field("entry", &self.entry).finish_non_exhaustive()
    }
}

/// Why nothing was revealed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevealError {
    /// The principal belongs to another tenant, or its role may not read.
    #[error("not permitted")]
    Denied(Reason),
    /// No items, or more items or values than one request may have.
    #[error("no items or too many")]
    Size,
    /// The facts changed again and again between decision and release.
    #[error("the facts changed meanwhile")]
    Changed,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for RevealError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl Vault {
    /// Reveals values. Each was decided on, and the decisions stand durably in the ledger, before any key of a
    /// person's values is unwrapped.
    pub async fn reveal(
        &self,
        ctx: &Context,
        tenant: TenantId,
        request: &RevealRequest,
    ) -> Result<RevealAnswer, RevealError> {
        self.reveal_by(ctx, tenant, request, Action::Read).await
    }

    /// [`Vault::reveal`] by another action: what a person sees of herself in the app she sees by her own right.
    pub(crate) async fn reveal_by(
        &self,
        ctx: &Context,
        tenant: TenantId,
        request: &RevealRequest,
        action: Action,
    ) -> Result<RevealAnswer, RevealError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(RevealError::Denied(Reason::WrongTenant))?;
        let actor = &ctx.actor.principal;
        model::decision::allowed(actor, action, tenant, actor.subject, Some(opened.live().state))
            .map_err(RevealError::Denied)?;
        let values = request.items.iter().map(|item| match item {
            Item::Token(_) => 1,
            Item::Fields(_, names) => names.len(),
        });
        if request.items.is_empty() || request.items.len() > MAX_ITEMS || values.sum::<usize>() > MAX_VALUES {
            return Err(RevealError::Size);
        }
        house.ledger_ready()?;
        for _ in 0..crate::seen::TRIES {
            let now = house.clock.now()?;
            let seen = Seen::begin(house, &opened);
            let live = seen.live().clone();
            let plan = plan(house, &opened, &live, seen, ctx, (request, action), now)?;
            let entry = plan.seal(house, &opened, ctx, now)?;
            house.step(Step::ReadSealed);
            let position = house.ledger.append(entry.into()).await.map_err(Fault::from)?;
            house.step(Step::ReadAppended);
            let stand = match plan.release(house, &opened, ctx)? {
                Ok(items) => {
                    house.step(Step::ReadOpened);
                    return Ok(RevealAnswer { items, entry: position.index });
                }
                Err(stand) => stand,
            };
            self.note_not_released(ctx, tenant, plan.purpose.map_or(PurposeId(0), |one| one.id)).await?;
            house.step(Step::ReadNotReleased);
            if stand == Stand::Revoked {
                return Err(Fault::Revoked.into());
            }
        }
        Err(RevealError::Changed)
    }
}

/// One field of one item with its decision.
struct Slot<'a> {
    person: Option<usize>,
    field: Option<&'a Field>,
    decision: Decision,
    /// Whether the asker named the field. Who holds a token alone learns no field's name from a refusal, since that would
    /// tell a token of the living from any other.
    named: bool,
}

/// One person of the request: her row as the decision saw it.
struct Involved {
    person: Person,
    secret: Option<LogSecret>,
}

/// All decisions of a request, made on one snapshot, before anything is unwrapped.
struct Plan<'a> {
    seen: Seen,
    slots: Vec<Vec<Slot<'a>>>,
    people: Vec<Involved>,
    purpose: Option<&'a Purpose>,
    recipient: RecipientId,
    consent: Option<ConsentId>,
}

/// What the decisions of one request share.
struct Deciding<'a> {
    snapshot: &'a Snapshot,
    tenant: &'a Tenant,
    live: &'a Live,
    ctx: &'a Context,
    action: Action,
    purpose: Option<&'a Purpose>,
    recipient: Option<RecipientId>,
    now: Timestamp,
}

fn plan<'a>(
    house: &House,
    tenant: &Tenant,
    live: &'a Live,
    seen: Seen,
    ctx: &Context,
    (request, action): (&RevealRequest, Action),
    now: Timestamp,
) -> Result<Plan<'a>, RevealError> {
    let snapshot = house.store.snapshot()?;
    let config = &live.config;
    let purpose = config.purpose(&request.purpose);
    let recipient = config.recipient(request.recipient.as_deref());
    let deciding = Deciding { snapshot: &snapshot, tenant, live, ctx, action, purpose, recipient, now };
    let mut plan = Plan {
        seen,
        slots: Vec::with_capacity(request.items.len()),
        people: Vec::new(),
        purpose,
        recipient: recipient.unwrap_or_default(),
        consent: None,
    };
    let mut known: HashMap<PersonId, Option<usize>> = HashMap::new();
    for item in &request.items {
        let (person, fields) = resolve(&snapshot, tenant.id, config, item)?;
        let named = matches!(item, Item::Fields(..));
        let place = match person {
            None => None,
            Some(id) => match known.get(&id) {
                Some(place) => *place,
                None => {
                    let place = plan.involve(&deciding, id)?;
                    known.insert(id, place);
                    place
                }
            },
        };
        if plan.people.len() > MAX_SUBJECTS {
            return Err(RevealError::Size);
        }
        let mut slots = Vec::with_capacity(fields.len());
        for field in fields {
            let (field, decision) = plan.decide(&deciding, place, field)?;
            slots.push(Slot { person: place, field, decision, named });
        }
        plan.slots.push(slots);
    }
    Ok(plan)
}

/// Which person and fields an item means. A token or name that means nothing here still gets its slot, so that
/// the answer looks the same as for one that is not permitted.
fn resolve<'a>(
    snapshot: &Snapshot,
    tenant: TenantId,
    config: &'a TenantConfig,
    item: &Item,
) -> Result<(Option<PersonId>, Vec<Option<&'a Field>>), Fault> {
    match item {
        Item::Token(token) => match snapshot.token(tenant, token.as_bytes())? {
            Some(row) => Ok((Some(row.person), vec![config.field_by_id(row.field)])),
            None => Ok((None, vec![None])),
        },
        Item::Fields(person, names) => {
            Ok((Some(*person), names.iter().map(|name| config.field(name)).collect()))
        }
    }
}

impl<'a> Plan<'a> {
    /// Adds a person of the request; `None` when there is no such row.
    fn involve(&mut self, deciding: &Deciding<'_>, id: PersonId) -> Result<Option<usize>, Fault> {
        let Some(person) = Person::read(deciding.snapshot, deciding.tenant.id, id)? else { return Ok(None) };
        let secret = person.log_secret(deciding.tenant)?;
        self.seen.on(&person);
        self.people.push(Involved { person, secret });
        Ok(Some(self.people.len() - 1))
    }

    fn decide(
        &mut self,
        deciding: &Deciding<'_>,
        place: Option<usize>,
        field: Option<&'a Field>,
    ) -> Result<(Option<&'a Field>, Decision), Fault> {
        let refused = |reason| Ok((None, Decision::Deny(reason)));
        let Some(field) = field else { return refused(Reason::UnknownPerson) };
        let Some(recipient) = deciding.recipient else { return refused(Reason::UnknownRecipient) };
        let Some(index) = place else {
            return Ok((Some(field), nobody(deciding, field, recipient, Reason::UnknownPerson)));
        };
        let involved = &self.people[index];
        if involved.person.facts().erased {
            return Ok((Some(field), nobody(deciding, field, recipient, Reason::Erased)));
        }
        let (mut consent, mut record) = (None, None);
        if let Some(purpose) = deciding.purpose
            && purpose.needs_consent(field.category.is_special())
        {
            let person = involved.person.row.person;
            (consent, record) =
                consent_facts(deciding.snapshot, deciding.tenant.id, person, purpose, recipient)?;
        }
        let request = Request {
            principal: &deciding.ctx.actor.principal,
            action: deciding.action,
            tenant: deciding.tenant.id,
            person: involved.person.row.person,
            field,
            purpose: deciding.purpose,
            recipient,
            break_glass: None,
        };
        let facts =
            Facts { tenant: Some(deciding.live.state), person: Some(involved.person.facts()), consent };
        let decision = decide(&request, &facts, deciding.now);
        if let Some(consent) = consent.filter(|_| decision.releases()) {
            self.seen.ends(consent.until);
            self.consent = self.consent.or(record);
        }
        Ok((Some(field), decision))
    }

    /// The entry of this request: what was decided, for whom.
    fn seal(
        &self,
        house: &House,
        tenant: &Tenant,
        ctx: &Context,
        now: Timestamp,
    ) -> Result<trail::Sealed, Fault> {
        let actor = &ctx.actor.principal;
        let mut details: Vec<SubjectDetail> = self
            .people
            .iter()
            .map(|one| SubjectDetail {
                person: one.person.row.person,
                fields: Vec::new(),
                actor: actor.id,
                role: actor.role,
            })
            .collect();
        let mut metadata = Metadata::of(Event::Read, now, ctx.request, Verdict::Permit);
        metadata.purpose = self.purpose.map_or(0, |purpose| purpose.id.0);
        metadata.basis = self.purpose.map_or(0, |purpose| purpose.basis as u8 + 1);
        metadata.recipient = self.recipient.0;
        metadata.consent = self.consent;
        for slot in self.slots.iter().flatten() {
            metadata.count(slot.field, &slot.decision);
            if let (Some(index), Some(field)) = (slot.person, slot.field) {
                details[index].fields.push((field.id, Outcome::of(&slot.decision)));
            }
        }
        metadata.conclude();
        let subjects: Vec<Subject<'_>> = self
            .people
            .iter()
            .zip(details)
            .filter_map(|(one, detail)| one.secret.as_ref().map(|secret| Subject { secret, detail }))
            .collect();
        trail::seal_entry(house, tenant, metadata, &subjects, &ctx.actor)
    }

    /// Unwraps and opens what was permitted, and nothing else; or says why the decision does not stand any more.
    fn release(
        &self,
        house: &House,
        tenant: &Tenant,
        ctx: &Context,
    ) -> Result<Result<Vec<Vec<Revealed>>, Stand>, Fault> {
        let stand = || self.seen.stand(house, tenant, &ctx.actor);
        match stand()? {
            Stand::Yes => {}
            other => return Ok(Err(other)),
        }
        match self.open(house, tenant, &stand) {
            // A record that is gone was replaced or erased just now, or else it is lost.
            Err(Fault::Corrupt) => match stand()? {
                Stand::Yes => Err(Fault::Corrupt),
                other => Ok(Err(other)),
            },
            opened => opened,
        }
    }

    fn open(
        &self,
        house: &House,
        tenant: &Tenant,
        stand: &dyn Fn() -> Result<Stand, Fault>,
    ) -> Result<Result<Vec<Vec<Revealed>>, Stand>, Fault> {
        let snapshot = house.store.snapshot()?;
        let mut pace = Pace::begin(&house.clock)?;
        let mut open: Vec<Option<OpenPerson>> = self.people.iter().map(|_| None).collect();
        let mut answer = Vec::with_capacity(self.slots.len());
        for slots in &self.slots {
            let mut fields = Vec::with_capacity(slots.len());
            for slot in slots {
                if pace.is_due(&house.clock)? {
                    match stand()? {
                        Stand::Yes => {}
                        other => return Ok(Err(other)),
                    }
                }
                let value = match (slot.person, slot.field) {
                    (Some(index), Some(field)) if slot.decision.releases() => {
                        let person = &self.people[index].person;
                        let keys = match &mut open[index] {
                            Some(keys) => keys,
                            empty => empty.insert(OpenPerson::new(person.keys(tenant)?)),
                        };
                        keys.value(&snapshot, tenant.id, person, field, &slot.decision)?
                    }
                    _ => None,
                };
                let shown = slot.named || slot.decision.releases();
                fields.push(Revealed {
                    field: slot.field.filter(|_| shown).map(|field| field.name.clone()),
                    decision: Outcome::of(&slot.decision),
                    value,
                    reason: slot.decision.reason(),
                });
            }
            answer.push(fields);
        }
        Ok(Ok(answer))
    }
}

/// When a long release has to look again whether its decision stands: each 1,000 values or each second (invariant 4).
struct Pace {
    values: usize,
    looked: Timestamp,
}

impl Pace {
    const VALUES: usize = 1_000;
    const MS: i64 = 1_000;
    /// The clock is asked once in so many values.
    const CLOCK: usize = 64;

    fn begin(clock: &GuardedClock) -> Result<Self, Fault> {
        Ok(Self { values: 0, looked: clock.now()? })
    }

    fn is_due(&mut self, clock: &GuardedClock) -> Result<bool, Fault> {
        self.values += 1;
        if !self.values.is_multiple_of(Self::CLOCK) && self.values < Self::VALUES {
            return Ok(false);
        }
        let now = clock.now()?;
        let due = self.values >= Self::VALUES || now.0 - self.looked.0 >= Self::MS;
        if due {
            *self = Self { values: 0, looked: now };
        }
        Ok(due)
    }
}

/// What is answered for somebody who is not, or no longer, here: a field that the purpose would not show of anybody is
/// redacted as for everybody, so that a redacted answer does not tell who is here. Nothing is ever released.
fn nobody(deciding: &Deciding<'_>, field: &Field, recipient: RecipientId, reason: Reason) -> Decision {
    let request = Request {
        principal: &deciding.ctx.actor.principal,
        action: deciding.action,
        tenant: deciding.tenant.id,
        person: PersonId([0; 16]),
        field,
        purpose: deciding.purpose,
        recipient,
        break_glass: None,
    };
    let anybody = PersonFacts { erased: false, restricted: &[], objections: &[] };
    let facts = Facts { tenant: Some(deciding.live.state), person: Some(anybody), consent: None };
    match decide(&request, &facts, deciding.now) {
        Decision::Redact(reason) => Decision::Redact(reason),
        _ => Decision::Deny(reason),
    }
}

/// A person whose keys are unwrapped, and the records that were opened with them.
pub(crate) struct OpenPerson {
    keys: PersonKeys,
    records: HashMap<u8, Option<OpenedRecord>>,
}

impl OpenPerson {
    pub(crate) fn new(keys: PersonKeys) -> Self {
        Self { keys, records: HashMap::new() }
    }

    /// One value under its decision; `None` when the person has no value there.
    pub(crate) fn value(
        &mut self,
        snapshot: &Snapshot,
        tenant: TenantId,
        person: &Person,
        field: &Field,
        decision: &Decision,
    ) -> Result<Option<Zeroizing<String>>, Fault> {
        let compartment = field.compartment;
        if !self.records.contains_key(&compartment.0) {
            let record = self.read(snapshot, tenant, person.row.person, compartment)?;
            self.records.insert(compartment.0, record);
        }
        let Some(record) = self.records.get(&compartment.0).and_then(Option::as_ref) else { return Ok(None) };
        let bytes = match decision {
            Decision::Permit(permit) => record.open(permit, field.id, field.category)?,
            Decision::Partial(permit) => {
                return Ok(record.open_partial(permit, field.id, field.category)?);
            }
            Decision::Redact(_) | Decision::Deny(_) => None,
        };
        Ok(bytes.map(text))
    }

    fn read(
        &self,
        snapshot: &Snapshot,
        tenant: TenantId,
        person: PersonId,
        compartment: model::Compartment,
    ) -> Result<Option<OpenedRecord>, Fault> {
        let Some(version) = self.keys.record_version(compartment) else { return Ok(None) };
        let sealed = snapshot.record(tenant, person, compartment, version)?.ok_or(Fault::Corrupt)?;
        let place = RecordPlace { tenant, person, table: TABLE_PERSON, compartment, version, key_version: 1 };
        Ok(Some(open_record(&self.keys, &place, &sealed.0)?))
    }
}

/// The bytes as text. Only valid text was ever sealed.
fn text(bytes: Zeroizing<Vec<u8>>) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_long_release_looks_again_in_time() {
        let clock = testkit::TestClock::at(0);
        let guarded = GuardedClock::new(Arc::new(clock.clone()), None);
        let mut pace = Pace::begin(&guarded).expect("a pace");
        let mut due = |values: usize| (0..values).filter(|_| pace.is_due(&guarded).expect("a clock")).count();
        assert_eq!((due(999), due(1), due(2_999), due(1)), (0, 1, 2, 1));
        clock.advance_ms(1_000);
        assert_eq!((due(63), due(1), due(64)), (0, 1, 0));
    }
}
