//! What sealing costs beside plain AES-256-GCM. `cargo bench -p obhut-seal`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use criterion::{Criterion, criterion_group, criterion_main};
use model::catalogue::{Category, Field, FieldType, Index, MaskRule, TokenFormat};
use model::decision::{Action, Decision, Facts, Permit, PersonFacts, Request, decide};
use model::principal::{Principal, Role};
use model::tenant::TenantState;
use model::{Compartment, FieldId, PersonId, PrincipalId, RecipientId, TenantId, Timestamp};
use seal::trail::{open_metadata, seal_entry};
use seal::{
    EpochKey, Frame, IdentityPart, IndexId, Passphrase, PersonKeys, PersonPlace, RecordPlace, Root,
    ShredStore, SystemEntropy, TenantKey, Value, open_record, seal_record,
};
use std::hint::black_box;
use std::sync::Arc;

const TENANT: TenantId = TenantId([1; 16]);
const PERSON: PersonId = PersonId([2; 16]);
const NAME: FieldId = FieldId(1);
const PERSON_PLACE: PersonPlace = PersonPlace { tenant: TENANT, person: PERSON, epoch: 1, row_version: 1 };
const RECORD_PLACE: RecordPlace = RecordPlace {
    tenant: TENANT,
    person: PERSON,
    table: 1,
    compartment: Compartment(0),
    version: 1,
    key_version: 1,
};

/// A name, a health note, and text to fill up a kilobyte.
fn values(text: &[u8]) -> [Value<'_>; 3] {
    [
        Value { field: NAME, category: Category::Identity, bytes: b"Jana Muster" },
        Value { field: FieldId(2), category: Category::Health, bytes: b"asthma" },
        Value { field: FieldId(3), category: Category::Other, bytes: text },
    ]
}

/// The key of an epoch, as a process has it that did not make the wraps it opens.
fn epochs() -> (Arc<EpochKey>, Arc<EpochKey>) {
    let passphrase = Passphrase::new(b"correct horse battery staple".to_vec()).expect("within bounds");
    let file = include_bytes!("../tests/vectors/root-demo.json");
    let root = Arc::new(Root::open(file, &passphrase).expect("a vector"));
    let dir = tempfile::tempdir().expect("a temporary folder");
    let places = ["a", "b", "e"].map(|name| dir.path().join(name));
    places.iter().for_each(|place| std::fs::create_dir(place).expect("a fresh folder"));
    let open =
        || ShredStore::open(&places[..2], &places[2], TENANT, &root, &SystemEntropy).expect("fresh folders");
    let writer = open().create(1, Timestamp(0), &SystemEntropy).expect("a first epoch");
    (writer, open().key(1).expect("just made"))
}

fn permit() -> Permit {
    let principal =
        Principal { id: PrincipalId([1; 16]), tenant: TENANT, role: Role::Person, subject: Some(PERSON) };
    let field = Field {
        id: NAME,
        name: "name".into(),
        category: Category::Identity,
        kind: FieldType::Text,
        mask: MaskRule::Redact,
        index: Index::None,
        token: TokenFormat::Opaque,
        compartment: Compartment(0),
        stable: false,
        third_party: false,
        max_bytes: 256,
    };
    let request = Request {
        principal: &principal,
        action: Action::Export,
        tenant: TENANT,
        person: PERSON,
        field: &field,
        purpose: None,
        recipient: RecipientId(0),
        break_glass: None,
    };
    let person = PersonFacts { erased: false, restricted: &[], objections: &[] };
    let facts = Facts { tenant: Some(TenantState::Active), person: Some(person), consent: None };
    match decide(&request, &facts, Timestamp(0)) {
        Decision::Permit(permit) => permit,
        other => panic!("{other:?}"),
    }
}

