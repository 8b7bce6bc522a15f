//! Changes that are interrupted at one step, each by itself: what `crash.rs` found among many.

mod world;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use store::{DataOp, JobState, RecordKey, RecordRow, Sealed};
use vault::steps::Observer;
use vault::submit::{NewSubmission, Outcome, Whose};
use vault::{Step, Swept};
use world::{World, put};

/// Ends the task that comes to `step` for the n-th time, as a crash would.
fn ends_at(wanted: Step, times: u32) -> Observer {
    let seen = AtomicU32::new(0);
    Arc::new(move |step| {
        let is_now = step == wanted && seen.fetch_add(1, Ordering::SeqCst) + 1 == times;
        assert!(!is_now, "interrupted, as this test wants it");
    })
}

async fn watched(folder: &Path, steps: Observer) -> Arc<World> {
    Arc::new(World::watched(folder, Some(steps)).await)
}

/// Stores the same person until it does not work any more.
async fn put_until_interrupted(world: &Arc<World>, names: &[&str]) {
    for name in names {
        let (world, name) = (world.clone(), (*name).to_owned());
        let task = tokio::spawn(async move {
            let request = put("r", &[("name", &name)]);
            world.vault.put(&world.ctx(&world.app), world.tenant, &request).await.is_ok()
        });
        if !matches!(task.await, Ok(true)) {
            return;
        }
    }
    panic!("nothing was interrupted");
}

async fn again(world: Arc<World>) -> World {
    Arc::into_inner(world).expect("nobody else has it").reopen().await
}

