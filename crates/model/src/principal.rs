//! Who acts, and in which role.

use crate::ids::{PersonId, PrincipalId, TenantId};
use serde::{Deserialize, Serialize};

/// What somebody was entrusted with. A key has exactly one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Role {
    /// The application: stores persons and reads for declared purposes.
    App = 1,
    /// A shift lead or other line function.
    Operations = 2,
    /// A case manager who handles special categories (return-to-work cases).
    CaseManager = 3,
    /// The data protection officer: purposes, notices, requests; sees exact reasons.
    PrivacyOfficer = 4,
    /// The security engineer: attacks, incidents, ledger; no personal data.
    Security = 5,
    /// An auditor: ledger proofs and figures; no personal data.
    Auditor = 6,
    /// Sets up a tenant: catalogue and keys; no personal data.
    Admin = 7,
    /// The data subject, or who acts for her, acting on herself alone.
    Person = 8,
    /// The house itself: epochs, expiry, retention. No key can have this role.
    System = 9,
}

impl Role {
    /// All roles, in the order of the authorization table.
    pub const ALL: [Self; 9] = [
        Self::App,
        Self::Operations,
        Self::CaseManager,
        Self::PrivacyOfficer,
        Self::Security,
        Self::Auditor,
        Self::Admin,
        Self::Person,
        Self::System,
    ];
}

/// Who acts. Made only from a checked credential, never from what a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its id, which the ledger names.
    pub id: PrincipalId,
    /// The tenant it belongs to; it can act nowhere else.
    pub tenant: TenantId,
    /// Its role.
    pub role: Role,
    /// For [`Role::Person`]: on whom alone it may act.
    pub subject: Option<PersonId>,
}
