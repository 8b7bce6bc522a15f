//! Crash, corruption and roll-back tests on simulated disks.

mod disk;

use super::region::{FILE, REGION, Region};
use super::{EpochKey, Repair, ShredError, ShredStore};
use crate::testing::{Seeded, root};
use crate::{PersonKeys, PersonPlace, Root};
use disk::Sim;
use model::{Compartment, PersonId, TenantId, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const TENANT: TenantId = TenantId([7; 16]);
const PERSON: PersonId = PersonId([8; 16]);
const NOW: Timestamp = Timestamp(1_000);

fn holders() -> Vec<PathBuf> {
    vec!["/a".into(), "/b".into()]
}

fn holder_file(holder: &str) -> PathBuf {
    Path::new(holder).join(format!("{TENANT}.shred"))
}

fn escrow_file(epoch: u32) -> PathBuf {
    Path::new("/e").join(format!("{TENANT}.{epoch}.escrow"))
}

fn open(disk: &Sim, root: &Arc<Root>, seed: u64) -> Result<ShredStore, ShredError> {
    let files = Box::new(disk.clone());
    ShredStore::open_on(files, &holders(), Path::new("/e"), TENANT, root, &Seeded::new(seed))
}

/// A bundle under the key, by which it is recognised later.
fn mark(key: &EpochKey) -> Vec<u8> {
    let keys = PersonKeys::generate(&[Compartment(0)], &Seeded::new(1)).unwrap();
    keys.wrap(key, &place(key.epoch()), &Seeded::new(2)).unwrap()
}

fn recognises(store: &ShredStore, epoch: u32, mark: &[u8]) -> bool {
    store.key(epoch).is_some_and(|key| PersonKeys::unwrap(&key, &place(epoch), mark).is_ok())
}

fn place(epoch: u32) -> PersonPlace {
    PersonPlace { tenant: TENANT, person: PERSON, epoch, row_version: 1 }
}

fn epochs(store: &ShredStore) -> Vec<u32> {
    store.epochs().iter().map(|info| info.epoch).collect()
}

/// Whether any file of the disk, in any of its regions, still holds the key of `epoch`.
fn left_on_disk(disk: &Sim, root: &Root, epoch: u32) -> bool {
    disk.paths().iter().any(|path| {
        let bytes = disk.file(path).unwrap();
        let regions = bytes.as_chunks::<REGION>().0.iter().filter_map(|bytes| Region::parse(bytes, TENANT));
        regions.filter_map(|region| region.open(root).ok()).any(|table| table.get(epoch).is_some())
            || super::region::decode_escrow(&bytes, TENANT, epoch, root).is_ok()
    })
}

/// A disk with live epochs 1 and 2 and their marks.
fn two_epochs(root: &Arc<Root>) -> (Sim, Vec<Vec<u8>>) {
    let disk = Sim::default();
    let store = open(&disk, root, 1).unwrap();
    let marks = [1, 2].map(|epoch| mark(&store.create(epoch, NOW, &Seeded::new(epoch.into())).unwrap()));
    (disk, marks.into())
}

/// Runs `change` with the power going at each of its steps in turn, and `after` on the disk that comes back, four
/// times for each step with different luck. `after` is told what `change` gave if it was acknowledged.
fn at_each_step<T>(
    disk: &Sim,
    root: &Arc<Root>,
    change: impl Fn(&ShredStore) -> Option<T>,
    after: impl Fn(&Sim, Option<&T>),
) {
    let mut reached = 0;
    for step in 1.. {
        let run = disk.copy();
        let store = open(&run, root, 10).unwrap();
        run.crash_at(step);
        let acknowledged = change(&store);
        reached = step;
        for luck in 0..4 {
            after(&run.reboot(&Seeded::new(1_000 * step as u64 + luck)), acknowledged.as_ref());
        }
        if !run.is_off() {
            assert!(acknowledged.is_some());
            break;
        }
        assert!(acknowledged.is_none(), "acknowledged before step {step}");
    }
    assert!(reached > 8, "only {reached} steps: the power never went in between");
}

#[test]
fn a_creation_that_the_power_cut_short_is_there_or_not_and_harms_nothing() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    let create = |store: &ShredStore| store.create(3, NOW, &Seeded::new(3)).ok().map(|key| mark(&key));
    at_each_step(&disk, &root, create, |disk, acknowledged| {
        if let Some(third) = acknowledged {
            // Each of the three places alone has it, at once.
            for kept in ["/a", "/b", "/e"] {
                let disk = disk.copy();
                disk.edit(|files| files.retain(|path, _| path.starts_with(kept)));
                assert!(recognises(&open(&disk, &root, 19).unwrap(), 3, third), "{kept}");
            }
        }
        let store = open(disk, &root, 20).unwrap();
        assert!(recognises(&store, 1, &marks[0]) && recognises(&store, 2, &marks[1]));
        // Going on works, and what is handed out now stays.
        let third = mark(&store.create(3, NOW, &Seeded::new(33)).unwrap());
        drop(store);
        assert!(recognises(&open(disk, &root, 21).unwrap(), 3, &third));
        // Either holder and escrow alone know the same key.
        for lost in
            [vec![holder_file("/a")], vec![holder_file("/b")], vec![holder_file("/a"), holder_file("/b")]]
        {
            let disk = disk.copy();
            disk.edit(|files| lost.iter().for_each(|path| drop(files.remove(path))));
            assert!(recognises(&open(&disk, &root, 22).unwrap(), 3, &third));
        }
    });
}

