//! Role × action, the one table. There is no policy language beside it.

use super::Action::{self, *};
use crate::principal::Role;

/// What each role may do within its tenant. A person's own rights are not here: they hang on the person, not on a
/// role (step 3). The system role belongs to no key.
const TABLE: [(Role, &[Action]); 8] = [
    (
        Role::App,
        &[
            Create,
            Read,
            Find,
            Export,
            Rectify,
            AskConsent,
            ListConsents,
            Restrict,
            Object,
            Erase,
            ReadCatalogue,
            ReadPurposes,
            ReadNotices,
        ],
    ),
    (Role::Operations, &[Read, Find, ReadCatalogue, ReadPurposes]),
    (Role::CaseManager, &[Read, Find, AskConsent, ReadCatalogue, ReadPurposes, ReadNotices]),
    (
        Role::PrivacyOfficer,
        &[
            Read,
            Find,
            Export,
            Accesses,
            Rectify,
            AskConsent,
            ListConsents,
            Restrict,
            Object,
            Hold,
            Erase,
            ReadCatalogue,
            ReadPurposes,
            WritePurposes,
            ReadNotices,
            WriteNotices,
            ReadLedger,
        ],
    ),
    (Role::Security, &[ReadCatalogue, ReadPurposes, ReadLedger]),
    (Role::Auditor, &[ReadCatalogue, ReadPurposes, ReadNotices, ReadLedger]),
    (
        Role::Admin,
        &[
            ReadCatalogue,
            WriteCatalogue,
            ReadPurposes,
            WritePurposes,
            ReadNotices,
            WriteNotices,
            ManageKeys,
            ReadLedger,
        ],
    ),
    (Role::System, &[Maintain]),
];

/// Whether the table allows `action` to `role`.
#[must_use]
pub fn may(role: Role, action: Action) -> bool {
    TABLE.iter().any(|(one, actions)| *one == role && actions.contains(&action))
}

/// Whether `role` may claim an emergency (step 9).
#[must_use]
pub fn may_break_glass(role: Role) -> bool {
    matches!(role, Role::CaseManager | Role::PrivacyOfficer)
}
