//! Put: store a person under the app's reference, or change values of a person who is stored already.
//!
//! Both answer alike, with the person's id and her tokens, so that the answer does not tell whether somebody was
//! known before.

mod keeping;
mod tokens;

pub(crate) use tokens::{Standing, let_go, token_for, token_ops};

use crate::change::{self, Change, Logged, Try};
use crate::config::{IDEMPOTENCY_INDEX, REF_FIELD};
use crate::erase::{Replaced, SWEEP_DELAY_MS};
use crate::fault::{Applied, Fault};
use crate::house::House;
use crate::keys::done;
use crate::people::Person;
use crate::reveal::TABLE_PERSON;
use crate::steps::Step;
use crate::submit::{self, Seen};
use crate::tenant::{Live, Tenant};
use crate::trail::{self, Event, Metadata, Outcome, Subject, SubjectDetail, Verdict};
use crate::{Context, Vault};
use model::catalogue::{Category, Field, Index, ValueError};
use model::decision::{Action, FieldScope, Reason, allowed};
use model::token::StorageToken;
use model::{Compartment, FieldId, PersonId, PrincipalId, TenantId, Timestamp};
use seal::{LogSecret, PersonKeys, PersonPlace, RecordPlace, Value, seal_record};
use std::collections::{BTreeMap, BTreeSet};
use store::{
    Conflict, DataOp, IndexRow, KeyOp, NewJob, PersonRow, PersonState, RecordKey, RecordRow, Sealed, Snapshot,
};
use zeroize::Zeroizing;

/// Longest reference in bytes.
pub const MAX_REF: usize = 256;
/// Most fields in one put.
pub const MAX_FIELDS: usize = 500;
/// For so long a repeated idempotency key is recognised: 48 hours, in ms.
pub const IDEMPOTENCY_MS: i64 = 48 * 3_600_000;
/// How many used keys are forgotten in one plan.
const PRUNED_AT_ONCE: u32 = 5_000;
/// The job that removes replaced versions of a person's records.
pub const VERSIONS_JOB: &str = "sweep_versions";
/// How often a change is tried again when others change the same person.
pub(crate) const TRIES: usize = 5;

/// A person's values as the app hands them in.
pub struct PutRequest {
    /// The app's own reference of the person: any text without control characters.
    pub reference: String,
    /// Values by field name.
    pub fields: BTreeMap<String, Zeroizing<String>>,
    /// Key and digest of the request, when the caller wants it done at most once.
    pub idempotency: Option<Idempotency>,
}

/// An idempotency key and the request that it came with. Neither is stored: of the key its blind index, of the request a
/// MAC under the person's own log secret, so that nobody can try requests against what is kept.
#[derive(Clone)]
pub struct Idempotency {
    /// The principal's id and the key.
    key: Vec<u8>,
    /// SHA-256 of method, path and body; stays in memory.
    request: [u8; 32],
}

/// What stands for the person's values in the app's database.
#[derive(Debug)]
pub struct PutAnswer {
    /// The person.
    pub person: PersonId,
    /// One token per field that was handed in, by field name.
    pub tokens: BTreeMap<String, String>,
    /// How far the trail has come.
    pub logged: Option<Logged>,
}

