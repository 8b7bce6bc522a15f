//! Taking a submission in: values are sorted and checked, and written under keys of their own.

use super::card::{Card, forget_data, place, seen};
use super::{MAX_VALUES, NewSubmission, SubmitError, Whose};
use crate::config::REF_FIELD;
use crate::document_row;
use crate::fault::{Applied, Fault, applied};
use crate::house::House;
use crate::keys::done;
use crate::people::Person;
use crate::put::{self, Checked, check_reference, of_compartment, seal_version, token_for};
use crate::steps::Step;
use crate::tenant::Tenant;
use crate::trail::Actor;
use crate::view::{Hidden, VIEW_PREFIX};
use model::catalogue::{Category, Field};
use model::reference::is_canonical;
use model::token::StorageToken;
use model::{Compartment, PersonId, Timestamp};
use seal::{PersonKeys, PersonPlace, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{DataOp, KeyOp, PersonRow, PersonState, Sealed, Snapshot};
use zeroize::Zeroizing;

/// What the gateway shows where there is nothing to show. Nobody types it.
const MASKS: [&str; 2] = ["[masked]", "[erased]"];

/// A submission as it was read.
pub(super) struct Sorted {
    pub(super) checked: Vec<Checked>,
    /// For each checked value its place among the values.
    pub(super) places: Vec<usize>,
    pub(super) removed: Vec<Field>,
    pub(super) texts: Vec<String>,
}

pub(super) fn target_of(
    house: &House,
    tenant: &Tenant,
    whose: &Whose,
) -> Result<Option<PersonId>, SubmitError> {
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

pub(super) fn find(
    house: &House,
    tenant: &Tenant,
    snapshot: &Snapshot,
    reference: &str,
) -> Result<Option<PersonId>, Fault> {
    let blind = tenant.blind_ref(house, reference)?;
    Ok(snapshot.persons_by_index(tenant.id, REF_FIELD, &blind, 1)?.first().copied())
}

/// Parts values into new ones, empty ones, and those that stay.
pub(super) fn sort(
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
    let standing = match target {
        Some(target) => Some(put::Standing::read(&house.store.snapshot()?, tenant.id, target)?),
        None => None,
    };
    let texts = vec![String::new(); new.values.len()];
    let mut sorted = Sorted { checked: Vec::new(), places: Vec::new(), removed: Vec::new(), texts };
    for (number, (name, value)) in new.values.iter().enumerate() {
        let field = live.config.field(name).ok_or(SubmitError::UnknownField(number))?;
        if value.starts_with(VIEW_PREFIX) {
            let hidden = house.views.open(tenant.id, &form, value, now);
            let fits = |hidden: &Hidden| hidden.field == field.id && Some(hidden.person) == target;
            let hidden = hidden.filter(fits).ok_or(SubmitError::Stale)?;
            sorted.texts[number] = standing
                .as_ref()
                .and_then(|standing| standing.present(&hidden.token, hidden.field))
                .map_or_else(String::new, |token| token.format(field.token));
        } else if MASKS.contains(&value.as_str()) {
            // A page's program sent back what stood there in place of a value.
            return Err(SubmitError::Stale);
        } else if value.is_empty() {
            // Only what is there can go: a form sends its empty fields, too.
            let is_there = standing.as_ref().is_some_and(|standing| standing.has(field.id));
            sorted.removed.extend(is_there.then(|| field.clone()));
        } else {
            let value = field.normalise(value).map_err(|error| SubmitError::Value(number, error))?;
            sorted.checked.push(Checked { field: field.clone(), value: Zeroizing::new(value) });
            sorted.places.push(number);
        }
    }
    Ok(sorted)
}

/// Writes a provisional person and answers her tokens; none when a token was taken already, to be tried again.
pub(super) async fn write(
    house: &Arc<House>,
    tenant: &Tenant,
    (id, by): (PersonId, Option<&Actor>),
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
    let card = card(house, tenant, (new, by), (target, checked, removed), now)?.encode()?;
    let at = place(tenant.id, id);
    let sealed = tenant.metadata.seal_document(&at, &card, &*house.entropy)?;
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

/// What is kept beside the provisional person.
fn card(
    house: &House,
    tenant: &Tenant,
    (new, by): (&NewSubmission, Option<&Actor>),
    (target, checked, removed): (Option<PersonId>, &[Checked], &[Field]),
    now: Timestamp,
) -> Result<Card, SubmitError> {
    let fields = || checked.iter().map(|one| &one.field).chain(removed);
    let touched: BTreeSet<Compartment> = fields().map(|field| field.compartment).collect();
    let reference = match &new.whose {
        Whose::Create(reference) if target.is_none() => Some(tenant.blind_ref(house, reference)?),
        _ => None,
    };
    let seen = match target {
        None => touched.into_iter().map(|one| (one, 0)).collect(),
        Some(target) => {
            let person = Person::read(&house.store.snapshot()?, tenant.id, target)?;
            let person = person.filter(|person| person.row.state == PersonState::Live);
            let person = person.ok_or(SubmitError::Person)?;
            if by.is_none_or(|by| by.principal.subject != Some(target)) {
                put::not_restricted(&person, fields())?;
            }
            seen(&person.keys(tenant)?, touched)
        }
    };
    let removed = removed.iter().map(|field| field.id).collect();
    let by = by.map(|actor| actor.principal.id);
    Ok(Card { target, new: new.whose == Whose::New, reference, by, removed, created: now, seen })
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

pub(super) fn reference_value(reference: &str) -> Value<'_> {
    Value { field: REF_FIELD, category: Category::Identity, bytes: reference.as_bytes() }
}
