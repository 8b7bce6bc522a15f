//! What leaves the store: ids, numbers, states and sealed bytes. Nothing here speaks of a person in clear.

use model::consent::ConsentState;
use model::principal::Role;
use model::tenant::TenantState;
use model::{
    Compartment, ConsentId, FieldId, NoticeId, PersonId, PrincipalId, PurposeId, RecipientId, TenantId,
    Timestamp,
};

/// Bytes that were sealed or wrapped before they came here. The store never sees what is inside.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sealed(pub Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl From<Vec<u8>> for Sealed {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

/// A tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TenantRow {
    /// Its id.
    pub tenant: TenantId,
    /// Its number in ledger frames, unique in the house.
    pub number: u32,
    /// What its contract allows.
    pub state: TenantState,
    /// Counts changes of the state.
    pub version: u32,
    /// The version of its configuration document.
    pub config_version: u32,
    /// When it was made.
    pub created: Timestamp,
}

/// A tenant key, wrapped by one root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantKeyRow {
    /// Whose key.
    pub tenant: TenantId,
    /// The root that wraps it.
    pub root: [u8; 16],
    /// The version of the tenant key.
    pub key_version: u32,
    /// The wrap.
    pub wrapped: Sealed,
}

/// What a tenant's further key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SubKeyKind {
    /// Seals documents of the tenant; number 0.
    Metadata = 1,
    /// Blinds the values of the index of this number.
    Index = 2,
    /// Seals ledger entries of the period of this number.
    Period = 3,
}

/// A further key of a tenant, wrapped by the tenant key; an index key by an epoch key as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubKeyRow {
    /// Whose key.
    pub tenant: TenantId,
    /// What for.
    pub kind: SubKeyKind,
    /// Which of its kind.
    pub number: u32,
    /// Counts renewals. For an index key the epoch that it hangs on.
    pub generation: u16,
    /// The wrap.
    pub wrapped: Sealed,
}

/// Where a person row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PersonState {
    /// Readable, where a permit allows it.
    Live = 1,
    /// Without key for ever.
    Erased = 2,
    /// Sealed, but not yet accepted by the app (DESIGN §7).
    Provisional = 3,
}

/// A person: state, version and key in one row, so that one commit changes all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRow {
    /// Whose person.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// Where the row stands.
    pub state: PersonState,
    /// Counts changes of the person's data and rights; a re-wrap is none.
    pub version: u32,
    /// The shred epoch whose key wraps the bundle.
    pub epoch: u32,
    /// Bits of [`person_flags`], and others of the vault's own.
    pub flags: u32,
    /// The wrapped key bundle; none once erased.
    pub wrapped: Option<Sealed>,
    /// When the row was made.
    pub created: Timestamp,
}

/// Bits of a person row that spare a read another look-up.
pub mod person_flags {
    /// There are restrictions, objections or holds.
    pub const LIMITED: u32 = 1;
}

/// What a read checks again before it releases a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonHead {
    /// Where the row stands.
    pub state: PersonState,
    /// Its version.
    pub version: u32,
    /// Bits of [`person_flags`], and others of the vault's own.
    pub flags: u32,
}

/// A value of a blind index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexRow {
    /// Whose person.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// The field, or the number that the vault keeps for the app's reference.
    pub index: FieldId,
    /// The keyed hash.
    pub hash: [u8; 16],
}

/// A storage token: which value of which person it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Whose token.
    pub tenant: TenantId,
    /// Its 128 bits.
    pub token: [u8; 16],
    /// The person.
    pub person: PersonId,
    /// The field.
    pub field: FieldId,
}

/// A consent record as the decision sees it; the text and the proof lie in sealed documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsentRow {
    /// Whose consent record.
    pub tenant: TenantId,
    /// Its id.
    pub consent: ConsentId,
    /// Who consents.
    pub person: PersonId,
    /// To what.
    pub purpose: PurposeId,
    /// To which edition of it.
    pub edition: u32,
    /// Towards whom.
    pub recipient: RecipientId,
    /// Where it stands.
    pub state: ConsentState,
    /// Counts its changes.
    pub version: u32,
    /// Whether it was given explicitly (GDPR Art. 9(2)(a)).
    pub explicit: bool,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// The notice shown.
    pub notice: NoticeId,
    /// Its version.
    pub notice_version: u32,
    /// The version of the sealed document with the latest event of its history.
    pub event: u32,
    /// When it changed last.
    pub changed: Timestamp,
}

/// What limits the processing of a person's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LimitKind {
    /// Restriction of a field, or of all by the vault's number for it (GDPR Art. 18).
    Restriction = 1,
    /// Objection to a purpose (GDPR Art. 21).
    Objection = 2,
    /// Legal hold: erasure and retention leave it (GDPR Art. 17(3)).
    Hold = 3,
}

/// A restriction, an objection or a legal hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitRow {
    /// Whose person.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// Which limit.
    pub kind: LimitKind,
    /// Of which field; the vault's number where it does not apply.
    pub field: FieldId,
    /// Of which purpose; the vault's number where it does not apply.
    pub purpose: PurposeId,
    /// Since when.
    pub set: Timestamp,
}

