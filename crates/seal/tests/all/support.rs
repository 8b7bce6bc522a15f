//! A small world with keys that are the same in each run.

use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::decision::{Action, Decision, Facts, PartialPermit, Permit, PersonFacts, Request, decide};
use model::principal::{Principal, Role};
use model::purpose::{LegalBasis, Purpose};
use model::tenant::TenantState;
use model::{
    Compartment, Entropy, FieldId, PersonId, PrincipalId, PurposeId, RecipientId, TenantId, Timestamp,
};
use seal::{EpochKey, Passphrase, PersonPlace, RecordPlace, Root, ShredStore};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// SHA-256 of a seed and a counter, block after block.
pub(crate) struct Seeded {
    seed: &'static str,
    counter: Mutex<u64>,
}

impl Seeded {
    pub(crate) fn new(seed: &'static str) -> Self {
        Self { seed, counter: Mutex::new(0) }
    }
}

impl Entropy for Seeded {
    fn fill(&self, into: &mut [u8]) {
        let mut counter = self.counter.lock().unwrap();
        for chunk in into.chunks_mut(32) {
            let block = seal::sha256(&[self.seed.as_bytes(), &counter.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
            *counter += 1;
        }
    }
}

pub(crate) const TENANT: TenantId = TenantId([0x11; 16]);
pub(crate) const PERSON: PersonId = PersonId([0x22; 16]);
pub(crate) const EPOCH: u32 = 2_968;

/// The demo root of the vectors: opening it takes milliseconds.
pub(crate) fn root() -> Arc<Root> {
    let file = include_bytes!("../vectors/root-demo.json");
    Arc::new(Root::open(file, &passphrase()).unwrap())
}

pub(crate) fn passphrase() -> Passphrase {
    Passphrase::new(b"correct horse battery staple".to_vec()).unwrap()
}

/// Two holders and an escrow place in a directory of their own.
pub(crate) struct Places {
    _dir: tempfile::TempDir,
    pub(crate) holders: Vec<PathBuf>,
    pub(crate) escrow: PathBuf,
}

impl Places {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let make = |name| {
            let path = dir.path().join(name);
            std::fs::create_dir(&path).unwrap();
            path
        };
        Self { holders: vec![make("a"), make("b")], escrow: make("escrow"), _dir: dir }
    }

    pub(crate) fn open(&self, tenant: TenantId, root: &Arc<Root>) -> ShredStore {
        ShredStore::open(&self.holders, &self.escrow, tenant, root, &Seeded::new("places")).unwrap()
    }
}

/// An epoch key of `tenant`, of a fresh store.
pub(crate) fn epoch_key(tenant: TenantId, epoch: u32, seed: &'static str) -> Arc<EpochKey> {
    let places = Places::new();
    places.open(tenant, &root()).create(epoch, Timestamp(0), &Seeded::new(seed)).unwrap()
}

pub(crate) fn person_place() -> PersonPlace {
    PersonPlace { tenant: TENANT, person: PERSON, epoch: EPOCH, row_version: 7 }
}

pub(crate) fn record_place() -> RecordPlace {
    RecordPlace {
        tenant: TENANT,
        person: PERSON,
        table: 1,
        compartment: Compartment(0),
        version: 3,
        key_version: 1,
    }
}

/// A permit by the person's own right.
pub(crate) fn permit(tenant: TenantId, person: PersonId, field: FieldId) -> Permit {
    let principal = Principal { id: PrincipalId([1; 16]), tenant, role: Role::Person, subject: Some(person) };
    let field = self::field(field);
    let request = Request {
        principal: &principal,
        action: Action::Export,
        tenant,
        person,
        field: &field,
        purpose: None,
        recipient: RecipientId(0),
        break_glass: None,
    };
    match decide(&request, &facts(), Timestamp(0)) {
        Decision::Permit(permit) => permit,
        other => panic!("{other:?}"),
    }
}

/// A permit for the initials of a field.
pub(crate) fn partial(tenant: TenantId, person: PersonId, field: FieldId) -> PartialPermit {
    let principal = Principal { id: PrincipalId([1; 16]), tenant, role: Role::App, subject: None };
    let purpose = Purpose {
        id: PurposeId(1),
        name: "list".into(),
        title: "List".into(),
        basis: LegalBasis::Contract,
        special_basis: None,
        fields: vec![],
        masked: vec![field],
        recipients: vec![RecipientId(0)],
        roles: vec![Role::App],
        marketing: false,
        survives_restriction: false,
        current: true,
        edition: 0,
    };
    let field = self::field(field);
    let request = Request {
        principal: &principal,
        action: Action::Read,
        tenant,
        person,
        field: &field,
        purpose: Some(&purpose),
        recipient: RecipientId(0),
        break_glass: None,
    };
    match decide(&request, &facts(), Timestamp(0)) {
        Decision::Partial(permit) => permit,
        other => panic!("{other:?}"),
    }
}

fn facts() -> Facts<'static> {
    let person = PersonFacts { erased: false, restricted: &[], objections: &[] };
    Facts { tenant: Some(TenantState::Active), person: Some(person), consent: None }
}

fn field(id: FieldId) -> Field {
    Field {
        id,
        name: "name".into(),
        category: Category::Identity,
        kind: FieldType::Text,
        mask: MaskRule::Initials,
        index: Index::None,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 256,
    }
}
