//! Purposes, their legal bases and their recipients.

use crate::ids::{FieldId, PurposeId, RecipientId};
use serde::{Deserialize, Serialize};

/// GDPR Art. 6(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegalBasis {
    /// (a) Consent.
    Consent,
    /// (b) Contract.
    Contract,
    /// (c) Legal obligation.
    LegalObligation,
    /// (d) Vital interests.
    VitalInterests,
    /// (e) Public task.
    PublicTask,
    /// (f) Legitimate interests.
    LegitimateInterests,
}

/// GDPR Art. 9(2): why a special category may be processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecialBasis {
    /// (a) Explicit consent.
    ExplicitConsent,
    /// (b) Employment and social security law.
    EmploymentLaw,
    /// (c) Vital interests of a person unable to consent.
    VitalInterests,
    /// (f) Legal claims.
    LegalClaims,
    /// (g) Substantial public interest.
    PublicInterest,
    /// (h) Preventive or occupational medicine, care.
    Care,
    /// (i) Public health.
    PublicHealth,
    /// (j) Archiving, research, statistics.
    Research,
}

/// Somebody to whom data are disclosed (GDPR Art. 4(9)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// Its number in tables; 0 is the tenant itself.
    pub id: RecipientId,
    /// Its name in the API, `[a-z][a-z0-9_-]{0,62}`.
    pub name: String,
    /// How it is called towards people.
    pub title: String,
}

/// One purpose (GDPR Art. 5(1)(b)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// Its number in tables.
    pub id: PurposeId,
    /// Its name in the API, `[a-z][a-z0-9_-]{0,62}`.
    pub name: String,
    /// How it is called towards people.
    pub title: String,
    /// The Art. 6 basis.
    pub basis: LegalBasis,
    /// The Art. 9(2) basis, needed for fields of special categories.
    pub special_basis: Option<SpecialBasis>,
    /// Which fields it may read.
    pub fields: Vec<FieldId>,
    /// Who may receive them.
    pub recipients: Vec<RecipientId>,
    /// Which roles may act for it; empty means that none may.
    pub roles: Vec<crate::principal::Role>,
    /// Whether it is direct marketing, against which an objection always holds (GDPR Art. 21(2)).
    pub marketing: bool,
    /// Whether it is one of the purposes that a restriction leaves (GDPR Art. 18(2)).
    pub survives_restriction: bool,
    /// Whether it may be used at present. A withdrawn purpose denies.
    pub current: bool,
}

impl Purpose {
    /// Whether a live consent is needed for a field of this kind.
    #[must_use]
    pub fn needs_consent(&self, special: bool) -> bool {
        self.basis == LegalBasis::Consent
            || (special && self.special_basis == Some(SpecialBasis::ExplicitConsent))
    }
}
