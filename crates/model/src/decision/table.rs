//! Role × action × scope, the one table; printed in `docs/decision-roles.md`. There is no policy language beside it.
//!
//! To change it: 1. the row here, 2. the plain model of the tests, 3. print the table anew, and let the privacy officer
//! read the difference.

use super::Action::{self, *};
use crate::principal::Role;

/// On whom a role may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody of its tenant, within what the following steps allow.
    Tenant,
    /// Herself, by her own right (step 3).
    Herself,
    /// Nobody: the house's own work. No key has such a role.
    House,
}

/// What a role may do, and on whom.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The role.
    pub role: Role,
    /// On whom.
    pub scope: Scope,
    /// What.
    pub actions: &'static [Action],
}

/// The table, in the order of [`Role::ALL`].
///
/// The app passes on that a person restricts or objects, but cannot lift either: a broken app would undo what she said.
///
/// The app cannot export: everything about a person, for no declared purpose, is what a broken app must not get
/// (DESIGN §10). A person who asks through the app does so with a key of her own.
pub const TABLE: [Row; 9] = [
    Row {
        role: Role::App,
        scope: Scope::Tenant,
        actions: &[
            Create,
            Read,
            Find,
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
    },
    Row { role: Role::Operations, scope: Scope::Tenant, actions: &[Read, Find, ReadCatalogue, ReadPurposes] },
    Row {
        role: Role::CaseManager,
        scope: Scope::Tenant,
        actions: &[Read, Find, AskConsent, ReadCatalogue, ReadPurposes, ReadNotices],
    },
    Row {
        role: Role::PrivacyOfficer,
        scope: Scope::Tenant,
        actions: &[
            Read,
            Find,
            Export,
            Accesses,
            Rectify,
            AskConsent,
            ListConsents,
            Restrict,
            Object,
            Lift,
            Hold,
            Erase,
            ReadCatalogue,
            ReadPurposes,
            WritePurposes,
            ReadNotices,
            WriteNotices,
            ReadLedger,
        ],
    },
    Row {
        role: Role::Security,
        scope: Scope::Tenant,
        actions: &[ReadCatalogue, ReadPurposes, ReadLedger, ReadAttacks, ExcludeRules],
    },
    Row {
        role: Role::Auditor,
        scope: Scope::Tenant,
        actions: &[ReadCatalogue, ReadPurposes, ReadNotices, ReadLedger],
    },
    Row {
        role: Role::Admin,
        scope: Scope::Tenant,
        actions: &[
            ReadCatalogue,
            WriteCatalogue,
            ReadPurposes,
            WritePurposes,
            ReadNotices,
            WriteNotices,
            ManageKeys,
            ReadLedger,
            ReadAttacks,
            ExcludeRules,
        ],
    },
    Row {
        role: Role::Person,
        scope: Scope::Herself,
        actions: &[
            Export,
            Accesses,
            Rectify,
            ShowConsent,
            AnswerConsent,
            Withdraw,
            ListConsents,
            Restrict,
            Object,
            Lift,
            Erase,
        ],
    },
    Row { role: Role::System, scope: Scope::House, actions: &[Maintain] },
];

/// The table as one bit per action, indexed by role, so that a decision does not search lists.
const BITS: [u32; 10] = {
    let mut bits = [0; 10];
    let mut row = 0;
    while row < TABLE.len() {
        let mut at = 0;
        while at < TABLE[row].actions.len() {
            bits[TABLE[row].role as usize] |= 1 << TABLE[row].actions[at] as u32;
            at += 1;
        }
        row += 1;
    }
    bits
};

/// Whether the table allows `action` to `role`, within the role's scope.
#[must_use]
pub fn may(role: Role, action: Action) -> bool {
    BITS[role as usize] & (1 << action as u32) != 0
}

/// Whether `role` may claim an emergency (step 9).
#[must_use]
pub fn may_break_glass(role: Role) -> bool {
    matches!(role, Role::CaseManager | Role::PrivacyOfficer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_say_what_the_table_says() {
        let mut allowed = 0;
        for role in Role::ALL {
            for action in Action::ALL {
                let listed = TABLE.iter().any(|row| row.role == role && row.actions.contains(&action));
                assert_eq!(may(role, action), listed, "{role:?} {action:?}");
                allowed += usize::from(listed);
            }
        }
        assert_eq!(allowed, TABLE.iter().map(|row| row.actions.len()).sum::<usize>());
    }

    #[test]
    fn every_action_has_somebody_who_may_and_every_role_a_row() {
        assert_eq!(TABLE.map(|row| row.role), Role::ALL);
        for action in Action::ALL {
            assert!(Role::ALL.iter().any(|role| may(*role, action)), "{action:?}");
        }
        assert!(Role::ALL.iter().all(|role| !may_break_glass(*role) || may(*role, Read)));
    }
}
