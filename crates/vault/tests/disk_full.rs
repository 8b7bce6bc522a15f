//! A full file system, each in turn: reads stop, withdrawal, erasure and status go on, and it recovers by itself.
//! Needs to mount small file systems in memory; where that is not possible it says so and is not run.

mod world;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use vault::consent::Answer;
use vault::reveal::RevealError;
use vault::{Fault, Logged};
use world::World;

/// A file system of its own, unmounted when dropped.
struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(at: &Path, mib: u32) -> Option<Mounted> {
    std::fs::create_dir_all(at).expect("made");
    let size = format!("size={mib}m");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output().ok()?;
    if mounted.status.success() {
        return Some(Mounted(at.to_owned()));
    }
    let mut err = std::io::stderr().lock();
    writeln!(err, "NOT RUN: disk full, since tmpfs cannot be mounted here").expect("said");
    None
}

/// Takes all that is left.
fn fill(folder: &Path) -> PathBuf {
    let path = folder.join("filler");
    let mut file = std::fs::File::create(&path).expect("made");
    let block = vec![0xaa; 1 << 16];
    while file.write_all(&block).is_ok() {}
    for size in [4_096, 512, 1] {
        while file.write_all(&block[..size]).is_ok() {}
    }
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_ledger_stops_reads_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_mounted) = mount(&folder.path().join("ledger"), 16) else { return };
    let world = World::in_folder(folder.path()).await;
    let (one, two) = (world.worker(1).await, world.worker(2).await);
    let (consent, own) = world.consented(one).await;
    assert!(world.value(&world.manager, "bem", one, "health_note").await.is_some());
    let filler = fill(&folder.path().join("ledger"));
    let mut stopped = false;
    for _ in 0..200_000 {
        match world.reveal(&world.lead, "rostering", two, &["name"]).await {
            Ok(_) => {}
            Err(RevealError::Fault(Fault::LedgerUnavailable)) => {
                stopped = true;
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(stopped, "reads stop with ledger_unavailable");
    let ctx = world.ctx(&own);
    let withdrawn = world.vault.answer_consent(&ctx, world.tenant, consent, Answer::Withdraw).await;
    assert!(withdrawn.is_ok(), "withdrawal goes on");
    let erased =
        world.vault.erase(&world.ctx(&world.officer), world.tenant, two).await.expect("erasure goes on");
    assert_eq!(erased.logged, Logged::Pending);
    assert!(world.vault.ready().is_err(), "status says so");
    std::fs::remove_file(filler).expect("removed");
    let mut recovered = false;
    for _ in 0..200 {
        world.vault.tend().await.expect("tended");
        let read = world.reveal(&world.manager, "bem", one, &["health_note"]).await;
        if let Ok(read) = read {
            assert!(read.items[0][0].value.is_none(), "withdrawn is withdrawn");
            recovered = true;
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(recovered, "it recovers by itself");
    for _ in 0..100 {
        world.vault.tend().await.expect("tended");
        if world.store.snapshot().expect("read").outbox(None, 1).expect("read").is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(world.store.snapshot().expect("read").outbox(None, 1).expect("read").is_empty(), "all is logged");
    assert!(world.vault.certificate(&world.ctx(&world.officer), world.tenant, two).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_refuses_changes_and_recovers() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(_mounted) = mount(&folder.path().join("store"), 16) else { return };
    let world = World::in_folder(folder.path()).await;
    let person = world.worker(1).await;
    let filler = fill(&folder.path().join("store"));
    let mut refused = None;
    for number in 0..20_000 {
        let stored = world::put(&format!("full-{number}"), &[("name", "N")]);
        if let Err(error) = world.vault.put(&world.ctx(&world.app), world.tenant, &stored).await {
            refused = Some(error);
            break;
        }
    }
    let refused = refused.expect("a full store refuses");
    assert!(
        matches!(refused, vault::put::PutError::Fault(Fault::StorageFull | Fault::StoreUnavailable)),
        "{refused}"
    );
    let read = world.value(&world.lead, "rostering", person, "name").await;
    assert!(read.is_some(), "what is stored can be read as long as reads can be logged");
    std::fs::remove_file(filler).expect("removed");
    let mut stored = false;
    for _ in 0..100 {
        let again = world::put("after", &[("name", "N")]);
        if world.vault.put(&world.ctx(&world.app), world.tenant, &again).await.is_ok() {
            stored = true;
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(stored, "it recovers by itself");
}
