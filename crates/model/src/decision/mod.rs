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
//! A fact that is missing denies. A legal hold stands in erasure and retention only, never here.
//!
//! To add a rule: 1. a fact in [`Facts`], 2. a step below that gives a [`Reason`] of its own, 3. a row in the golden
//! precedence table, 4. a property test that it can only take away.

mod reason;
pub mod table;

pub use reason::Reason;

use crate::catalogue::{Field, MaskRule};
use crate::clock::Timestamp;
use crate::consent::ConsentState;
use crate::ids::{FieldId, PersonId, PurposeId, RecipientId, TenantId};
use crate::principal::{Principal, Role};
use crate::purpose::{LegalBasis, Purpose};
use crate::tenant::TenantState;
use zeroize::Zeroizing;

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Action {
    /// Store a person.
    Create = 1,
    /// Read values for a purpose.
    Read,
    /// Look for persons by a value.
    Find,
    /// Read everything about one person (GDPR Art. 15, 20).
    Export,
    /// Read who touched one person.
    Accesses,
    /// Change values (Art. 16).
    Rectify,
    /// Ask for a consent.
    AskConsent,
    /// Be shown a notice.
    ShowConsent,
    /// Give or refuse a consent.
    AnswerConsent,
    /// Take a consent back (Art. 7(3)).
    Withdraw,
    /// List consent records.
    ListConsents,
    /// Restrict processing (Art. 18).
    Restrict,
    /// Object (Art. 21).
    Object,
    /// Set or lift a legal hold.
    Hold,
    /// Erase a person (Art. 17).
    Erase,
    /// Read the catalogue.
    ReadCatalogue,
    /// Change the catalogue.
    WriteCatalogue,
    /// Read purposes and recipients.
    ReadPurposes,
    /// Change purposes and recipients.
    WritePurposes,
    /// Read notices.
    ReadNotices,
    /// Add notices.
    WriteNotices,
    /// Issue and revoke keys.
    ManageKeys,
    /// Read checkpoints, tiles and proofs of the tenant's entries.
    ReadLedger,
    /// Re-wrap and destroy epochs.
    Maintain,
}

impl Action {
    /// All actions, in the order of the table.
    pub const ALL: [Self; 24] = [
        Self::Create,
        Self::Read,
        Self::Find,
        Self::Export,
        Self::Accesses,
        Self::Rectify,
        Self::AskConsent,
        Self::ShowConsent,
        Self::AnswerConsent,
        Self::Withdraw,
        Self::ListConsents,
        Self::Restrict,
        Self::Object,
        Self::Hold,
        Self::Erase,
        Self::ReadCatalogue,
        Self::WriteCatalogue,
        Self::ReadPurposes,
        Self::WritePurposes,
        Self::ReadNotices,
        Self::WriteNotices,
        Self::ManageKeys,
        Self::ReadLedger,
        Self::Maintain,
    ];

    /// Whether a person may do this on herself by her own right (step 3).
    #[must_use]
    pub fn is_own_right(self) -> bool {
        matches!(
            self,
            Self::Export
                | Self::Accesses
                | Self::Rectify
                | Self::ShowConsent
                | Self::AnswerConsent
                | Self::Withdraw
                | Self::ListConsents
                | Self::Restrict
                | Self::Object
                | Self::Erase
        )
    }

    /// Whether it needs a purpose, a basis and the person's leave (steps 5 to 8).
    #[must_use]
    pub fn needs_purpose(self) -> bool {
        matches!(self, Self::Read | Self::Find)
    }
}

/// A read in an emergency, against steps 5 to 8, to be reviewed by a second pair of eyes within 72 hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakGlass {
    /// Why, in words; never empty.
    pub reason: String,
    /// When it began.
    pub from: Timestamp,
    /// When it ends, at most [`BREAK_GLASS_MS`] after it began.
    pub until: Timestamp,
}

/// Longest time box of a break-glass read: 4 hours.
pub const BREAK_GLASS_MS: i64 = 4 * 3_600_000;

