//! No value opens without a permit that covers it (DESIGN §3, invariant 2).

use crate::support::{PERSON, Seeded, TENANT, partial, permit, record_place};
use model::catalogue::Category;
use model::{Compartment, FieldId, PersonId, TenantId};
use seal::{OpenedRecord, PersonKeys, SealError, Value, open_record, seal_record};

const NAME: FieldId = FieldId(1);

fn record() -> OpenedRecord {
    let entropy = Seeded::new("permits");
    let mut keys = PersonKeys::generate(&[Compartment(0)], &entropy).unwrap();
    keys.set_record_version(Compartment(0), 3).unwrap();
    let values = [
        Value { field: NAME, category: Category::Identity, bytes: b"Jana Maria Muster" },
        Value { field: FieldId(2), category: Category::Health, bytes: b"asthma" },
        Value { field: FieldId(3), category: Category::Other, bytes: b"\xff" },
    ];
    let sealed = seal_record(&keys, &record_place(), &values, &entropy).unwrap();
    open_record(&keys, &record_place(), &sealed).unwrap()
}

#[test]
fn a_permit_opens_its_field_of_its_person_of_its_tenant() {
    let record = record();
    let name = record.open(&permit(TENANT, PERSON, NAME), NAME, Category::Identity).unwrap().unwrap();
    assert_eq!(*name, b"Jana Maria Muster");
    let refused = [
        permit(TENANT, PERSON, FieldId(2)),
        permit(TENANT, PersonId([9; 16]), NAME),
        permit(TenantId([9; 16]), PERSON, NAME),
    ];
    for permit in refused {
        let opened = record.open(&permit, NAME, Category::Identity);
        assert_eq!(opened.err(), Some(SealError::NotPermitted), "{permit:?}");
    }
}

#[test]
fn a_partial_permit_gives_the_transform_and_never_the_value() {
    let record = record();
    let initials = record.open_partial(&partial(TENANT, PERSON, NAME), NAME, Category::Identity).unwrap();
    assert_eq!(initials.unwrap().as_str(), "J. M. M.");
    for permit in [partial(TENANT, PERSON, FieldId(2)), partial(TENANT, PersonId([9; 16]), NAME)] {
        let opened = record.open_partial(&permit, NAME, Category::Identity);
        assert_eq!(opened.err(), Some(SealError::NotPermitted));
    }
    let permit = partial(TENANT, PERSON, FieldId(3));
    assert_eq!(record.open_partial(&permit, FieldId(3), Category::Other).err(), Some(SealError::NotText));
}

#[test]
fn refusal_looks_alike_whether_or_not_there_is_a_value() {
    let record = record();
    let other = permit(TENANT, PersonId([9; 16]), FieldId(77));
    for field in [NAME, FieldId(77)] {
        assert_eq!(record.open(&other, field, Category::Identity).err(), Some(SealError::NotPermitted));
    }
    let absent = record.open(&permit(TENANT, PERSON, FieldId(77)), FieldId(77), Category::Identity);
    assert_eq!(absent, Ok(None));
}

#[test]
fn a_value_does_not_open_under_another_category() {
    let (record, field) = (record(), FieldId(2));
    let permit = permit(TENANT, PERSON, field);
    assert!(record.open(&permit, field, Category::Health).unwrap().is_some());
    for category in [Category::Identity, Category::Special, Category::Other] {
        assert_eq!(record.open(&permit, field, category).err(), Some(SealError::Open));
    }
}