/// Runs each queued job of `kind` once.
async fn sweep(world: &World, kind: &str) {
    let jobs = world.store.snapshot().expect("read").jobs(JobState::Queued, None, 100).expect("read");
    for job in jobs.iter().filter(|job| job.kind == kind) {
        assert_eq!(world.vault.sweep_versions(&job.payload).await, Ok(Swept::Done));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_that_nobody_entered_is_carried_over_and_destroyed() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = watched(folder.path(), ends_at(Step::EpochMade, 2)).await;
    world.clock.advance_days(7);
    put_until_interrupted(&world, &["one"]).await;
    let world = again(world).await;
    let person = world.worker(1).await;
    let week = model::Clock::now(&world.clock).week();
    let escrow = folder.path().join("escrow").join(format!("{}.{week}.escrow", world.tenant));
    assert!(escrow.exists());
    let before = world.store.snapshot().expect("read").person(world.tenant, person).expect("read");
    assert_eq!(before.map(|row| row.epoch), Some(week), "the epoch is in use, without a row of its own");
    world.clock.advance_days(28);
    let run = world.vault.run_epochs(world.tenant).await.expect("run");
    assert_eq!((run.rewrapped, run.destroyed, run.overdue), (1, 2, 0));
    assert!(!escrow.exists(), "destroyed");
    assert!(world.value(&world.lead, "rostering", person, "name").await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rectification_that_dies_after_its_commit_leaves_no_old_version() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = watched(folder.path(), ends_at(Step::RectifyCommitted, 1)).await;
    put_until_interrupted(&world, &["one", "two"]).await;
    let world = again(world).await;
    let persons = world.store.snapshot().expect("read").persons_after(world.tenant, None, 9).expect("read");
    let person = persons[0].person;
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("two"));
    let versions = || {
        let records = world.store.snapshot().expect("read").records_of(world.tenant, person).expect("read");
        records.iter().map(|key| key.version).collect::<Vec<_>>()
    };
    assert_eq!(versions(), [1, 2]);
    sweep(&world, vault::put::VERSIONS_JOB).await;
    assert_eq!(versions(), [2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_waits_for_an_erasure_that_takes_its_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let ((at, reached), (go_on, going)) = (mpsc::channel(), mpsc::channel::<()>());
    let going = Mutex::new(going);
    let steps: Observer = Arc::new(move |step| {
        if step == Step::ErasePrepared {
            at.send(()).expect("the test listens");
            going.lock().expect("no panic").recv().expect("the test speaks");
        }
    });
    let world = watched(folder.path(), steps).await;
    let person = world.worker(1).await;
    let erasing = world.clone();
    let erased = tokio::spawn(async move {
        erasing.vault.erase(&erasing.ctx(&erasing.officer), erasing.tenant, person).await.is_ok()
    });
    tokio::task::spawn_blocking(move || reached.recv()).await.expect("no panic").expect("reached");
    let jobs = world.store.snapshot().expect("read").jobs(JobState::Queued, None, 9).expect("read");
    let sweep = &jobs.iter().find(|job| job.kind == vault::erase::SWEEP_JOB).expect("queued").payload;
    assert_eq!(world.vault.sweep_erased(sweep).await, Ok(Swept::NotYet));
    go_on.send(()).expect("the erasure waits");
    assert!(erased.await.expect("no panic"));
    assert_eq!(world.vault.sweep_erased(sweep).await, Ok(Swept::Done));
    assert_eq!(world.store.snapshot().expect("read").records_of(world.tenant, person), Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweep_does_not_wait_for_an_erasure_that_never_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = watched(folder.path(), ends_at(Step::ErasePrepared, 1)).await;
    let person = world.worker(1).await;
    let erasing = world.clone();
    let erased = tokio::spawn(async move {
        erasing.vault.erase(&erasing.ctx(&erasing.officer), erasing.tenant, person).await.is_ok()
    });
    assert!(erased.await.is_err(), "interrupted");
    let world = again(world).await;
    let jobs = world.store.snapshot().expect("read").jobs(JobState::Queued, None, 9).expect("read");
    let sweep = &jobs.iter().find(|job| job.kind == vault::erase::SWEEP_JOB).expect("queued").payload;
    assert_eq!(world.vault.sweep_erased(sweep).await, Ok(Swept::Done));
    assert!(world.value(&world.lead, "rostering", person, "name").await.is_some(), "she is as she was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_earlier_runs_left_is_removed_and_what_is_in_use_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = watched(folder.path(), ends_at(Step::CreateWritten, 2)).await;
    let person = world.worker(1).await;
    put_until_interrupted(&world, &["one"]).await;
    let with_records = |world: &World| {
        let snapshot = world.store.snapshot().expect("read");
        snapshot.persons_with_records(world.tenant, None, 9).expect("read").len()
    };
    assert_eq!(with_records(&world), 2);
    world.clock.advance_days(2);
    assert_eq!(world.vault.sweep_leftovers().await, Ok(0), "it may still be committed");
    let world = again(world).await;
    assert_eq!(world.vault.sweep_leftovers().await, Ok(0), "not at once after a start");
    assert_eq!(with_records(&world), 2);
    world.clock.advance_days(1);
    // Made by this run: as if on its way while the job runs.
    let under_way = model::PersonId::fresh(&world.clock, &seal::SystemEntropy);
    let key =
        RecordKey { tenant: world.tenant, person: under_way, compartment: model::Compartment(0), version: 1 };
    let row = DataOp::PutRecord(RecordRow { key, sealed: Sealed(vec![1]) });
    world.store.apply_data("under way", vec![row]).await.expect("written");
    assert_eq!(world.vault.sweep_leftovers().await, Ok(1));
    assert_eq!(with_records(&world), 2, "hers, and the one under way");
    assert_eq!(world.vault.sweep_leftovers().await, Ok(0));
    assert!(world.value(&world.lead, "rostering", person, "name").await.is_some());
}

/// A submission that the app accepts while the process ends at `step`. What the app keeps is promoted afterwards.
async fn accepted_and_interrupted(step: Step, whose: Whose, accepted: Option<&str>) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = watched(folder.path(), ends_at(step, 1)).await;
    world.worker(1).await;
    let (tell, told) = tokio::sync::oneshot::channel();
    let (inner, accepted) = (world.clone(), accepted.map(str::to_owned));
    let task = tokio::spawn(async move {
        let values = vec![("name".to_owned(), zeroize::Zeroizing::new("Kanarina".to_owned()))];
        let new = NewSubmission { rule: "r".into(), session: "s".into(), whose, values };
        let app = inner.ctx(&inner.app);
        let taken = inner.vault.submit(&app, None, inner.tenant, &new).await.expect("taken");
        tell.send(taken.texts[0].clone()).expect("heard");
        let id = taken.id.expect("something new");
        inner.vault.settle(&app, inner.tenant, id, Outcome::accepted(accepted.as_deref())).await.is_ok()
    });
    assert!(task.await.is_err(), "interrupted");
    let token = model::token::StorageToken::parse(&told.await.expect("told")).expect("a token");
    let world = again(world).await;
    let app = world.ctx(&world.app);
    assert_eq!(world.vault.promote(&app, world.tenant, &[token]).await, Ok(1));
    let owner = world.store.snapshot().expect("read").token(world.tenant, token.as_bytes()).expect("read");
    let person = owner.expect("it stands for her").person;
    assert_eq!(world.value(&world.lead, "rostering", person, "name").await.as_deref(), Some("Kanarina"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_accepted_change_that_dies_before_its_commit_is_committed_when_the_app_shows_it() {
    let known = Whose::Reference("ref-1".into());
    accepted_and_interrupted(Step::SubmissionMoved, known, None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_new_who_dies_before_her_commit_is_committed_when_the_app_shows_her() {
    let create = Whose::Create("ref-2".into());
    accepted_and_interrupted(Step::SubmissionRewritten, create, None).await;
}