/// One question to [`decide`].
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who acts.
    pub principal: &'a Principal,
    /// What it wants to do.
    pub action: Action,
    /// In which tenant.
    pub tenant: TenantId,
    /// On whom.
    pub person: PersonId,
    /// On which field.
    pub field: &'a Field,
    /// For which purpose; needed for [`Action::Read`] and [`Action::Find`].
    pub purpose: Option<&'a Purpose>,
    /// For which recipient; 0 is the tenant itself.
    pub recipient: RecipientId,
    /// The emergency, if one is claimed.
    pub break_glass: Option<&'a BreakGlass>,
}

/// What is known, all from one snapshot. `None` is a fact that is missing, and denies where it is needed.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The tenant's state.
    pub tenant: Option<TenantState>,
    /// The person.
    pub person: Option<PersonFacts<'a>>,
    /// The consent for this person, purpose and recipient.
    pub consent: Option<ConsentFacts>,
}

/// What is known of the person.
#[derive(Clone, Copy, Debug)]
pub struct PersonFacts<'a> {
    /// Erased, or not yet wholly stored.
    pub erased: bool,
    /// Fields under restriction.
    pub restricted: &'a [FieldScope],
    /// Purposes that the person objects to.
    pub objections: &'a [PurposeId],
}

/// What a restriction covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldScope {
    /// Every field.
    All,
    /// One field.
    One(FieldId),
}

/// What is known of a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentFacts {
    /// Where the record stands.
    pub state: ConsentState,
    /// When its term ends; from that moment on it counts as expired.
    pub until: Option<Timestamp>,
    /// The purpose it speaks for.
    pub purpose: PurposeId,
    /// The recipient it speaks for.
    pub recipient: RecipientId,
    /// Whether it was given explicitly (Art. 9(2)(a)).
    pub explicit: bool,
}

/// Leave to open one field of one person. Made here alone; whoever holds one was decided on.
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    tenant: TenantId,
    person: PersonId,
    field: FieldId,
}

impl Permit {
    /// Whether it is for this field of this person of this tenant.
    #[must_use]
    pub fn covers(&self, tenant: TenantId, person: PersonId, field: FieldId) -> bool {
        (self.tenant, self.person, self.field) == (tenant, person, field)
    }
}

/// Leave to open one field of one person and to show a transform of it.
#[derive(Debug, PartialEq, Eq)]
pub struct PartialPermit {
    permit: Permit,
    transform: MaskRule,
}

impl PartialPermit {
    /// Whether it is for this field of this person of this tenant.
    #[must_use]
    pub fn covers(&self, tenant: TenantId, person: PersonId, field: FieldId) -> bool {
        self.permit.covers(tenant, person, field)
    }

    /// What is shown instead of the value.
    #[must_use]
    pub fn transform(&self) -> MaskRule {
        self.transform
    }

    /// Shows `clear` through the transform.
    #[must_use]
    pub fn apply(&self, clear: &str) -> Zeroizing<String> {
        Zeroizing::new(crate::mask::apply(self.transform, clear))
    }
}

/// The answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// The value may be released.
    Permit(Permit),
    /// A transform of the value may be released. Logged like a read.
    Partial(PartialPermit),
    /// A constant is shown, the same whether a value exists or not.
    Redact(Reason),
    /// Nothing is shown.
    Deny(Reason),
}

impl Decision {
    /// Whether something of the value leaves the vault.
    #[must_use]
    pub fn releases(&self) -> bool {
        matches!(self, Self::Permit(_) | Self::Partial(_))
    }

    /// Why nothing does.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Permit(_) | Self::Partial(_) => None,
            Self::Redact(reason) | Self::Deny(reason) => Some(*reason),
        }
    }
}

/// How much of a field a purpose may see.
enum Sight {
    Clear,
    Transform,
    Nothing,
}

/// Decides on one field of one person.
#[must_use]
pub fn decide(request: &Request<'_>, facts: &Facts<'_>, now: Timestamp) -> Decision {
    match steps(request, facts, now) {
        Ok(Sight::Clear) => Decision::Permit(permit(request)),
        Ok(Sight::Transform) if request.field.mask != MaskRule::Redact => {
            Decision::Partial(PartialPermit { permit: permit(request), transform: request.field.mask })
        }
        Ok(Sight::Transform | Sight::Nothing) => Decision::Redact(Reason::FieldNotDeclared),
        Err(reason) => Decision::Deny(reason),
    }
}

fn permit(request: &Request<'_>) -> Permit {
    Permit { tenant: request.tenant, person: request.person, field: request.field.id }
}

