//! Ordered migrations. Each has its digest pinned here and noted in the database, so that neither a changed text
//! nor a foreign database goes unnoticed.

use super::fault::Fault;
use crate::error::OpenError;
use rusqlite::{Connection, TransactionBehavior};

/// One step of a schema. Released ones never change.
pub(super) struct Migration {
    pub(super) number: u32,
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    /// SHA-256 of `sql`, in hex.
    pub(super) sha256: &'static str,
}

/// What a file is for: its place in the header (`application_id`) keeps the two from being swapped.
pub(super) struct Schema {
    pub(super) file: &'static str,
    pub(super) application_id: i32,
    pub(super) migrations: &'static [Migration],
}

/// `ObhK`: the key store.
pub(super) const KEYS: Schema = Schema {
    file: "keys.db",
    application_id: 0x4f62_684b,
    migrations: &[Migration {
        number: 1,
        name: "keys_0001",
        sql: include_str!("migrations/keys_0001.sql"),
        sha256: "17c8280d0b7a4c305441e1d7911cc9c8ed6be39b1e9a9a4d69b4be46cfe22bce",
    }],
};

/// `ObhD`: the data file.
pub(super) const DATA: Schema = Schema {
    file: "data.db",
    application_id: 0x4f62_6844,
    migrations: &[Migration {
        number: 1,
        name: "data_0001",
        sql: include_str!("migrations/data_0001.sql"),
        sha256: "9c6be7239933d2333bd8b0e193b5caeb5c01989926050d811b945eaf0ca9128d",
    }],
};

/// Brings a database to the newest schema, or says why it is not ours to touch.
pub(super) fn migrate(connection: &mut Connection, schema: &Schema) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
    if is_fresh(&transaction, schema)? {
        transaction.pragma_update(None, "application_id", schema.application_id).map_err(fault)?;
        transaction
            .execute_batch(
                "CREATE TABLE schema_migration (
                     number INTEGER NOT NULL PRIMARY KEY,
                     name TEXT NOT NULL,
                     sha256 TEXT NOT NULL
                 ) STRICT, WITHOUT ROWID",
            )
            .map_err(fault)?;
    }
    let done = check(&transaction, schema)?;
    for step in schema.migrations.iter().skip(done) {
        transaction.execute_batch(step.sql).map_err(fault)?;
        transaction
            .execute(
                "INSERT INTO schema_migration (number, name, sha256) VALUES (?1, ?2, ?3)",
                (step.number, step.name, step.sha256),
            )
            .map_err(fault)?;
    }
    transaction.commit().map_err(fault)
}

/// Whether the file is new; a database without our mark that holds anything is not ours.
fn is_fresh(on: &Connection, schema: &Schema) -> Result<bool, OpenError> {
    let mark: i32 = on.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(fault)?;
    let objects: u32 =
        on.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).map_err(fault)?;
    match (mark, objects) {
        (0, 0) => Ok(true),
        (mark, _) if mark == schema.application_id => Ok(false),
        _ => Err(OpenError::WrongFile),
    }
}

/// Compares what was applied with what is known; how many steps are done.
fn check(on: &Connection, schema: &Schema) -> Result<usize, OpenError> {
    let mut statement =
        on.prepare("SELECT number, sha256 FROM schema_migration ORDER BY number").map_err(fault)?;
    let rows = statement
        .query_map((), |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))
        .map_err(fault)?
        .collect::<rusqlite::Result<Vec<_>>>()
        .map_err(fault)?;
    let newest = schema.migrations.last().map_or(0, |step| step.number);
    if rows.last().is_some_and(|(number, _)| *number > newest) {
        return Err(OpenError::Newer);
    }
    for (row, step) in rows.iter().zip(schema.migrations) {
        if row.0 != step.number {
            return Err(OpenError::Damaged);
        }
        if row.1 != step.sha256 {
            return Err(OpenError::Digest);
        }
    }
    Ok(rows.len())
}

fn fault(error: rusqlite::Error) -> OpenError {
    Fault::from(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pinned_digests_are_those_of_the_texts() {
        for step in KEYS.migrations.iter().chain(DATA.migrations) {
            let digest: String =
                seal::sha256(step.sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(digest, step.sha256, "{} was changed; a released migration never is", step.name);
        }
    }

    #[test]
    fn migrations_are_numbered_from_one() {
        for schema in [KEYS, DATA] {
            let numbers: Vec<_> = schema.migrations.iter().map(|step| step.number).collect();
            assert_eq!(numbers, (1..=numbers.len()).map(|n| u32::try_from(n).unwrap()).collect::<Vec<_>>());
        }
    }

    /// A later step is applied to a database that has the earlier ones, and only once.
    #[test]
    fn a_new_step_is_applied_once() {
        const FIRST: Migration =
            Migration { number: 1, name: "one", sql: "CREATE TABLE one (x)", sha256: "1" };
        const SECOND: Migration =
            Migration { number: 2, name: "two", sql: "INSERT INTO one VALUES (2)", sha256: "2" };
        const OLD: Schema = Schema { file: "x", application_id: 7, migrations: &[FIRST] };
        const NEW: Schema = Schema { file: "x", application_id: 7, migrations: &[FIRST, SECOND] };
        let mut on = Connection::open_in_memory().unwrap();
        let rows = |on: &Connection| on.query_row("SELECT count(*) FROM one", (), |row| row.get::<_, u32>(0));
        migrate(&mut on, &OLD).unwrap();
        assert_eq!(rows(&on).unwrap(), 0);
        migrate(&mut on, &NEW).unwrap();
        migrate(&mut on, &NEW).unwrap();
        assert_eq!(rows(&on).unwrap(), 1);
        assert_eq!(migrate(&mut on, &OLD), Err(OpenError::Newer));
    }

    #[test]
    fn a_step_that_fails_leaves_nothing() {
        const BAD: Migration =
            Migration { number: 1, name: "bad", sql: "CREATE TABLE one (x); SELECT nonsense", sha256: "1" };
        const SCHEMA: Schema = Schema { file: "x", application_id: 7, migrations: &[BAD] };
        let mut on = Connection::open_in_memory().unwrap();
        assert!(migrate(&mut on, &SCHEMA).is_err());
        let objects = on.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, u32>(0));
        assert_eq!(objects.unwrap(), 0);
    }
}