/// Why nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PutError {
    /// The decision refused it.
    #[error("not permitted")]
    Denied(Reason),
    /// The reference is empty, too long, or has control characters.
    #[error("not a reference")]
    Reference,
    /// A field that the catalogue does not know; which one, counted in the order of names.
    #[error("field {0} is not in the catalogue")]
    UnknownField(usize),
    /// A value that its field does not accept.
    #[error("the value of field {0} is not accepted")]
    Value(usize, ValueError),
    /// No fields, or too many.
    #[error("no fields or too many")]
    Size,
    /// The same idempotency key came with another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyMismatch,
    /// No such person, or one who is erased.
    #[error("unknown person")]
    UnknownPerson,
    /// A fault of the house.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::StoreError> for PutError {
    fn from(error: store::StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<seal::SealError> for PutError {
    fn from(error: seal::SealError) -> Self {
        Self::Fault(error.into())
    }
}

/// A checked value with its field.
pub(crate) struct Checked {
    pub(crate) field: Field,
    pub(crate) value: Zeroizing<String>,
}

impl Idempotency {
    /// A key that `principal` sent with `request` (method, path and body).
    #[must_use]
    pub fn new(principal: PrincipalId, key: &[u8], request: &[&[u8]]) -> Self {
        Self { key: [principal.0.as_slice(), key].concat(), request: seal::fingerprint(request) }
    }
}

impl Vault {
    /// Stores a person, or changes the values of the person with this reference.
    pub async fn put(
        &self,
        ctx: &Context,
        tenant: TenantId,
        request: &PutRequest,
    ) -> Result<PutAnswer, PutError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(PutError::Denied(Reason::WrongTenant))?;
        let live = opened.live();
        allowed(&ctx.actor.principal, Action::Create, tenant, None, Some(live.state))
            .map_err(PutError::Denied)?;
        house.ledger_ready()?;
        check_reference(&request.reference)?;
        let values = check(&live, &request.fields)?;
        let blind = opened.blind_ref(house, &request.reference)?;
        for _ in 0..TRIES {
            if let Some(answer) = self.replay(&opened, &live, request)? {
                return Ok(answer);
            }
            let found =
                house.store.snapshot()?.persons_by_index(tenant, REF_FIELD, &blind, 1)?.first().copied();
            let tried = match found {
                None => create(house, &opened, ctx, request, &values, blind).await?,
                Some(person) => {
                    rectify(house, &opened, ctx, person, &values, request.idempotency.as_ref()).await?
                }
            };
            if let Ok((person, logged)) = tried {
                let fields = fields_of(&request.fields);
                return answer(&house.store.snapshot()?, &opened, &live, person, fields, Some(logged));
            }
        }
        Err(PutError::Fault(Fault::Busy))
    }

    /// Changes values of a person found by id.
    pub async fn rectify(
        &self,
        ctx: &Context,
        tenant: TenantId,
        person: PersonId,
        fields: &BTreeMap<String, Zeroizing<String>>,
    ) -> Result<PutAnswer, PutError> {
        let house = &self.house;
        let opened = house.tenant(tenant).ok_or(PutError::Denied(Reason::WrongTenant))?;
        let live = opened.live();
        allowed(&ctx.actor.principal, Action::Rectify, tenant, Some(person), Some(live.state))
            .map_err(PutError::Denied)?;
        house.ledger_ready()?;
        let values = check(&live, fields)?;
        for _ in 0..TRIES {
            if let Ok((person, logged)) = rectify(house, &opened, ctx, person, &values, None).await? {
                let fields = fields_of(fields);
                return answer(&house.store.snapshot()?, &opened, &live, person, fields, Some(logged));
            }
        }
        Err(PutError::Fault(Fault::Busy))
    }

    /// The answer of an earlier request with the same idempotency key.
    fn replay(
        &self,
        tenant: &Tenant,
        live: &Live,
        request: &PutRequest,
    ) -> Result<Option<PutAnswer>, PutError> {
        let Some(wanted) = &request.idempotency else { return Ok(None) };
        let blind = tenant.index(&self.house, IDEMPOTENCY_INDEX)?.blind(&wanted.key);
        let snapshot = self.house.store.snapshot()?;
        let Some(row) = snapshot.idempotency(tenant.id, &blind)? else { return Ok(None) };
        let id = PersonId(row.reference.ok_or(PutError::IdempotencyMismatch)?);
        let person = Person::read(&snapshot, tenant.id, id)?.ok_or(PutError::UnknownPerson)?;
        let secret = person.log_secret(tenant)?.ok_or(PutError::UnknownPerson)?;
        if !secret.is_request(&wanted.request, &row.request_hash) {
            return Err(PutError::IdempotencyMismatch);
        }
        answer(&snapshot, tenant, live, id, fields_of(&request.fields), None).map(Some)
    }
}

pub(crate) fn check_reference(reference: &str) -> Result<(), PutError> {
    let fits = (1..=MAX_REF).contains(&reference.len()) && !reference.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(PutError::Reference) }
}

fn check(live: &Live, fields: &BTreeMap<String, Zeroizing<String>>) -> Result<Vec<Checked>, PutError> {
    if fields.is_empty() || fields.len() > MAX_FIELDS {
        return Err(PutError::Size);
    }
    let check_one = |(index, (name, value)): (usize, (&String, &Zeroizing<String>))| {
        let field = live.config.field(name).ok_or(PutError::UnknownField(index))?;
        let value = field.normalise(value).map_err(|error| PutError::Value(index, error))?;
        Ok(Checked { field: field.clone(), value: Zeroizing::new(value) })
    };
    fields.iter().enumerate().map(check_one).collect()
}

type Tried = Result<(PersonId, Logged), Conflict>;

