//! The answer, and the proof that it was given.

use super::{Reason, Request};
use crate::catalogue::MaskRule;
use crate::ids::{FieldId, PersonId, TenantId};
use zeroize::Zeroizing;

/// Which step gave a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ground {
    /// The person's own right (step 3).
    OwnRight,
    /// A duty of the role that needs no purpose, such as answering a request of the person (step 4).
    Duty,
    /// A purpose with a live basis (steps 5 to 8).
    Purpose,
    /// Break-glass (step 9): the person is to be told, and a second pair of eyes has 72 hours to review it.
    BreakGlass,
}

/// Leave to open one field of one person. [`decide`](super::decide) alone makes it, so whoever holds one was decided
/// on; it cannot be built, copied or read from bytes elsewhere. What compiles with an id does not with a permit:
///
/// ```
/// use model::{FieldId, PersonId, TenantId, decision::Permit};
/// fn covers(permit: &Permit) -> bool { permit.covers(TenantId([1; 16]), PersonId([2; 16]), FieldId(1)) }
/// fn twice<T: Clone>(one: &T) -> (T, T) { (one.clone(), one.clone()) }
/// fn from_bytes<T: serde::de::DeserializeOwned>() {}
/// fn main() {
///     twice(&TenantId([1; 16]));
///     from_bytes::<TenantId>();
/// }
/// ```
/// ```compile_fail
/// use model::{FieldId, PersonId, TenantId, decision::{Ground, Permit}};
/// let (tenant, person, field) = (TenantId([1; 16]), PersonId([2; 16]), FieldId(1));
/// let forged = Permit { tenant, person, field, ground: Ground::Purpose };
/// ```
/// ```compile_fail
/// fn twice<T: Clone>(one: &T) -> (T, T) { (one.clone(), one.clone()) }
/// fn of_a_permit(permit: &model::decision::Permit) { twice(permit); }
/// ```
/// ```compile_fail
/// fn from_bytes<T: serde::de::DeserializeOwned>() {}
/// from_bytes::<model::decision::Permit>();
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Permit {
    tenant: TenantId,
    person: PersonId,
    field: FieldId,
    ground: Ground,
}

impl Permit {
    /// For the decision alone.
    pub(super) fn new(request: &Request<'_>, ground: Ground) -> Self {
        Self { tenant: request.tenant, person: request.person, field: request.field.id, ground }
    }

    /// Whether it is for this field of this person of this tenant.
    #[must_use]
    pub fn covers(&self, tenant: TenantId, person: PersonId, field: FieldId) -> bool {
        (self.tenant, self.person, self.field) == (tenant, person, field)
    }

    /// Which step gave it. Whoever releases on [`Ground::BreakGlass`] owes the person word of it, and a review.
    #[must_use]
    pub fn ground(&self) -> Ground {
        self.ground
    }
}

/// Leave to open one field of one person and to show a transform of it. Made like a [`Permit`], and never one.
///
/// ```compile_fail
/// fn whole(partial: model::decision::PartialPermit) -> model::decision::Permit { partial.into() }
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct PartialPermit {
    permit: Permit,
    transform: MaskRule,
}

impl PartialPermit {
    /// For the decision alone.
    pub(super) fn new(request: &Request<'_>) -> Self {
        Self { permit: Permit::new(request, Ground::Purpose), transform: request.field.mask }
    }

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