#[test]
fn a_destruction_that_the_power_cut_short_is_whole_once_it_has_begun() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    let destroy = |store: &ShredStore| store.destroy(1, &Seeded::new(3)).ok();
    at_each_step(&disk, &root, destroy, |disk, acknowledged| {
        assert!(acknowledged.is_none() || !left_on_disk(disk, &root, 1), "acknowledged, and still there");
        let store = open(disk, &root, 20).unwrap();
        assert!(recognises(&store, 2, &marks[1]));
        if store.key(1).is_some() {
            assert!(recognises(&store, 1, &marks[0]));
            store.destroy(1, &Seeded::new(30)).unwrap();
        }
        assert!(!left_on_disk(disk, &root, 1));
        assert!(!left_on_disk(&disk.reboot(&Seeded::new(5)), &root, 1), "only in the cache");
        assert_eq!(epochs(&open(disk, &root, 21).unwrap()), [2]);
    });
}

#[test]
fn no_failed_write_and_no_power_cut_after_it_leaves_a_holder_without_a_whole_region() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    for failing in 1..=6 {
        for cut in 1..=4 {
            let run = disk.copy();
            let store = open(&run, &root, 10).unwrap();
            run.fail_at(failing);
            let _ = store.destroy(1, &Seeded::new(3));
            run.crash_at(cut);
            let _ = store.destroy(1, &Seeded::new(4));
            for luck in 0..4 {
                let after = run.reboot(&Seeded::new(luck + 10 * cut as u64 + 100 * failing as u64));
                for holder in ["/a", "/b"] {
                    let alone = after.copy();
                    alone.edit(|files| files.retain(|path, _| path.starts_with(holder)));
                    let store = open(&alone, &root, 11).unwrap();
                    assert!(recognises(&store, 2, &marks[1]), "{failing} {cut} {holder}");
                }
            }
        }
    }
}

#[test]
fn an_opening_that_the_power_cut_short_can_be_repeated() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    disk.edit(|files| drop(files.remove(&holder_file("/b"))));
    disk.edit(|files| drop(files.remove(&escrow_file(2))));
    for step in 1..20 {
        let run = disk.copy();
        run.crash_at(step);
        let _ = open(&run, &root, 10);
        let store = open(&run.reboot(&Seeded::new(step as u64)), &root, 20).unwrap();
        assert!(recognises(&store, 1, &marks[0]) && recognises(&store, 2, &marks[1]));
    }
}

#[test]
fn the_check_for_leftovers_sees_an_epoch_in_every_place() {
    let root = root();
    let (disk, _) = two_epochs(&root);
    assert!(left_on_disk(&disk, &root, 1));
    for path in disk.paths() {
        let one = disk.copy();
        one.edit(|files| files.retain(|other, _| *other == path));
        let expected = path != escrow_file(2);
        assert_eq!(left_on_disk(&one, &root, 1), expected, "{path:?}");
    }
    assert!(!left_on_disk(&disk, &root, 3));
}