async fn create(
    house: &std::sync::Arc<House>,
    tenant: &Tenant,
    ctx: &Context,
    request: &PutRequest,
    values: &[Checked],
    blind: [u8; 16],
) -> Result<Tried, PutError> {
    let now = house.clock.now()?;
    let person = PersonId::fresh(&*house.clock, &*house.entropy);
    let (epoch, epoch_key) = tenant.current_epoch(house, now)?;
    let compartments: BTreeSet<Compartment> =
        values.iter().map(|one| one.field.compartment).chain([Compartment(0)]).collect();
    let compartments: Vec<Compartment> = compartments.into_iter().collect();
    let mut keys = PersonKeys::generate(&compartments, &*house.entropy)?;
    let mut rows = Vec::with_capacity(compartments.len());
    for compartment in compartments {
        let mut record: Vec<Value<'_>> = of_compartment(values, compartment);
        if compartment.0 == 0 {
            record.push(Value {
                field: REF_FIELD,
                category: Category::Identity,
                bytes: request.reference.as_bytes(),
            });
        }
        rows.push(DataOp::PutRecord(seal_version(
            house,
            tenant,
            person,
            &mut keys,
            compartment,
            1,
            &record,
        )?));
    }
    done(house.store.apply_data("put_records", rows).await)?;
    house.step(Step::CreateWritten);
    let place = PersonPlace { tenant: tenant.id, person, epoch, row_version: 1 };
    let wrapped = keys.wrap(&epoch_key, &place, &*house.entropy)?;
    let row = PersonRow {
        tenant: tenant.id,
        person,
        state: PersonState::Live,
        version: 1,
        epoch,
        flags: 0,
        wrapped: Some(Sealed(wrapped)),
        created: now,
    };
    let mut ops = vec![
        KeyOp::InsertPerson(row),
        KeyOp::InsertIndex {
            row: IndexRow { tenant: tenant.id, person, index: REF_FIELD, hash: blind },
            unique: true,
        },
    ];
    for one in values {
        ops.extend(index_ops(house, tenant, person, one)?);
        ops.extend(token_ops(house, tenant, &house.store.snapshot()?, person, one)?);
    }
    if let Some(wanted) = &request.idempotency {
        ops.push(idempotency_op(house, tenant, wanted, keys.log_secret(), person, now)?);
    }
    let entry = entry(house, tenant, ctx, Event::Create, now, &keys, person, values)?;
    let steps = [Step::CreateCommitted, Step::CreateShipped];
    let actor = Some(ctx.actor.principal.id);
    let change = Change { name: "put_person", tenant: tenant.id, actor, ops, entry, steps };
    let committed = change::commit(house, change).await?;
    Ok(committed.map(|logged| (person, logged)))
}

/// A rectification as far as it goes without waiting for anything.
pub(crate) struct Rectification {
    pub(crate) person: Person,
    pub(crate) keys: PersonKeys,
    /// What was current of the records that it touches.
    pub(crate) seen: Seen,
    pub(crate) rows: Vec<DataOp>,
    pub(crate) job: NewJob,
    pub(crate) ops: Vec<KeyOp>,
}

/// What becomes of a person's values.
pub(crate) struct Changes<'a> {
    /// These take the place of what was there.
    pub(crate) values: &'a [Checked],
    /// These go.
    pub(crate) removed: &'a [Field],
    /// The provisional person whose tokens become this one's; without one, fields without a token get one.
    pub(crate) tokens_of: Option<PersonId>,
}

async fn rectify(
    house: &std::sync::Arc<House>,
    tenant: &Tenant,
    ctx: &Context,
    id: PersonId,
    values: &[Checked],
    idempotency: Option<&Idempotency>,
) -> Result<Tried, PutError> {
    let now = house.clock.now()?;
    let changes = Changes { values, removed: &[], tokens_of: None };
    let Rectification { keys, rows, job, mut ops, .. } = prepare(house, tenant, ctx, id, &changes, now)?;
    if let Some(wanted) = idempotency {
        ops.push(idempotency_op(house, tenant, wanted, keys.log_secret(), id, now)?);
    }
    if let Applied::Conflict(conflict) = change::write_first(house, "put_records", rows, job).await? {
        return Ok(Err(conflict));
    }
    house.step(Step::RectifyWritten);
    let entry = entry(house, tenant, ctx, Event::Rectify, now, &keys, id, values)?;
    let steps = [Step::RectifyCommitted, Step::RectifyShipped];
    let actor = Some(ctx.actor.principal.id);
    let change = Change { name: "rectify", tenant: tenant.id, actor, ops, entry, steps };
    let committed = change::commit(house, change).await?;
    Ok(committed.map(|logged| (id, logged)))
}

