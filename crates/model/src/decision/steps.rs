//! The steps of the decision, one function each, named by their number in the list of [`super`].

use super::question::{BREAK_GLASS_MS, ConsentFacts, Facts, FieldScope, PersonFacts, Request};
use super::{Action, Ground, Reason, table};
use crate::catalogue::MaskRule;
use crate::clock::Timestamp;
use crate::consent::ConsentState;
use crate::ids::{FieldId, PersonId, TenantId};
use crate::principal::{Principal, Role};
use crate::purpose::{LegalBasis, Purpose};
use crate::tenant::TenantState;

/// How much of a field is shown.
pub(super) enum Sight {
    Clear(Ground),
    Transform,
    Nothing,
}

/// Before all: in another tenant a principal learns nothing, not even that somebody was erased there.
pub(super) fn at_home(principal: &Principal, tenant: TenantId) -> Result<(), Reason> {
    if principal.tenant == tenant { Ok(()) } else { Err(Reason::WrongTenant) }
}

/// Step 1.
pub(super) fn not_erased<'a>(facts: &Facts<'a>) -> Result<PersonFacts<'a>, Reason> {
    match facts.person {
        None => Err(Reason::UnknownPerson),
        Some(person) if person.erased => Err(Reason::Erased),
        Some(person) => Ok(person),
    }
}

/// Step 2. In the retrieval window the app's reads and writes stop; what the persons and the customer are owed goes on.
pub(super) fn tenant_allows(action: Action, state: Option<TenantState>) -> Result<(), Reason> {
    match state {
        None => Err(Reason::FactMissing),
        Some(TenantState::Active | TenantState::Notice) => Ok(()),
        Some(TenantState::Retrieval) => match action {
            Action::Create | Action::Read | Action::Find | Action::AskConsent => Err(Reason::TenantState),
            Action::WriteCatalogue | Action::WritePurposes | Action::WriteNotices => Err(Reason::TenantState),
            _ => Ok(()),
        },
        Some(TenantState::Closing | TenantState::Closed) => match action {
            Action::Maintain | Action::ReadLedger => Ok(()),
            _ => Err(Reason::TenantState),
        },
    }
}

/// Step 3. A person acts on herself alone.
pub(super) fn own_right(
    principal: &Principal,
    action: Action,
    subject: Option<PersonId>,
) -> Result<(), Reason> {
    let herself = principal.subject.is_some() && principal.subject == subject;
    if herself && action.is_own_right() { Ok(()) } else { Err(Reason::NotOwnRight) }
}

/// Step 4.
pub(super) fn role_may(role: Role, action: Action) -> Result<(), Reason> {
    if table::may(role, action) { Ok(()) } else { Err(Reason::RoleMayNot) }
}

/// Step 5. A field that the purpose does not declare, and one it declares masked whose mask shows nothing, are the
/// same constant for every person: what stands in steps 6 to 8 is never asked.
pub(super) fn declared(purpose: &Purpose, request: &Request<'_>) -> Result<Sight, Reason> {
    if !purpose.current {
        return Err(Reason::PurposeNotCurrent);
    }
    if !purpose.roles.contains(&request.principal.role) {
        return Err(Reason::RoleNotOfPurpose);
    }
    if !purpose.recipients.contains(&request.recipient) {
        return Err(Reason::RecipientNotDeclared);
    }
    Ok(if purpose.fields.contains(&request.field.id) {
        Sight::Clear(Ground::Purpose)
    } else if request.field.mask != MaskRule::Redact && purpose.masked.contains(&request.field.id) {
        Sight::Transform
    } else {
        Sight::Nothing
    })
}

/// Step 6.
pub(super) fn basis_lives(
    purpose: &Purpose,
    request: &Request<'_>,
    consent: Option<ConsentFacts>,
    now: Timestamp,
) -> Result<(), Reason> {
    let special = request.field.category.is_special();
    if special && purpose.special_basis.is_none() {
        return Err(Reason::SpecialBasisMissing);
    }
    if !purpose.needs_consent(special) {
        return Ok(());
    }
    let consent = consent.ok_or(Reason::ConsentMissing)?;
    let speaks = consent.purpose == purpose.id && consent.edition == purpose.edition;
    if !speaks || consent.recipient != request.recipient {
        return Err(Reason::ConsentMissing);
    }
    match consent.state.at(consent.until, now) {
        ConsentState::Given | ConsentState::Renewed if special && !consent.explicit => {
            Err(Reason::ConsentNotExplicit)
        }
        ConsentState::Given | ConsentState::Renewed => Ok(()),
        ConsentState::Requested | ConsentState::Deferred => Err(Reason::ConsentPending),
        ConsentState::Refused => Err(Reason::ConsentRefused),
        ConsentState::Withdrawn => Err(Reason::ConsentWithdrawn),
        ConsentState::Expired => Err(Reason::ConsentExpired),
        ConsentState::Terminated | ConsentState::Invalidated => Err(Reason::ConsentEnded),
    }
}

/// Step 7.
pub(super) fn not_restricted(
    purpose: &Purpose,
    field: FieldId,
    person: &PersonFacts<'_>,
) -> Result<(), Reason> {
    let covers = |scope: &FieldScope| *scope == FieldScope::All || *scope == FieldScope::One(field);
    let restricted = person.restricted.iter().any(covers);
    if restricted && !purpose.survives_restriction { Err(Reason::Restricted) } else { Ok(()) }
}

/// Step 8.
pub(super) fn not_objected(purpose: &Purpose, person: &PersonFacts<'_>) -> Result<(), Reason> {
    let open_to_it = purpose.marketing
        || matches!(purpose.basis, LegalBasis::PublicTask | LegalBasis::LegitimateInterests);
    if open_to_it && person.objections.contains(&purpose.id) { Err(Reason::Objected) } else { Ok(()) }
}

/// Step 9. A claim that is not well formed is refused as such, so that nobody believes to be covered by it.
pub(super) fn breaks_glass(request: &Request<'_>, now: Timestamp) -> Result<bool, Reason> {
    let Some(claim) = request.break_glass else { return Ok(false) };
    let well_formed = request.action == Action::Read
        && table::may_break_glass(request.principal.role)
        && !claim.reason.trim().is_empty()
        && claim.from <= now
        && now < claim.until
        && claim.until.0.saturating_sub(claim.from.0) <= BREAK_GLASS_MS;
    if well_formed { Ok(true) } else { Err(Reason::BreakGlassInvalid) }
}