#[test]
fn an_old_holder_put_back_does_not_revive_an_epoch() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    let old = disk.copy();
    open(&disk, &root, 3).unwrap().destroy(1, &Seeded::new(3)).unwrap();
    for holder in ["/a", "/b"] {
        let rolled_back = disk.copy();
        let path = holder_file(holder);
        rolled_back.edit(|files| drop(files.insert(path.clone(), old.file(&path).unwrap())));
        rolled_back.edit(|files| drop(files.insert(escrow_file(1), old.file(&escrow_file(1)).unwrap())));
        assert!(left_on_disk(&rolled_back, &root, 1));
        let store = open(&rolled_back, &root, 4).unwrap();
        assert_eq!(epochs(&store), [2]);
        assert!(store.key(1).is_none() && !recognises(&store, 1, &marks[0]));
        assert!(store.repairs().contains(&Repair::Wiped(1)));
        assert!(!left_on_disk(&rolled_back, &root, 1));
        assert_eq!(store.create(1, NOW, &Seeded::new(9)).err(), Some(ShredError::Destroyed));
    }
    // The control: with both holders put back the epoch is there again, which is why there are two places.
    let rolled_back = disk.copy();
    rolled_back.edit(|files| {
        for path in [holder_file("/a"), holder_file("/b")] {
            files.insert(path.clone(), old.file(&path).unwrap());
        }
    });
    assert!(recognises(&open(&rolled_back, &root, 4).unwrap(), 1, &marks[0]));
}

#[test]
fn a_lost_or_broken_holder_is_restored() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    let breakages: [fn(&mut Vec<u8>); 5] = [
        |file| file.truncate(0),
        |file| file.truncate(REGION),
        |file| file.truncate(FILE - 1),
        |file| file.fill(0),
        |file| (file[100], file[REGION + 100]) = (file[100] ^ 1, file[REGION + 100] ^ 1),
    ];
    for holder in ["/a", "/b"] {
        for breakage in breakages {
            let disk = disk.copy();
            disk.edit(|files| breakage(files.get_mut(&holder_file(holder)).unwrap()));
            let number = usize::from(holder == "/b");
            assert_eq!(open(&disk, &root, 5).unwrap().repairs(), [Repair::Holder(number)]);
            // Now the other one may go.
            let other = if holder == "/a" { "/b" } else { "/a" };
            disk.edit(|files| drop(files.remove(&holder_file(other))));
            let store = open(&disk, &root, 6).unwrap();
            assert!(recognises(&store, 1, &marks[0]) && recognises(&store, 2, &marks[1]));
        }
    }
}

#[test]
fn any_flipped_bit_in_a_region_is_repaired_from_what_is_whole() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    let whole = disk.file(&holder_file("/a")).unwrap();
    for at in (0..FILE).step_by(331) {
        let disk = disk.copy();
        disk.edit(|files| files.get_mut(&holder_file("/a")).unwrap()[at] ^= 1 << (at % 8));
        let store = open(&disk, &root, 5).unwrap();
        assert_eq!(store.repairs(), [Repair::Holder(0)]);
        assert!(recognises(&store, 1, &marks[0]) && recognises(&store, 2, &marks[1]));
        let mended = disk.file(&holder_file("/a")).unwrap();
        assert!(mended != whole && mended[..REGION] == mended[REGION..]);
    }
}

#[test]
fn a_forged_region_with_a_right_digest_does_not_open() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    disk.edit(|files| {
        let file = files.get_mut(&holder_file("/a")).unwrap();
        let mut region = file[..REGION - 32].to_vec();
        region[32] += 1; // The sequence: it would win if it were believed.
        region[2_000] ^= 1;
        let digest = crate::digest::labelled(crate::labels::FILE_DIGEST, &region);
        region.extend_from_slice(&digest);
        file[..REGION].copy_from_slice(&region);
    });
    let store = open(&disk, &root, 5).unwrap();
    assert_eq!(store.repairs(), [Repair::Holder(0)]);
    assert!(recognises(&store, 1, &marks[0]) && recognises(&store, 2, &marks[1]));
}

#[test]
fn broken_files_alone_do_not_become_an_empty_store() {
    let root = root();
    let (disk, _) = two_epochs(&root);
    disk.edit(|files| {
        for holder in ["/a", "/b"] {
            files.get_mut(&holder_file(holder)).unwrap().fill(0);
        }
    });
    assert_eq!(open(&disk, &root, 5).err(), Some(ShredError::Damaged));
    // Nor does one broken file beside escrow: what was destroyed would be forgotten with it.
    disk.edit(|files| files.retain(|path, _| !path.starts_with("/b")));
    assert_eq!(open(&disk, &root, 5).err(), Some(ShredError::Damaged));
    disk.edit(|files| files.retain(|path, _| path.starts_with("/a")));
    assert_eq!(open(&disk, &root, 5).err(), Some(ShredError::Damaged));
    // The control: nothing at all is a new store.
    disk.edit(|files| files.clear());
    assert_eq!(epochs(&open(&disk, &root, 5).unwrap()), [0; 0]);
}