fn steps(request: &Request<'_>, facts: &Facts<'_>, now: Timestamp) -> Result<Sight, Reason> {
    let person = person_lives(facts)?;
    allowed(request.principal, request.action, request.tenant, Some(request.person), facts.tenant)?;
    if !request.action.needs_purpose() {
        return Ok(Sight::Clear);
    }
    let sight = match of_purpose(request, facts, &person, now) {
        Ok(sight) => sight,
        Err(_) if breaks_glass(request, now)? => Sight::Clear,
        Err(reason) => return Err(reason),
    };
    match sight {
        Sight::Nothing if breaks_glass(request, now)? => Ok(Sight::Clear),
        sight => Ok(sight),
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
    if principal.tenant != tenant {
        return Err(Reason::WrongTenant);
    }
    tenant_allows(action, state)?;
    if principal.role == Role::Person {
        return own_right(principal, action, subject);
    }
    if table::may(principal.role, action) { Ok(()) } else { Err(Reason::RoleMayNot) }
}

/// Step 1.
fn person_lives<'a>(facts: &Facts<'a>) -> Result<PersonFacts<'a>, Reason> {
    match facts.person {
        None => Err(Reason::UnknownPerson),
        Some(person) if person.erased => Err(Reason::Erased),
        Some(person) => Ok(person),
    }
}

/// Step 2. In the retrieval window the app's reads and writes stop; what the persons and the customer are owed goes on.
fn tenant_allows(action: Action, state: Option<TenantState>) -> Result<(), Reason> {
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
fn own_right(principal: &Principal, action: Action, subject: Option<PersonId>) -> Result<(), Reason> {
    let herself = principal.subject.is_some() && principal.subject == subject;
    if herself && action.is_own_right() { Ok(()) } else { Err(Reason::NotOwnRight) }
}

/// Steps 5 to 8.
fn of_purpose(
    request: &Request<'_>,
    facts: &Facts<'_>,
    person: &PersonFacts<'_>,
    now: Timestamp,
) -> Result<Sight, Reason> {
    let purpose = request.purpose.ok_or(Reason::PurposeMissing)?;
    let sight = declared(purpose, request)?;
    if matches!(sight, Sight::Nothing) {
        return Ok(sight);
    }
    basis_lives(purpose, request, facts.consent, now)?;
    not_restricted(purpose, request.field.id, person)?;
    not_objected(purpose, person)?;
    Ok(sight)
}

/// Step 5.
fn declared(purpose: &Purpose, request: &Request<'_>) -> Result<Sight, Reason> {
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
        Sight::Clear
    } else if purpose.masked.contains(&request.field.id) {
        Sight::Transform
    } else {
        Sight::Nothing
    })
}

/// Step 6.
fn basis_lives(
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
    if consent.purpose != purpose.id || consent.recipient != request.recipient {
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
fn not_restricted(purpose: &Purpose, field: FieldId, person: &PersonFacts<'_>) -> Result<(), Reason> {
    let covers = |scope: &FieldScope| *scope == FieldScope::All || *scope == FieldScope::One(field);
    let restricted = person.restricted.iter().any(covers);
    if restricted && !purpose.survives_restriction { Err(Reason::Restricted) } else { Ok(()) }
}

/// Step 8.
fn not_objected(purpose: &Purpose, person: &PersonFacts<'_>) -> Result<(), Reason> {
    let open_to_it = purpose.marketing
        || matches!(purpose.basis, LegalBasis::PublicTask | LegalBasis::LegitimateInterests);
    if open_to_it && person.objections.contains(&purpose.id) { Err(Reason::Objected) } else { Ok(()) }
}

/// Step 9. A claim that is not well formed is refused as such, so that nobody believes to be covered by it.
fn breaks_glass(request: &Request<'_>, now: Timestamp) -> Result<bool, Reason> {
    let Some(claim) = request.break_glass else { return Ok(false) };
    let well_formed = request.action == Action::Read
        && table::may_break_glass(request.principal.role)
        && !claim.reason.trim().is_empty()
        && claim.from <= now
        && now < claim.until
        && claim.until.0.saturating_sub(claim.from.0) <= BREAK_GLASS_MS;
    if well_formed { Ok(true) } else { Err(Reason::BreakGlassInvalid) }
}

#[cfg(test)]
mod tests;
