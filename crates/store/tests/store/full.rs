//! A file system that is full: the answer says so, nothing acknowledged is lost, and the same store works on once
//! there is room. Needs root, to mount a small tmpfs; says loudly when it could not run.

use crate::fixture::{bytes, insert_person, person_id, tenant_id};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use store::{ApplyError, DataOp, OpenError, Options, Store};

struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size={size},mode=700");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "obhut-test"])
            .arg(dir.path())
            .output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        let warning = "\n!!! NOT RUN: a small file system could not be mounted (root is needed); \
                       what happens on a full disk was NOT tested !!!\n";
        // Past the capture of the test harness, so that it is seen.
        std::io::stderr().write_all(warning.as_bytes()).unwrap();
        None
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("store")
    }

    /// Takes all room but about `left` bytes.
    fn fill(&self, left: usize) -> PathBuf {
        let path = self.0.path().join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[1; 4_096]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left as u64)).unwrap();
        path
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn is_there(store: &Store, n: u32) -> bool {
    store.snapshot().unwrap().person_head(tenant_id(), person_id(n)).unwrap().is_some()
}

/// Writes until the store says that it is full; how many were acknowledged.
fn write_until_full(store: &Store, from: u32) -> u32 {
    for n in from.. {
        match store.apply_keys_blocking("fill", vec![insert_person(n, &bytes("wrap", n, 900))]) {
            Ok(()) => assert!(n < from + 100_000, "never full"),
            Err(ApplyError::Full) => return n,
            Err(other) => panic!("{other}"),
        }
    }
    unreachable!()
}

#[test]
fn a_full_disk_is_told_and_the_store_recovers_by_itself() {
    let Some(mounted) = Mounted::new("24m") else { return };
    let store = Store::open(&mounted.path(), &Options::default()).unwrap();
    let ballast = mounted.fill(600_000);
    let acknowledged = write_until_full(&store, 0);
    assert!(acknowledged > 10, "control: there was room for some");
    for n in 0..acknowledged {
        assert!(is_there(&store, n), "{n} was acknowledged");
    }
    assert!(!is_there(&store, acknowledged), "the one that was refused is not there");
    let again = store.apply_keys_blocking("still", vec![insert_person(acknowledged, &[1; 900])]);
    assert_eq!(again, Err(ApplyError::Full));
    assert!(store.health().last_fault != 0);

    std::fs::remove_file(ballast).unwrap();
    let after = acknowledged + 1;
    store.apply_keys_blocking("room again", vec![insert_person(after, &[1; 900])]).unwrap();
    drop(store);
    let store = Store::open(&mounted.path(), &Options::default()).unwrap();
    for n in (0..acknowledged).chain([after]) {
        assert!(is_there(&store, n), "{n} was acknowledged");
    }
    assert!(!is_there(&store, acknowledged));
    assert!(store.integrity().unwrap().keys);
}

#[test]
fn a_record_that_does_not_fit_leaves_room_for_the_key_store() {
    let Some(mounted) = Mounted::new("24m") else { return };
    let store = Store::open(&mounted.path(), &Options::default()).unwrap();
    let ballast = mounted.fill(400_000);
    let large = |version| {
        let mut row = crate::fixture::record(1, version);
        row.sealed.0 = bytes("large", version, 700_000);
        vec![DataOp::PutRecord(row)]
    };
    assert_eq!(store.apply_data_blocking("large", large(1)), Err(ApplyError::Full));
    store.apply_keys_blocking("small", vec![insert_person(1, b"wrap")]).unwrap();
    std::fs::remove_file(ballast).unwrap();
    store.apply_data_blocking("large", large(1)).unwrap();
}

#[test]
fn a_store_does_not_open_without_room() {
    let Some(mounted) = Mounted::new("24m") else { return };
    std::fs::create_dir(mounted.path()).unwrap();
    let ballast = mounted.fill(0);
    assert_eq!(open_error(&mounted.path()), Some(OpenError::Full));
    std::fs::remove_file(ballast).unwrap();
    assert_eq!(open_error(&mounted.path()), None, "control");
}

fn open_error(path: &Path) -> Option<OpenError> {
    Store::open(path, &Options::default()).err()
}
