//! The decision: may this value be read, now, by this principal, for this purpose? The only maker of permits.
//!
//! [`decide`] reads like the list that it follows:
//!
//! 1. an erased person is read by nobody;
//! 2. the tenant's state must allow the action;
//! 3. a person acts on herself by her own right, also under restriction and objection;
//! 4. role × action × scope, one printed table ([`table`]);
//! 5. the purpose is current and declares role, recipient and field;
//! 6. a legal basis lives for the category: GDPR Art. 6, and Art. 9(2) for special categories;
//! 7. a restriction leaves only the purposes of Art. 18(2);
//! 8. an objection stops Art. 6(1)(e), (f) and marketing;
//! 9. break-glass may override 5 to 8, never 1, 2 or 4;
//! 10. the mask rule says whether a transform or nothing is shown.
//!
//! Before all of them stands that a principal acts in its own tenant. A fact that is missing denies. A legal hold
//! stands in erasure and retention only, never here. What comes out is printed in `docs/decision-precedence.md`, for
//! people who do not read code, and in `docs/decision-roles.md`.
//!
//! To add a rule: 1. a fact in [`Facts`], 2. a step in `steps.rs` that gives a [`Reason`] of its own, 3. the same rule
//! in the plain model that the tests compare with, and a broken copy that a property must notice, 4. a row in the
//! printed precedence table, 5. a property test that it can only take away.

mod action;
mod permit;
mod question;
mod reason;
mod steps;
pub mod table;

pub use action::Action;
pub use permit::{Decision, Ground, PartialPermit, Permit};
pub use question::{BREAK_GLASS_MS, BreakGlass, ConsentFacts, Facts, FieldScope, PersonFacts, Request};
pub use reason::Reason;

use crate::clock::Timestamp;
use crate::ids::{PersonId, TenantId};
use crate::principal::{Principal, Role};
use crate::tenant::TenantState;
use steps::Sight;

/// Decides on one field of one person.
#[must_use]
pub fn decide(request: &Request<'_>, facts: &Facts<'_>, now: Timestamp) -> Decision {
    match sight(request, facts, now) {
        Ok(Sight::Clear(ground)) => Decision::Permit(Permit::new(request, ground)),
        Ok(Sight::Transform) => Decision::Partial(PartialPermit::new(request)),
        Ok(Sight::Nothing) => Decision::Redact(Reason::FieldNotDeclared),
        Err(reason) => Decision::Deny(reason),
    }
}

fn sight(request: &Request<'_>, facts: &Facts<'_>, now: Timestamp) -> Result<Sight, Reason> {
    let Request { principal, action, tenant, person, .. } = *request;
    steps::at_home(principal, tenant)?;
    let living = steps::not_erased(facts)?;
    allowed(principal, action, tenant, Some(person), facts.tenant)?;
    if !action.needs_purpose() {
        let herself = principal.role == Role::Person;
        return Ok(Sight::Clear(if herself { Ground::OwnRight } else { Ground::Duty }));
    }
    match by_purpose(request, facts, &living, now) {
        Ok(Sight::Clear(ground)) => Ok(Sight::Clear(ground)),
        _ if steps::breaks_glass(request, now)? => Ok(Sight::Clear(Ground::BreakGlass)),
        less => less,
    }
}

/// Steps 2 to 4, which are all there is to decide for an action that opens no value.
///
/// # Errors
/// The reason of the first step that refuses.
pub fn allowed(
    principal: &Principal,
    action: Action,
    tenant: TenantId,
    subject: Option<PersonId>,
    state: Option<TenantState>,
) -> Result<(), Reason> {
    steps::at_home(principal, tenant)?;
    steps::tenant_allows(action, state)?;
    match principal.role {
        Role::Person => steps::own_right(principal, action, subject),
        role => steps::role_may(role, action),
    }
}

/// Steps 5 to 8.
fn by_purpose(
    request: &Request<'_>,
    facts: &Facts<'_>,
    person: &PersonFacts<'_>,
    now: Timestamp,
) -> Result<Sight, Reason> {
    let purpose = request.purpose.ok_or(Reason::PurposeMissing)?;
    let sight = steps::declared(purpose, request)?;
    if !matches!(sight, Sight::Nothing) {
        steps::basis_lives(purpose, request, facts.consent, now)?;
        steps::not_restricted(purpose, request.field.id, person)?;
        steps::not_objected(purpose, person)?;
    }
    Ok(sight)
}

#[cfg(test)]
mod tests;
