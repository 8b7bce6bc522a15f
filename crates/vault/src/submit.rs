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

mod kinds;

pub use kinds::{NewSubmission, Outcome, SubmitError, Submitted, Whose};

use crate::change::{self, Change, Logged};
use crate::config::{REF_FIELD, document};
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::keys::done;
use crate::people::Person;
use crate::put::{
    self, Changes, Checked, Rectification, TRIES, check_reference, index_ops, of_compartment, seal_version,
    sweep_later, token_for, token_ops,
};
use crate::reveal::OpenPerson;
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::{Actor, Event};
use crate::view::VIEW_PREFIX;
use crate::{Context, Vault, document_row};
use model::catalogue::{Category, Field};
use model::decision::{Action, Decision, Facts, PersonFacts, Reason, Request, allowed, decide};
use model::token::StorageToken;
use model::{Compartment, FieldId, PersonId, RecipientId, TenantId, Timestamp};
use parking_lot::Mutex;
use seal::{DocumentPlace, PersonKeys, PersonPlace, Value};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use store::{Conflict, DataOp, IndexRow, KeyOp, PersonRow, PersonState, Sealed, Snapshot, Wrap};
use zeroize::Zeroizing;

/// How long a submission waits whose outcome is unknown, ms.
pub const WAIT_MS: i64 = 24 * 3_600_000;
/// Most submissions that wait in a tenant.
pub const MAX_WAITING: usize = 10_000;
/// Most values in one.
pub const MAX_VALUES: usize = 500;
/// Most of one user that wait: an app answers one person's forms one after the other.
const MAX_OF_ONE: usize = 200;
/// Most that wait and that nobody in particular typed.
const MAX_OF_NOBODY: usize = 2_000;
/// How many are looked at in one page.
const PAGE: usize = 500;

/// What the gateway shows where there is nothing to show. Nobody types it.
const MASKS: [&str; 2] = ["[masked]", "[erased]"];

/// Submissions of this run whose outcome is still to come, with who typed them.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<HashMap<PersonId, Option<Actor>>>, Mutex<HashSet<PersonId>>);

impl Waiting {
    /// Whether one more may wait, of this user. Those whose outcome is unknown count among all.
    fn has_room(&self, by: Option<&Actor>) -> bool {
        let waiting = self.0.lock();
        let all = waiting.len() + self.1.lock().len();
        let principal = by.map(|actor| actor.principal.id);
        let limit = if principal.is_some() { MAX_OF_ONE } else { MAX_OF_NOBODY };
        let same = |other: &&Option<Actor>| other.as_ref().map(|actor| actor.principal.id) == principal;
        all < MAX_WAITING && (waiting.len() < limit || waiting.values().filter(same).count() < limit)
    }
}

/// What a submission waits for, as it is kept beside its provisional person. Names nobody: references lie with the
/// values, under the provisional person's own keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Card {
    /// The person whose data they are, where she was known.
    target: Option<PersonId>,
    /// Whether the app gives the reference.
    new: bool,
    /// Fields whose values go.
    removed: Vec<FieldId>,
    created: Timestamp,
    /// The highest version of the target's records then: what was changed meanwhile is newer than this.
    version: u32,
}

/// A submission as it was read.
struct Sorted {
    checked: Vec<Checked>,
    /// For each checked value its place among the values.
    places: Vec<usize>,
    removed: Vec<Field>,
    texts: Vec<String>,
}