#[test]
fn escrow_alone_brings_back_what_was_not_destroyed() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    open(&disk, &root, 3).unwrap().destroy(1, &Seeded::new(3)).unwrap();
    disk.edit(|files| files.retain(|path, _| path.starts_with("/e")));
    let store = open(&disk, &root, 5).unwrap();
    assert_eq!(epochs(&store), [2]);
    assert!(store.repairs().contains(&Repair::Adopted(2)) && recognises(&store, 2, &marks[1]));
}

#[test]
fn a_missing_or_torn_escrow_object_is_written_anew() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    disk.edit(|files| drop(files.remove(&escrow_file(1))));
    disk.edit(|files| files.get_mut(&escrow_file(2)).unwrap().truncate(900));
    assert_eq!(open(&disk, &root, 5).unwrap().repairs(), [Repair::Escrow(1), Repair::Escrow(2)]);
    disk.edit(|files| files.retain(|path, _| path.starts_with("/e")));
    let store = open(&disk, &root, 6).unwrap();
    assert!(recognises(&store, 1, &marks[0]) && recognises(&store, 2, &marks[1]));
}

#[test]
fn an_escrow_object_that_belongs_to_nothing_is_reported_and_left() {
    let root = root();
    let (disk, _) = two_epochs(&root);
    let moved = disk.file(&escrow_file(1)).unwrap();
    disk.edit(|files| drop(files.insert(escrow_file(5), moved.clone())));
    let store = open(&disk, &root, 5).unwrap();
    assert_eq!((store.repairs(), epochs(&store)), (&[Repair::Unreadable(5)][..], vec![1, 2]));
    assert_eq!(disk.file(&escrow_file(5)), Some(moved));
}

#[test]
fn a_holder_that_fails_is_named_and_the_call_can_be_repeated() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    let store = open(&disk, &root, 3).unwrap();
    disk.break_path(Some("/b"));
    assert_eq!(store.create(3, NOW, &Seeded::new(3)).err(), Some(ShredError::Holder(1)));
    assert!(store.key(3).is_none(), "handed out before both holders have it");
    assert_eq!(store.destroy(1, &Seeded::new(4)).err(), Some(ShredError::Holder(1)));
    assert!(store.key(1).is_none(), "still handed out though its end has begun");
    disk.break_path(Some("/e"));
    assert_eq!(store.destroy(1, &Seeded::new(4)).err(), Some(ShredError::Escrow));
    assert_eq!(store.create(3, NOW, &Seeded::new(3)).err(), Some(ShredError::Escrow));
    disk.break_path(None);
    let third = mark(&store.create(3, NOW, &Seeded::new(5)).unwrap());
    let confirmed = store.destroy(1, &Seeded::new(6)).unwrap();
    assert_eq!((confirmed.holders, confirmed.escrow), (2, true));
    assert!(!left_on_disk(&disk, &root, 1));
    let store = open(&disk, &root, 7).unwrap();
    assert!(recognises(&store, 2, &marks[1]) && recognises(&store, 3, &third));
}

#[test]
fn holders_that_know_different_keys_are_refused() {
    let root = root();
    let (one, other) = (Sim::default(), Sim::default());
    for (disk, seed) in [(&one, 1), (&other, 2)] {
        open(disk, &root, seed).unwrap().create(1, NOW, &Seeded::new(seed)).unwrap();
    }
    let theirs = other.file(&holder_file("/b")).unwrap();
    one.edit(|files| drop(files.insert(holder_file("/b"), theirs)));
    assert_eq!(open(&one, &root, 3).err(), Some(ShredError::Diverged));
}

#[test]
fn holders_that_went_their_own_ways_are_put_together() {
    let root = root();
    let (disk, marks) = two_epochs(&root);
    // Each holder lived a while without the other: one lost epoch 1, the other gained epoch 3.
    let (one, other) = (disk.copy(), disk.copy());
    open(&one, &root, 3).unwrap().destroy(1, &Seeded::new(3)).unwrap();
    let third = mark(&open(&other, &root, 4).unwrap().create(3, NOW, &Seeded::new(4)).unwrap());
    let theirs = other.file(&holder_file("/b")).unwrap();
    one.edit(|files| drop(files.insert(holder_file("/b"), theirs)));
    let store = open(&one, &root, 5).unwrap();
    assert_eq!(epochs(&store), [2, 3]);
    assert!(recognises(&store, 2, &marks[1]) && recognises(&store, 3, &third));
    assert!(!left_on_disk(&one, &root, 1));
}

