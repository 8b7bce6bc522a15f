//! Named reads. This file is the table of contents; the statements stand in the backend.

use crate::error::StoreError;
use crate::rows::{
    ConsentRow, DocumentRow, EpochRow, IdempotencyRow, JobRow, JobState, LimitRow, OutboxRow, PersonHead,
    PersonRow, PersonState, PrincipalRow, RecordKey, Sealed, SignedHeadRow, SubKeyRow, TenantKeyRow,
    TenantRow, TokenRow,
};
use crate::sqlite::Reads;
use model::{
    Compartment, ConsentId, FieldId, PersonId, PrincipalId, PurposeId, RecipientId, TenantId, Timestamp,
};
use std::marker::PhantomData;

/// What is committed, as of one moment per file.
///
/// The moment is that of the first read on the file, so taking a snapshot costs nothing. Reads of one snapshot on
/// the key store agree with each other, and so do those on the data file. It must not be held for long, and cannot
/// be held across an `await` (it is not `Send`): an open snapshot keeps the write-ahead log from being truncated,
/// and with it the bytes of erased keys. One that is older than two seconds when a checkpoint is due answers
/// [`StoreError::Interrupted`].
pub struct Snapshot {
    reads: Reads,
    not_send: PhantomData<*const ()>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(crate) fn new(reads: Reads) -> Self {
        Self { reads, not_send: PhantomData }
    }
}

macro_rules! named_reads {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $kind:ty),*) -> $answer:ty;)*) => {
        impl Snapshot {
            $($(#[$doc])*
            pub fn $name(&self, $($arg: $kind),*) -> Result<$answer, StoreError> {
                self.reads.$name($($arg),*)
            })*
        }
    };
}

named_reads! {
    /// A tenant by its id.
    tenant(tenant: TenantId) -> Option<TenantRow>;
    /// All tenants, in the order of their ids.
    tenants() -> Vec<TenantRow>;
    /// The wraps of a tenant's key, one per root and key version.
    tenant_keys(tenant: TenantId) -> Vec<TenantKeyRow>;
    /// The further keys of a tenant.
    sub_keys(tenant: TenantId) -> Vec<SubKeyRow>;

    /// A person by its id.
    person(tenant: TenantId, person: PersonId) -> Option<PersonRow>;
    /// State and version of a person, to check again before a value is released.
    person_head(tenant: TenantId, person: PersonId) -> Option<PersonHead>;
    /// A page of a tenant's persons of all states, in the order of their ids, which is that of their creation.
    persons_after(tenant: TenantId, after: Option<PersonId>, limit: usize) -> Vec<PersonRow>;
    /// A page of those whose key is wrapped under this epoch.
    persons_in_epoch(tenant: TenantId, epoch: u32, after: Option<PersonId>, limit: usize) -> Vec<PersonRow>;
    /// How many persons of this state, or of all states, a tenant has. Walks an index: for overviews.
    count_persons(tenant: TenantId, state: Option<PersonState>) -> u64;
    /// How many persons have their key wrapped under this epoch.
    count_persons_in_epoch(tenant: TenantId, epoch: u32) -> u64;
    /// The persons that share a value of a blind index, in the order of their ids.
    persons_by_index(tenant: TenantId, index: FieldId, hash: &[u8; 16], limit: usize) -> Vec<PersonId>;

    /// What a token stands for.
    token(tenant: TenantId, token: &[u8; 16]) -> Option<TokenRow>;
    /// The blind indexes of a person: number of the index, and hash.
    indexes_of(tenant: TenantId, person: PersonId) -> Vec<(FieldId, [u8; 16])>;
    /// The tokens of a person.
    tokens_of(tenant: TenantId, person: PersonId) -> Vec<TokenRow>;

    /// A consent record by its id.
    consent(tenant: TenantId, consent: ConsentId) -> Option<ConsentRow>;
    /// The consent records of a person, by purpose, recipient and age.
    consents_of(tenant: TenantId, person: PersonId) -> Vec<ConsentRow>;
    /// The consent records of a person for one purpose and one recipient, oldest first.
    consents_for(tenant: TenantId, person: PersonId, purpose: PurposeId, recipient: RecipientId) -> Vec<ConsentRow>;
    /// Consent records that permit and whose term ended before this moment, those first that ended first.
    consents_due(before: Timestamp, limit: usize) -> Vec<ConsentRow>;
    /// Restrictions, objections and holds of a person.
    limits_of(tenant: TenantId, person: PersonId) -> Vec<LimitRow>;

    /// A principal by the hash of its API key.
    principal_by_hash(key_hash: &[u8; 32]) -> Option<PrincipalRow>;
    /// A principal by its id.
    principal(tenant: TenantId, principal: PrincipalId) -> Option<PrincipalRow>;
    /// The principals of a tenant, in the order of their ids.
    principals(tenant: TenantId) -> Vec<PrincipalRow>;

    /// A page of ledger entries that wait to be shipped, oldest first.
    outbox(after: Option<[u8; 16]>, limit: usize) -> Vec<OutboxRow>;
    /// A used idempotency key.
    idempotency(tenant: TenantId, key_hash: &[u8; 16]) -> Option<IdempotencyRow>;
    /// Whether any idempotency key was used before this moment, so that pruning goes on.
    idempotency_before(before: Timestamp) -> bool;
    /// The last head that this node signed under an origin.
    signed_head(origin: &str) -> Option<SignedHeadRow>;
    /// A tenant's shred epochs, oldest first.
    epochs(tenant: TenantId) -> Vec<EpochRow>;
    /// The latest moment that was recorded.
    clock_mark() -> Option<Timestamp>;
    /// A document of the installation.
    house(name: &str) -> Option<Vec<u8>>;

    /// A record version. On the data file, like all that follow.
    record(tenant: TenantId, person: PersonId, compartment: Compartment, version: u32) -> Option<Sealed>;
    /// Which record versions of a person there are, reachable or not.
    records_of(tenant: TenantId, person: PersonId) -> Vec<RecordKey>;
    /// A page of a tenant's persons of whom there are records, reachable or not, in the order of their ids.
    persons_with_records(tenant: TenantId, after: Option<PersonId>, limit: usize) -> Vec<PersonId>;
    /// The highest version of a record that is there, reachable or not.
    highest_record_version(tenant: TenantId, person: PersonId, compartment: Compartment) -> Option<u32>;
    /// One version of a document.
    document(tenant: TenantId, kind: u8, id: [u8; 16], version: u32) -> Option<DocumentRow>;
    /// The latest version of a document.
    latest_document(tenant: TenantId, kind: u8, id: [u8; 16]) -> Option<DocumentRow>;
    /// Which versions of a document there are.
    document_versions(tenant: TenantId, kind: u8, id: [u8; 16]) -> Vec<u32>;
    /// A page of documents of a kind, the latest version of each, in the order of their ids.
    documents(tenant: TenantId, kind: u8, after: Option<[u8; 16]>, limit: usize) -> Vec<DocumentRow>;
    /// A job by its id.
    job(id: [u8; 16]) -> Option<JobRow>;
    /// A page of jobs of a state, in the order of their ids.
    jobs(state: JobState, after: Option<[u8; 16]>, limit: usize) -> Vec<JobRow>;
    /// Whether a job of this kind could be leased now.
    job_due(kind: &str, now: Timestamp) -> bool;
    /// How many jobs of a kind wait or are held.
    jobs_queued(kind: &str) -> u64;
}
