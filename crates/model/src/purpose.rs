//! Purposes, their legal bases and their recipients.

use crate::catalogue::{Field, is_name};
use crate::decision::{Action, table};
use crate::ids::{FieldId, PurposeId, RecipientId};
use crate::principal::Role;
use crate::text::is_line;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

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
    /// Which fields it may see through their mask only.
    #[serde(default)]
    pub masked: Vec<FieldId>,
    /// Who may receive them.
    pub recipients: Vec<RecipientId>,
    /// Which roles may act for it; empty means that none may.
    pub roles: Vec<Role>,
    /// Whether it is direct marketing, against which an objection always holds (GDPR Art. 21(2)).
    pub marketing: bool,
    /// Whether it is one of the purposes that a restriction leaves (GDPR Art. 18(2)).
    pub survives_restriction: bool,
    /// Whether it may be used at present. A withdrawn purpose denies.
    pub current: bool,
    /// Rises each time the purpose may do more, or means something else, than before ([`Purpose::outgrows`]). A consent
    /// speaks for the edition that it was asked for, and for no later one.
    #[serde(default)]
    pub edition: u32,
}

impl Purpose {
    /// Whether a live consent is needed for a field of this kind.
    #[must_use]
    pub fn needs_consent(&self, special: bool) -> bool {
        self.basis == LegalBasis::Consent
            || (special && self.special_basis == Some(SpecialBasis::ExplicitConsent))
    }

    /// Whether whoever agreed to `old` has not agreed to this (GDPR Art. 4(11), 6(4)): it reads more fields, or in clear
    /// what it read masked, is called something else, rests on another basis, or comes back after it was withdrawn. New
    /// recipients do not count, since each consent names its own.
    #[must_use]
    pub fn outgrows(&self, old: &Self) -> bool {
        let in_clear = |field| old.fields.contains(field);
        let seen = |field| in_clear(field) || old.masked.contains(field);
        self.title != old.title
            || (self.basis, self.special_basis) != (old.basis, old.special_basis)
            || !self.fields.iter().all(in_clear)
            || !self.masked.iter().all(seen)
            || (self.marketing && !old.marketing)
            || (self.survives_restriction && !old.survives_restriction)
            || (self.current && !old.current)
    }
}

/// Most purposes or recipients of a tenant.
pub const MAX_PURPOSES: usize = 500;
/// Longest title in bytes.
pub const MAX_TITLE: usize = 300;

/// Why a declaration of purposes is not taken. The number counts purposes or recipients in the order given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PurposeError {
    /// Too many purposes or recipients.
    #[error("too many purposes or recipients")]
    TooMany,
    /// A recipient with an unusable or repeated name or number.
    #[error("recipient {0} has an unusable or repeated name, title or number")]
    Recipient(usize),
    /// A purpose with an unusable or repeated name or number.
    #[error("purpose {0} has an unusable or repeated name, title or number")]
    Name(usize),
    /// A field that the catalogue does not know.
    #[error("purpose {0} names a field that the catalogue does not know")]
    UnknownField(usize),
    /// A recipient that is not declared.
    #[error("purpose {0} names a recipient that is not declared")]
    UnknownRecipient(usize),
    /// A field of a special category without a basis of GDPR Art. 9(2).
    #[error("purpose {0} names a field of a special category but no basis of Art. 9(2)")]
    SpecialBasis(usize),
    /// A field (in clear or masked), recipient or role that is named twice. A field in both lists would be shown in clear
    /// to people who were told that it is masked.
    #[error("purpose {0} names a field, recipient or role twice")]
    Repeated(usize),
    /// A role that cannot act for a purpose.
    #[error("purpose {0} names a role that cannot act for a purpose")]
    Role(usize),
}

/// Checks purposes and recipients against each other and against the catalogue.
///
/// # Errors
/// The first contradiction.
pub fn validate(
    purposes: &[Purpose],
    recipients: &[Recipient],
    fields: &[Field],
) -> Result<(), PurposeError> {
    if purposes.len() > MAX_PURPOSES || recipients.len() > MAX_PURPOSES {
        return Err(PurposeError::TooMany);
    }
    let mut ids = HashSet::from([RecipientId(0)]);
    let mut names = HashSet::new();
    for (index, one) in recipients.iter().enumerate() {
        let repeated = !names.insert(&one.name) || !ids.insert(one.id);
        if repeated || !is_name(&one.name) || !is_line(&one.title, MAX_TITLE) {
            return Err(PurposeError::Recipient(index));
        }
    }
    let special = fields.iter().map(|field| (field.id, field.category.is_special())).collect();
    let mut numbers = HashSet::from([PurposeId(0)]);
    let mut names = HashSet::new();
    for (index, one) in purposes.iter().enumerate() {
        let repeated = !names.insert(&one.name) || !numbers.insert(one.id);
        if repeated || !is_name(&one.name) || !is_line(&one.title, MAX_TITLE) {
            return Err(PurposeError::Name(index));
        }
        one.validate(index, &special, &ids)?;
    }
    Ok(())
}

impl Purpose {
    /// What the purpose names; `special` says of each field of the catalogue whether its category is special.
    fn validate(
        &self,
        index: usize,
        special: &HashMap<FieldId, bool>,
        recipients: &HashSet<RecipientId>,
    ) -> Result<(), PurposeError> {
        for id in self.fields.iter().chain(&self.masked) {
            let special = special.get(id).ok_or(PurposeError::UnknownField(index))?;
            if *special && self.special_basis.is_none() {
                return Err(PurposeError::SpecialBasis(index));
            }
        }
        if !self.recipients.iter().all(|id| recipients.contains(id)) {
            return Err(PurposeError::UnknownRecipient(index));
        }
        if !self.roles.iter().all(|role| table::may(*role, Action::Read)) {
            return Err(PurposeError::Role(index));
        }
        let once = are_different(self.fields.iter().chain(&self.masked))
            && are_different(&self.recipients)
            && are_different(&self.roles);
        if once { Ok(()) } else { Err(PurposeError::Repeated(index)) }
    }
}

fn are_different<T: Eq + Hash>(all: impl IntoIterator<Item = T>) -> bool {
    let mut seen = HashSet::new();
    all.into_iter().all(|one| seen.insert(one))
}