fn place(tenant: TenantId, id: PersonId) -> DocumentPlace {
    DocumentPlace { tenant, kind: document::SUBMISSION, id: id.0, version: 1 }
}

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
        if !house.waiting.has_room(by.as_ref()) {
            return Err(SubmitError::Quota);
        }
        for _ in 0..TRIES {
            // Known to wait before it is there, so that nobody ever takes it for one that was left over.
            let id = PersonId::fresh(&*house.clock, &*house.entropy);
            house.waiting.0.lock().insert(id, by.clone());
            let tried = write(house, &opened, id, new, (target, &checked, &removed), now).await;
            let Ok(Some(tokens)) = tried else {
                house.waiting.0.lock().remove(&id);
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
        let waiting = house.waiting.0.lock().get(&id).cloned();
        if outcome == Outcome::Unknown && waiting.is_some() {
            house.waiting.1.lock().insert(id);
        }
        let settled = self.settle_by(&opened, app, waiting, id, outcome).await;
        house.waiting.0.lock().remove(&id);
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
        match outcome {
            Outcome::Unknown => Ok(None),
            Outcome::Abandoned => abandon(house, tenant, id).await.map(|()| None),
            Outcome::Accepted(reference) => {
                house.ledger_ready()?;
                let by = waiting.flatten();
                let how = How { by, reference: reference.as_deref(), late: false };
                let mut committed = commit(house, opened, app, how, id).await;
                if was_waiting && committed == Ok(None) {
                    // Nobody else could commit it: the person was erased meanwhile.
                    committed = Err(SubmitError::Person);
                }
                if matches!(
                    committed,
                    Err(SubmitError::Person | SubmitError::Denied(_) | SubmitError::Reference)
                ) {
                    abandon(house, tenant, id).await?;
                }
                committed
            }
        }
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
                if provisional && !house.waiting.0.lock().contains_key(&row.person) {
                    found.insert(row.person);
                }
            }
        }
        let mut promoted = 0;
        for id in found {
            let how = How { by: None, reference: None, late: true };
            match commit(house, &opened, app, how, id).await {
                Ok(_) => promoted += 1,
                // Something newer stands there: what was typed before it is over.
                Err(SubmitError::Stale) => abandon(house, tenant, id).await?,
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
                _ if house.waiting.0.lock().contains_key(id) => false,
                Some(PersonState::Provisional) => now.0 - card.created.0 >= WAIT_MS,
                // Written, and never taken: by an earlier run, since in this one it may be taken in the next moment.
                None => card.created < house.opened,
            };
            count += abandon_where(house, &opened, over).await?;
        }
        Ok(count)
    }
}

/// Removes the submissions that would change an erased person: their values are hers.
pub(crate) async fn abandon_of(house: &House, tenant: &Tenant, person: PersonId) -> Result<(), Fault> {
    abandon_where(house, tenant, |_, card, _| card.target == Some(person)).await.map(drop)
}

async fn abandon_where(
    house: &House,
    tenant: &Tenant,
    wanted: impl Fn(&PersonId, &Card, Option<PersonState>) -> bool,
) -> Result<u64, Fault> {
    let (mut after, mut count) = (None, 0);
    loop {
        let page = {
            let snapshot = house.store.snapshot()?;
            let rows = snapshot.documents(tenant.id, document::SUBMISSION, after, PAGE)?;
            let mut page = Vec::with_capacity(rows.len());
            for row in rows {
                let id = PersonId(row.id);
                let card = read_card(tenant, id, &row.sealed.0)?;
                let state = snapshot.person_head(tenant.id, id)?.map(|head| head.state);
                page.push((id, wanted(&id, &card, state)));
            }
            page
        };
        let Some((last, _)) = page.last() else { return Ok(count) };
        after = Some(last.0);
        for (id, _) in page.into_iter().filter(|(_, wanted)| *wanted) {
            abandon(house, tenant.id, id).await.map_err(|error| match error {
                SubmitError::Fault(fault) => fault,
                _ => Fault::Busy,
            })?;
            count += 1;
        }
    }
}

fn read_card(tenant: &Tenant, id: PersonId, sealed: &[u8]) -> Result<Card, Fault> {
    let bytes = tenant.metadata.open_document(&place(tenant.id, id), sealed)?;
    postcard::from_bytes(&bytes).map_err(|_| Fault::Corrupt)
}

fn target_of(house: &House, tenant: &Tenant, whose: &Whose) -> Result<Option<PersonId>, SubmitError> {
    let (reference, create) = match whose {
        Whose::Reference(reference) => (reference, false),
        Whose::Create(reference) => (reference, true),
        Whose::New => return Ok(None),
    };
    check_reference(reference)?;
    let snapshot = house.store.snapshot()?;
    let found = find(house, tenant, &snapshot, reference)?;
    let Some(person) = found else {
        return match (create, is_canonical(reference)) {
            (true, true) => Ok(None),
            (true, false) => Err(SubmitError::Reference),
            (false, _) => Err(SubmitError::Person),
        };
    };
    let head = snapshot.person_head(tenant.id, person)?;
    if head.is_some_and(|head| head.state == PersonState::Live) {
        Ok(found)
    } else {
        Err(SubmitError::Person)
    }
}

