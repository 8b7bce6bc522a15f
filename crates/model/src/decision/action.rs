//! What can be asked for.

use super::table;
use crate::principal::Role;

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
    /// Lift a restriction, or take an objection back.
    Lift,
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
    /// Read what the shield saw, and which of its rules are excluded.
    ReadAttacks,
    /// Exclude rules of the shield, or take that back.
    ExcludeRules,
    /// Re-wrap and destroy epochs.
    Maintain,
}

impl Action {
    /// All actions, in the order of the table.
    pub const ALL: [Self; 27] = [
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
        Self::Lift,
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
        Self::ReadAttacks,
        Self::ExcludeRules,
        Self::Maintain,
    ];

    /// Whether a person may do this on herself by her own right (step 3).
    #[must_use]
    pub fn is_own_right(self) -> bool {
        table::may(Role::Person, self)
    }

    /// Whether it needs a purpose, a basis and the person's leave (steps 5 to 8).
    #[must_use]
    pub fn needs_purpose(self) -> bool {
        matches!(self, Self::Read | Self::Find)
    }
}
