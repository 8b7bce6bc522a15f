//! The app's own database.

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// A worker as the app keeps her.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Worker {
    pub(crate) id: i64,
    pub(crate) personnel_no: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) birth_date: String,
    pub(crate) emergency_contact: String,
    #[serde(skip)]
    pub(crate) health_note: String,
}

/// An upload.
pub(crate) struct Document {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) content: Vec<u8>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the e-mail address exists already")]
    Taken,
    #[error("the database: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let taken = error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation);
        if taken { Self::Taken } else { Self::Sqlite(error) }
    }
}

/// The database; one connection is enough for a demo.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS worker (
    id INTEGER PRIMARY KEY,
    personnel_no TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    phone TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    emergency_contact TEXT NOT NULL,
    health_note TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE TABLE IF NOT EXISTS bem_note (
    id INTEGER PRIMARY KEY, worker INTEGER NOT NULL REFERENCES worker(id), text TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS document (
    id INTEGER PRIMARY KEY, worker INTEGER NOT NULL REFERENCES worker(id), title TEXT NOT NULL, content BLOB NOT NULL
) STRICT;
";

const COLUMNS: &str = "id, personnel_no, name, email, phone, birth_date, emergency_contact, health_note";

fn worker(row: &Row<'_>) -> rusqlite::Result<Worker> {
    Ok(Worker {
        id: row.get(0)?,
        personnel_no: row.get(1)?,
        name: row.get(2)?,
        email: row.get(3)?,
        phone: row.get(4)?,
        birth_date: row.get(5)?,
        emergency_contact: row.get(6)?,
        health_note: row.get(7)?,
    })
}

impl Store {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let on = Connection::open(path)?;
        on.pragma_update(None, "journal_mode", "WAL")?;
        on.pragma_update(None, "synchronous", "NORMAL")?;
        on.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(on))))
    }

    /// Runs something on the database off the threads that answer.
    async fn run<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let on = self.0.clone();
        let done = tokio::task::spawn_blocking(move || what(&on.lock())).await;
        done.unwrap_or(Err(StoreError::Sqlite(rusqlite::Error::InvalidQuery)))
    }

    pub(crate) async fn workers(&self, offset: i64, limit: i64) -> Result<Vec<Worker>, StoreError> {
        self.run(move |on| {
            let mut all =
                on.prepare(&format!("SELECT {COLUMNS} FROM worker ORDER BY id LIMIT ?1 OFFSET ?2"))?;
            let rows = all.query_map([limit, offset], worker)?.collect::<rusqlite::Result<_>>()?;
            Ok(rows)
        })
        .await
    }

    pub(crate) async fn worker(&self, id: i64) -> Result<Option<Worker>, StoreError> {
        self.run(move |on| {
            let mut one = on.prepare(&format!("SELECT {COLUMNS} FROM worker WHERE id = ?1"))?;
            Ok(one.query_row([id], worker).optional()?)
        })
        .await
    }

    pub(crate) async fn by_email(&self, email: String) -> Result<Option<Worker>, StoreError> {
        self.run(move |on| {
            let mut one = on.prepare(&format!("SELECT {COLUMNS} FROM worker WHERE email = ?1"))?;
            Ok(one.query_row([email], worker).optional()?)
        })
        .await
    }

    pub(crate) async fn insert(&self, new: Worker) -> Result<Worker, StoreError> {
        self.run(move |on| {
            on.execute(
                "INSERT INTO worker (personnel_no, name, email, phone, birth_date, emergency_contact)
                 VALUES ('', ?1, ?2, ?3, ?4, ?5)",
                params![new.name, new.email, new.phone, new.birth_date, new.emergency_contact],
            )?;
            let id = on.last_insert_rowid();
            let personnel_no = format!("P-{}", 10_000 + id);
            on.execute("UPDATE worker SET personnel_no = ?2 WHERE id = ?1", params![id, personnel_no])?;
            Ok(Worker { id, personnel_no, ..new })
        })
        .await
    }

    pub(crate) async fn update(&self, one: Worker) -> Result<(), StoreError> {
        self.run(move |on| {
            on.execute(
                "UPDATE worker SET name = ?2, email = ?3, phone = ?4, birth_date = ?5, emergency_contact = ?6,
                 health_note = ?7 WHERE id = ?1",
                params![
                    one.id,
                    one.name,
                    one.email,
                    one.phone,
                    one.birth_date,
                    one.emergency_contact,
                    one.health_note
                ],
            )?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn notes(&self, worker: i64) -> Result<Vec<String>, StoreError> {
        self.run(move |on| {
            let mut all = on.prepare("SELECT text FROM bem_note WHERE worker = ?1 ORDER BY id")?;
            let rows = all.query_map([worker], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            Ok(rows)
        })
        .await
    }

    pub(crate) async fn add_note(&self, worker: i64, text: String) -> Result<(), StoreError> {
        self.run(move |on| {
            on.execute("INSERT INTO bem_note (worker, text) VALUES (?1, ?2)", params![worker, text])?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn documents(&self, worker: i64) -> Result<Vec<(i64, String)>, StoreError> {
        self.run(move |on| {
            let mut all = on.prepare("SELECT id, title FROM document WHERE worker = ?1 ORDER BY id")?;
            let rows = all.query_map([worker], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
        .await
    }

    pub(crate) async fn add_document(
        &self,
        worker: i64,
        title: String,
        content: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.run(move |on| {
            on.execute(
                "INSERT INTO document (worker, title, content) VALUES (?1, ?2, ?3)",
                params![worker, title, content],
            )?;
            Ok(())
        })
        .await
    }

    pub(crate) async fn document(&self, worker: i64, id: i64) -> Result<Option<Document>, StoreError> {
        self.run(move |on| {
            let mut one =
                on.prepare("SELECT id, title, content FROM document WHERE worker = ?1 AND id = ?2")?;
            let read =
                |row: &Row<'_>| Ok(Document { id: row.get(0)?, title: row.get(1)?, content: row.get(2)? });
            Ok(one.query_row([worker, id], read).optional()?)
        })
        .await
    }
}
