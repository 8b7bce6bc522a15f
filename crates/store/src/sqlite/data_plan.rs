//! How each operation on the data file runs.

use super::data_reads::{job, job_columns};
use super::fault::Ended;
use super::statement::{change, execute, find, insert};
use super::writer::Plans;
use crate::error::Conflict;
use crate::ops::DataOp;
use crate::rows::{DocumentRow, JobRow, NewJob, RecordRow};
use crate::store::Lease;
use model::{PersonId, Timestamp};
use rusqlite::Connection;

type Done = Result<(), Ended>;

/// What the writer of the data file is asked for.
pub(super) enum DataPlan {
    Ops(Vec<DataOp>),
    Lease(Lease),
}

/// The plans of `data.db`.
pub(super) struct DataPlans;

impl Plans for DataPlans {
    type Plan = DataPlan;
    /// The jobs leased; none for operations.
    type Answer = Vec<JobRow>;
    const THREAD: &'static str = "store-data";

    fn run(on: &Connection, plan: &DataPlan) -> Result<Vec<JobRow>, Ended> {
        match plan {
            DataPlan::Ops(ops) => ops.iter().try_for_each(|op| apply(on, op)).map(|()| Vec::new()),
            DataPlan::Lease(lease) => lease_jobs(on, lease),
        }
    }

    fn touches(_: &DataPlan) -> impl Iterator<Item = PersonId> {
        std::iter::empty()
    }
}

fn apply(on: &Connection, op: &DataOp) -> Done {
    match op {
        DataOp::PutRecord(row) => put_record(on, row),
        DataOp::DeleteRecordsOf { tenant, person } => {
            execute(on, "DELETE FROM record WHERE tenant = ?1 AND person = ?2", (tenant.0, person.0))
                .map(drop)
        }
        DataOp::DeleteRecordVersions { tenant, person, compartment, below } => execute(
            on,
            "DELETE FROM record WHERE tenant = ?1 AND person = ?2 AND compartment = ?3 AND version < ?4",
            (tenant.0, person.0, compartment.0, below),
        )
        .map(drop),
        DataOp::PutDocument { row, expected_absent } => put_document(on, row, *expected_absent),
        DataOp::DeleteDocuments { tenant, kind, id } => {
            let sql = "DELETE FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3";
            execute(on, sql, (tenant.0, kind, id)).map(drop)
        }
        DataOp::InsertJob(row) => insert_job(on, row),
        DataOp::CompleteJob { id, attempts } => change(
            on,
            "DELETE FROM job WHERE id = ?1 AND attempts = ?2 AND state = 1 AND lease_until_ms IS NOT NULL",
            (id, attempts),
            Conflict::LeaseLost,
        ),
        DataOp::ContinueJob { id, attempts, payload, due } => continue_job(on, id, *attempts, payload, *due),
        DataOp::FailJob { id, attempts, retry_at, error } => fail_job(on, id, *attempts, *retry_at, *error),
        DataOp::RenewLease { id, attempts, until } => change(
            on,
            "UPDATE job SET lease_until_ms = ?3 WHERE id = ?1 AND attempts = ?2 AND state = 1
             AND lease_until_ms IS NOT NULL",
            (id, attempts, until.0),
            Conflict::LeaseLost,
        ),
    }
}

/// The same bytes again are fine: a caller that was not sure whether its plan arrived sends it once more.
fn put_record(on: &Connection, row: &RecordRow) -> Done {
    let key = &row.key;
    let inserted = execute(
        on,
        "INSERT INTO record (tenant, person, compartment, version, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (tenant, person, compartment, version) DO NOTHING",
        (key.tenant.0, key.person.0, key.compartment.0, key.version, &row.sealed.0),
    )?;
    if inserted == 1 {
        return Ok(());
    }
    let same = find(
        on,
        "SELECT 1 FROM record WHERE tenant = ?1 AND person = ?2 AND compartment = ?3 AND version = ?4
         AND sealed = ?5",
        (key.tenant.0, key.person.0, key.compartment.0, key.version, &row.sealed.0),
        |_| Ok(()),
    )?;
    same.ok_or(Conflict::RecordExists.into())
}

fn put_document(on: &Connection, row: &DocumentRow, expected_absent: bool) -> Done {
    let params = (row.tenant.0, row.kind, row.id, row.version, row.created.0, &row.sealed.0);
    if expected_absent {
        let sql = "INSERT INTO document (tenant, kind, id, version, created_ms, sealed)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        return insert(on, sql, params, Conflict::DocumentExists);
    }
    change(
        on,
        "INSERT INTO document (tenant, kind, id, version, created_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (tenant, kind, id, version)
         DO UPDATE SET created_ms = excluded.created_ms, sealed = excluded.sealed",
        params,
        Conflict::Constraint,
    )
}

fn insert_job(on: &Connection, row: &NewJob) -> Done {
    let same = find(
        on,
        "SELECT 1 FROM job WHERE kind = ?1 AND payload = ?2 AND state = 1 LIMIT 1",
        (&row.kind, &row.payload),
        |_| Ok(()),
    )?;
    if same.is_some() {
        return Err(Conflict::JobQueued.into());
    }
    insert(
        on,
        "INSERT INTO job (id, kind, payload, due_ms, attempts, failures, state, created_ms, last_error)
         VALUES (?1, ?2, ?3, ?4, 0, 0, 1, ?5, 0)",
        (row.id, &row.kind, &row.payload, row.due.0, row.created.0),
        Conflict::Exists,
    )
}

/// The attempt stays counted, so that the fence of the one that ends here cannot be used again.
fn continue_job(on: &Connection, id: &[u8; 16], attempts: u32, payload: &[u8], due: Timestamp) -> Done {
    change(
        on,
        "UPDATE job SET payload = ?3, due_ms = ?4, lease_until_ms = NULL, failures = 0, last_error = 0
         WHERE id = ?1 AND attempts = ?2 AND state = 1 AND lease_until_ms IS NOT NULL",
        (id, attempts, payload, due.0),
        Conflict::LeaseLost,
    )
}

fn fail_job(on: &Connection, id: &[u8; 16], attempts: u32, retry_at: Option<Timestamp>, error: u16) -> Done {
    change(
        on,
        "UPDATE job SET due_ms = coalesce(?3, due_ms), lease_until_ms = NULL, failures = failures + 1,
         last_error = ?4, state = CASE WHEN ?3 IS NULL THEN 2 ELSE 1 END
         WHERE id = ?1 AND attempts = ?2 AND state = 1 AND lease_until_ms IS NOT NULL",
        (id, attempts, retry_at.map(|at| at.0), error),
        Conflict::LeaseLost,
    )
}

fn lease_jobs(on: &Connection, lease: &Lease) -> Result<Vec<JobRow>, Ended> {
    let mut statement = on.prepare_cached(concat!(
        "UPDATE job SET lease_until_ms = ?3, attempts = attempts + 1 WHERE id IN
         (SELECT id FROM job WHERE state = 1 AND kind = ?1 AND due_ms <= ?2
          AND (lease_until_ms IS NULL OR lease_until_ms <= ?2) ORDER BY due_ms, id LIMIT ?4)
         RETURNING ",
        job_columns!()
    ))?;
    let rows = statement.query_map((lease.kind, lease.now.0, lease.until.0, lease.limit), job)?;
    let mut leased = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    leased.sort_by_key(|row| (row.due, row.id));
    Ok(leased)
}
