//! Permanent vectors: what was sealed once must open for ever, and sealing the same with the same randomness must
//! give the same bytes. The files are never rewritten for a format version that is in use; a new version adds files.

use crate::support::{EPOCH, PERSON, Places, Seeded, TENANT, passphrase, permit, person_place, record_place};
use data_encoding::BASE64;
use model::catalogue::Category;
use model::{Compartment, FieldId, PrincipalId, Timestamp};
use seal::trail::{open_identity, open_metadata, seal_entry};
use seal::{
    DocumentPlace, Envelope, EpochKey, Frame, IdentityPart, IndexId, LogSecret, Passphrase, PersonKeys,
    PublicKeys, Root, RootKind, SigningKeys, SystemEntropy, TenantKey, Value, ViewKey, dsse,
    open_personal_document, open_record, seal_personal_document, seal_record,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const PRINCIPAL: PrincipalId = PrincipalId([0x33; 16]);
const INDEX: IndexId = IndexId(5);
const PERIOD: u32 = 2_968;
const GENERATION: u16 = 0;
const CREATED: Timestamp = Timestamp(1_795_471_200_000);
const PAYLOAD_TYPE: &str = "application/vnd.obhut.test+json";
const PRODUCTION_PASSPHRASE: &[u8] = "ein Satz, den sich jemand merkt: äöü".as_bytes();

/// Bytes as base64.
#[derive(Clone, PartialEq, Eq)]
struct Bytes(Vec<u8>);

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The wrapped tenant key and the keys under it, with what they make of fixed input.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TenantVector {
    tenant_key: Bytes,
    subkeys: Subkeys,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Subkeys {
    metadata: Bytes,
    index: Bytes,
    blind_of_jana: Bytes,
    period: Bytes,
    log_secret: Bytes,
    principal_subject_ref: Bytes,
}

/// The files of a shred store with one live and one destroyed epoch.
#[derive(Debug, Serialize, Deserialize)]
struct ShredVector {
    holders: Vec<Bytes>,
    escrow: Bytes,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PersonVector {
    bundle: Bytes,
    subject_ref: Bytes,
    request_mac: Bytes,
    held_index: Bytes,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecordVector {
    record: Bytes,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DocumentVector {
    tenant: Bytes,
    personal: Bytes,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct TrailVector {
    leaf: Bytes,
    identity: Bytes,
}

#[derive(Debug, Serialize, Deserialize)]
struct SigningVector {
    keys: Bytes,
    public: PublicDocument,
    ed25519_of_hello: Bytes,
    envelope: Envelope,
}

/// A key of view tokens, as the randomness gives it, and what it seals for one place.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ViewVector {
    place: Bytes,
    plain: Bytes,
    sealed: Bytes,
}

/// The document of public keys, as it is published.
#[derive(Debug, Serialize, Deserialize)]
struct PublicDocument(serde_json::Value);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

fn read<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap()
}

fn write<T: Serialize>(name: &str, vector: &T) {
    let mut json = serde_json::to_vec_pretty(vector).unwrap();
    json.push(b'\n');
    std::fs::write(folder().join(name), json).unwrap();
}

fn file_name() -> String {
    format!("{TENANT}.shred")
}

fn escrow_name() -> String {
    format!("{TENANT}.{EPOCH}.escrow")
}

#[test]
#[ignore = "makes new vectors; run by hand when a format version is added, never to make a test pass"]
fn write_vectors() {
    for (name, kind, passphrase) in [
        ("root-demo.json", RootKind::Demo, passphrase()),
        (
            "root-production.json",
            RootKind::Production,
            Passphrase::new(PRODUCTION_PASSPHRASE.to_vec()).unwrap(),
        ),
    ] {
        let root = Root::generate(kind, &SystemEntropy).unwrap();
        std::fs::write(folder().join(name), root.to_file(&passphrase, &SystemEntropy).unwrap()).unwrap();
    }
    let root = demo_root();
    let tenant = TenantKey::generate(TENANT, 1, &Seeded::new("tenant"));
    let tenant_key = Bytes(tenant.wrap(&root, &Seeded::new("tenant wrap")).unwrap());
    write("tenant.json", &TenantVector { tenant_key, subkeys: subkeys(&tenant) });
    let places = Places::new();
    let store = places.open(TENANT, &root);
    store.create(EPOCH - 1, CREATED, &Seeded::new("epoch before")).unwrap();
    store.create(EPOCH, CREATED, &Seeded::new("epoch")).unwrap();
    store.destroy(EPOCH - 1, &Seeded::new("destroy")).unwrap();
    let holders = places.holders.iter().map(|dir| Bytes(std::fs::read(dir.join(file_name())).unwrap()));
    let escrow = Bytes(std::fs::read(places.escrow.join(escrow_name())).unwrap());
    write("shred.json", &ShredVector { holders: holders.collect(), escrow });
    // Sealed under handles opened from the files just written, as the tests will do.
    let (epoch, tenant) = (epoch(), tenant_key_of_vector());
    write("person.json", &person_vector(&epoch));
    let person = person(&epoch);
    write("record.json", &record_vector(&person));
    write("document.json", &document_vector(&tenant, &person));
    write("trail.json", &trail_vector(&tenant, &person));
    write("signing.json", &signing_vector(&root));
    write_view_vector();
}

#[test]
#[ignore = "makes a new vector; run by hand when a format version is added, never to make a test pass"]
fn write_view_vector() {
    write("view.json", &view_vector());
}

fn view_vector() -> ViewVector {
    let entropy = Seeded::new("view");
    let place = seal::fingerprint(&[&TENANT.0, b"session", b"rule"]);
    let plain = b"token, person, field, until".to_vec();
    let sealed = ViewKey::generate(&entropy).seal(&place, &plain, &entropy).unwrap();
    ViewVector { place: Bytes(place.to_vec()), plain: Bytes(plain), sealed: Bytes(sealed) }
}

#[test]
fn a_view_token_is_sealed_as_it_always_was() {
    let vector: ViewVector = read("view.json");
    assert_eq!(view_vector(), vector);
    let key = ViewKey::generate(&Seeded::new("view"));
    let place: [u8; 32] = vector.place.0.as_slice().try_into().unwrap();
    assert_eq!(key.open(&place, &vector.sealed.0).unwrap().as_slice(), vector.plain.0);
}

fn demo_root() -> Arc<Root> {
    // Read, not included, since it may have been written a moment ago.
    let file = std::fs::read(folder().join("root-demo.json")).unwrap();
    Arc::new(Root::open(&file, &passphrase()).unwrap())
}

fn subkeys(tenant: &TenantKey) -> Subkeys {
    let entropy = Seeded::new("subkeys");
    let (_, metadata) = tenant.new_metadata(&entropy).unwrap();
    let (index_key, index) = tenant.new_index(INDEX, &entropy).unwrap();
    let (_, period) = tenant.new_period(PERIOD, GENERATION, &entropy).unwrap();
    let (secret, log_secret) = tenant.new_log_secret(PRINCIPAL, &entropy).unwrap();
    Subkeys {
        metadata: Bytes(metadata),
        index: Bytes(index),
        blind_of_jana: Bytes(index_key.blind(b"jana").to_vec()),
        period: Bytes(period),
        log_secret: Bytes(log_secret),
        principal_subject_ref: Bytes(secret.subject_ref(PERIOD).to_vec()),
    }
}

fn person_vector(epoch: &EpochKey) -> PersonVector {
    let compartments = [Compartment(9), Compartment(0)];
    let mut keys = PersonKeys::generate(&compartments, &Seeded::new("person")).unwrap();
    keys.set_record_version(Compartment(0), 3).unwrap();
    PersonVector {
        bundle: Bytes(keys.wrap(epoch, &person_place(), &Seeded::new("bundle")).unwrap()),
        subject_ref: Bytes(keys.log_secret().subject_ref(PERIOD).to_vec()),
        request_mac: Bytes(keys.log_secret().request_mac(&[0x55; 32]).to_vec()),
        held_index: Bytes(epoch.hold_index(INDEX, &[0x66; 77], &Seeded::new("held")).unwrap()),
    }
}

const VALUES: [Value<'_>; 3] = [
    Value { field: FieldId(7), category: Category::Health, bytes: b"asthma" },
    Value { field: FieldId(1), category: Category::Identity, bytes: b"Jana Muster" },
    Value { field: FieldId(2), category: Category::Contact, bytes: b"" },
];

fn record_vector(keys: &PersonKeys) -> RecordVector {
    RecordVector {
        record: Bytes(seal_record(keys, &record_place(), &VALUES, &Seeded::new("record")).unwrap()),
    }
}

fn document_place() -> DocumentPlace {
    DocumentPlace { tenant: TENANT, kind: 4, id: [0x44; 16], version: 2 }
}

fn document_vector(tenant: &TenantKey, keys: &PersonKeys) -> DocumentVector {
    let wrapped: TenantVector = read("tenant.json");
    let metadata = tenant.open_metadata(&wrapped.subkeys.metadata.0).unwrap();
    let (place, entropy) = (document_place(), Seeded::new("document"));
    DocumentVector {
        tenant: Bytes(metadata.seal_document(&place, b"catalogue", &entropy).unwrap()),
        personal: Bytes(seal_personal_document(keys, &place, PERSON, b"consent", &entropy).unwrap()),
    }
}

fn frame() -> Frame {
    Frame { kind: 6, generation: GENERATION, tenant: 12, period: PERIOD }
}

fn actor(tenant: &TenantKey) -> LogSecret {
    let wrapped: TenantVector = read("tenant.json");
    tenant.open_log_secret(PRINCIPAL, &wrapped.subkeys.log_secret.0).unwrap()
}

fn trail_vector(tenant: &TenantKey, keys: &PersonKeys) -> TrailVector {
    let wrapped: TenantVector = read("tenant.json");
    let period = tenant.open_period(PERIOD, GENERATION, &wrapped.subkeys.period.0).unwrap();
    let actor = actor(tenant);
    let parts = [
        IdentityPart { secret: keys.log_secret(), detail: b"person detail" },
        IdentityPart { secret: &actor, detail: b"actor detail" },
    ];
    let entry = seal_entry(&period, frame(), b"metadata", &parts, &Seeded::new("trail")).unwrap();
    TrailVector { leaf: Bytes(entry.leaf), identity: Bytes(entry.identity) }
}

fn signing_vector(root: &Root) -> SigningVector {
    let keys = SigningKeys::generate(&Seeded::new("signing")).unwrap();
    SigningVector {
        keys: Bytes(keys.wrap(root, &Seeded::new("signing wrap")).unwrap()),
        public: PublicDocument(serde_json::from_slice(&keys.public().to_json().unwrap()).unwrap()),
        ed25519_of_hello: Bytes(keys.ed25519_sign(b"hello").to_vec()),
        envelope: dsse::sign(&keys, PAYLOAD_TYPE, b"{\"n\":1}").unwrap(),
    }
}

fn tenant_key_of_vector() -> TenantKey {
    let vector: TenantVector = read("tenant.json");
    TenantKey::unwrap(&demo_root(), TENANT, 1, &vector.tenant_key.0).unwrap()
}

/// The live epoch of the vector's shred files.
fn epoch() -> Arc<EpochKey> {
    let vector: ShredVector = read("shred.json");
    let places = Places::new();
    for (dir, bytes) in places.holders.iter().zip(&vector.holders) {
        std::fs::write(dir.join(file_name()), &bytes.0).unwrap();
    }
    std::fs::write(places.escrow.join(escrow_name()), &vector.escrow.0).unwrap();
    let store = places.open(TENANT, &demo_root());
    assert_eq!(store.repairs(), []);
    assert_eq!(store.epochs(), [seal::EpochInfo { epoch: EPOCH, created: CREATED }]);
    assert_eq!(store.create(EPOCH - 1, CREATED, &SystemEntropy).err(), Some(seal::ShredError::Destroyed));
    store.key(EPOCH).unwrap()
}

fn person(epoch: &EpochKey) -> PersonKeys {
    let vector: PersonVector = read("person.json");
    PersonKeys::unwrap(epoch, &person_place(), &vector.bundle.0).unwrap()
}

#[test]
fn root_files_open() {
    let file = std::fs::read(folder().join("root-production.json")).unwrap();
    let info = Root::inspect(&file).unwrap();
    let root = Root::open(&file, &Passphrase::new(PRODUCTION_PASSPHRASE.to_vec()).unwrap()).unwrap();
    assert_eq!((root.id(), root.kind()), (info.id, RootKind::Production));
    assert_eq!(demo_root().kind(), RootKind::Demo);
}

#[test]
fn tenant_keys_open_and_subkeys_are_reproduced() {
    let vector: TenantVector = read("tenant.json");
    let tenant = tenant_key_of_vector();
    assert_eq!(subkeys(&tenant), vector.subkeys);
    let index = tenant.open_index(INDEX, &vector.subkeys.index.0).unwrap();
    assert_eq!(index.blind(b"jana").to_vec(), vector.subkeys.blind_of_jana.0);
    assert_eq!(actor(&tenant).subject_ref(PERIOD).to_vec(), vector.subkeys.principal_subject_ref.0);
}

#[test]
fn shred_files_open_and_escrow_alone_brings_the_epoch_back() {
    let epoch = epoch();
    let vector: ShredVector = read("shred.json");
    let places = Places::new();
    std::fs::write(places.escrow.join(escrow_name()), &vector.escrow.0).unwrap();
    let store = places.open(TENANT, &demo_root());
    assert_eq!(store.epochs(), [seal::EpochInfo { epoch: EPOCH, created: CREATED }]);
    // The same key: both open the same bundle.
    person(&epoch);
    person(&store.key(EPOCH).unwrap());
}

#[test]
fn person_bundles_open_and_are_reproduced() {
    let (epoch, vector) = (epoch(), read::<PersonVector>("person.json"));
    assert_eq!(person_vector(&epoch), vector);
    let keys = person(&epoch);
    assert_eq!(keys.compartments().collect::<Vec<_>>(), [Compartment(0), Compartment(9)]);
    assert_eq!(keys.record_version(Compartment(0)), Some(3));
    assert_eq!(keys.record_version(Compartment(9)), None);
    assert_eq!(keys.log_secret().subject_ref(PERIOD).to_vec(), vector.subject_ref.0);
    let log = PersonKeys::unwrap_log_secret(&epoch, &person_place(), &vector.bundle.0).unwrap();
    assert_eq!(log.subject_ref(PERIOD).to_vec(), vector.subject_ref.0);
    assert!(log.is_request(&[0x55; 32], vector.request_mac.0.first_chunk().unwrap()));
    assert!(!log.is_request(&[0x56; 32], vector.request_mac.0.first_chunk().unwrap()));
    assert_eq!(epoch.held_index(INDEX, &vector.held_index.0).unwrap(), [0x66; 77]);
}

#[test]
fn records_open_and_are_reproduced() {
    let keys = person(&epoch());
    let vector: RecordVector = read("record.json");
    assert_eq!(record_vector(&keys), vector);
    let record = open_record(&keys, &record_place(), &vector.record.0).unwrap();
    assert_eq!(record.fields().collect::<Vec<_>>(), [FieldId(1), FieldId(2), FieldId(7)]);
    for value in VALUES {
        let permit = permit(TENANT, PERSON, value.field);
        let opened = record.open(&permit, value.field, value.category).unwrap().unwrap();
        assert_eq!(*opened, value.bytes);
    }
}

#[test]
fn documents_open_and_are_reproduced() {
    let (tenant, keys) = (tenant_key_of_vector(), person(&epoch()));
    let vector: DocumentVector = read("document.json");
    assert_eq!(document_vector(&tenant, &keys), vector);
    let wrapped: TenantVector = read("tenant.json");
    let metadata = tenant.open_metadata(&wrapped.subkeys.metadata.0).unwrap();
    assert_eq!(*metadata.open_document(&document_place(), &vector.tenant.0).unwrap(), b"catalogue");
    let personal = open_personal_document(&keys, &document_place(), PERSON, &vector.personal.0).unwrap();
    assert_eq!(*personal, b"consent");
}

#[test]
fn trail_entries_open_and_are_reproduced() {
    let (tenant, keys) = (tenant_key_of_vector(), person(&epoch()));
    let vector: TrailVector = read("trail.json");
    assert_eq!(trail_vector(&tenant, &keys), vector);
    let wrapped: TenantVector = read("tenant.json");
    let period = tenant.open_period(PERIOD, GENERATION, &wrapped.subkeys.period.0).unwrap();
    let (leaf, identity) = (vector.leaf.0, vector.identity.0);
    assert_eq!(Frame::parse(&leaf), Ok(frame()));
    assert_eq!(open_metadata(&period, &leaf).unwrap(), b"metadata");
    let person = open_identity(keys.log_secret(), PERIOD, &leaf, &identity, 0).unwrap();
    assert_eq!(*person, b"person detail");
    assert_eq!(*open_identity(&actor(&tenant), PERIOD, &leaf, &identity, 1).unwrap(), b"actor detail");
}

#[test]
fn signing_keys_open_and_signatures_hold() {
    let vector: SigningVector = read("signing.json");
    let keys = SigningKeys::unwrap(&demo_root(), &vector.keys.0).unwrap();
    assert_eq!(keys.ed25519_sign(b"hello").to_vec(), vector.ed25519_of_hello.0);
    let public = PublicKeys::from_json(&serde_json::to_vec(&vector.public.0).unwrap()).unwrap();
    assert_eq!(&public, keys.public());
    assert_eq!(dsse::verify(&vector.envelope, PAYLOAD_TYPE, &public).unwrap(), b"{\"n\":1}");
    // The deterministic one of the two signatures is reproduced.
    let again = serde_json::to_value(dsse::sign(&keys, PAYLOAD_TYPE, b"{\"n\":1}").unwrap()).unwrap();
    let stored = serde_json::to_value(&vector.envelope).unwrap();
    assert_eq!(again["signatures"][0], stored["signatures"][0]);
}