#[test]
fn limits_and_unknown_epochs() {
    let root = root();
    let disk = Sim::default();
    let store = open(&disk, &root, 1).unwrap();
    let entropy = Seeded::new(1);
    for epoch in 1..=8 {
        store.create(epoch * 100, NOW, &entropy).unwrap();
    }
    assert_eq!(store.create(900, NOW, &entropy).err(), Some(ShredError::Full));
    assert_eq!(store.create(0, NOW, &entropy).err(), Some(ShredError::Unknown));
    assert_eq!(store.create(8_192, NOW, &entropy).err(), Some(ShredError::Unknown));
    assert_eq!(store.destroy(900, &entropy).err(), Some(ShredError::Unknown));
    assert_eq!(store.destroy(8_192, &entropy).err(), Some(ShredError::Unknown));
    let first = mark(&store.key(100).unwrap());
    // Given again, not made again.
    store.create(100, Timestamp(9), &entropy).unwrap();
    assert!(recognises(&store, 100, &first));
    store.destroy(100, &entropy).unwrap();
    store.destroy(100, &entropy).unwrap();
    store.create(900, NOW, &entropy).unwrap();
    assert_eq!(epochs(&open(&disk, &root, 2).unwrap()), [200, 300, 400, 500, 600, 700, 800, 900]);
}

#[test]
fn sizes_are_fixed() {
    let root = root();
    let disk = Sim::default();
    let store = open(&disk, &root, 1).unwrap();
    let sizes = || [holder_file("/a"), holder_file("/b")].map(|path| disk.file(&path).unwrap().len());
    assert_eq!(sizes(), [FILE; 2]);
    for epoch in 1..=8 {
        store.create(epoch, NOW, &Seeded::new(epoch.into())).unwrap();
        assert_eq!(sizes(), [FILE; 2]);
    }
    store.destroy(4, &Seeded::new(9)).unwrap();
    assert_eq!(sizes(), [FILE; 2]);
}

#[test]
fn another_root_or_another_tenant_is_refused() {
    let mine = root();
    let (disk, _) = two_epochs(&mine);
    let other = Arc::new(Root::generate(crate::RootKind::Demo, &Seeded::new(1)).unwrap());
    assert_eq!(open(&disk, &other, 2).err(), Some(ShredError::Root));
    // Files of another tenant under this one's name.
    let stranger = TenantId([9; 16]);
    let move_to = |path: &Path| {
        PathBuf::from(path.to_str().unwrap().replace(&TENANT.to_string(), &stranger.to_string()))
    };
    disk.edit(|files| *files = files.iter().map(|(path, bytes)| (move_to(path), bytes.clone())).collect());
    let files = Box::new(disk.clone());
    let opened = ShredStore::open_on(files, &holders(), Path::new("/e"), stranger, &mine, &Seeded::new(3));
    assert_eq!(opened.err(), Some(ShredError::Damaged));
}

#[test]
fn holders_must_be_two_to_four_and_different() {
    let root = root();
    for holders in [vec!["/a"], vec!["/a", "/a"], vec!["/a", "/b", "/c", "/d", "/f"], vec![]] {
        let holders: Vec<_> = holders.into_iter().map(PathBuf::from).collect();
        let opened = ShredStore::open(&holders, Path::new("/e"), TENANT, &root, &Seeded::new(1));
        assert_eq!(opened.err(), Some(ShredError::Holders));
    }
}

#[test]
fn on_a_real_disk() {
    let root = root();
    let dir = tempfile::tempdir().unwrap();
    let places = ["a", "b", "e"].map(|name| dir.path().join(name));
    let open = || ShredStore::open(&places[..2], &places[2], TENANT, &root, &Seeded::new(1));
    assert_eq!(open().err(), Some(ShredError::Escrow), "directories are not made");
    places.iter().for_each(|place| std::fs::create_dir(place).unwrap());
    let store = open().unwrap();
    let first = mark(&store.create(1, NOW, &Seeded::new(1)).unwrap());
    store.create(2, NOW, &Seeded::new(2)).unwrap();
    store.destroy(2, &Seeded::new(3)).unwrap();
    let store = open().unwrap();
    assert_eq!((store.repairs(), epochs(&store)), (&[][..], vec![1]));
    assert!(recognises(&store, 1, &first));
    let names = |place: &PathBuf| std::fs::read_dir(place).unwrap().count();
    assert_eq!(places.each_ref().map(names), [1, 1, 1], "no temporary file stays");
    use std::os::unix::fs::PermissionsExt;
    let file = places[0].join(format!("{TENANT}.shred"));
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}
