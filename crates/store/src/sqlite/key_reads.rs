//! The statements behind the named reads on the key store: tenants, persons, indexes, tokens.

use super::cells::{self, cell_bytes};
use super::data_reads::{at_most, start};
use super::decode::{coded, id, sealed, time};
use super::engine::Reads;
use crate::error::StoreError;
use crate::rows::{PersonHead, PersonRow, PersonState, Sealed, SubKeyRow, TenantKeyRow, TenantRow, TokenRow};
use model::{FieldId, PersonId, TenantId};
use rusqlite::types::Type;
use rusqlite::{Error, Result as Sql, Row};

type Read<T> = Result<T, StoreError>;

/// A selection with the columns that [`tenant`] decodes.
macro_rules! tenants {
    ($rest:literal) => {
        concat!("SELECT tenant, number, state, version, config_version, created_ms FROM tenant ", $rest)
    };
}

fn tenant(row: &Row<'_>) -> Sql<TenantRow> {
    Ok(TenantRow {
        tenant: id(row, 0, TenantId)?,
        number: row.get(1)?,
        state: coded(row, 2)?,
        version: row.get(3)?,
        config_version: row.get(4)?,
        created: time(row, 5)?,
    })
}

/// A selection with the columns that [`person`] decodes.
macro_rules! persons {
    ($rest:literal) => {
        concat!(
            "SELECT person, state, version, epoch, flags, created_ms, ",
            cell_bytes!(),
            " FROM person ",
            $rest
        )
    };
}

fn person(tenant: TenantId) -> impl Fn(&Row<'_>) -> Sql<PersonRow> {
    move |row| {
        Ok(PersonRow {
            tenant,
            person: id(row, 0, PersonId)?,
            state: coded(row, 1)?,
            version: row.get(2)?,
            epoch: row.get(3)?,
            flags: row.get(4)?,
            created: time(row, 5)?,
            wrapped: cell(row, 6)?,
        })
    }
}

fn cell(row: &Row<'_>, column: usize) -> Sql<Option<Sealed>> {
    let Some(bytes) = row.get_ref(column)?.as_blob_or_null()? else { return Ok(None) };
    let content =
        cells::content(bytes).ok_or(Error::InvalidColumnType(column, "cell".to_owned(), Type::Blob))?;
    Ok(Some(Sealed(content.to_vec())))
}

impl Reads {
    pub(crate) fn tenant(&self, id: TenantId) -> Read<Option<TenantRow>> {
        self.keys.one(tenants!("WHERE tenant = ?1"), [id.0], tenant)
    }

    pub(crate) fn tenants(&self) -> Read<Vec<TenantRow>> {
        self.keys.many(tenants!("ORDER BY tenant"), (), tenant)
    }

    pub(crate) fn tenant_keys(&self, tenant: TenantId) -> Read<Vec<TenantKeyRow>> {
        self.keys.many(
            "SELECT root, key_version, wrapped FROM tenant_key WHERE tenant = ?1 ORDER BY root, key_version",
            [tenant.0],
            |row| {
                let wrapped = sealed(row, 2)?;
                Ok(TenantKeyRow { tenant, root: row.get(0)?, key_version: row.get(1)?, wrapped })
            },
        )
    }

    pub(crate) fn sub_keys(&self, tenant: TenantId) -> Read<Vec<SubKeyRow>> {
        self.keys.many(
            "SELECT kind, number, generation, wrapped FROM sub_key WHERE tenant = ?1
             ORDER BY kind, number, generation",
            [tenant.0],
            |row| {
                Ok(SubKeyRow {
                    tenant,
                    kind: coded(row, 0)?,
                    number: row.get(1)?,
                    generation: row.get(2)?,
                    wrapped: sealed(row, 3)?,
                })
            },
        )
    }

    pub(crate) fn person(&self, tenant: TenantId, id: PersonId) -> Read<Option<PersonRow>> {
        self.keys.one(persons!("WHERE tenant = ?1 AND person = ?2"), (tenant.0, id.0), person(tenant))
    }

