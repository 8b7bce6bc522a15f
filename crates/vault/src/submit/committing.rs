//! Making a submission real, in one plan with the ledger's entry.

use super::SubmitError;
use super::card::{Card, abandon, forget_data, read_card};
use super::taking::{find, reference_value};
use crate::Context;
use crate::change::{self, Change, Logged};
use crate::config::{REF_FIELD, document};
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::keys::actor_of;
use crate::people::Person;
use crate::put::{
    self, Changes, Checked, Rectification, TRIES, check_reference, index_ops, of_compartment, seal_version,
    sweep_later, token_ops,
};
use crate::reveal::OpenPerson;
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::{Actor, Event};
use model::catalogue::Field;
use model::decision::{Action, Decision, Facts, PersonFacts, Reason, Request, decide};
use model::{Compartment, FieldId, PersonId, PrincipalId, RecipientId, Timestamp};
use seal::{PersonKeys, PersonPlace};
use std::sync::Arc;
use store::{Conflict, DataOp, IndexRow, KeyOp, PersonState, PrincipalState, Sealed, Wrap};
use zeroize::Zeroizing;

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
pub(super) struct How<'a> {
    /// Who typed it, where that is still known.
    pub(super) by: Option<Actor>,
    /// The reference that the app gave somebody new.
    pub(super) reference: Option<&'a str>,
    /// Whether the app only shows afterwards that it has kept it: then nothing newer may stand there.
    pub(super) late: bool,
}

/// Makes a submission real. Done already is done.
pub(super) async fn commit(
    house: &Arc<House>,
    tenant: &Tenant,
    app: &Context,
    How { by, reference, late }: How<'_>,
    id: PersonId,
) -> Result<Option<Logged>, SubmitError> {
    for _ in 0..TRIES {
        let now = house.clock.now()?;
        let Some(opened) = open(house, tenant, app, id, now)? else { return Ok(None) };
        let actor = match (&by, opened.card.by) {
            (Some(by), _) => by.clone(),
            (None, Some(principal)) => who_typed(house, tenant, principal)?,
            (None, None) => app.actor.clone(),
        };
        let ctx = Context { actor, request: app.request };
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
            found
        };
        let tried = match target {
            Some(target) => move_to(house, tenant, (app, &ctx), &opened, (target, late), now).await?,
            None => {
                let reference = opened.reference.as_deref().map(String::as_str).or(reference);
                make_real(house, tenant, &ctx, &opened, reference.unwrap_or_default(), now).await?
            }
        };
        if let Ok(logged) = tried {
            house.waiting.drop_unknown(id);
            // It is committed whether or not this succeeds; what it misses goes with its term.
            let _ = forget_data(house, tenant.id, id).await;
            return Ok(Some(logged));
        }
    }
    Err(Fault::Busy.into())
}

/// Ends a submission that is never committed, though the app has kept it. Its values go. Its tokens lead to what stands there
/// instead, where the person is here: the app has no others any more.
pub(super) async fn give_up(
    house: &Arc<House>,
    tenant: &Tenant,
    id: PersonId,
    error: SubmitError,
) -> Result<(), SubmitError> {
    let stays = matches!(
        error,
        SubmitError::Stale | SubmitError::Denied(Reason::Restricted) | SubmitError::Fault(Fault::Revoked)
    );
    for _ in 0..TRIES {
        let ops = if stays { handed_over(house, tenant, id)? } else { None };
        let Some(ops) = ops else { break };
        if matches!(applied(house.store.apply_keys("hand_over", ops).await)?, Applied::Done) {
            break;
        }
    }
    abandon(house, tenant.id, id).await
}

