//! How each operation on the key store runs. The order of a plan is the caller's; the first failure ends it.

mod house;
mod persons;
mod rights;
mod tenants;

use super::decode::Coded;
use super::fault::Ended;
use super::writer::Plans;
use crate::ops::KeyOp;
use model::PersonId;
use rusqlite::{Connection, params};

/// What an operation answers.
type Done = Result<(), Ended>;

/// The plans of `keys.db`.
pub(super) struct KeyPlans;

impl Plans for KeyPlans {
    type Plan = Vec<KeyOp>;
    type Answer = ();
    const THREAD: &'static str = "store-keys";

    fn run(on: &Connection, plan: &Vec<KeyOp>) -> Done {
        plan.iter().try_for_each(|op| apply(on, op))
    }

    fn touches(plan: &Vec<KeyOp>) -> impl Iterator<Item = PersonId> {
        plan.iter().filter_map(|op| match op {
            KeyOp::InsertPerson(row) => Some(row.person),
            KeyOp::UpdatePerson { person, .. }
            | KeyOp::BumpPerson { person, .. }
            | KeyOp::ForgetPerson { person, .. }
            | KeyOp::RewrapPerson { person, .. } => Some(*person),
            _ => None,
        })
    }
}

fn apply(on: &Connection, op: &KeyOp) -> Done {
    match op {
        KeyOp::InsertTenant(row) => tenants::insert_tenant(on, row),
        KeyOp::SetTenantState { tenant, expected_version, state } => {
            tenants::set_state(on, *tenant, *expected_version, *state)
        }
        KeyOp::SetConfigVersion { tenant, expected, new } => {
            tenants::set_config_version(on, *tenant, *expected, *new)
        }
        KeyOp::InsertTenantKey(row) => tenants::insert_tenant_key(on, row),
        KeyOp::InsertSubKey(row) => tenants::insert_sub_key(on, row),
        KeyOp::RewrapSubKey { row, expected_generation } => {
            tenants::rewrap_sub_key(on, row, *expected_generation)
        }
        KeyOp::PutEpoch(row) => tenants::put_epoch(on, row),

        KeyOp::InsertPerson(row) => persons::insert_person(on, row),
        KeyOp::UpdatePerson { tenant, person, expected_version, state, flags, wrapped } => {
            persons::update_person(on, (*tenant, *person), *expected_version, *state, *flags, wrapped)
        }
        KeyOp::BumpPerson { tenant, person, expected_version } => {
            persons::bump_person(on, (*tenant, *person), *expected_version)
        }
        KeyOp::ForgetPerson { tenant, person, expected_version } => {
            persons::forget_person(on, (*tenant, *person), *expected_version)
        }
        KeyOp::RewrapPerson { tenant, person, expected_version, expected_epoch, epoch, wrapped } => {
            let expected = (*expected_version, *expected_epoch);
            persons::rewrap_person(on, (*tenant, *person), expected, *epoch, wrapped)
        }
        KeyOp::InsertIndex { row, unique } => persons::insert_index(on, row, *unique),
        KeyOp::DeleteIndexesOf { tenant, person, index } => {
            persons::delete_indexes(on, (*tenant, *person), *index)
        }
        KeyOp::InsertToken(row) => persons::insert_token(on, row),
        KeyOp::DeleteTokensOf { tenant, person, field } => {
            persons::delete_tokens(on, (*tenant, *person), *field)
        }

        KeyOp::InsertConsent(row) => rights::insert_consent(on, row),
        KeyOp::UpdateConsent {
            tenant,
            consent,
            expected_version,
            state,
            explicit,
            until,
            notice,
            notice_version,
            event,
            changed,
        } => {
            let until = until.map(|until| until.0);
            let new = params![
                tenant.0,
                consent.0,
                expected_version,
                state.code(),
                explicit,
                until,
                notice.0,
                notice_version,
                event,
                changed.0
            ];
            rights::update_consent(on, *tenant, *consent, new)
        }
        KeyOp::DeleteConsentsOf { tenant, person } => rights::delete_consents(on, (*tenant, *person)),
        KeyOp::InsertLimit(row) => rights::insert_limit(on, row),
        KeyOp::DeleteLimit { tenant, person, kind, field, purpose } => {
            rights::delete_limit(on, (*tenant, *person), *kind, *field, *purpose)
        }
        KeyOp::DeleteLimitsOf { tenant, person } => rights::delete_limits(on, (*tenant, *person)),
        KeyOp::InsertPrincipal(row) => rights::insert_principal(on, row),
        KeyOp::SetPrincipalState { tenant, principal, expected_version, state } => {
            rights::set_principal_state(on, *tenant, *principal, *expected_version, *state)
        }
        KeyOp::RequirePrincipal { tenant, principal, at } => {
            rights::require_principal(on, *tenant, *principal, *at)
        }
        KeyOp::DeletePrincipalsOf { tenant, subject } => rights::delete_principals(on, (*tenant, *subject)),

        KeyOp::InsertOutbox(row) => house::insert_outbox(on, row),
        KeyOp::DeleteOutbox { id } => house::delete_outbox(on, id),
        KeyOp::InsertIdempotency(row) => house::insert_idempotency(on, row),
        KeyOp::DeleteIdempotencyOf { tenant, reference } => house::delete_idempotency(on, *tenant, reference),
        KeyOp::PruneIdempotency { before, limit } => house::prune_idempotency(on, *before, *limit),
        KeyOp::PutSignedHead(row) => house::put_signed_head(on, row),
        KeyOp::SetClockMark { at, may_go_back } => house::set_clock_mark(on, *at, *may_go_back),
        KeyOp::PutHouse { name, value, expected_absent } => {
            house::put_house(on, name, value, *expected_absent)
        }
    }
}