    pub(crate) fn person_head(&self, tenant: TenantId, id: PersonId) -> Read<Option<PersonHead>> {
        self.keys.one(
            "SELECT state, version, flags FROM person WHERE tenant = ?1 AND person = ?2",
            (tenant.0, id.0),
            |row| Ok(PersonHead { state: coded(row, 0)?, version: row.get(1)?, flags: row.get(2)? }),
        )
    }

    pub(crate) fn persons_after(
        &self,
        tenant: TenantId,
        after: Option<PersonId>,
        limit: usize,
    ) -> Read<Vec<PersonRow>> {
        self.keys.many(
            persons!("WHERE tenant = ?1 AND person > ?2 ORDER BY person LIMIT ?3"),
            (tenant.0, start(&after.map(|id| id.0)), at_most(limit)),
            person(tenant),
        )
    }

    pub(crate) fn persons_in_epoch(
        &self,
        tenant: TenantId,
        epoch: u32,
        after: Option<PersonId>,
        limit: usize,
    ) -> Read<Vec<PersonRow>> {
        self.keys.many(
            persons!(
                "WHERE tenant = ?1 AND epoch = ?2 AND cell IS NOT NULL AND person > ?3
                 ORDER BY person LIMIT ?4"
            ),
            (tenant.0, epoch, start(&after.map(|id| id.0)), at_most(limit)),
            person(tenant),
        )
    }

    pub(crate) fn count_persons(&self, tenant: TenantId, state: Option<PersonState>) -> Read<u64> {
        match state {
            None => self.keys.count("SELECT count(*) FROM person WHERE tenant = ?1", [tenant.0]),
            Some(state) => self.keys.count(
                "SELECT count(*) FROM person WHERE tenant = ?1 AND state = ?2",
                (tenant.0, state as u8),
            ),
        }
    }

    pub(crate) fn count_persons_in_epoch(&self, tenant: TenantId, epoch: u32) -> Read<u64> {
        self.keys.count(
            "SELECT count(*) FROM person WHERE tenant = ?1 AND epoch = ?2 AND cell IS NOT NULL",
            (tenant.0, epoch),
        )
    }

    pub(crate) fn persons_by_index(
        &self,
        tenant: TenantId,
        index: FieldId,
        hash: &[u8; 16],
        limit: usize,
    ) -> Read<Vec<PersonId>> {
        self.keys.many(
            "SELECT person FROM person_index WHERE tenant = ?1 AND number = ?2 AND hash = ?3
             ORDER BY person LIMIT ?4",
            (tenant.0, index.0, hash, at_most(limit)),
            |row| id(row, 0, PersonId),
        )
    }

    pub(crate) fn token(&self, tenant: TenantId, token: &[u8; 16]) -> Read<Option<TokenRow>> {
        self.keys.one(
            "SELECT person, field FROM token WHERE tenant = ?1 AND token = ?2",
            (tenant.0, token),
            |row| {
                let field = FieldId(row.get(1)?);
                Ok(TokenRow { tenant, token: *token, person: id(row, 0, PersonId)?, field })
            },
        )
    }

    pub(crate) fn indexes_of(&self, tenant: TenantId, person: PersonId) -> Read<Vec<(FieldId, [u8; 16])>> {
        self.keys.many(
            "SELECT number, hash FROM person_index WHERE tenant = ?1 AND person = ?2 ORDER BY number, hash",
            (tenant.0, person.0),
            |row| Ok((FieldId(row.get(0)?), row.get(1)?)),
        )
    }

    pub(crate) fn tokens_of(&self, tenant: TenantId, person: PersonId) -> Read<Vec<TokenRow>> {
        self.keys.many(
            "SELECT token, field FROM token WHERE tenant = ?1 AND person = ?2 ORDER BY token",
            (tenant.0, person.0),
            |row| Ok(TokenRow { tenant, token: row.get(0)?, person, field: FieldId(row.get(1)?) }),
        )
    }
}
