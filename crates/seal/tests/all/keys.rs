//! What handles do and refuse.

use crate::support::{
    EPOCH, PERSON, Places, Seeded, TENANT, epoch_key, passphrase, person_place, record_place, root,
};
use model::catalogue::Category;
use model::{Compartment, FieldId, PrincipalId, TenantId, Timestamp};
use proptest::prelude::*;
use seal::{
    DocumentPlace, IndexId, PersonKeys, PersonPlace, RecordPlace, SealError, SigningKeys, TenantKey, Value,
    fingerprint, hash_api_key, open_personal_document, open_record, seal_personal_document, seal_record,
};

#[test]
fn compartments_come_and_go() {
    let entropy = Seeded::new("compartments");
    let mut keys = PersonKeys::generate(&[Compartment(3), Compartment(0)], &entropy).unwrap();
    keys.add_compartment(Compartment(1), &entropy).unwrap();
    assert_eq!(keys.compartments().collect::<Vec<_>>(), [Compartment(0), Compartment(1), Compartment(3)]);
    assert_eq!(keys.record_version(Compartment(1)), None);
    keys.set_record_version(Compartment(1), 5).unwrap();
    // A compartment that is there keeps its key and version.
    keys.add_compartment(Compartment(1), &entropy).unwrap();
    assert_eq!(keys.record_version(Compartment(1)), Some(5));
    assert!(keys.destroy_compartment(Compartment(1)) && !keys.destroy_compartment(Compartment(1)));
    assert_eq!(keys.record_version(Compartment(1)), None);
    assert_eq!(keys.set_record_version(Compartment(1), 5), Err(SealError::NoCompartment));
    assert_eq!(keys.set_record_version(Compartment(0), 0), Err(SealError::WrongPlace));
    assert_eq!(keys.add_compartment(Compartment(16), &entropy), Err(SealError::Compartments));
    for wrong in [&[Compartment(0), Compartment(0)][..], &[Compartment(16)]] {
        assert_eq!(PersonKeys::generate(wrong, &entropy).err(), Some(SealError::Compartments));
    }
    let all: Vec<_> = (0..16).map(Compartment).collect();
    assert_eq!(PersonKeys::generate(&all, &entropy).unwrap().compartments().count(), 16);
}

#[test]
fn a_destroyed_compartment_takes_its_record_with_it_and_leaves_the_others() {
    let (entropy, epoch) = (Seeded::new("erase"), epoch_key(TENANT, EPOCH, "epoch"));
    let mut keys = PersonKeys::generate(&[Compartment(0), Compartment(1)], &entropy).unwrap();
    let places = [0, 1].map(|number| RecordPlace { compartment: Compartment(number), ..record_place() });
    let value = Value { field: FieldId(1), category: Category::Identity, bytes: b"Jana" };
    let records = places.map(|place| {
        keys.set_record_version(place.compartment, place.version).unwrap();
        seal_record(&keys, &place, &[value], &entropy).unwrap()
    });
    let document = DocumentPlace { tenant: TENANT, kind: 1, id: [1; 16], version: 1 };
    let sealed = seal_personal_document(&keys, &document, PERSON, b"consent", &entropy).unwrap();
    assert!(open_personal_document(&keys, &document, PERSON, &sealed).is_ok());
    keys.destroy_compartment(Compartment(0));
    let row = keys.wrap(&epoch, &person_place(), &entropy).unwrap();
    let keys = PersonKeys::unwrap(&epoch, &person_place(), &row).unwrap();
    assert_eq!(open_record(&keys, &places[0], &records[0]).err(), Some(SealError::Open));
    assert!(open_record(&keys, &places[1], &records[1]).is_ok());
    // Personal documents hang on the default compartment.
    assert_eq!(open_personal_document(&keys, &document, PERSON, &sealed).err(), Some(SealError::Open));
    let again = seal_personal_document(&keys, &document, PERSON, b"consent", &entropy);
    assert_eq!(again.err(), Some(SealError::NoCompartment));
    // A compartment made anew has a new key.
    let mut keys = keys;
    keys.add_compartment(Compartment(0), &entropy).unwrap();
    keys.set_record_version(Compartment(0), places[0].version).unwrap();
    assert_eq!(open_record(&keys, &places[0], &records[0]).err(), Some(SealError::Open));
}