/// A plan by which a submission's tokens become those of the person whose data it was to change, and nothing else of it
/// remains.
fn handed_over(house: &House, tenant: &Tenant, id: PersonId) -> Result<Option<Vec<KeyOp>>, SubmitError> {
    let snapshot = house.store.snapshot()?;
    let provisional =
        snapshot.person_head(tenant.id, id)?.filter(|head| head.state == PersonState::Provisional);
    let card = snapshot.document(tenant.id, document::SUBMISSION, id.0, 1)?;
    let (Some(provisional), Some(card)) = (provisional, card) else { return Ok(None) };
    let card = read_card(tenant, id, &card.sealed.0)?;
    let target = match (card.target, card.reference) {
        (None, Some(reference)) => {
            snapshot.persons_by_index(tenant.id, REF_FIELD, &reference, 1)?.first().copied()
        }
        (target, _) => target,
    };
    let Some(target) = target else { return Ok(None) };
    let person = Person::read(&snapshot, tenant.id, target)?.filter(|one| one.row.state == PersonState::Live);
    let Some(person) = person else { return Ok(None) };
    // Wrapped anew, so that this is not done to somebody who is erased meanwhile.
    let mut ops = vec![
        person.rewrapped(house, tenant, &person.keys(tenant)?, None)?,
        KeyOp::DeleteTokensOf { tenant: tenant.id, person: id, field: None },
    ];
    for token in snapshot.tokens_of(tenant.id, id)? {
        ops.push(KeyOp::InsertToken(store::TokenRow { person: target, ..token }));
    }
    ops.push(KeyOp::ForgetPerson { tenant: tenant.id, person: id, expected_version: provisional.version });
    Ok(Some(ops))
}

/// Who typed a submission of an earlier request, as long as he is let in.
fn who_typed(house: &House, tenant: &Tenant, principal: PrincipalId) -> Result<Actor, SubmitError> {
    let row = house.store.snapshot()?.principal(tenant.id, principal)?;
    let row = row.filter(|row| row.state == PrincipalState::Active).ok_or(Fault::Revoked)?;
    actor_of(house, tenant, &row)
        .map_err(|fault| if fault == Fault::Corrupt { Fault::Revoked } else { fault }.into())
}

/// Values and tokens become those of a person who is here.
async fn move_to(
    house: &Arc<House>,
    tenant: &Tenant,
    (app, ctx): (&Context, &Context),
    opened: &Opened,
    (target, late): (PersonId, bool),
    now: Timestamp,
) -> Result<Result<Logged, Conflict>, SubmitError> {
    let id = opened.person.row.person;
    let live = tenant.live();
    let removed: Vec<Field> =
        opened.card.removed.iter().filter_map(|field| live.config.field_by_id(*field).cloned()).collect();
    let changes = Changes { values: &opened.values, removed: &removed, tokens_of: Some(id) };
    let tokens = house.store.snapshot()?.tokens_of(tenant.id, id)?;
    let prepared = put::prepare(house, tenant, app, target, &changes, now)?;
    let Rectification { person, keys, seen, rows, job, mut ops } = prepared;
    if ctx.actor.principal.subject != Some(target) {
        let fields = opened.values.iter().map(|one| &one.field).chain(&removed);
        put::not_restricted(&person, fields)?;
    }
    if late && !seen.iter().all(|one| opened.card.seen.contains(one)) {
        return Err(SubmitError::Stale);
    }
    let is_stable = |field: FieldId| live.config.field_by_id(field).is_some_and(|field| field.stable);
    for token in tokens.into_iter().filter(|token| !is_stable(token.field)) {
        ops.push(KeyOp::InsertToken(store::TokenRow { person: target, ..token }));
    }
    let (tenant_id, expected_version) = (tenant.id, opened.person.row.version);
    ops.push(KeyOp::ForgetPerson { tenant: tenant_id, person: id, expected_version });
    if let Applied::Conflict(conflict) = change::write_first(house, "put_records", rows, job).await? {
        return Ok(Err(conflict));
    }
    house.step(Step::SubmissionMoved);
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
    house.step(Step::SubmissionRewritten);
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
