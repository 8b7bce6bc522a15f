//! Ciphertext has one place: whatever is put where something else stood does not open (DESIGN §3, invariant 7).

use crate::support::{EPOCH, PERSON, Places, Seeded, TENANT, epoch_key, person_place, record_place, root};
use model::catalogue::Category;
use model::{Compartment, FieldId, PersonId, PrincipalId, TenantId, Timestamp};
use seal::trail::{open_identity, open_metadata, seal_entry};
use seal::{
    DocumentPlace, Frame, IdentityPart, IndexId, PersonKeys, PersonPlace, RecordPlace, SealError,
    SigningKeys, TenantKey, Value, open_personal_document, open_record, seal_personal_document, seal_record,
};
use std::rc::Rc;

/// Whether bytes open at a place.
type Open = Box<dyn Fn(&[u8]) -> bool>;

/// Something stored, and how its reader opens whatever stands there.
struct Stored {
    what: String,
    bytes: Vec<u8>,
    open: Open,
}

fn stored(what: impl Into<String>, bytes: Vec<u8>, open: impl Fn(&[u8]) -> bool + 'static) -> Stored {
    Stored { what: what.into(), bytes, open: Box::new(open) }
}

const OTHER_TENANT: TenantId = TenantId([0x12; 16]);
const OTHER_PERSON: PersonId = PersonId([0x23; 16]);

/// The same keys each time, with `version` as the current record of both compartments. That the keys are the same
/// is the hard case: only the place tells the objects apart.
fn person_keys(version: u32) -> PersonKeys {
    let compartments = [Compartment(0), Compartment(1)];
    let mut keys = PersonKeys::generate(&compartments, &Seeded::new("person")).unwrap();
    for compartment in compartments {
        keys.set_record_version(compartment, version).unwrap();
    }
    keys
}

fn records(all: &mut Vec<Stored>) {
    let base = record_place();
    let places = [
        base,
        RecordPlace { tenant: OTHER_TENANT, ..base },
        RecordPlace { person: OTHER_PERSON, ..base },
        RecordPlace { table: 2, ..base },
        RecordPlace { compartment: Compartment(1), ..base },
        RecordPlace { version: 4, ..base },
        RecordPlace { key_version: 2, ..base },
    ];
    let value = Value { field: FieldId(1), category: Category::Identity, bytes: b"Jana" };
    for place in places {
        let keys = person_keys(place.version);
        let sealed = seal_record(&keys, &place, &[value], &Seeded::new("record")).unwrap();
        all.push(stored(format!("{place:?}"), sealed, move |bytes| {
            open_record(&keys, &place, bytes).is_ok()
        }));
    }
}

fn documents(all: &mut Vec<Stored>, tenant: &TenantKey) {
    let base = DocumentPlace { tenant: TENANT, kind: 1, id: [1; 16], version: 1 };
    let places = [
        base,
        DocumentPlace { kind: 2, ..base },
        DocumentPlace { id: [2; 16], ..base },
        DocumentPlace { version: 2, ..base },
    ];
    let metadata = Rc::new(tenant.new_metadata(&Seeded::new("metadata")).unwrap().0);
    for place in places {
        let sealed = metadata.seal_document(&place, b"text", &Seeded::new("document")).unwrap();
        let metadata = metadata.clone();
        let open = move |bytes: &[u8]| metadata.open_document(&place, bytes).is_ok();
        all.push(stored(format!("tenant's {place:?}"), sealed, open));
        for person in [PERSON, OTHER_PERSON] {
            let (keys, entropy) = (person_keys(1), Seeded::new("document"));
            let sealed = seal_personal_document(&keys, &place, person, b"text", &entropy).unwrap();
            let open = move |bytes: &[u8]| open_personal_document(&keys, &place, person, bytes).is_ok();
            all.push(stored(format!("{person}'s {place:?}"), sealed, open));
        }
    }
}