#[test]
fn sealing_refuses_a_place_that_is_not_the_keys() {
    let (entropy, epoch) = (Seeded::new("refuse"), epoch_key(TENANT, EPOCH, "epoch"));
    let keys = PersonKeys::generate(&[Compartment(0)], &entropy).unwrap();
    let other = TenantId([9; 16]);
    for place in
        [PersonPlace { tenant: other, ..person_place() }, PersonPlace { epoch: EPOCH + 1, ..person_place() }]
    {
        assert_eq!(keys.wrap(&epoch, &place, &entropy).err(), Some(SealError::WrongPlace));
    }
    let (metadata, _) = TenantKey::generate(TENANT, 1, &entropy).new_metadata(&entropy).unwrap();
    let document = DocumentPlace { tenant: other, kind: 1, id: [1; 16], version: 1 };
    assert_eq!(metadata.seal_document(&document, b"text", &entropy).err(), Some(SealError::WrongPlace));
    let value = |field| Value { field: FieldId(field), category: Category::Identity, bytes: b"x" };
    let place = RecordPlace { compartment: Compartment(5), ..record_place() };
    assert_eq!(seal_record(&keys, &place, &[], &entropy).err(), Some(SealError::NoCompartment));
    let place = RecordPlace { version: 0, ..record_place() };
    assert_eq!(seal_record(&keys, &place, &[], &entropy).err(), Some(SealError::WrongPlace));
    let values = [value(2), value(1), value(2)];
    assert_eq!(seal_record(&keys, &record_place(), &values, &entropy).err(), Some(SealError::RepeatedField));
    let huge = vec![0; 16 << 20];
    let value = Value { field: FieldId(1), category: Category::Other, bytes: &huge };
    assert_eq!(seal_record(&keys, &record_place(), &[value], &entropy).err(), Some(SealError::TooLarge));
}

#[test]
fn blind_indexes_are_equal_for_equal_values_under_one_key_alone() {
    let (entropy, tenant) = (Seeded::new("index"), TenantKey::generate(TENANT, 1, &Seeded::new("tenant")));
    let (one, wrap) = tenant.new_index(IndexId(1), &entropy).unwrap();
    let (other, _) = tenant.new_index(IndexId(1), &entropy).unwrap();
    assert_eq!(
        one.blind(b"jana@example.org"),
        tenant.open_index(IndexId(1), &wrap).unwrap().blind(b"jana@example.org")
    );
    assert_ne!(one.blind(b"jana@example.org"), one.blind(b"jana@example.com"));
    assert_ne!(one.blind(b"jana@example.org"), other.blind(b"jana@example.org"));
    assert_ne!(one.blind(b""), [0; 16]);
}

#[test]
fn pseudonyms_differ_by_period_and_by_secret() {
    let (entropy, tenant) = (Seeded::new("log"), TenantKey::generate(TENANT, 1, &Seeded::new("tenant")));
    let (one, wrap) = tenant.new_log_secret(PrincipalId([1; 16]), &entropy).unwrap();
    let (other, _) = tenant.new_log_secret(PrincipalId([1; 16]), &entropy).unwrap();
    let again = tenant.open_log_secret(PrincipalId([1; 16]), &wrap).unwrap();
    // Asked in another order, so that what was kept of the last question cannot answer another.
    let (first, second) = (one.subject_ref(1), one.subject_ref(2));
    assert_ne!(first, second);
    assert_eq!((again.subject_ref(2), again.subject_ref(1), again.subject_ref(1)), (second, first, first));
    assert_ne!(first, other.subject_ref(1));
}