/// Whether nobody would take a reference for another spelling of one that exists: `007`, `+7` and ` 7` are read as 7.
fn is_canonical(reference: &str) -> bool {
    let digits = reference.trim_start_matches(['+', '-']);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits.len() == reference.len() && (digits.len() == 1 || !digits.starts_with('0'));
    reference.trim() == reference && (!is_number || plain)
}

fn find(
    house: &House,
    tenant: &Tenant,
    snapshot: &Snapshot,
    reference: &str,
) -> Result<Option<PersonId>, Fault> {
    let blind = tenant.blind_ref(house, reference)?;
    Ok(snapshot.persons_by_index(tenant.id, REF_FIELD, &blind, 1)?.first().copied())
}

/// Parts values into new ones, empty ones, and those that stay.
fn sort(
    house: &House,
    tenant: &Tenant,
    new: &NewSubmission,
    target: Option<PersonId>,
    now: Timestamp,
) -> Result<Sorted, SubmitError> {
    if new.values.len() > MAX_VALUES {
        return Err(SubmitError::Size);
    }
    let live = tenant.live();
    let form = (new.session.clone(), new.rule.clone());
    let texts = vec![String::new(); new.values.len()];
    let mut sorted = Sorted { checked: Vec::new(), places: Vec::new(), removed: Vec::new(), texts };
    for (number, (name, value)) in new.values.iter().enumerate() {
        let field = live.config.field(name).ok_or(SubmitError::UnknownField(number))?;
        if value.starts_with(VIEW_PREFIX) {
            let hidden = house.views.open(tenant.id, &form, value, now);
            let fits =
                |hidden: &crate::view::Hidden| hidden.field == field.id && Some(hidden.person) == target;
            let hidden = hidden.filter(fits).ok_or(SubmitError::Stale)?;
            sorted.texts[number] = hidden.token.format(field.token);
        } else if MASKS.contains(&value.as_str()) {
            // A page's program sent back what stood there in place of a value.
            return Err(SubmitError::Stale);
        } else if value.is_empty() {
            sorted.removed.extend(target.is_some().then(|| field.clone()));
        } else {
            let value = field.normalise(value).map_err(|error| SubmitError::Value(number, error))?;
            sorted.checked.push(Checked { field: field.clone(), value: Zeroizing::new(value) });
            sorted.places.push(number);
        }
    }
    Ok(sorted)
}

/// Writes a provisional person and answers her tokens; none when a token was taken already, to be tried again.
async fn write(
    house: &Arc<House>,
    tenant: &Tenant,
    id: PersonId,
    new: &NewSubmission,
    (target, checked, removed): (Option<PersonId>, &[Checked], &[Field]),
    now: Timestamp,
) -> Result<Option<Vec<StorageToken>>, SubmitError> {
    let (epoch, epoch_key) = tenant.current_epoch(house, now)?;
    let compartments: BTreeSet<Compartment> =
        checked.iter().map(|one| one.field.compartment).chain([Compartment(0)]).collect();
    let compartments: Vec<Compartment> = compartments.into_iter().collect();
    let mut keys = PersonKeys::generate(&compartments, &*house.entropy)?;
    let mut rows = Vec::with_capacity(compartments.len() + 1);
    for compartment in compartments {
        let mut values = of_compartment(checked, compartment);
        if let (Compartment(0), Whose::Reference(reference) | Whose::Create(reference)) =
            (compartment, &new.whose)
        {
            values.push(reference_value(reference));
        }
        rows.push(DataOp::PutRecord(seal_version(house, tenant, id, &mut keys, compartment, 1, &values)?));
    }
    let removed = removed.iter().map(|field| field.id).collect();
    let version = target.map(|target| newest(&house.store.snapshot()?, tenant.id, target)).transpose()?;
    let version = version.unwrap_or(0);
    let card = Card { target, new: new.whose == Whose::New, removed, created: now, version };
    let bytes = postcard::to_stdvec(&card).map_err(|_| Fault::Corrupt)?;
    let at = place(tenant.id, id);
    let sealed = tenant.metadata.seal_document(&at, &bytes, &*house.entropy)?;
    rows.push(DataOp::PutDocument { row: document_row(&at, sealed, house), expected_absent: true });
    done(house.store.apply_data("submission", rows).await)?;
    house.step(Step::SubmissionWritten);
    // No change yet that the ledger tells of; becoming real is the first.
    let at = PersonPlace { tenant: tenant.id, person: id, epoch, row_version: 0 };
    let mut ops = vec![KeyOp::InsertPerson(PersonRow {
        tenant: tenant.id,
        person: id,
        state: PersonState::Provisional,
        version: 0,
        epoch,
        flags: 0,
        wrapped: Some(Sealed(keys.wrap(&epoch_key, &at, &*house.entropy)?)),
        created: now,
    })];
    let (tokens, inserts) = tokens(house, tenant, id, checked)?;
    ops.extend(inserts);
    match applied(house.store.apply_keys("submission", ops).await)? {
        Applied::Done => Ok(Some(tokens)),
        Applied::Conflict(_) => {
            forget_data(house, tenant.id, id).await?;
            Ok(None)
        }
    }
}