fn bundles(all: &mut Vec<Stored>) {
    let base = person_place();
    let places = [
        base,
        PersonPlace { tenant: OTHER_TENANT, ..base },
        PersonPlace { person: OTHER_PERSON, ..base },
        PersonPlace { epoch: EPOCH + 1, ..base },
        PersonPlace { row_version: 8, ..base },
    ];
    for place in places {
        // The same random bytes for each epoch key, so that only the place differs.
        let key = epoch_key(place.tenant, place.epoch, "epoch");
        let sealed = person_keys(1).wrap(&key, &place, &Seeded::new("bundle")).unwrap();
        all.push(stored(format!("{place:?}"), sealed, move |bytes| {
            PersonKeys::unwrap(&key, &place, bytes).is_ok()
                || PersonKeys::unwrap_log_secret(&key, &place, bytes).is_ok()
        }));
    }
}

fn held_indexes(all: &mut Vec<Stored>) {
    let places = [(TENANT, EPOCH, 1), (OTHER_TENANT, EPOCH, 1), (TENANT, EPOCH + 1, 1), (TENANT, EPOCH, 2)];
    for (tenant, epoch, index) in places {
        let key = epoch_key(tenant, epoch, "epoch");
        let held = key.hold_index(IndexId(index), &[7; 77], &Seeded::new("held")).unwrap();
        all.push(stored(format!("index {index} of {tenant} in {epoch}"), held, move |bytes| {
            key.held_index(IndexId(index), bytes).is_ok()
        }));
    }
}

fn subkeys(all: &mut Vec<Stored>, tenant: &Rc<TenantKey>, name: &str) {
    let entropy = Seeded::new("subkeys");
    let mut add = |what: String, bytes, open: fn(&TenantKey, &[u8]) -> bool| {
        let tenant = tenant.clone();
        all.push(stored(format!("{name}: {what}"), bytes, move |bytes| open(&tenant, bytes)));
    };
    let bytes = tenant.new_metadata(&entropy).unwrap().1;
    add("metadata key".into(), bytes, |tenant, bytes| tenant.open_metadata(bytes).is_ok());
    let bytes = tenant.new_index(IndexId(1), &entropy).unwrap().1;
    add("index 1".into(), bytes, |tenant, bytes| tenant.open_index(IndexId(1), bytes).is_ok());
    let bytes = tenant.new_index(IndexId(2), &entropy).unwrap().1;
    add("index 2".into(), bytes, |tenant, bytes| tenant.open_index(IndexId(2), bytes).is_ok());
    let bytes = tenant.new_period(1, 0, &entropy).unwrap().1;
    add("period 1".into(), bytes, |tenant, bytes| tenant.open_period(1, 0, bytes).is_ok());
    let bytes = tenant.new_period(2, 0, &entropy).unwrap().1;
    add("period 2".into(), bytes, |tenant, bytes| tenant.open_period(2, 0, bytes).is_ok());
    let bytes = tenant.new_period(1, 1, &entropy).unwrap().1;
    add("period 1, generation 1".into(), bytes, |tenant, bytes| tenant.open_period(1, 1, bytes).is_ok());
    let bytes = tenant.new_log_secret(PrincipalId([1; 16]), &entropy).unwrap().1;
    add("log secret 1".into(), bytes, |tenant, bytes| {
        tenant.open_log_secret(PrincipalId([1; 16]), bytes).is_ok()
    });
    let bytes = tenant.new_log_secret(PrincipalId([2; 16]), &entropy).unwrap().1;
    add("log secret 2".into(), bytes, |tenant, bytes| {
        tenant.open_log_secret(PrincipalId([2; 16]), bytes).is_ok()
    });
}

