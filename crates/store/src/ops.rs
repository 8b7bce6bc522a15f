//! What a plan is made of: plain data with preconditions, so that nothing but the store holds the writer.
//!
//! A plan is applied whole or not at all. The first operation whose precondition fails ends it with a
//! [`crate::Conflict`]. Deletions by key or by person are idempotent unless they say otherwise.

use crate::rows::{
    ConsentRow, DocumentRow, EpochRow, IdempotencyRow, IndexRow, LimitKind, LimitRow, NewJob, OutboxRow,
    PersonRow, PersonState, PrincipalRow, PrincipalState, RecordRow, Sealed, SignedHeadRow, SubKeyRow,
    TenantKeyRow, TenantRow, TokenRow,
};
use model::consent::ConsentState;
use model::tenant::TenantState;
use model::{
    Compartment, ConsentId, FieldId, NoticeId, PersonId, PrincipalId, PurposeId, TenantId, Timestamp,
};

/// What becomes of the wrapped key bundle of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// It stays as it is.
    Keep,
    /// This one takes its place, under the same epoch. Only [`KeyOp::RewrapPerson`] leads to another one.
    Set {
        /// The shred epoch that it was read at, whose key wraps it.
        epoch: u32,
        /// The wrap.
        wrapped: Sealed,
    },
    /// It goes. Together with [`PersonState::Erased`] this commit *is* the erasure.
    Erase {
        /// The shred epoch that it was read at: the one whose end completes the erasure.
        epoch: u32,
    },
}

/// An operation on the key store, `keys.db`. A commit there is the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyOp {
    /// Fails with `TenantExists` when id or number are taken.
    InsertTenant(TenantRow),
    /// Version + 1. Fails with `Missing` or `TenantVersion`.
    SetTenantState {
        /// Which tenant.
        tenant: TenantId,
        /// The version it was read at.
        expected_version: u32,
        /// The new state.
        state: TenantState,
    },
    /// Puts a configuration in force; the tenant's version stays. Fails with `Missing` or `ConfigVersion`.
    SetConfigVersion {
        /// Which tenant.
        tenant: TenantId,
        /// The configuration version it was read at.
        expected: u32,
        /// The one that takes its place; greater.
        new: u32,
    },
    /// Fails with `KeyExists`.
    InsertTenantKey(TenantKeyRow),
    /// Fails with `KeyExists`; for an index key with `EpochRetired` when its epoch takes no rows any more.
    InsertSubKey(SubKeyRow),
    /// Puts a wrapped key in the place of one of an earlier generation. Fails as `InsertSubKey`, and with `Missing`.
    RewrapSubKey {
        /// The new row.
        row: SubKeyRow,
        /// The generation that goes.
        expected_generation: u16,
    },
    /// Fails with `PersonExists`, or with `EpochRetired` when the epoch takes no rows any more.
    InsertPerson(PersonRow),
    /// Version + 1. Fails with `Missing`, `PersonVersion` (also when the row hangs on another epoch than it was read at), or
    /// with `PersonErased` when a key or another state would come back to an erased row.
    UpdatePerson {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// The version it was read at.
        expected_version: u32,
        /// The new state, where it changes.
        state: Option<PersonState>,
        /// The new flags, where they change.
        flags: Option<u32>,
        /// What becomes of the key bundle.
        wrapped: Wrap,
    },
    /// Version + 1 and nothing else, so that reads under way notice. Fails with `Missing` or `PersonVersion`.
    BumpPerson {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// The version it was read at.
        expected_version: u32,
    },
    /// Removes a provisional person, key and all, as if she had never been there. Fails with `Missing` or `PersonVersion`,
    /// or with `PersonState` when the row is not provisional.
    ForgetPerson {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// The version it was read at.
        expected_version: u32,
    },
    /// Puts the same keys under another epoch; the version stays. Fails with `Missing`, `PersonErased`,
    /// `PersonVersion`, or with `EpochRetired` when the new epoch takes no rows any more.
    RewrapPerson {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// The version it was read at.
        expected_version: u32,
        /// The epoch it was read at.
        expected_epoch: u32,
        /// The new epoch.
        epoch: u32,
        /// The new wrap.
        wrapped: Sealed,
    },
    /// Fails with `Exists` when this person has this value already; with `unique` fails with `IndexTaken` when
    /// another person has it.
    InsertIndex {
        /// The value.
        row: IndexRow,
        /// Whether no other person may have it.
        unique: bool,
    },
    /// Idempotent.
    DeleteIndexesOf {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// One index, or all.
        index: Option<FieldId>,
    },
    /// Fails with `TokenTaken`.
    InsertToken(TokenRow),
    /// Idempotent.
    DeleteTokensOf {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// One field, or all.
        field: Option<FieldId>,
    },
    /// Fails with `Exists`.
    InsertConsent(ConsentRow),
    /// Version + 1. Fails with `Missing` or `ConsentVersion`.
    UpdateConsent {
        /// Whose consent record.
        tenant: TenantId,
        /// Which.
        consent: ConsentId,
        /// The version it was read at.
        expected_version: u32,
        /// The new state.
        state: ConsentState,
        /// Whether it was given explicitly.
        explicit: bool,
        /// When it ends.
        until: Option<Timestamp>,
        /// The notice shown.
        notice: NoticeId,
        /// Its version.
        notice_version: u32,
        /// The version of the sealed document with the latest event of its history.
        event: u32,
        /// Now.
        changed: Timestamp,
    },
    /// Idempotent.
    DeleteConsentsOf {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
    },
    /// Fails with `Exists`.
    InsertLimit(LimitRow),
    /// Fails with `Missing`.
    DeleteLimit {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// Which limit.
        kind: LimitKind,
        /// Of which field.
        field: FieldId,
        /// Of which purpose.
        purpose: PurposeId,
    },
    /// Idempotent.
    DeleteLimitsOf {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
    },
    /// Fails with `PrincipalExists` when id or key hash are taken.
    InsertPrincipal(PrincipalRow),
    /// Version + 1. Fails with `Missing` or `PrincipalVersion`.
    SetPrincipalState {
        /// Whose principal.
        tenant: TenantId,
        /// Which.
        principal: PrincipalId,
        /// The version it was read at.
        expected_version: u32,
        /// The new state.
        state: PrincipalState,
    },
    /// Changes nothing. Fails with `PrincipalInactive` unless the principal is active and its term has not ended, so that
    /// nothing is committed for a key that was revoked while its request was on the way.
    RequirePrincipal {
        /// Whose principal.
        tenant: TenantId,
        /// Which.
        principal: PrincipalId,
        /// The moment.
        at: Timestamp,
    },
    /// Removes the keys that act on this person alone. Idempotent.
    DeletePrincipalsOf {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        subject: PersonId,
    },
    /// Fails with `Exists`.
    InsertOutbox(OutboxRow),
    /// Idempotent.
    DeleteOutbox {
        /// Which.
        id: [u8; 16],
    },
    /// Fails with `IdempotencyTaken`.
    InsertIdempotency(IdempotencyRow),
    /// Removes the keys under which this person was stored. Idempotent.
    DeleteIdempotencyOf {
        /// Whose person.
        tenant: TenantId,
        /// The person's id.
        reference: [u8; 16],
    },
    /// Removes at most `limit` keys that were used before this moment, oldest first.
    PruneIdempotency {
        /// The moment.
        before: Timestamp,
        /// At most so many.
        limit: u32,
    },
    /// Fails with `Backwards` when a greater head, or another one of the same size, was signed under the origin.
    PutSignedHead(SignedHeadRow),
    /// Fails with `Backwards` when the epoch has gone further already.
    PutEpoch(EpochRow),
    /// Fails with `Backwards` when a later moment stands there, unless an operator confirmed it.
    SetClockMark {
        /// The latest moment seen.
        at: Timestamp,
        /// Whether an operator confirmed that the mark was wrong.
        may_go_back: bool,
    },
    /// A document of the installation, sealed or public.
    PutHouse {
        /// Its name.
        name: &'static str,
        /// Its bytes.
        value: Vec<u8>,
        /// Whether it fails with `Exists` when the name is taken; otherwise it replaces.
        expected_absent: bool,
    },
}

