//! What a ledger entry of the vault says, and how it is sealed.
//!
//! The metadata layer is [`Metadata`] in postcard form, under the ledger period key of the tenant. The identity
//! layer has one part for each person (in the order of `subjects`) under that person's log secret, and a last
//! part for the actor under the actor's. The numbers are those of OCSF 1.8 where it has one.

use crate::fault::Fault;
use crate::house::House;
use crate::tenant::Tenant;
use model::catalogue::Field;
use model::decision::Decision;
use model::{ConsentId, FieldId, PersonId, PrincipalId, RequestId, Timestamp};
use seal::trail::{Frame, IdentityPart, LogSecret, SealedEntry};
use serde::{Deserialize, Serialize};

/// Longest list of persons in one entry (DESIGN §6).
pub const MAX_SUBJECTS: usize = 1_024;

/// What was done, with its OCSF class and activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Event {
    /// Values were read, or a read was refused.
    Read = 1,
    /// A person was looked for.
    Find = 2,
    /// Everything about a person was exported.
    Export = 3,
    /// A person's accesses were listed.
    Accesses = 4,
    /// A person was stored.
    Create = 5,
    /// A person's values were changed.
    Rectify = 6,
    /// A permission was asked for.
    ConsentRequested = 7,
    /// The notice was shown.
    NoticeShown = 8,
    /// The person agreed.
    ConsentGiven = 9,
    /// The person refused.
    ConsentRefused = 10,
    /// The person took her consent back.
    ConsentWithdrawn = 11,
    /// Processing was restricted, or the restriction lifted (GDPR Art. 18).
    Restrict = 12,
    /// The person objected, or took the objection back (GDPR Art. 21).
    Object = 13,
    /// A person was erased (GDPR Art. 17).
    Erase = 14,
    /// The configuration of a tenant changed.
    Configure = 15,
    /// A key was issued or revoked.
    Keys = 16,
    /// A shred epoch began, was re-wrapped, or was destroyed.
    Epoch = 17,
    /// A read that was already logged was not released, since the facts changed meanwhile.
    NotReleased = 18,
    /// A tenant was opened.
    TenantOpened = 19,
    /// A person's consent records were listed.
    ConsentsListed = 20,
    /// Rules of the shield were excluded, or that was taken back.
    Shield = 21,
}

impl Event {
    /// OCSF 1.8 class_uid: 6005 Datastore Activity, 3004 Entity Management, 3005 User Access Management.
    #[must_use]
    pub fn class(self) -> u16 {
        match self {
            Self::ConsentRequested
            | Self::NoticeShown
            | Self::ConsentGiven
            | Self::ConsentRefused
            | Self::ConsentWithdrawn
            | Self::Configure
            | Self::Shield
            | Self::TenantOpened => 3004,
            Self::Keys => 3005,
            _ => 6005,
        }
    }

    /// OCSF 1.8 activity_id inside the class; 99 (other) where the class has no number of its own.
    #[must_use]
    pub fn activity(self) -> u8 {
        match self {
            Self::Read | Self::Accesses | Self::ConsentsListed | Self::Export => 1,
            Self::Rectify | Self::Restrict | Self::Object => 2,
            Self::Find => 4,
            Self::Create => 6,
            Self::Erase => 7,
            Self::ConsentRequested | Self::TenantOpened => 1,
            Self::NoticeShown => 2,
            Self::ConsentGiven
            | Self::ConsentRefused
            | Self::ConsentWithdrawn
            | Self::Configure
            | Self::Shield => 3,
            _ => 99,
        }
    }
}

/// How the decision went over all values of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Verdict {
    /// All that was asked for.
    Permit = 1,
    /// Some values, or transforms of them.
    Partial = 2,
    /// Nothing.
    Deny = 3,
}

/// The metadata layer of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// What was done.
    pub event: Event,
    /// When it was decided, ms since 1970.
    pub at: Timestamp,
    /// The request, as in its answer.
    pub request: RequestId,
    /// The purpose's number; 0 where the action has none.
    pub purpose: u16,
    /// The recipient's number; 0 is the tenant itself.
    pub recipient: u16,
    /// Art. 6(1) letter as 1 to 6; 0 none.
    pub basis: u8,
    /// How it was decided.
    pub verdict: Verdict,
    /// Number of the reason that refused the first refused value; 0 none.
    pub reason: u8,
    /// Bit n is set when a field of category n was touched.
    pub categories: u16,
    /// How many values were released.
    pub released: u32,
    /// How many values were refused or redacted.
    pub refused: u32,
    /// The consent record that carried the decision or that changed.
    pub consent: Option<ConsentId>,
    /// Pseudonyms of the persons in this period.
    pub subjects: Vec<[u8; 16]>,
    /// Pseudonym of the actor in this period.
    pub actor: [u8; 16],
}