fn under_the_root(all: &mut Vec<Stored>) {
    let root = root();
    for (tenant, version) in [(TENANT, 1), (OTHER_TENANT, 1), (TENANT, 2)] {
        let key = TenantKey::generate(tenant, version, &Seeded::new("tenant"));
        let sealed = key.wrap(&root, &Seeded::new("wrap")).unwrap();
        let root = root.clone();
        let open = move |bytes: &[u8]| TenantKey::unwrap(&root, tenant, version, bytes).is_ok();
        all.push(stored(format!("key {version} of {tenant}"), sealed, open));
    }
    let sealed = SigningKeys::generate(&Seeded::new("signing")).unwrap();
    let sealed = sealed.wrap(&root, &Seeded::new("wrap")).unwrap();
    all.push(stored("signing keys", sealed, move |bytes| SigningKeys::unwrap(&root, bytes).is_ok()));
}

fn entries(all: &mut Vec<Stored>, tenant: &TenantKey) {
    let base = Frame { kind: 1, generation: 0, tenant: 1, period: 1 };
    let frames = [
        base,
        Frame { kind: 2, ..base },
        Frame { tenant: 2, ..base },
        Frame { period: 2, ..base },
        Frame { generation: 1, ..base },
    ];
    for frame in frames {
        // Period keys of the same random bytes and an identity layer of the same salt.
        let period = || tenant.new_period(frame.period, frame.generation, &Seeded::new("period")).unwrap().0;
        let keys = person_keys(1);
        let part = IdentityPart { secret: keys.log_secret(), detail: b"detail" };
        let entry = seal_entry(&period(), frame, b"metadata", &[part], &Seeded::new("entry")).unwrap();
        let (key, leaf) = (period(), entry.leaf.clone());
        let open = move |bytes: &[u8]| open_metadata(&key, bytes).is_ok() && Frame::parse(bytes) == Ok(frame);
        all.push(stored(format!("leaf of {frame:?}"), entry.leaf, open));
        let open =
            move |identity: &[u8]| open_identity(keys.log_secret(), frame.period, &leaf, identity, 0).is_ok();
        all.push(stored(format!("identity of {frame:?}"), entry.identity, open));
    }
}

#[test]
fn any_two_stored_ciphertexts_swapped_do_not_open() {
    let tenants = [(TENANT, 1), (OTHER_TENANT, 1), (TENANT, 2)]
        .map(|(tenant, version)| Rc::new(TenantKey::generate(tenant, version, &Seeded::new("tenant"))));
    let mut all = Vec::new();
    records(&mut all);
    documents(&mut all, &tenants[0]);
    bundles(&mut all);
    held_indexes(&mut all);
    for (tenant, name) in tenants.iter().zip(["one", "other", "one, key 2"]) {
        subkeys(&mut all, tenant, name);
    }
    under_the_root(&mut all);
    entries(&mut all, &tenants[0]);
    assert!(all.len() > 50);
    for one in &all {
        assert!((one.open)(&one.bytes), "the control: {} opens where it stands", one.what);
        for other in all.iter().filter(|other| other.what != one.what) {
            assert!(!(one.open)(&other.bytes), "{} opens in place of {}", other.what, one.what);
        }
    }
}

#[test]
fn no_flipped_bit_and_no_other_length_of_anything_opens() {
    let tenant = Rc::new(TenantKey::generate(TENANT, 1, &Seeded::new("tenant")));
    let mut all = Vec::new();
    records(&mut all);
    documents(&mut all, &tenant);
    bundles(&mut all);
    held_indexes(&mut all);
    subkeys(&mut all, &tenant, "one");
    entries(&mut all, &tenant);
    for one in &all {
        for bit in 0..one.bytes.len() * 8 {
            let mut flipped = one.bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // A bundle is two wraps side by side, of which the reader opens either.
            let both = one.what.starts_with("PersonPlace");
            assert!(both || !(one.open)(&flipped), "{} with bit {bit} flipped", one.what);
        }
        for len in 0..one.bytes.len() {
            let part = one.what.starts_with("PersonPlace") && len >= 77;
            assert!(part || !(one.open)(&one.bytes[..len]), "{} cut to {len}", one.what);
        }
        let longer = [&one.bytes[..], &[0]].concat();
        assert!(one.what.starts_with("PersonPlace") || !(one.open)(&longer), "{}", one.what);
    }
}