/// The highest version of a person's records.
fn newest(snapshot: &Snapshot, tenant: TenantId, person: PersonId) -> Result<u32, SubmitError> {
    Ok(snapshot.records_of(tenant, person)?.iter().map(|key| key.version).max().unwrap_or(0))
}

/// A token for each value, and what puts those into the map that nobody else can have.
fn tokens(
    house: &House,
    tenant: &Tenant,
    id: PersonId,
    checked: &[Checked],
) -> Result<(Vec<StorageToken>, Vec<KeyOp>), Fault> {
    let mut tokens = Vec::with_capacity(checked.len());
    let mut ops = Vec::with_capacity(checked.len());
    for one in checked {
        let token = token_for(house, tenant, &one.field, &one.value)?;
        tokens.push(token);
        if !one.field.stable {
            let (token, field) = (*token.as_bytes(), one.field.id);
            ops.push(KeyOp::InsertToken(store::TokenRow { tenant: tenant.id, token, person: id, field }));
        }
    }
    Ok((tokens, ops))
}

fn reference_value(reference: &str) -> Value<'_> {
    Value { field: REF_FIELD, category: Category::Identity, bytes: reference.as_bytes() }
}

/// Removes a provisional person: her row first, which holds the only keys.
async fn abandon(house: &House, tenant: TenantId, id: PersonId) -> Result<(), SubmitError> {
    house.waiting.1.lock().remove(&id);
    let head = house.store.snapshot()?.person_head(tenant, id)?;
    if let Some(head) = head.filter(|head| head.state == PersonState::Provisional) {
        let ops = vec![
            KeyOp::DeleteTokensOf { tenant, person: id, field: None },
            KeyOp::ForgetPerson { tenant, person: id, expected_version: head.version },
        ];
        match applied(house.store.apply_keys("abandon", ops).await)? {
            Applied::Done => house.step(Step::SubmissionAbandoned),
            Applied::Conflict(Conflict::Missing | Conflict::PersonState) => {}
            Applied::Conflict(_) => return Err(Fault::Busy.into()),
        }
    }
    forget_data(house, tenant, id).await.map_err(Into::into)
}

/// What lies in the data file of a submission that is over: its card, and its records if nobody has their keys.
async fn forget_data(house: &House, tenant: TenantId, id: PersonId) -> Result<(), Fault> {
    let mut ops = vec![DataOp::DeleteDocuments { tenant, kind: document::SUBMISSION, id: id.0 }];
    if house.store.snapshot()?.person_head(tenant, id)?.is_none() {
        ops.push(DataOp::DeleteRecordsOf { tenant, person: id });
    }
    done(house.store.apply_data("settled", ops).await)
}

/// A submission opened, to be committed.
struct Opened {
    person: Person,
    keys: PersonKeys,
    values: Vec<Checked>,
    reference: Option<Zeroizing<String>>,
    card: Card,
}

