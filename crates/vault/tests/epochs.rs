//! The weekly epochs: who is carried over, what keeps an epoch alive, and when an erasure is complete.

mod world;

use model::PersonId;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use store::{EpochState, KeyOp, Sealed, Wrap};
use vault::Step;
use vault::certificate::{Certificate, Stage};
use vault::steps::Observer;
use world::{World, put};

/// Overwrites a person's wrapped keys with what no key opens, as a flipped bit on disk would.
async fn damage(world: &World, person: PersonId) {
    let row = world.store.snapshot().expect("read").person(world.tenant, person).expect("read");
    let row = row.expect("a row");
    let wrapped = Wrap::Set { epoch: row.epoch, wrapped: Sealed(vec![1; 190]) };
    let (tenant, expected_version) = (world.tenant, row.version);
    let op = KeyOp::UpdatePerson { tenant, person, expected_version, state: None, flags: None, wrapped };
    world.store.apply_keys("damage", vec![op]).await.expect("written");
}

async fn stage(world: &World, person: PersonId) -> Stage {
    let ctx = world.ctx(&world.officer);
    let envelope = world.vault.certificate(&ctx, world.tenant, person).await.expect("made");
    let payload = envelope.unverified_payload().expect("a payload");
    serde_json::from_slice::<Certificate>(&payload).expect("of this form").stage
}

async fn erase(world: &World, person: PersonId) {
    world.vault.erase(&world.ctx(&world.officer), world.tenant, person).await.expect("erased");
}

/// A week later, with the epochs tended.
async fn week(world: &World) -> vault::epoch::EpochRun {
    world.clock.advance_days(7);
    world.vault.run_epochs(world.tenant).await.expect("a run")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_does_not_open_holds_its_epoch_and_nobody_else() {
    let world = World::new().await;
    let (broken, erased, living) = (world.worker(1).await, world.worker(2).await, world.worker(3).await);
    damage(&world, broken).await;
    assert_eq!(week(&world).await.rewrapped, 2, "the others");
    erase(&world, erased).await;
    for _ in 0..3 {
        week(&world).await;
    }
    let run = week(&world).await;
    assert_eq!((run.destroyed, run.overdue), (1, 1), "hers, and the one that is held");
    let rows = world.store.snapshot().expect("read").epochs(world.tenant).expect("read");
    assert_eq!((rows[0].state, rows[1].state), (EpochState::Retiring, EpochState::Destroyed));
    // She lived in the first one too, and a copy of that time still opens.
    assert_eq!(stage(&world, erased).await, Stage::Erased);
    assert!(world.value(&world.lead, "rostering", living, "name").await.is_some());
    erase(&world, broken).await;
    let run = week(&world).await;
    assert_eq!(run.overdue, 0);
    assert_eq!(stage(&world, erased).await, Stage::Complete);
    assert_eq!(stage(&world, broken).await, Stage::Complete);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_that_nobody_can_leave_is_overdue() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::in_folder(folder.path()).await;
    world.worker(1).await;
    // Where a holder cannot be written no further epoch begins.
    let holder = folder.path().join("b");
    std::fs::rename(&holder, folder.path().join("away")).expect("moved");
    std::fs::write(&holder, b"not a folder").expect("written");
    let mut overdue = 0;
    for _ in 0..4 {
        overdue = week(&world).await.overdue;
    }
    assert_eq!(overdue, 1);
    std::fs::remove_file(&holder).expect("removed");
    std::fs::rename(folder.path().join("away"), &holder).expect("moved back");
    let run = week(&world).await;
    assert_eq!((run.rewrapped, run.destroyed, run.overdue), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_on_its_way_does_not_lead_back_to_an_epoch_that_ends() {
    for step in [Step::RectifyWritten, Step::CreateWritten, Step::ErasePrepared] {
        let folder = tempfile::tempdir().expect("a folder");
        let armed = Arc::new(AtomicBool::new(false));
        let ((at, reached), (go_on, going)) = (mpsc::channel(), mpsc::channel::<()>());
        let (going, arm) = (Mutex::new(going), armed.clone());
        let observer: Observer = Arc::new(move |now| {
            if now == step && arm.swap(false, Ordering::SeqCst) {
                at.send(()).expect("the test listens");
                going.lock().expect("no panic").recv().expect("the test speaks");
            }
        });
        let world = Arc::new(World::watched(folder.path(), Some(observer)).await);
        let person = world.worker(1).await;
        armed.store(true, Ordering::SeqCst);
        let changing = world.clone();
        let changed = tokio::spawn(async move {
            let (vault, tenant) = (&changing.vault, changing.tenant);
            let reference = if step == Step::RectifyWritten { "ref-1" } else { "ref-2" };
            if step == Step::ErasePrepared {
                vault.erase(&changing.ctx(&changing.officer), tenant, person).await.expect("erased");
                return person;
            }
            let request = put(reference, &[("name", "Later")]);
            vault.put(&changing.ctx(&changing.app), tenant, &request).await.expect("stored").person
        });
        tokio::task::block_in_place(|| reached.recv()).expect("reached");
        // Four weeks in one go: carried over and destroyed in one run, as after a long absence.
        world.clock.advance_days(28);
        let run = world.vault.run_epochs(world.tenant).await.expect("a run");
        assert_eq!((run.rewrapped, run.destroyed, run.overdue), (1, 1, 0), "{step:?}");
        go_on.send(()).expect("it waits");
        let changed = changed.await.expect("no panic");
        if step == Step::ErasePrepared {
            // The certificate speaks of the epoch that holds her keys now, which is not gone.
            assert_eq!(stage(&world, changed).await, Stage::Erased);
            for _ in 0..4 {
                week(&world).await;
            }
            assert_eq!(stage(&world, changed).await, Stage::Complete);
        } else {
            let name = world.value(&world.lead, "rostering", changed, "name").await;
            assert_eq!(name.as_deref(), Some("Later"), "{step:?}");
            assert!(world.value(&world.lead, "rostering", person, "email").await.is_some(), "{step:?}");
        }
    }
}

/// Makes the ledger's files contradict each other, so that it is set aside at the next start.
fn break_ledger(world: &World, file: &str) {
    let path = world.folder.join("ledger/i0000").join(file);
    let bytes = std::fs::read(&path).expect("read");
    std::fs::write(&path, &bytes[..bytes.len().min(32)]).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_is_provable_after_the_ledger_was_set_aside() {
    for file in ["nodes-00", "entries"] {
        let world = World::new().await;
        let (erased, living) = (world.worker(1).await, world.worker(2).await);
        world.value(&world.lead, "rostering", living, "name").await;
        erase(&world, erased).await;
        world.ledger.make_provable().expect("signed");
        break_ledger(&world, file);
        let world = world.reopen().await;
        assert_eq!(world.ledger.status().incarnation, 1, "{file}");
        assert_eq!(stage(&world, erased).await, Stage::Erased, "{file}");
        let ctx = world.ctx(&world.officer);
        let list = world.vault.accesses(&ctx, world.tenant, living, 100).await.expect("a list");
        let before = list.iter().filter(|one| one.log == "test.example/ledger").count();
        assert!(file == "entries" || before > 0, "what can be read of the old one is listed");
        assert!(world.value(&world.lead, "rostering", living, "name").await.is_some());
    }
}
