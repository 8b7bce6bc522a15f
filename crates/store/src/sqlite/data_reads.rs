//! The statements behind the named reads on the data file.

use super::decode::{coded, id, maybe_time, sealed, time};
use super::engine::Reads;
use crate::error::StoreError;
use crate::rows::{DocumentRow, JobRow, JobState, RecordKey, Sealed};
use model::{Compartment, PersonId, TenantId, Timestamp};
use rusqlite::{Result as Sql, Row};

type Read<T> = Result<T, StoreError>;

/// A selection with the columns that [`document`] decodes.
macro_rules! documents {
    ($rest:literal) => {
        concat!("SELECT tenant, kind, id, version, created_ms, sealed FROM document ", $rest)
    };
}

fn document(row: &Row<'_>) -> Sql<DocumentRow> {
    Ok(DocumentRow {
        tenant: id(row, 0, TenantId)?,
        kind: row.get(1)?,
        id: row.get(2)?,
        version: row.get(3)?,
        created: time(row, 4)?,
        sealed: sealed(row, 5)?,
    })
}

/// The columns that [`job`] decodes.
macro_rules! job_columns {
    () => {
        "id, kind, payload, due_ms, lease_until_ms, attempts, failures, state, created_ms, last_error"
    };
}
pub(super) use job_columns;

pub(super) fn job(row: &Row<'_>) -> Sql<JobRow> {
    Ok(JobRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        payload: row.get(2)?,
        due: time(row, 3)?,
        lease_until: maybe_time(row, 4)?,
        attempts: row.get(5)?,
        failures: row.get(6)?,
        state: coded(row, 7)?,
        created: time(row, 8)?,
        last_error: row.get(9)?,
    })
}

impl Reads {
    pub(crate) fn record(
        &self,
        tenant: TenantId,
        person: PersonId,
        compartment: Compartment,
        version: u32,
    ) -> Read<Option<Sealed>> {
        self.data.one(
            "SELECT sealed FROM record WHERE tenant = ?1 AND person = ?2 AND compartment = ?3 AND version = ?4",
            (tenant.0, person.0, compartment.0, version),
            |row| sealed(row, 0),
        )
    }

    pub(crate) fn records_of(&self, tenant: TenantId, person: PersonId) -> Read<Vec<RecordKey>> {
        self.data.many(
            "SELECT compartment, version FROM record WHERE tenant = ?1 AND person = ?2
             ORDER BY compartment, version",
            (tenant.0, person.0),
            |row| {
                let compartment = Compartment(row.get(0)?);
                Ok(RecordKey { tenant, person, compartment, version: row.get(1)? })
            },
        )
    }

    pub(crate) fn persons_with_records(
        &self,
        tenant: TenantId,
        after: Option<PersonId>,
        limit: usize,
    ) -> Read<Vec<PersonId>> {
        self.data.many(
            "SELECT DISTINCT person FROM record WHERE tenant = ?1 AND person > ?2 ORDER BY person LIMIT ?3",
            (tenant.0, start(&after.map(|id| id.0)), at_most(limit)),
            |row| id(row, 0, PersonId),
        )
    }

    pub(crate) fn highest_record_version(
        &self,
        tenant: TenantId,
        person: PersonId,
        compartment: Compartment,
    ) -> Read<Option<u32>> {
        self.data.one(
            "SELECT version FROM record WHERE tenant = ?1 AND person = ?2 AND compartment = ?3
             ORDER BY version DESC LIMIT 1",
            (tenant.0, person.0, compartment.0),
            |row| row.get(0),
        )
    }

    pub(crate) fn document(
        &self,
        tenant: TenantId,
        kind: u8,
        id: [u8; 16],
        version: u32,
    ) -> Read<Option<DocumentRow>> {
        self.data.one(
            documents!("WHERE tenant = ?1 AND kind = ?2 AND id = ?3 AND version = ?4"),
            (tenant.0, kind, id, version),
            document,
        )
    }

    pub(crate) fn latest_document(
        &self,
        tenant: TenantId,
        kind: u8,
        id: [u8; 16],
    ) -> Read<Option<DocumentRow>> {
        self.data.one(
            documents!("WHERE tenant = ?1 AND kind = ?2 AND id = ?3 ORDER BY version DESC LIMIT 1"),
            (tenant.0, kind, id),
            document,
        )
    }

    pub(crate) fn document_versions(&self, tenant: TenantId, kind: u8, id: [u8; 16]) -> Read<Vec<u32>> {
        self.data.many(
            "SELECT version FROM document WHERE tenant = ?1 AND kind = ?2 AND id = ?3 ORDER BY version",
            (tenant.0, kind, id),
            |row| row.get(0),
        )
    }

    pub(crate) fn documents(
        &self,
        tenant: TenantId,
        kind: u8,
        after: Option<[u8; 16]>,
        limit: usize,
    ) -> Read<Vec<DocumentRow>> {
        self.data.many(
            documents!(
                "AS latest WHERE tenant = ?1 AND kind = ?2 AND id > ?3 AND version =
                 (SELECT max(version) FROM document WHERE tenant = ?1 AND kind = ?2 AND id = latest.id)
                 ORDER BY id LIMIT ?4"
            ),
            (tenant.0, kind, start(&after), at_most(limit)),
            document,
        )
    }

    pub(crate) fn job(&self, id: [u8; 16]) -> Read<Option<JobRow>> {
        self.data.one(concat!("SELECT ", job_columns!(), " FROM job WHERE id = ?1"), [id], job)
    }

    pub(crate) fn jobs(&self, state: JobState, after: Option<[u8; 16]>, limit: usize) -> Read<Vec<JobRow>> {
        self.data.many(
            concat!("SELECT ", job_columns!(), " FROM job WHERE state = ?1 AND id > ?2 ORDER BY id LIMIT ?3"),
            (state as u8, start(&after), at_most(limit)),
            job,
        )
    }

    pub(crate) fn job_due(&self, kind: &str, now: Timestamp) -> Read<bool> {
        let row = self.data.one(
            "SELECT 1 FROM job WHERE state = 1 AND kind = ?1 AND due_ms <= ?2
             AND (lease_until_ms IS NULL OR lease_until_ms <= ?2) LIMIT 1",
            (kind, now.0),
            |_| Ok(()),
        )?;
        Ok(row.is_some())
    }

    pub(crate) fn jobs_queued(&self, kind: &str) -> Read<u64> {
        self.data.count("SELECT count(*) FROM job WHERE state = 1 AND kind = ?1", [kind])
    }
}

/// A page size as SQL takes it.
pub(super) fn at_most(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Where a page starts: all ids are greater than the empty one.
pub(super) fn start(after: &Option<[u8; 16]>) -> &[u8] {
    after.as_ref().map_or(&[], |id| id)
}