fn open(
    house: &House,
    tenant: &Tenant,
    app: &Context,
    id: PersonId,
    now: Timestamp,
) -> Result<Option<Opened>, SubmitError> {
    let snapshot = house.store.snapshot()?;
    let Some(person) = Person::read(&snapshot, tenant.id, id)? else { return Ok(None) };
    if person.row.state != PersonState::Provisional {
        return Ok(None);
    }
    let card = snapshot.document(tenant.id, document::SUBMISSION, id.0, 1)?.ok_or(Fault::Corrupt)?;
    let card = read_card(tenant, id, &card.sealed.0)?;
    let keys = person.keys(tenant)?;
    let mut record = OpenPerson::new(person.keys(tenant)?);
    let live = tenant.live();
    let mut values = Vec::new();
    let mut read = |field: &Field| -> Result<Option<Zeroizing<String>>, SubmitError> {
        let decision = may_commit(app, tenant, field, id, live.state, now)?;
        Ok(record.value(&snapshot, tenant.id, &person, field, &decision)?)
    };
    for field in &live.config.fields {
        if let Some(value) = read(field)? {
            values.push(Checked { field: field.clone(), value });
        }
    }
    let reference = read(&put::reference_field())?;
    Ok(Some(Opened { person, keys, values, reference, card }))
}

/// The app's right to what it has just accepted.
fn may_commit(
    app: &Context,
    tenant: &Tenant,
    field: &Field,
    person: PersonId,
    state: model::tenant::TenantState,
    now: Timestamp,
) -> Result<Decision, SubmitError> {
    let request = Request {
        principal: &app.actor.principal,
        action: Action::Rectify,
        tenant: tenant.id,
        person,
        field,
        purpose: None,
        recipient: RecipientId(0),
        break_glass: None,
    };
    let person = PersonFacts { erased: false, restricted: &[], objections: &[] };
    let facts = Facts { tenant: Some(state), person: Some(person), consent: None };
    match decide(&request, &facts, now) {
        permit @ Decision::Permit(_) => Ok(permit),
        other => Err(SubmitError::Denied(other.reason().unwrap_or(Reason::RoleMayNot))),
    }
}

/// How a submission comes to be committed.
struct How<'a> {
    /// Who typed it, where that is still known.
    by: Option<Actor>,
    /// The reference that the app gave somebody new.
    reference: Option<&'a str>,
    /// Whether the app only shows afterwards that it has kept it: then nothing newer may stand there.
    late: bool,
}

/// Makes a submission real. Done already is done.
async fn commit(
    house: &Arc<House>,
    tenant: &Tenant,
    app: &Context,
    How { by, reference, late }: How<'_>,
    id: PersonId,
) -> Result<Option<Logged>, SubmitError> {
    let actor = by.unwrap_or_else(|| app.actor.clone());
    let ctx = Context { actor, request: app.request };
    for _ in 0..TRIES {
        let now = house.clock.now()?;
        let Some(opened) = open(house, tenant, app, id, now)? else { return Ok(None) };
        let target = {
            let snapshot = house.store.snapshot()?;
            let reference = opened.reference.as_deref().map(String::as_str).or(reference);
            let reference = reference.ok_or(SubmitError::Reference)?;
            check_reference(reference)?;
            let found = find(house, tenant, &snapshot, reference)?;
            // She was known and is not any more, or somebody new is told to be a person who is here.
            if (opened.card.target.is_some() && found != opened.card.target)
                || (opened.card.new && found.is_some())
            {
                return Err(SubmitError::Person);
            }
            if let Some(target) = found.filter(|_| late)
                && newest(&snapshot, tenant.id, target)? != opened.card.version
            {
                return Err(SubmitError::Stale);
            }
            found
        };
        let tried = match target {
            Some(target) => move_to(house, tenant, (app, &ctx), &opened, target, now).await?,
            None => {
                let reference = opened.reference.as_deref().map(String::as_str).or(reference);
                make_real(house, tenant, &ctx, &opened, reference.unwrap_or_default(), now).await?
            }
        };
        if let Ok(logged) = tried {
            house.waiting.1.lock().remove(&id);
            forget_data(house, tenant.id, id).await?;
            return Ok(Some(logged));
        }
    }
    Err(Fault::Busy.into())
}

