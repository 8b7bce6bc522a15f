//! What may be opened, by whom, and what is refused.

use crate::fixture::{insert_person, person_id, record, tenant_id};
use rusqlite::Connection;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use store::{DataOp, Integrity, OpenError, Options, Store};

fn open(dir: &Path) -> Result<Store, OpenError> {
    Store::open(dir, &Options::default())
}

/// A folder with one person and one record, closed.
fn filled() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).unwrap();
    store.apply_keys_blocking("fill", vec![insert_person(1, b"wrap")]).unwrap();
    store.apply_data_blocking("fill", vec![DataOp::PutRecord(record(1, 1))]).unwrap();
    dir
}

fn sql(dir: &Path, file: &str, text: &str) {
    Connection::open(dir.join(file)).unwrap().execute_batch(text).unwrap();
}

#[test]
fn what_was_written_is_there_when_opened_again() {
    let dir = filled();
    let store = open(dir.path()).unwrap();
    assert!(store.snapshot().unwrap().person(tenant_id(), person_id(1)).unwrap().is_some());
    assert_eq!(store.integrity(), Ok(Integrity { keys: true, data: true }));
}

#[test]
fn a_folder_is_held_by_one_store_until_it_is_closed() {
    let dir = filled();
    let first = open(dir.path()).unwrap();
    assert_eq!(open(dir.path()).err(), Some(OpenError::Locked));
    let second_handle = first.clone();
    drop(first);
    assert_eq!(open(dir.path()).err(), Some(OpenError::Locked));
    second_handle.close();
    assert!(open(dir.path()).is_ok());
}

#[test]
fn a_clean_close_leaves_no_log() {
    let dir = filled();
    assert!(dir.path().join("keys.db").exists());
    assert!(!dir.path().join("keys.db-wal").exists());
    assert!(!dir.path().join("data.db-wal").exists());
}

#[test]
fn nobody_else_can_read_the_files() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("made/here");
    let store = open(&dir).unwrap();
    store.apply_keys_blocking("fill", vec![insert_person(1, b"wrap")]).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for file in ["keys.db", "keys.db-wal", "keys.db-shm", "data.db", "lock"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    for file in ["keys.db", "data.db"] {
        let dir = filled();
        sql(dir.path(), file, "INSERT INTO schema_migration VALUES (9999, 'later', 'x')");
        assert_eq!(open(dir.path()).err(), Some(OpenError::Newer), "{file}");
        sql(dir.path(), file, "DELETE FROM schema_migration WHERE number = 9999");
        assert!(open(dir.path()).is_ok(), "control");
    }
}

#[test]
fn a_migration_with_another_digest_is_refused() {
    let dir = filled();
    sql(dir.path(), "keys.db", "UPDATE schema_migration SET sha256 = 'f' || substr(sha256, 2)");
    let digest = open(dir.path()).err();
    sql(dir.path(), "keys.db", "UPDATE schema_migration SET sha256 = '0' || substr(sha256, 2)");
    assert!([digest, open(dir.path()).err()].contains(&Some(OpenError::Digest)));
}

#[test]
fn swapped_and_foreign_files_are_refused() {
    let dir = filled();
    std::fs::rename(dir.path().join("keys.db"), dir.path().join("x")).unwrap();
    std::fs::rename(dir.path().join("data.db"), dir.path().join("keys.db")).unwrap();
    std::fs::rename(dir.path().join("x"), dir.path().join("data.db")).unwrap();
    assert_eq!(open(dir.path()).err(), Some(OpenError::WrongFile));

    let dir = tempfile::tempdir().unwrap();
    sql(dir.path(), "keys.db", "CREATE TABLE somebodys (x)");
    assert_eq!(open(dir.path()).err(), Some(OpenError::WrongFile));
}

#[test]
fn damage_is_told_from_health() {
    let dir = filled();
    std::fs::write(dir.path().join("keys.db"), vec![0x5a; 8_192]).unwrap();
    assert_eq!(open(dir.path()).err(), Some(OpenError::Damaged));

    let dir = filled();
    let path = dir.path().join("data.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 4_096;
    bytes[last..].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(store.integrity(), Ok(Integrity { keys: true, data: false }));
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert_eq!(open(&file.join("below")).err(), Some(OpenError::Unavailable));
}

#[test]
fn an_open_that_fails_lets_go_of_everything() {
    let dir = filled();
    let data = std::fs::read(dir.path().join("data.db")).unwrap();
    std::fs::write(dir.path().join("data.db"), vec![0x5a; 8_192]).unwrap();
    assert_eq!(open(dir.path()).err(), Some(OpenError::Damaged));
    assert!(!dir.path().join("keys.db-wal").exists(), "the key store, opened first, is closed again");
    std::fs::write(dir.path().join("data.db"), data).unwrap();
    assert!(open(dir.path()).is_ok(), "control");
}
