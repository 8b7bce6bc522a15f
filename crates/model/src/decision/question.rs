//! What a decision is asked, and what it has to know.

use super::Action;
use crate::catalogue::Field;
use crate::clock::Timestamp;
use crate::consent::ConsentState;
use crate::ids::{FieldId, PersonId, PurposeId, RecipientId, TenantId};
use crate::principal::Principal;
use crate::purpose::Purpose;
use crate::tenant::TenantState;

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

/// One question to [`super::decide()`].
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
    /// The edition of the purpose that it was asked for.
    pub edition: u32,
    /// Whether it was given explicitly (Art. 9(2)(a)).
    pub explicit: bool,
}