impl Metadata {
    /// An entry about `event`, everything else empty.
    pub(crate) fn of(event: Event, at: Timestamp, request: RequestId, verdict: Verdict) -> Self {
        Self {
            event,
            at,
            request,
            purpose: 0,
            recipient: 0,
            basis: 0,
            verdict,
            reason: 0,
            categories: 0,
            released: 0,
            refused: 0,
            consent: None,
            subjects: Vec::new(),
            actor: [0; 16],
        }
    }

    /// Counts one decided value.
    pub(crate) fn count(&mut self, field: Option<&Field>, decision: &Decision) {
        if let Some(field) = field {
            self.categories |= 1 << (field.category as u8);
        }
        if decision.releases() {
            self.released += 1;
        } else {
            self.refused += 1;
            if self.reason == 0 {
                self.reason = decision.reason().map_or(0, |reason| reason as u8);
            }
        }
    }

    /// Sums the counted values up to a verdict.
    pub(crate) fn conclude(&mut self) {
        self.verdict = match (self.released, self.refused) {
            (_, 0) => Verdict::Permit,
            (0, _) => Verdict::Deny,
            _ => Verdict::Partial,
        };
    }
}

/// What the person's part of the identity layer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectDetail {
    /// The person.
    pub person: PersonId,
    /// Each field with how it was decided.
    pub fields: Vec<(FieldId, Outcome)>,
    /// Who acted, so that the person sees it after the actor's secret is gone as well.
    pub actor: PrincipalId,
    /// The actor's role.
    pub role: model::principal::Role,
}

/// How one field of one person was decided, as the trail keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Released in clear.
    Permit,
    /// Released as a transform.
    Partial,
    /// A constant was shown.
    Redact,
    /// Nothing was shown.
    Deny,
}

impl Outcome {
    /// The outcome of a decision.
    pub(crate) fn of(decision: &Decision) -> Self {
        match decision {
            Decision::Permit(_) => Self::Permit,
            Decision::Partial(_) => Self::Partial,
            Decision::Redact(_) => Self::Redact,
            Decision::Deny(_) => Self::Deny,
        }
    }
}

/// What the actor's part of the identity layer says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorDetail {
    /// Who acted.
    pub principal: PrincipalId,
    /// In which role.
    pub role: model::principal::Role,
    /// For [`Event::Keys`]: what became of which key.
    pub key: Option<KeyChange>,
}

/// A key that was issued or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// The key's principal.
    pub principal: PrincipalId,
    /// The key's role.
    pub role: model::principal::Role,
    /// Whether it was issued; else revoked.
    pub issued: bool,
}

/// One person of an entry.
pub(crate) struct Subject<'a> {
    pub(crate) secret: &'a LogSecret,
    pub(crate) detail: SubjectDetail,
}

/// A sealed entry with what the index needs.
pub(crate) struct Sealed {
    pub(crate) leaf: Vec<u8>,
    pub(crate) identity: Vec<u8>,
    pub(crate) postings: Vec<[u8; 16]>,
}

impl From<Sealed> for ledger::Entry {
    fn from(sealed: Sealed) -> Self {
        Self { leaf: sealed.leaf, identity: sealed.identity, postings: sealed.postings }
    }
}