#[test]
fn no_flipped_bit_of_a_bundle_opens_and_its_halves_belong_together() {
    let key = epoch_key(TENANT, EPOCH, "epoch");
    let (place, later) = (person_place(), PersonPlace { row_version: 8, ..person_place() });
    let wrap = |place| person_keys(1).wrap(&key, place, &Seeded::new("bundle")).unwrap();
    let (sealed, after) = (wrap(&place), wrap(&later));
    let opens = |place, bytes: &[u8]| PersonKeys::unwrap(&key, place, bytes).is_ok();
    assert!(opens(&place, &sealed) && opens(&later, &after));
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(!opens(&place, &flipped), "bit {bit}");
    }
    for len in 0..sealed.len() {
        assert!(!opens(&place, &sealed[..len]));
    }
    for (first, second) in [(&sealed, &after), (&after, &sealed)] {
        let mixed = [&first[..77], &second[77..]].concat();
        assert!(!opens(&place, &mixed) && !opens(&later, &mixed));
    }
}

#[test]
fn an_old_record_put_back_does_not_open() {
    let value = |bytes| Value { field: FieldId(1), category: Category::Identity, bytes };
    let (old, new) = (record_place(), RecordPlace { version: 4, ..record_place() });
    let mut keys = person_keys(3);
    let first = seal_record(&keys, &old, &[value(b"Jana Alt")], &Seeded::new("first")).unwrap();
    assert!(open_record(&keys, &old, &first).is_ok(), "the control");
    keys.set_record_version(Compartment(0), 4).unwrap();
    let second = seal_record(&keys, &new, &[value(b"Jana Neu")], &Seeded::new("second")).unwrap();
    assert!(open_record(&keys, &new, &second).is_ok());
    // In the new one's place, and read as what it is.
    assert_eq!(open_record(&keys, &new, &first).err(), Some(SealError::Open));
    assert_eq!(open_record(&keys, &old, &first).err(), Some(SealError::Open));
    // The other way round: the old row put back beside the new record.
    assert_eq!(open_record(&person_keys(3), &new, &second).err(), Some(SealError::Open));
}

#[test]
fn once_an_epoch_is_destroyed_no_copy_of_a_row_opens() {
    let (places, root) = (Places::new(), root());
    let store = places.open(TENANT, &root);
    let key = store.create(EPOCH, Timestamp(0), &Seeded::new("epoch")).unwrap();
    let row = person_keys(1).wrap(&key, &person_place(), &Seeded::new("bundle")).unwrap();
    drop(key);
    let file = places.holders[0].join(format!("{TENANT}.shred"));
    let copy = std::fs::read(&file).unwrap();
    let opens = || {
        let key = places.open(TENANT, &root).key(EPOCH)?;
        PersonKeys::unwrap(&key, &person_place(), &row).ok()
    };
    assert!(opens().is_some(), "the control");
    store.destroy(EPOCH, &Seeded::new("destroy")).unwrap();
    assert!(store.key(EPOCH).is_none() && opens().is_none());
    std::fs::write(&file, copy).unwrap();
    assert!(opens().is_none(), "an old holder came back beside an intact one");
    // Nor does a new epoch of another number open it.
    let other = places.open(TENANT, &root).create(EPOCH + 1, Timestamp(0), &Seeded::new("next")).unwrap();
    assert_eq!(PersonKeys::unwrap(&other, &person_place(), &row).err(), Some(SealError::Open));
    let place = PersonPlace { epoch: EPOCH + 1, ..person_place() };
    assert_eq!(PersonKeys::unwrap(&other, &place, &row).err(), Some(SealError::Open));
}