#[test]
fn digests_do_not_run_together() {
    assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
    assert_ne!(fingerprint(&[b"abc"]), fingerprint(&[b"abc", b""]));
    assert_ne!(fingerprint(&[]), fingerprint(&[b""]));
    assert_eq!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"c"]));
    assert_ne!(hash_api_key(b"secret"), seal::sha256(b"secret"));
    assert_ne!(hash_api_key(b"secret"), hash_api_key(b"secres"));
    let secret = [7; 32];
    let hashes = [hash_api_key(&secret), seal::hash_sign_in_link(&secret), seal::hash_session(&secret)];
    assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2] && hashes[0] != hashes[2]);
}

#[test]
fn what_is_printed_holds_no_key() {
    let (entropy, root) = (Seeded::new("debug"), root());
    let tenant = TenantKey::generate(TENANT, 1, &entropy);
    let (metadata, _) = tenant.new_metadata(&entropy).unwrap();
    let (index, _) = tenant.new_index(IndexId(1), &entropy).unwrap();
    let (period, _) = tenant.new_period(1, 0, &entropy).unwrap();
    let (log, _) = tenant.new_log_secret(PrincipalId([1; 16]), &entropy).unwrap();
    let mut keys = PersonKeys::generate(&[Compartment(0)], &entropy).unwrap();
    keys.set_record_version(Compartment(0), 3).unwrap();
    let record = seal_record(&keys, &record_place(), &[], &entropy).unwrap();
    let record = open_record(&keys, &record_place(), &record).unwrap();
    let places = Places::new();
    let store = places.open(TENANT, &root);
    let epoch = store.create(EPOCH, Timestamp(0), &entropy).unwrap();
    let signing = SigningKeys::generate(&entropy).unwrap();
    let printed = format!(
        "{root:?} {tenant:?} {metadata:?} {index:?} {period:?} {log:?} {keys:?} {record:?} {store:?} {epoch:?} \
         {signing:?} {:?}",
        passphrase()
    );
    let expected = "Root TenantKey MetadataKey IndexKey PeriodKey LogSecret PersonKeys OpenedRecord ShredStore \
                    EpochKey SigningKeys Passphrase";
    assert_eq!(printed.replace(" { .. }", ""), expected);
}

proptest! {
    #[test]
    fn any_values_come_back(
        values in proptest::collection::btree_map(any::<u16>(), proptest::collection::vec(any::<u8>(), 0..200), 0..12)
    ) {
        let entropy = Seeded::new("values");
        let mut keys = PersonKeys::generate(&[Compartment(0)], &entropy).unwrap();
        keys.set_record_version(Compartment(0), 3).unwrap();
        let given: Vec<_> = values
            .iter()
            .rev()
            .map(|(field, bytes)| Value { field: FieldId(*field), category: Category::Other, bytes })
            .collect();
        let sealed = seal_record(&keys, &record_place(), &given, &entropy).unwrap();
        let record = open_record(&keys, &record_place(), &sealed).unwrap();
        let fields: Vec<_> = record.fields().map(|field| field.0).collect();
        prop_assert_eq!(fields, values.keys().copied().collect::<Vec<_>>());
        for (field, bytes) in &values {
            let permit = crate::support::permit(TENANT, PERSON, FieldId(*field));
            let opened = record.open(&permit, FieldId(*field), Category::Other).unwrap().unwrap();
            prop_assert_eq!(&*opened, bytes);
        }
    }

    #[test]
    fn any_bytes_do_not_open_and_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let entropy = Seeded::new("bytes");
        let mut keys = PersonKeys::generate(&[Compartment(0)], &entropy).unwrap();
        keys.set_record_version(Compartment(0), 3).unwrap();
        // With the version byte right, so that what follows is looked at.
        let bytes = [&[1][..], &bytes].concat();
        prop_assert!(open_record(&keys, &record_place(), &bytes).is_err());
        let tenant = TenantKey::generate(TENANT, 1, &entropy);
        prop_assert!(tenant.open_metadata(&bytes).is_err());
        let place = DocumentPlace { tenant: TENANT, kind: 1, id: [1; 16], version: 1 };
        prop_assert!(open_personal_document(&keys, &place, PERSON, &bytes).is_err());
    }
}