/// Has the replaced versions removed a little later, when no read that was decided before can still want them.
pub(crate) fn sweep_later(house: &House, person: &Person, now: Timestamp) -> Result<NewJob, Fault> {
    let row = &person.row;
    let replaced = Replaced { tenant: row.tenant, person: row.person, change: Try::on(house, row.version) };
    Ok(NewJob {
        id: model::RequestId::fresh(&*house.clock, &*house.entropy).0,
        kind: VERSIONS_JOB.to_owned(),
        payload: trail::encode(&replaced)?,
        due: now.plus_ms(SWEEP_DELAY_MS),
        created: now,
    })
}

pub(crate) fn prepare(
    house: &House,
    tenant: &Tenant,
    ctx: &Context,
    id: PersonId,
    changes: &Changes<'_>,
    now: Timestamp,
) -> Result<Rectification, PutError> {
    let values = changes.values;
    let snapshot = house.store.snapshot()?;
    let person = Person::read(&snapshot, tenant.id, id)?.ok_or(PutError::UnknownPerson)?;
    if person.row.state != PersonState::Live {
        return Err(PutError::UnknownPerson);
    }
    let mut keys = person.keys(tenant)?;
    let lying = snapshot.records_of(tenant.id, id)?;
    let keeping = keeping::Keeping { snapshot: &snapshot, tenant, ctx, person: &person, changes, now };
    let fields = values.iter().map(|one| &one.field).chain(changes.removed);
    let touched: BTreeSet<Compartment> = fields.map(|field| field.compartment).collect();
    let seen = submit::seen(&keys, touched.iter().copied());
    let mut rows = Vec::new();
    for compartment in touched {
        let kept = keeping.read(&keys, compartment)?;
        let mut record = of_compartment(values, compartment);
        record.extend(kept.iter().map(|(field, category, bytes)| Value {
            field: *field,
            category: *category,
            bytes,
        }));
        // Above every version that lies in the file, also one that a crashed or a simultaneous change left
        // there unreachable: a version is written once.
        let lying = lying.iter().filter(|key| key.compartment == compartment);
        let version = lying.map(|key| key.version).max().unwrap_or(0) + 1;
        keys.add_compartment(compartment, &*house.entropy)?;
        rows.push(DataOp::PutRecord(seal_version(
            house,
            tenant,
            id,
            &mut keys,
            compartment,
            version,
            &record,
        )?));
    }
    let mut ops = vec![person.rewrapped(house, tenant, &keys, None)?];
    if let Some(provisional) = changes.tokens_of {
        ops.push(KeyOp::DeleteTokensOf { tenant: tenant.id, person: provisional, field: None });
    }
    let standing = Standing::read(&snapshot, tenant.id, id)?;
    for one in values {
        ops.push(KeyOp::DeleteIndexesOf { tenant: tenant.id, person: id, index: Some(one.field.id) });
        ops.extend(index_ops(house, tenant, id, one)?);
        if one.field.stable {
            ops.extend(tokens::replace(house, tenant, &snapshot, &standing, one)?);
        } else if changes.tokens_of.is_none() && !standing.has_token(one.field.id) {
            ops.extend(token_ops(house, tenant, &snapshot, id, one)?);
        }
    }
    for field in changes.removed {
        ops.push(KeyOp::DeleteIndexesOf { tenant: tenant.id, person: id, index: Some(field.id) });
        ops.extend(let_go(&snapshot, tenant.id, &standing, field)?);
    }
    let job = sweep_later(house, &person, now)?;
    Ok(Rectification { person, keys, seen, rows, job, ops })
}

/// The field in which the app's reference is sealed.
pub(crate) fn reference_field() -> Field {
    Field {
        id: REF_FIELD,
        name: "ref".to_owned(),
        category: Category::Identity,
        kind: model::catalogue::FieldType::Text,
        mask: model::catalogue::MaskRule::Redact,
        index: Index::Equality,
        token: model::catalogue::TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 256,
    }
}

/// Whether the use of none of these fields is restricted: then a form of the app does not change them (GDPR 18(2)).
pub(crate) fn not_restricted<'a>(
    person: &Person,
    fields: impl IntoIterator<Item = &'a Field>,
) -> Result<(), PutError> {
    let facts = person.facts();
    let covers =
        |scope: &FieldScope, field: FieldId| *scope == FieldScope::All || *scope == FieldScope::One(field);
    let is_free = |field: &Field| !facts.restricted.iter().any(|scope| covers(scope, field.id));
    if fields.into_iter().all(is_free) { Ok(()) } else { Err(PutError::Denied(Reason::Restricted)) }
}

