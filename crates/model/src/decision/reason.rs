//! Why something was refused, and what of it is said to whom.

use crate::principal::Role;

/// Why nothing was released. The number stands in the ledger; the code in answers and documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Reason {
    /// The person is erased.
    Erased = 1,
    /// No such person, field or token here.
    UnknownPerson = 2,
    /// A fact that the decision needs is missing.
    FactMissing = 3,
    /// The principal belongs to another tenant.
    WrongTenant = 4,
    /// The tenant's contract state does not allow it.
    TenantState = 5,
    /// A person may do this on herself alone, or not at all.
    NotOwnRight = 6,
    /// The table does not allow it to this role.
    RoleMayNot = 7,
    /// No purpose was named, or none of this name exists.
    PurposeMissing = 8,
    /// The purpose was withdrawn.
    PurposeNotCurrent = 9,
    /// The purpose does not name this role.
    RoleNotOfPurpose = 10,
    /// The purpose does not declare this recipient.
    RecipientNotDeclared = 11,
    /// No recipient of this name exists.
    UnknownRecipient = 12,
    /// The purpose does not declare this field.
    FieldNotDeclared = 13,
    /// A special category without a basis of Art. 9(2).
    SpecialBasisMissing = 14,
    /// No consent was asked for.
    ConsentMissing = 15,
    /// The person has not decided yet.
    ConsentPending = 16,
    /// The person refused.
    ConsentRefused = 17,
    /// The person took the consent back.
    ConsentWithdrawn = 18,
    /// The term of the consent is over.
    ConsentExpired = 19,
    /// The consent was ended or found invalid.
    ConsentEnded = 20,
    /// A special category needs an explicit consent.
    ConsentNotExplicit = 21,
    /// Processing is restricted (Art. 18).
    Restricted = 22,
    /// The person objected (Art. 21).
    Objected = 23,
    /// The emergency that was claimed is not one by the rules.
    BreakGlassInvalid = 24,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 24] = [
        Self::Erased,
        Self::UnknownPerson,
        Self::FactMissing,
        Self::WrongTenant,
        Self::TenantState,
        Self::NotOwnRight,
        Self::RoleMayNot,
        Self::PurposeMissing,
        Self::PurposeNotCurrent,
        Self::RoleNotOfPurpose,
        Self::RecipientNotDeclared,
        Self::UnknownRecipient,
        Self::FieldNotDeclared,
        Self::SpecialBasisMissing,
        Self::ConsentMissing,
        Self::ConsentPending,
        Self::ConsentRefused,
        Self::ConsentWithdrawn,
        Self::ConsentExpired,
        Self::ConsentEnded,
        Self::ConsentNotExplicit,
        Self::Restricted,
        Self::Objected,
        Self::BreakGlassInvalid,
    ];

    /// The stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Erased => "erased",
            Self::UnknownPerson => "unknown_person",
            Self::FactMissing => "fact_missing",
            Self::WrongTenant => "wrong_tenant",
            Self::TenantState => "tenant_state",
            Self::NotOwnRight => "not_own_right",
            Self::RoleMayNot => "role_may_not",
            Self::PurposeMissing => "purpose_missing",
            Self::PurposeNotCurrent => "purpose_not_current",
            Self::RoleNotOfPurpose => "role_not_of_purpose",
            Self::RecipientNotDeclared => "recipient_not_declared",
            Self::UnknownRecipient => "unknown_recipient",
            Self::FieldNotDeclared => "field_not_declared",
            Self::SpecialBasisMissing => "special_basis_missing",
            Self::ConsentMissing => "consent_missing",
            Self::ConsentPending => "consent_pending",
            Self::ConsentRefused => "consent_refused",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::ConsentExpired => "consent_expired",
            Self::ConsentEnded => "consent_ended",
            Self::ConsentNotExplicit => "consent_not_explicit",
            Self::Restricted => "restricted",
            Self::Objected => "objected",
            Self::BreakGlassInvalid => "break_glass_invalid",
        }
    }

    /// The code that this role is told. That somebody withdrew, refused or was erased is itself personal: only the
    /// privacy officer and the person learn it; to all others every refusal looks the same.
    #[must_use]
    pub fn outward(self, audience: Role) -> &'static str {
        match audience {
            Role::PrivacyOfficer | Role::Person => self.code(),
            _ => "no_permission",
        }
    }
}