fn peer(c: &mut Criterion) {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).expect("32 bytes"));
    let nonce = || Nonce::assume_unique_for_key([0; 12]);
    let mut sealed = vec![0; 1_024];
    key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut sealed).expect("short");
    c.bench_function("peer: AES-256-GCM seal 1 KB, key at hand", |b| {
        b.iter(|| {
            let mut bytes = vec![0; 1_024];
            key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut bytes).expect("short");
            bytes
        });
    });
    c.bench_function("peer: AES-256-GCM open 1 KB, key at hand", |b| {
        b.iter(|| {
            let mut bytes = sealed.clone();
            key.open_in_place(nonce(), Aad::empty(), &mut bytes).expect("just sealed");
            bytes
        });
    });
    c.bench_function("peer: AES-256-GCM key setup", |b| {
        b.iter(|| UnboundKey::new(&AES_256_GCM, black_box(&[7; 32])).expect("32 bytes"));
    });
}

fn reads(c: &mut Criterion) {
    let (writer, reader) = epochs();
    let text = vec![b'x'; 900];
    let values = values(&text);
    let mut keys = PersonKeys::generate(&[Compartment(0)], &SystemEntropy).expect("one compartment");
    keys.set_record_version(Compartment(0), 1).expect("there");
    let row = keys.wrap(&writer, &PERSON_PLACE, &SystemEntropy).expect("its epoch");
    let sealed = seal_record(&keys, &RECORD_PLACE, &values, &SystemEntropy).expect("within bounds");
    let permit = permit();
    let open_bundle = || PersonKeys::unwrap(&reader, &PERSON_PLACE, &row).expect("just wrapped");
    c.bench_function("open person bundle", |b| b.iter(open_bundle));
    c.bench_function("open log secret alone", |b| {
        b.iter(|| PersonKeys::unwrap_log_secret(&reader, &PERSON_PLACE, &row).expect("just wrapped"));
    });
    c.bench_function("open record of 1 KB", |b| {
        b.iter(|| open_record(&keys, &RECORD_PLACE, &sealed).expect("just sealed"));
    });
    let record = open_record(&keys, &RECORD_PLACE, &sealed).expect("just sealed");
    c.bench_function("open one value", |b| b.iter(|| record.open(&permit, NAME, Category::Identity)));
    c.bench_function("whole read: bundle, record of 1 KB, one value", |b| {
        b.iter(|| {
            let record = open_record(&open_bundle(), &RECORD_PLACE, &sealed).expect("just sealed");
            record.open(&permit, NAME, Category::Identity).expect("permitted")
        });
    });
    c.bench_function("seal record of 1 KB, three values", |b| {
        b.iter(|| seal_record(&keys, &RECORD_PLACE, &values, &SystemEntropy).expect("within bounds"));
    });
    c.bench_function("wrap person bundle", |b| {
        b.iter(|| keys.wrap(&writer, &PERSON_PLACE, &SystemEntropy).expect("its epoch"));
    });
}

fn trail(c: &mut Criterion) {
    let tenant = TenantKey::generate(TENANT, 1, &SystemEntropy);
    let (period, _) = tenant.new_period(1, 0, &SystemEntropy).expect("first wrap");
    let secret = |id| tenant.new_log_secret(PrincipalId([id; 16]), &SystemEntropy).expect("a wrap").0;
    let (person, actor) = (secret(1), secret(2));
    let parts = [
        IdentityPart { secret: &person, detail: &[1; 60] },
        IdentityPart { secret: &actor, detail: &[2; 18] },
    ];
    let frame = Frame { kind: 1, generation: 0, tenant: 1, period: 1 };
    let seal = || seal_entry(&period, frame, &[3; 100], &parts, &SystemEntropy).expect("within bounds");
    c.bench_function("trail: seal entry, person and actor", |b| b.iter(seal));
    let entry = seal();
    c.bench_function("trail: open metadata", |b| b.iter(|| open_metadata(&period, &entry.leaf)));
    let mut week = 0;
    c.bench_function("trail: subject_ref of a new period", |b| {
        b.iter(|| {
            week += 1;
            person.subject_ref(week)
        });
    });
    let (index, _) = tenant.new_index(IndexId(1), &SystemEntropy).expect("a wrap");
    c.bench_function("blind index", |b| b.iter(|| index.blind(black_box(b"jana@example.org"))));
}

criterion_group!(benches, peer, reads, trail);
criterion_main!(benches);
