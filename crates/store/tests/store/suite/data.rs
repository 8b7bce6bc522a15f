//! Records and documents.

use super::{Case, World};
use crate::fixture::{document, id16, person_id, record, tenant, tenant_id};
use model::Compartment;
use store::{Conflict, DataOp, DocumentRow, RecordKey, RecordRow, Sealed};

pub(super) const CASES: &[Case] = &[
    ("a record version never changes", record_never_changes),
    ("old versions and whole persons are removed", records_removed),
    ("documents have versions", document_versions),
    ("documents are paged by their latest version", documents_paged),
];

fn put_document(row: DocumentRow, expected_absent: bool) -> DataOp {
    DataOp::PutDocument { row, expected_absent }
}

fn record_never_changes(world: &World) {
    world.data([DataOp::PutRecord(record(1, 1))]);
    world.data([DataOp::PutRecord(record(1, 1))]);
    let other = RecordRow { sealed: Sealed(vec![1]), ..record(1, 1) };
    world.data_refused(DataOp::PutRecord(other), Conflict::RecordExists);
    world.data([DataOp::PutRecord(record(1, 2))]);
    let read = |version, compartment| {
        world.snapshot().record(tenant_id(), person_id(1), Compartment(compartment), version).unwrap()
    };
    assert_eq!(read(1, 0), Some(record(1, 1).sealed));
    assert_eq!(read(2, 0), Some(record(1, 2).sealed));
    assert_eq!((read(3, 0), read(1, 1)), (None, None));
    let elsewhere = world.snapshot().record(tenant(1).tenant, person_id(1), Compartment(0), 1);
    assert_eq!(elsewhere, Ok(None));
}

fn records_removed(world: &World) {
    let second = |version| {
        let row = record(1, version);
        RecordRow { key: RecordKey { compartment: Compartment(1), ..row.key }, ..row }
    };
    let rows = [record(1, 1), record(1, 2), record(1, 3), second(1), record(2, 1)];
    world.data(rows.map(DataOp::PutRecord));
    let (tenant, person) = (tenant_id(), person_id(1));
    let highest = |compartment| {
        world.snapshot().highest_record_version(tenant, person, Compartment(compartment)).unwrap()
    };
    assert_eq!((highest(0), highest(1), highest(2)), (Some(3), Some(1), None));
    world.data([DataOp::DeleteRecordVersions { tenant, person, compartment: Compartment(0), below: 3 }]);
    let of = |n| world.snapshot().records_of(tenant, person_id(n)).unwrap();
    assert_eq!(of(1), [record(1, 3).key, second(1).key]);
    let with_records = |after, limit| world.snapshot().persons_with_records(tenant, after, limit).unwrap();
    assert_eq!(with_records(None, 9), [person, person_id(2)]);
    assert_eq!((with_records(None, 1), with_records(Some(person), 9)), (vec![person], vec![person_id(2)]));
    let delete = DataOp::DeleteRecordsOf { tenant, person };
    world.data([delete.clone(), delete]);
    assert_eq!((of(1), of(2)), (vec![], vec![record(2, 1).key]));
    assert_eq!(with_records(None, 9), [person_id(2)]);
}

fn document_versions(world: &World) {
    world.data([put_document(document(1, 1), true), put_document(document(1, 3), false)]);
    world.data_refused(put_document(document(1, 1), true), Conflict::DocumentExists);
    let replaced = DocumentRow { sealed: Sealed(vec![5; 10]), ..document(1, 3) };
    world.data([put_document(replaced.clone(), false)]);
    let snapshot = world.snapshot();
    assert_eq!(snapshot.document(tenant_id(), 5, id16(1), 1), Ok(Some(document(1, 1))));
    assert_eq!(snapshot.document(tenant_id(), 5, id16(1), 2), Ok(None));
    assert_eq!(snapshot.document(tenant_id(), 6, id16(1), 1), Ok(None));
    assert_eq!(snapshot.latest_document(tenant_id(), 5, id16(1)), Ok(Some(replaced)));
    assert_eq!(snapshot.latest_document(tenant_id(), 5, id16(2)), Ok(None));
    assert_eq!(snapshot.document_versions(tenant_id(), 5, id16(1)), Ok(vec![1, 3]));
    drop(snapshot);
    let delete = DataOp::DeleteDocuments { tenant: tenant_id(), kind: 5, id: id16(1) };
    world.data([delete.clone(), delete]);
    assert_eq!(world.snapshot().document_versions(tenant_id(), 5, id16(1)), Ok(vec![]));
}

fn documents_paged(world: &World) {
    let rows = [document(1, 1), document(1, 2), document(2, 7), document(3, 1)];
    world.data(rows.map(|row| put_document(row, true)));
    world.data([put_document(DocumentRow { kind: 6, ..document(2, 1) }, true)]);
    let page = |after, limit| world.snapshot().documents(tenant_id(), 5, after, limit).unwrap();
    assert_eq!(page(None, 9), [document(1, 2), document(2, 7), document(3, 1)]);
    assert_eq!(page(None, 1), [document(1, 2)]);
    assert_eq!(page(Some(id16(1)), 1), [document(2, 7)]);
}