pub(crate) fn of_compartment(values: &[Checked], compartment: Compartment) -> Vec<Value<'_>> {
    let of = values.iter().filter(|one| one.field.compartment == compartment);
    of.map(|one| Value { field: one.field.id, category: one.field.category, bytes: one.value.as_bytes() })
        .collect()
}

pub(crate) fn seal_version(
    house: &House,
    tenant: &Tenant,
    person: PersonId,
    keys: &mut PersonKeys,
    compartment: Compartment,
    version: u32,
    values: &[Value<'_>],
) -> Result<RecordRow, Fault> {
    keys.set_record_version(compartment, version)?;
    let place =
        RecordPlace { tenant: tenant.id, person, table: TABLE_PERSON, compartment, version, key_version: 1 };
    let sealed = seal_record(keys, &place, values, &*house.entropy)?;
    let key = RecordKey { tenant: tenant.id, person, compartment, version };
    Ok(RecordRow { key, sealed: Sealed(sealed) })
}

pub(crate) fn index_ops(
    house: &House,
    tenant: &Tenant,
    person: PersonId,
    one: &Checked,
) -> Result<Option<KeyOp>, PutError> {
    if one.field.index != Index::Equality {
        return Ok(None);
    }
    let form = one.field.index_form(&one.value);
    let hash = tenant.index(house, one.field.id)?.blind(&form);
    let row = IndexRow { tenant: tenant.id, person, index: one.field.id, hash };
    Ok(Some(KeyOp::InsertIndex { row, unique: false }))
}

fn idempotency_op(
    house: &House,
    tenant: &Tenant,
    wanted: &Idempotency,
    secret: &LogSecret,
    person: PersonId,
    now: Timestamp,
) -> Result<KeyOp, Fault> {
    Ok(KeyOp::InsertIdempotency(store::IdempotencyRow {
        tenant: tenant.id,
        key_hash: tenant.index(house, IDEMPOTENCY_INDEX)?.blind(&wanted.key),
        request_hash: secret.request_mac(&wanted.request),
        status: 201,
        reference: Some(person.0),
        created: now,
    }))
}

impl Vault {
    /// Forgets idempotency keys that were used more than [`IDEMPOTENCY_MS`] ago. Returns whether any are left.
    pub async fn prune_idempotency(&self) -> Result<bool, Fault> {
        let house = &self.house;
        let before = house.clock.now()?.plus_ms(-IDEMPOTENCY_MS);
        let prune = KeyOp::PruneIdempotency { before, limit: PRUNED_AT_ONCE };
        done(house.store.apply_keys("prune_idempotency", vec![prune]).await)?;
        Ok(house.store.snapshot()?.idempotency_before(before)?)
    }
}

#[expect(clippy::too_many_arguments, reason = "the parts of one entry")]
pub(crate) fn entry(
    house: &House,
    tenant: &Tenant,
    ctx: &Context,
    event: Event,
    now: Timestamp,
    keys: &PersonKeys,
    person: PersonId,
    values: &[Checked],
) -> Result<trail::Sealed, Fault> {
    let actor = &ctx.actor.principal;
    let mut metadata = Metadata::of(event, now, ctx.request, Verdict::Permit);
    for one in values {
        metadata.categories |= 1 << (one.field.category as u8);
    }
    let fields = values.iter().map(|one| (one.field.id, Outcome::Permit)).collect();
    let detail = SubjectDetail { person, fields, actor: actor.id, role: actor.role };
    trail::seal_entry(house, tenant, metadata, &[Subject { secret: keys.log_secret(), detail }], &ctx.actor)
}

/// The names of fields that were handed in.
fn fields_of(fields: &BTreeMap<String, Zeroizing<String>>) -> BTreeSet<&str> {
    fields.keys().map(String::as_str).collect()
}

/// The person with the tokens of these fields in the shapes that the catalogue wants. Tokens of other fields would tell
/// which other values she has.
fn answer(
    snapshot: &Snapshot,
    tenant: &Tenant,
    live: &Live,
    person: PersonId,
    fields: BTreeSet<&str>,
    logged: Option<Logged>,
) -> Result<PutAnswer, PutError> {
    let mut tokens = BTreeMap::new();
    for row in snapshot.tokens_of(tenant.id, person)? {
        let field = live.config.field_by_id(row.field);
        if let Some(field) = field.filter(|field| fields.contains(field.name.as_str())) {
            tokens.insert(field.name.clone(), StorageToken::from_bytes(row.token).format(field.token));
        }
    }
    Ok(PutAnswer { person, tokens, logged })
}
