//! What becomes of a record at one event, and of the others that go with it; in one commit.

use super::{ConsentChanged, ConsentError, RecordedEvent, event_place, read_event};
use crate::change::{self, Change};
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::people::Person;
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::{self, Event, Metadata, Subject, SubjectDetail, Verdict};
use crate::{Context, document_row};
use model::Timestamp;
use model::consent::{ConsentActor, ConsentEvent, ConsentState};
use seal::PersonKeys;
use std::sync::Arc;
use store::{ConsentRow, DataOp, KeyOp, PersonState, Snapshot};

/// One move of a record.
pub(super) struct Move {
    pub(super) name: &'static str,
    pub(super) steps: [Step; 2],
    pub(super) event: RecordedEvent,
    pub(super) row: ConsentRow,
    /// Whether the record is a new one.
    pub(super) fresh: bool,
}

/// Takes a step; `None` when somebody changed the person or the record meanwhile.
pub(super) async fn commit(
    house: &Arc<House>,
    tenant: &Tenant,
    ctx: &Context,
    step: Move,
) -> Result<Option<ConsentChanged>, ConsentError> {
    let (name, steps, row, fresh) = (step.name, step.steps, step.row, step.fresh);
    let Moves { person, keys, moves } = follow(house, tenant, ctx, step)?;
    let mut ops = vec![person.rewrapped(house, tenant, &keys, None)?];
    for (row, state, event) in &moves {
        let Some(version) = write_event(house, tenant, &keys, row, event).await? else { return Ok(None) };
        ops.push(moved(row, *state, version, event.at, fresh));
    }
    let [(_, state, event), ..] = moves.as_slice() else { return Err(Fault::Corrupt.into()) };
    let entry = entry(house, tenant, ctx, &row, event, &keys)?;
    let change = Change { name, tenant: tenant.id, actor: Some(ctx.actor.principal.id), ops, entry, steps };
    let committed = change::commit(house, change).await?;
    let changed = |logged| ConsentChanged { consent: row.consent, state: *state, until: row.until, logged };
    Ok(committed.ok().map(changed))
}

/// What a move comes to: where the record goes, and every other one that goes with it.
struct Moves {
    person: Person,
    keys: PersonKeys,
    /// The record that was named comes first.
    moves: Vec<(ConsentRow, ConsentState, RecordedEvent)>,
}

fn follow(house: &House, tenant: &Tenant, ctx: &Context, step: Move) -> Result<Moves, ConsentError> {
    let Move { mut event, row, fresh, .. } = step;
    let snapshot = house.store.snapshot()?;
    let person = Person::read(&snapshot, tenant.id, row.person)?.ok_or(ConsentError::UnknownPerson)?;
    if person.row.state != PersonState::Live {
        return Err(ConsentError::UnknownPerson);
    }
    let acting = if ctx.actor.principal.subject == Some(row.person) {
        ConsentActor::Person
    } else {
        ConsentActor::Controller
    };
    let before = if fresh { None } else { Some(row.state.at(row.until, event.at)) };
    let state = model::consent::next(before, event.event, acting).map_err(|_| ConsentError::State)?;
    let keys = person.keys(tenant)?;
    if !fresh {
        let latest = read_event(&snapshot, &keys, &row, row.event)?;
        (event.number, event.previous) = (latest.number, row.event);
    }
    event.number += 1;
    let mut moves = vec![(row, state, event.clone())];
    if matches!(event.event, ConsentEvent::Refuse | ConsentEvent::Withdraw) {
        moves.extend(taken_back_with(&snapshot, &keys, &row, &event)?);
    }
    Ok(Moves { person, keys, moves })
}

/// A record's row after an event.
fn moved(row: &ConsentRow, state: ConsentState, event: u32, changed: Timestamp, fresh: bool) -> KeyOp {
    if fresh {
        return KeyOp::InsertConsent(ConsentRow { event, state, ..*row });
    }
    KeyOp::UpdateConsent {
        tenant: row.tenant,
        consent: row.consent,
        expected_version: row.version,
        state,
        explicit: row.explicit,
        until: row.until,
        notice: row.notice,
        notice_version: row.notice_version,
        event,
        changed,
    }
}

/// Every other record for the same purpose and recipient that permits. A no is a no to all of them, however often she
/// was asked: after it nobody reads her data for this (invariant 4).
fn taken_back_with(
    snapshot: &Snapshot,
    keys: &PersonKeys,
    said_no: &ConsentRow,
    event: &RecordedEvent,
) -> Result<Vec<(ConsentRow, ConsentState, RecordedEvent)>, ConsentError> {
    let rows = snapshot.consents_for(said_no.tenant, said_no.person, said_no.purpose, said_no.recipient)?;
    let mut taken_back = Vec::new();
    for row in rows.into_iter().filter(|row| row.consent != said_no.consent && row.state.permits()) {
        let latest = read_event(snapshot, keys, &row, row.event)?;
        let (number, previous) = (latest.number + 1, row.event);
        let event = RecordedEvent { event: ConsentEvent::Withdraw, number, previous, ..event.clone() };
        taken_back.push((row, ConsentState::Withdrawn, event));
    }
    Ok(taken_back)
}

async fn write_event(
    house: &House,
    tenant: &Tenant,
    keys: &PersonKeys,
    row: &ConsentRow,
    event: &RecordedEvent,
) -> Result<Option<u32>, ConsentError> {
    let version = u32::from_be_bytes(model::clock::random(&*house.entropy)).max(1);
    let place = event_place(tenant.id, row.consent, version);
    let body = trail::encode(event)?;
    let sealed = seal::seal_personal_document(keys, &place, row.person, &body, &*house.entropy)?;
    let put = DataOp::PutDocument { row: document_row(&place, sealed, house), expected_absent: true };
    Ok(match applied(house.store.apply_data("consent_event", vec![put]).await)? {
        Applied::Done => {
            house.step(Step::ConsentWritten);
            Some(version)
        }
        Applied::Conflict(_) => None,
    })
}

fn entry(
    house: &House,
    tenant: &Tenant,
    ctx: &Context,
    row: &ConsentRow,
    event: &RecordedEvent,
    keys: &PersonKeys,
) -> Result<trail::Sealed, Fault> {
    let kind = match event.event {
        ConsentEvent::Request => Event::ConsentRequested,
        ConsentEvent::Show => Event::NoticeShown,
        ConsentEvent::Give => Event::ConsentGiven,
        ConsentEvent::Refuse | ConsentEvent::Defer => Event::ConsentRefused,
        ConsentEvent::Withdraw
        | ConsentEvent::Expire
        | ConsentEvent::Terminate
        | ConsentEvent::Invalidate => Event::ConsentWithdrawn,
    };
    let mut metadata = Metadata::of(kind, event.at, ctx.request, Verdict::Permit);
    metadata.purpose = row.purpose.0;
    metadata.recipient = row.recipient.0;
    metadata.consent = Some(row.consent);
    let actor = &ctx.actor.principal;
    let detail = SubjectDetail { person: row.person, fields: Vec::new(), actor: actor.id, role: actor.role };
    trail::seal_entry(house, tenant, metadata, &[Subject { secret: keys.log_secret(), detail }], &ctx.actor)
}