/// Values and tokens become those of a person who is here.
async fn move_to(
    house: &Arc<House>,
    tenant: &Tenant,
    (app, ctx): (&Context, &Context),
    opened: &Opened,
    target: PersonId,
    now: Timestamp,
) -> Result<Result<Logged, Conflict>, SubmitError> {
    let id = opened.person.row.person;
    let live = tenant.live();
    let removed: Vec<Field> =
        opened.card.removed.iter().filter_map(|field| live.config.field_by_id(*field).cloned()).collect();
    let changes = Changes { values: &opened.values, removed: &removed, tokens_of: Some(id) };
    let tokens = house.store.snapshot()?.tokens_of(tenant.id, id)?;
    let Rectification { keys, rows, job, mut ops } = put::prepare(house, tenant, app, target, &changes, now)?;
    let is_stable = |field: FieldId| live.config.field_by_id(field).is_some_and(|field| field.stable);
    for token in tokens.into_iter().filter(|token| !is_stable(token.field)) {
        ops.push(KeyOp::InsertToken(store::TokenRow { person: target, ..token }));
    }
    let (tenant_id, expected_version) = (tenant.id, opened.person.row.version);
    ops.push(KeyOp::ForgetPerson { tenant: tenant_id, person: id, expected_version });
    if let Applied::Conflict(conflict) = change::write_first(house, "put_records", rows, job).await? {
        return Ok(Err(conflict));
    }
    let entry = put::entry(house, tenant, ctx, Event::Rectify, now, &keys, target, &opened.values)?;
    let steps = [Step::SubmissionCommitted, Step::SubmissionShipped];
    let actor = Some(ctx.actor.principal.id);
    let change = Change { name: "commit_submission", tenant: tenant_id, actor, ops, entry, steps };
    Ok(change::commit(house, change).await?)
}

/// The provisional person becomes a real one.
async fn make_real(
    house: &Arc<House>,
    tenant: &Tenant,
    ctx: &Context,
    opened: &Opened,
    reference: &str,
    now: Timestamp,
) -> Result<Result<Logged, Conflict>, SubmitError> {
    let id = opened.person.row.person;
    let mut keys = opened.person.keys(tenant)?;
    let lying = house.store.snapshot()?.highest_record_version(tenant.id, id, Compartment(0))?;
    let version = lying.unwrap_or(0) + 1;
    let mut values = of_compartment(&opened.values, Compartment(0));
    values.push(reference_value(reference));
    let row = seal_version(house, tenant, id, &mut keys, Compartment(0), version, &values)?;
    let job = sweep_later(house, &opened.person, now)?;
    let rows = vec![DataOp::PutRecord(row)];
    if let Applied::Conflict(conflict) = change::write_first(house, "put_records", rows, job).await? {
        return Ok(Err(conflict));
    }
    let row = &opened.person.row;
    let epoch_key = tenant.shred.key(row.epoch).ok_or(Fault::Corrupt)?;
    let at = PersonPlace { tenant: tenant.id, person: id, epoch: row.epoch, row_version: row.version + 1 };
    let wrapped = Sealed(keys.wrap(&epoch_key, &at, &*house.entropy)?);
    let blind = tenant.blind_ref(house, reference)?;
    let mut ops = vec![
        KeyOp::UpdatePerson {
            tenant: tenant.id,
            person: id,
            expected_version: row.version,
            state: Some(PersonState::Live),
            flags: None,
            wrapped: Wrap::Set { epoch: row.epoch, wrapped },
        },
        KeyOp::InsertIndex {
            row: IndexRow { tenant: tenant.id, person: id, index: REF_FIELD, hash: blind },
            unique: true,
        },
    ];
    for one in &opened.values {
        ops.extend(index_ops(house, tenant, id, one)?);
        if one.field.stable {
            ops.extend(token_ops(house, tenant, &house.store.snapshot()?, id, one)?);
        }
    }
    let entry = put::entry(house, tenant, ctx, Event::Create, now, &opened.keys, id, &opened.values)?;
    let steps = [Step::SubmissionCommitted, Step::SubmissionShipped];
    let actor = Some(ctx.actor.principal.id);
    let change = Change { name: "commit_submission", tenant: tenant.id, actor, ops, entry, steps };
    Ok(change::commit(house, change).await?)
}
