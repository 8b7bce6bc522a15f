//! Jobs: queued once, held by one, given back or finished only by who holds them.

use super::{Case, World};
use crate::fixture::{id16, job};
use model::Timestamp;
use store::{Conflict, DataOp, JobRow, JobState, Lease, NewJob};

pub(super) const CASES: &[Case] = &[
    ("a job is queued once", queued_once),
    ("due jobs are leased in order", leased_in_order),
    ("a lease is held by one until it ends", held_by_one),
    ("only the holder finishes a job", only_the_holder_finishes),
    ("a job goes on with another payload", goes_on),
    ("a job fails, is tried again, is given up", fails),
];

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn lease(world: &World, now: i64, until: i64, limit: u32) -> Vec<JobRow> {
    let lease = Lease { kind: "sweep", now: Timestamp(now), until: Timestamp(until), limit };
    block_on(world.store.lease_jobs(lease)).unwrap()
}

fn numbers(rows: &[JobRow]) -> Vec<[u8; 16]> {
    rows.iter().map(|row| row.id).collect()
}

fn queued_once(world: &World) {
    world.data([DataOp::InsertJob(job(1, 10))]);
    world.data_refused(DataOp::InsertJob(NewJob { id: id16(2), ..job(1, 10) }), Conflict::JobQueued);
    world.data_refused(DataOp::InsertJob(NewJob { payload: vec![], ..job(1, 10) }), Conflict::Exists);
    let other_kind = NewJob { id: id16(3), kind: "other".to_owned(), ..job(1, 10) };
    world.data([DataOp::InsertJob(other_kind)]);
    let row = world.snapshot().job(id16(1)).unwrap().unwrap();
    let expected = JobRow {
        id: id16(1),
        kind: "sweep".to_owned(),
        payload: job(1, 10).payload,
        due: Timestamp(10),
        lease_until: None,
        attempts: 0,
        failures: 0,
        state: JobState::Queued,
        created: Timestamp(0),
        last_error: 0,
    };
    assert_eq!(row, expected);
    assert_eq!(world.snapshot().jobs_queued("sweep"), Ok(1));
}

fn leased_in_order(world: &World) {
    world.data([(1, 30), (2, 10), (3, 20), (4, 99)].map(|(n, due)| DataOp::InsertJob(job(n, due))));
    world.data([DataOp::InsertJob(NewJob { kind: "other".to_owned(), ..job(5, 1) })]);
    let due = |now| world.snapshot().job_due("sweep", Timestamp(now)).unwrap();
    assert_eq!((due(9), due(10)), (false, true));
    assert_eq!(numbers(&lease(world, 9, 100, 9)), [[0; 16]; 0]);
    assert_eq!(numbers(&lease(world, 50, 100, 2)), [2, 3].map(id16));
    assert_eq!(numbers(&lease(world, 50, 100, 2)), [id16(1)]);
    assert!(!due(50));
    let queued = world.snapshot().jobs(JobState::Queued, Some(id16(1)), 2).unwrap();
    assert_eq!(numbers(&queued), [2, 3].map(id16));
}

fn held_by_one(world: &World) {
    world.data([DataOp::InsertJob(job(1, 0))]);
    let first = lease(world, 10, 20, 1).remove(0);
    assert_eq!((first.attempts, first.lease_until), (1, Some(Timestamp(20))));
    assert_eq!(lease(world, 19, 30, 1), []);
    world.data([DataOp::RenewLease { id: id16(1), attempts: 1, until: Timestamp(25) }]);
    assert_eq!(lease(world, 24, 30, 1), []);
    let second = lease(world, 25, 30, 1).remove(0);
    assert_eq!(second.attempts, 2);
    let renew = DataOp::RenewLease { id: id16(1), attempts: 1, until: Timestamp(99) };
    world.data_refused(renew, Conflict::LeaseLost);
}

fn only_the_holder_finishes(world: &World) {
    world.data([DataOp::InsertJob(job(1, 0))]);
    let complete = |attempts| DataOp::CompleteJob { id: id16(1), attempts };
    world.data_refused(complete(0), Conflict::LeaseLost);
    lease(world, 10, 20, 1);
    lease(world, 20, 30, 1);
    world.data_refused(complete(1), Conflict::LeaseLost);
    let fail = DataOp::FailJob { id: id16(1), attempts: 1, retry_at: None, error: 1 };
    world.data_refused(fail, Conflict::LeaseLost);
    let go_on = DataOp::ContinueJob { id: id16(1), attempts: 1, payload: vec![], due: Timestamp(0) };
    world.data_refused(go_on, Conflict::LeaseLost);
    world.data([complete(2)]);
    assert_eq!(world.snapshot().job(id16(1)), Ok(None));
    world.data_refused(complete(2), Conflict::LeaseLost);
    world.data([DataOp::InsertJob(job(1, 0))]);
}

fn goes_on(world: &World) {
    world.data([DataOp::InsertJob(job(1, 0))]);
    lease(world, 10, 20, 1);
    let go_on = DataOp::ContinueJob { id: id16(1), attempts: 1, payload: vec![9], due: Timestamp(40) };
    world.data([go_on.clone()]);
    world.data_refused(go_on, Conflict::LeaseLost);
    assert_eq!(lease(world, 39, 50, 1), []);
    let next = lease(world, 40, 50, 1).remove(0);
    assert_eq!((next.payload, next.attempts, next.failures), (vec![9], 2, 0));
}

fn fails(world: &World) {
    world.data([DataOp::InsertJob(job(1, 0))]);
    lease(world, 10, 20, 1);
    let fail = |attempts, retry_at: Option<i64>| DataOp::FailJob {
        id: id16(1),
        attempts,
        retry_at: retry_at.map(Timestamp),
        error: 7,
    };
    world.data([fail(1, Some(60))]);
    world.data_refused(fail(1, Some(60)), Conflict::LeaseLost);
    assert_eq!(lease(world, 59, 70, 1), []);
    let again = lease(world, 60, 70, 1).remove(0);
    assert_eq!((again.attempts, again.failures, again.last_error), (2, 1, 7));
    world.data([fail(2, None)]);
    assert_eq!(lease(world, 999, 1_000, 1), []);
    let failed = world.snapshot().jobs(JobState::Failed, None, 9).unwrap();
    assert_eq!((numbers(&failed), failed[0].failures), (vec![id16(1)], 2));
    world.data([DataOp::InsertJob(NewJob { id: id16(2), ..job(1, 0) })]);
}