/// Seals one entry: fills in the pseudonyms of `subjects` and of the actor, then both layers.
pub(crate) fn seal_entry(
    house: &House,
    tenant: &Tenant,
    metadata: Metadata,
    subjects: &[Subject<'_>],
    actor: &Actor,
) -> Result<Sealed, Fault> {
    let detail = ActorDetail { principal: actor.principal.id, role: actor.principal.role, key: None };
    seal_with(house, tenant, metadata, subjects, actor, &detail)
}

/// [`seal_entry`] with more to say of the actor.
pub(crate) fn seal_with(
    house: &House,
    tenant: &Tenant,
    mut metadata: Metadata,
    subjects: &[Subject<'_>],
    actor: &Actor,
    actor_detail: &ActorDetail,
) -> Result<Sealed, Fault> {
    let week = metadata.at.week();
    let period = tenant.period(house, week)?;
    metadata.subjects = subjects.iter().map(|subject| subject.secret.subject_ref(week)).collect();
    metadata.actor = actor.secret.subject_ref(week);
    let body = encode(&metadata)?;
    let mut details = Vec::with_capacity(subjects.len() + 1);
    for subject in subjects {
        details.push(encode(&subject.detail)?);
    }
    details.push(encode(actor_detail)?);
    let secrets = subjects.iter().map(|subject| subject.secret).chain(std::iter::once(&*actor.secret));
    let parts: Vec<_> =
        secrets.zip(&details).map(|(secret, detail)| IdentityPart { secret, detail }).collect();
    let frame = Frame {
        kind: metadata.event as u8,
        generation: period.generation,
        tenant: tenant.number,
        period: week,
    };
    let SealedEntry { leaf, identity } =
        seal::trail::seal_entry(&period.key, frame, &body, &parts, &*house.entropy)?;
    let mut postings = metadata.subjects;
    // Who acts on herself stands under one pseudonym.
    if !postings.contains(&metadata.actor) {
        postings.push(metadata.actor);
    }
    Ok(Sealed { leaf, identity, postings })
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, Fault> {
    postcard::to_stdvec(value).map_err(|_| Fault::Corrupt)
}

pub(crate) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    postcard::from_bytes(bytes).map_err(|_| Fault::Corrupt)
}

/// Who acts, with the secret under which the trail keeps it.
#[derive(Clone)]
pub struct Actor {
    /// The checked principal.
    pub principal: model::principal::Principal,
    pub(crate) secret: std::sync::Arc<LogSecret>,
    /// When its key ends.
    pub(crate) expires: Option<Timestamp>,
    /// How many keys were revoked when this one was checked.
    pub(crate) seen: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    fn metadata() -> Metadata {
        let mut metadata =
            Metadata::of(Event::Read, Timestamp(1_795_435_200_000), RequestId([1; 16]), Verdict::Partial);
        metadata.purpose = 3;
        metadata.basis = 1;
        metadata.reason = 18;
        metadata.categories = 0b10_0010;
        metadata.released = 1;
        metadata.refused = 300;
        metadata.consent = Some(ConsentId([2; 16]));
        metadata.subjects = vec![[3; 16]];
        metadata.actor = [4; 16];
        metadata
    }

    /// Permanent: entries that were written once have to be read for ever.
    const METADATA: &str = "0080f8b784c1680101010101010101010101010101010103000101122201ac020102020202020202020202020202020202010303030303030303030303030303030304040404040404040404040404040404";
    const ACTOR: &str = "060606060606060606060606060606060601070707070707070707070707070707070701";
    const SUBJECT: &str = "05050505050505050505050505050505020100ac02030606060606060606060606060606060602";

    #[test]
    fn the_layers_keep_their_form() {
        assert_eq!(HEXLOWER.encode(&encode(&metadata()).expect("encodes")), METADATA);
        let detail = SubjectDetail {
            person: PersonId([5; 16]),
            fields: vec![(FieldId(1), Outcome::Permit), (FieldId(300), Outcome::Deny)],
            actor: PrincipalId([6; 16]),
            role: model::principal::Role::CaseManager,
        };
        assert_eq!(HEXLOWER.encode(&encode(&detail).expect("encodes")), SUBJECT);
        let principal = PrincipalId([6; 16]);
        let role = model::principal::Role::Admin;
        let key =
            KeyChange { principal: PrincipalId([7; 16]), role: model::principal::Role::Person, issued: true };
        let actor = ActorDetail { principal, role, key: Some(key) };
        assert_eq!(HEXLOWER.encode(&encode(&actor).expect("encodes")), ACTOR);
        let read: Metadata = decode(&HEXLOWER.decode(METADATA.as_bytes()).expect("hex")).expect("decodes");
        assert_eq!(read, metadata());
    }

    #[test]
    fn a_page_of_fifty_names_stays_small() {
        let mut page = metadata();
        page.subjects = vec![[9; 16]; 50];
        assert!(encode(&page).expect("encodes").len() <= 900);
    }
}