/// An operation on the data file, `data.db`: rows that nobody can read unless the key store says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataOp {
    /// Writing the same bytes again is fine; other bytes fail with `RecordExists`.
    PutRecord(RecordRow),
    /// Idempotent.
    DeleteRecordsOf {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
    },
    /// Removes all versions of one compartment below `below`. Idempotent.
    DeleteRecordVersions {
        /// Whose person.
        tenant: TenantId,
        /// The person.
        person: PersonId,
        /// The compartment.
        compartment: Compartment,
        /// The first version that stays.
        below: u32,
    },
    /// Writes a document version.
    PutDocument {
        /// The document.
        row: DocumentRow,
        /// Whether it fails with `DocumentExists` when this version is there; otherwise it replaces.
        expected_absent: bool,
    },
    /// Removes all versions of a document. Idempotent.
    DeleteDocuments {
        /// Whose document.
        tenant: TenantId,
        /// What it is.
        kind: u8,
        /// Which of its kind.
        id: [u8; 16],
    },
    /// Fails with `JobQueued` when one of the same kind and payload waits already.
    InsertJob(NewJob),
    /// Removes a finished job. Fails with `LeaseLost` unless this is the attempt that holds it.
    CompleteJob {
        /// Which job.
        id: [u8; 16],
        /// The attempt, as leased.
        attempts: u32,
    },
    /// Gives the job back with a new payload, to go on from there. Fails with `LeaseLost`.
    ContinueJob {
        /// Which job.
        id: [u8; 16],
        /// The attempt, as leased.
        attempts: u32,
        /// What is left to do.
        payload: Vec<u8>,
        /// Not before.
        due: Timestamp,
    },
    /// Gives the job back after a failure, or gives it up. Fails with `LeaseLost`.
    FailJob {
        /// Which job.
        id: [u8; 16],
        /// The attempt, as leased.
        attempts: u32,
        /// When to try again; `None` gives it up.
        retry_at: Option<Timestamp>,
        /// The job's own number for what went wrong.
        error: u16,
    },
    /// Keeps a job for longer. Fails with `LeaseLost`.
    RenewLease {
        /// Which job.
        id: [u8; 16],
        /// The attempt, as leased.
        attempts: u32,
        /// Until when.
        until: Timestamp,
    },
}