/// Whether a principal's key is honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PrincipalState {
    /// It is.
    Active = 1,
    /// It was taken back.
    Revoked = 2,
}

/// Who acts, found by the hash of the API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrincipalRow {
    /// SHA-256 of the API key.
    pub key_hash: [u8; 32],
    /// Its id.
    pub principal: PrincipalId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// Its role.
    pub role: Role,
    /// Whether its key is honoured.
    pub state: PrincipalState,
    /// For a person's key: on whom alone it may act.
    pub subject: Option<PersonId>,
    /// When the key ends.
    pub expires: Option<Timestamp>,
    /// From where it may come, sealed.
    pub zone: Option<Sealed>,
    /// The log secret of the actor, wrapped by the tenant key.
    pub wrapped_log_secret: Sealed,
    /// Counts its changes.
    pub version: u32,
}

/// A sealed ledger entry that was committed with its change and waits to be shipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Time-ordered.
    pub id: [u8; 16],
    /// Whose change.
    pub tenant: TenantId,
    /// The leaf hash (RFC 9162 §2.1.1), to find the entry in the ledger.
    pub leaf_hash: [u8; 32],
    /// The leaf as the ledger takes it.
    pub leaf: Vec<u8>,
    /// The identity layer as the ledger takes it.
    pub identity: Vec<u8>,
    /// The posting keys, 16 bytes each, one after the other.
    pub postings: Vec<u8>,
    /// The incarnation of the ledger when the row was made.
    pub incarnation: u32,
    /// The number of its durable entries then: the entry cannot stand before it.
    pub tail: u64,
    /// When the row was made.
    pub created: Timestamp,
}

/// A used idempotency key. It keeps no body of request or answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyRow {
    /// Whose key.
    pub tenant: TenantId,
    /// Blind index of principal and key.
    pub key_hash: [u8; 16],
    /// Keyed digest of the request, so that the same key with another request is refused.
    pub request_hash: [u8; 32],
    /// The HTTP status that was answered.
    pub status: u16,
    /// The id of what was made.
    pub reference: Option<[u8; 16]>,
    /// When it was used.
    pub created: Timestamp,
}

/// The last tree head that this node signed under an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeadRow {
    /// The log's origin line (C2SP tlog-checkpoint).
    pub origin: String,
    /// The tree size.
    pub size: u64,
    /// The tree hash.
    pub root: [u8; 32],
    /// The signed note.
    pub note: Vec<u8>,
}

/// Where a shred epoch stands. It only goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EpochState {
    /// Its key wraps person rows.
    Active = 1,
    /// Its rows are being wrapped anew, then its key is destroyed.
    Retiring = 2,
    /// All holders have confirmed that its key is gone.
    Destroyed = 3,
}

/// A shred epoch. Its key lies elsewhere (DESIGN §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochRow {
    /// Whose epoch.
    pub tenant: TenantId,
    /// Its number: the week.
    pub epoch: u32,
    /// Where it stands.
    pub state: EpochState,
    /// When it was made.
    pub created: Timestamp,
    /// When its key was destroyed.
    pub destroyed: Option<Timestamp>,
}

/// One sealed version of a record. It is written once and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRow {
    /// Its place.
    pub key: RecordKey,
    /// The envelope.
    pub sealed: Sealed,
}

/// The place of a record version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// Whose person.
    pub tenant: TenantId,
    /// The person.
    pub person: PersonId,
    /// The compartment.
    pub compartment: Compartment,
    /// The version.
    pub version: u32,
}

/// One version of a sealed document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// Whose document.
    pub tenant: TenantId,
    /// What it is, by the vault's number.
    pub kind: u8,
    /// Which of its kind.
    pub id: [u8; 16],
    /// Its version.
    pub version: u32,
    /// The envelope.
    pub sealed: Sealed,
    /// When it was written.
    pub created: Timestamp,
}

/// Whether a job is still to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum JobState {
    /// It waits, or somebody holds its lease. A job that is done has no row.
    Queued = 1,
    /// It was given up; an operator looks at it.
    Failed = 2,
}

/// A background job to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// Time-ordered.
    pub id: [u8; 16],
    /// What it does, by name.
    pub kind: String,
    /// What it works on: ids and numbers, never personal data.
    pub payload: Vec<u8>,
    /// Not before.
    pub due: Timestamp,
    /// Now.
    pub created: Timestamp,
}

/// A background job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Time-ordered.
    pub id: [u8; 16],
    /// What it does, by name.
    pub kind: String,
    /// What it works on: ids and numbers, never personal data.
    pub payload: Vec<u8>,
    /// Not before.
    pub due: Timestamp,
    /// Until when somebody holds it.
    pub lease_until: Option<Timestamp>,
    /// How often it was leased: also the fence, since an operation on a job names it.
    pub attempts: u32,
    /// How often it failed in a row.
    pub failures: u32,
    /// Whether it is still to be done.
    pub state: JobState,
    /// When it was queued.
    pub created: Timestamp,
    /// The job's own number for what went wrong last; 0 is nothing.
    pub last_error: u16,
}
