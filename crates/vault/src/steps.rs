//! The named steps of each protocol: the moments at which something has just become durable and the next thing is not
//! yet. A crash at one of them is what each protocol is made for.
//!
//! Nothing in the product watches them. A test hands an [`Observer`] to [`crate::Parts`] and kills its own process at
//! one of them (`tests/crash.rs`, which also fails when a step of [`Step::ALL`] is never reached).
//!
//! To add one: its line below, with what is durable there, and `house.step(…)` where it is reached; a change that goes
//! through [`crate::change`] names its two in [`crate::change::Change`]. The load of `tests/crash.rs` must reach it.

use std::sync::Arc;

/// What is called at each step that is reached, on the thread that reached it.
pub type Observer = Arc<dyn Fn(Step) + Send + Sync>;

macro_rules! steps {
    ($($(#[doc = $doc:literal])* $step:ident = $name:literal,)*) => {
        /// A named step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Step {
            $($(#[doc = $doc])* $step,)*
        }

        impl Step {
            /// All of them, in the order of this file.
            pub const ALL: &[Self] = &[$(Self::$step),*];

            /// The protocol and the step in words, unique.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$step => $name,)*
                }
            }
        }
    };
}

steps! {
    /// The first configuration lies in the data file; there is no tenant that it belongs to.
    TenantWritten = "tenant: configuration written",
    /// The tenant's row and keys. It has no epoch and no API key yet.
    TenantCommitted = "tenant: committed",
    /// An operator's key is in force, its entry in the outbox.
    FirstKeyCommitted = "first key: committed",
    /// Its entry is in the ledger. Not acknowledged.
    FirstKeyShipped = "first key: shipped",

    /// The card of a new API key lies in the data file; there is no principal that it belongs to.
    KeyWritten = "key: card written",
    /// The key is in force, its entry in the outbox.
    KeyCommitted = "key: committed",
    /// Its entry is in the ledger. The secret was not handed out.
    KeyShipped = "key: shipped",
    /// The key is revoked in the key file, its entry in the outbox.
    RevokeCommitted = "revoke: committed",
    /// Its entry is in the ledger. Not acknowledged.
    RevokeShipped = "revoke: shipped",
    /// A key of an index or of a ledger period is in the key file. Nothing was blinded or sealed with it.
    SubKeyKept = "sub key: kept",

    /// Records of a new person lie in the data file, under keys that nobody has any more.
    CreateWritten = "create: records written",
    /// The person is there with indexes and tokens, the entry in the outbox.
    CreateCommitted = "create: committed",
    /// The entry is in the ledger. Not acknowledged.
    CreateShipped = "create: shipped",
    /// New versions of records lie in the data file with the job that sweeps; the person's keys name the old ones.
    RectifyWritten = "rectify: records written",
    /// The person's keys name the new versions, the entry is in the outbox.
    RectifyCommitted = "rectify: committed",
    /// The entry is in the ledger. Not acknowledged.
    RectifyShipped = "rectify: shipped",
    /// Replaced versions are gone, the job that removed them is still queued.
    VersionsSwept = "rectify: replaced versions swept",

    /// Records and card of a submission lie in the data file, under keys that nobody has any more.
    SubmissionWritten = "submission: written",
    /// The provisional person is there with her tokens. The app has seen none of them.
    SubmissionTaken = "submission: taken",
    /// The app did not accept: the provisional row is gone, and with it the only keys. Records still lie in the data file.
    SubmissionAbandoned = "submission: abandoned",
    /// The app accepted: new versions of the person's records lie in the data file; her keys name the old ones.
    SubmissionMoved = "submission: records of the person written",
    /// The app accepted somebody new: records with her reference lie in the data file; her keys name those without.
    SubmissionRewritten = "submission: records of somebody new written",
    /// The app accepted and the values are the person's, the entry is in the outbox.
    SubmissionCommitted = "submission: committed",
    /// The entry is in the ledger. Not acknowledged.
    SubmissionShipped = "submission: shipped",

    /// The document of a consent event lies in the data file; the record names the one before it.
    ConsentWritten = "consent: event written",
    /// The record is there, requested; its entry in the outbox.
    AskCommitted = "ask: committed",
    /// The entry is in the ledger. Not acknowledged.
    AskShipped = "ask: shipped",
    /// The notice counts as shown, the entry is in the outbox.
    ShowCommitted = "show: committed",
    /// The entry is in the ledger. The notice was not handed out.
    ShowShipped = "show: shipped",
    /// The consent is given, the entry in the outbox.
    GiveCommitted = "give: committed",
    /// The entry is in the ledger. Not acknowledged.
    GiveShipped = "give: shipped",
    /// The consent is refused, the entry in the outbox.
    RefuseCommitted = "refuse: committed",
    /// The entry is in the ledger. Not acknowledged.
    RefuseShipped = "refuse: shipped",
    /// The consent is withdrawn, the entry in the outbox.
    WithdrawCommitted = "withdraw: committed",
    /// The entry is in the ledger. Not acknowledged.
    WithdrawShipped = "withdraw: shipped",

    /// A restriction, objection or hold is in force or lifted, the entry in the outbox.
    LimitCommitted = "limit: committed",
    /// The entry is in the ledger. Not acknowledged.
    LimitShipped = "limit: shipped",

    /// The entry of a change of the shield is in the outbox. Nothing of the shield is changed.
    ShieldCommitted = "shield: entry committed",
    /// It is in the ledger. Nothing of the shield is changed.
    ShieldShipped = "shield: entry shipped",

    /// A new configuration lies in the data file, above the one that the tenant's row names.
    DeclareWritten = "declare: configuration written",
    /// The tenant's row names it, the entry is in the outbox; this process still goes by the old one.
    DeclareCommitted = "declare: committed",
    /// The entry is in the ledger. Not acknowledged.
    DeclareShipped = "declare: shipped",

    /// The facts of the certificate and the job that sweeps lie in the data file; the person is as she was.
    ErasePrepared = "erase: prepared",
    /// The wrapped keys are gone: the person is erased. The entry is in the outbox.
    EraseCommitted = "erase: committed",
    /// The entry is in the ledger. Not acknowledged.
    EraseShipped = "erase: shipped",
    /// Records and consent documents are gone, the job that removed them is still queued.
    EraseSwept = "erase: swept",
    /// The signed certificate is kept. Not handed out.
    CertificateKept = "erase: certificate kept",

    /// The read is decided and its entry sealed. Nothing of it is durable.
    ReadSealed = "read: entry sealed",
    /// The entry is in the ledger. No key was unwrapped.
    ReadAppended = "read: entry durable",
    /// The values are open. Nothing was handed out.
    ReadOpened = "read: values open",
    /// The facts changed meanwhile and the ledger says that nothing was released.
    ReadNotReleased = "read: not released",

    /// The key of a new epoch is in every holder and in escrow; the key file does not know the epoch.
    EpochMade = "epoch: key made",
    /// The key file knows it. Nothing is wrapped under it.
    EpochOpened = "epoch: opened",
    /// One more person is wrapped under the current epoch.
    EpochRowCarried = "epoch: a row carried over",
    /// The key file says that the epoch takes no rows any more. Its key is still everywhere.
    EpochRetired = "epoch: retired",
    /// The ledger says that the epoch is being destroyed. Its key is still everywhere.
    EpochAnnounced = "epoch: end announced",
    /// The key is in no holder and not in escrow; the key file says that the epoch is active.
    EpochDestroyed = "epoch: key destroyed",
    /// The key file says that it is destroyed, the entry is in the outbox.
    EpochEndCommitted = "epoch: end committed",
    /// The entry is in the ledger.
    EpochEndShipped = "epoch: end shipped",

    /// Rows of shipped entries are gone from the outbox.
    OutboxForgotten = "outbox: shipped rows forgotten",
    /// A row that was left over was looked up in the ledger. Nothing was done about it yet.
    OutboxLookedUp = "outbox: row looked up",
    /// A row that was left over is in the ledger, and still in the outbox.
    OutboxShippedAgain = "outbox: row shipped again",
}

#[cfg(test)]
mod tests {
    use super::Step;
    use std::collections::BTreeSet;

    #[test]
    fn each_name_stands_for_one_step() {
        let names: BTreeSet<_> = Step::ALL.iter().map(|step| step.name()).collect();
        assert_eq!(names.len(), Step::ALL.len());
    }
}
