//! The statements behind the named reads on the key store: rights, principals, outbox, the house's own rows.

use super::data_reads::{at_most, start};
use super::decode::{coded, id, maybe, maybe_sealed, maybe_time, sealed, time, unsigned};
use super::engine::Reads;
use crate::error::StoreError;
use crate::rows::{ConsentRow, EpochRow, IdempotencyRow, LimitRow, OutboxRow, PrincipalRow, SignedHeadRow};
use model::{
    ConsentId, FieldId, NoticeId, PersonId, PrincipalId, PurposeId, RecipientId, TenantId, Timestamp,
};
use rusqlite::{Result as Sql, Row};

type Read<T> = Result<T, StoreError>;

/// A selection with the columns that [`consent`] decodes.
macro_rules! consents {
    ($rest:literal) => {
        concat!(
            "SELECT tenant, consent, person, purpose, recipient, state, version, explicit, until_ms, notice,
             notice_version, event, changed_ms, edition FROM consent ",
            $rest
        )
    };
}

fn consent(row: &Row<'_>) -> Sql<ConsentRow> {
    Ok(ConsentRow {
        tenant: id(row, 0, TenantId)?,
        consent: id(row, 1, ConsentId)?,
        person: id(row, 2, PersonId)?,
        purpose: PurposeId(row.get(3)?),
        recipient: RecipientId(row.get(4)?),
        state: coded(row, 5)?,
        version: row.get(6)?,
        explicit: row.get(7)?,
        until: maybe_time(row, 8)?,
        notice: id(row, 9, NoticeId)?,
        notice_version: row.get(10)?,
        event: row.get(11)?,
        changed: time(row, 12)?,
        edition: row.get(13)?,
    })
}

/// A selection with the columns that [`principal`] decodes.
macro_rules! principals {
    ($rest:literal) => {
        concat!(
            "SELECT key_hash, principal, tenant, role, state, subject, expires_ms, zone, wrapped_log_secret,
             version FROM principal ",
            $rest
        )
    };
}

fn principal(row: &Row<'_>) -> Sql<PrincipalRow> {
    Ok(PrincipalRow {
        key_hash: row.get(0)?,
        principal: id(row, 1, PrincipalId)?,
        tenant: id(row, 2, TenantId)?,
        role: coded(row, 3)?,
        state: coded(row, 4)?,
        subject: maybe(row, 5, PersonId)?,
        expires: maybe_time(row, 6)?,
        zone: maybe_sealed(row, 7)?,
        wrapped_log_secret: sealed(row, 8)?,
        version: row.get(9)?,
    })
}

fn outbox(row: &Row<'_>) -> Sql<OutboxRow> {
    Ok(OutboxRow {
        id: row.get(0)?,
        tenant: id(row, 1, TenantId)?,
        leaf_hash: row.get(2)?,
        leaf: row.get(3)?,
        identity: row.get(4)?,
        postings: row.get(5)?,
        incarnation: row.get(6)?,
        tail: unsigned(row, 7)?,
        created: time(row, 8)?,
    })
}

impl Reads {
    pub(crate) fn consent(&self, tenant: TenantId, id: ConsentId) -> Read<Option<ConsentRow>> {
        self.keys.one(consents!("WHERE tenant = ?1 AND consent = ?2"), (tenant.0, id.0), consent)
    }

    pub(crate) fn consents_of(&self, tenant: TenantId, person: PersonId) -> Read<Vec<ConsentRow>> {
        self.keys.many(
            consents!("WHERE tenant = ?1 AND person = ?2 ORDER BY purpose, recipient, consent"),
            (tenant.0, person.0),
            consent,
        )
    }

    pub(crate) fn consents_for(
        &self,
        tenant: TenantId,
        person: PersonId,
        purpose: PurposeId,
        recipient: RecipientId,
    ) -> Read<Vec<ConsentRow>> {
        self.keys.many(
            consents!(
                "WHERE tenant = ?1 AND person = ?2 AND purpose = ?3 AND recipient = ?4 ORDER BY consent"
            ),
            (tenant.0, person.0, purpose.0, recipient.0),
            consent,
        )
    }

    pub(crate) fn consents_due(&self, before: Timestamp, limit: usize) -> Read<Vec<ConsentRow>> {
        self.keys.many(
            consents!(
                "WHERE until_ms IS NOT NULL AND state IN (4, 5) AND until_ms < ?1 ORDER BY until_ms LIMIT ?2"
            ),
            (before.0, at_most(limit)),
            consent,
        )
    }

    pub(crate) fn limits_of(&self, tenant: TenantId, person: PersonId) -> Read<Vec<LimitRow>> {
        self.keys.many(
            "SELECT kind, field, purpose, set_ms FROM person_limit WHERE tenant = ?1 AND person = ?2
             ORDER BY kind, field, purpose",
            (tenant.0, person.0),
            |row| {
                Ok(LimitRow {
                    tenant,
                    person,
                    kind: coded(row, 0)?,
                    field: FieldId(row.get(1)?),
                    purpose: PurposeId(row.get(2)?),
                    set: time(row, 3)?,
                })
            },
        )
    }

    pub(crate) fn principal_by_hash(&self, key_hash: &[u8; 32]) -> Read<Option<PrincipalRow>> {
        self.keys.one(principals!("WHERE key_hash = ?1"), [key_hash], principal)
    }

    pub(crate) fn principal(&self, tenant: TenantId, id: PrincipalId) -> Read<Option<PrincipalRow>> {
        self.keys.one(principals!("WHERE tenant = ?1 AND principal = ?2"), (tenant.0, id.0), principal)
    }

    pub(crate) fn principals(&self, tenant: TenantId) -> Read<Vec<PrincipalRow>> {
        self.keys.many(principals!("WHERE tenant = ?1 ORDER BY principal"), [tenant.0], principal)
    }

    pub(crate) fn outbox(&self, after: Option<[u8; 16]>, limit: usize) -> Read<Vec<OutboxRow>> {
        self.keys.many(
            "SELECT id, tenant, leaf_hash, leaf, identity, postings, incarnation, tail, created_ms FROM outbox
             WHERE id > ?1 ORDER BY id LIMIT ?2",
            (start(&after), at_most(limit)),
            outbox,
        )
    }

    pub(crate) fn idempotency(&self, tenant: TenantId, key_hash: &[u8; 16]) -> Read<Option<IdempotencyRow>> {
        self.keys.one(
            "SELECT request_hash, status, reference, created_ms FROM idempotency
             WHERE tenant = ?1 AND key_hash = ?2",
            (tenant.0, key_hash),
            |row| {
                Ok(IdempotencyRow {
                    tenant,
                    key_hash: *key_hash,
                    request_hash: row.get(0)?,
                    status: row.get(1)?,
                    reference: row.get(2)?,
                    created: time(row, 3)?,
                })
            },
        )
    }

    pub(crate) fn idempotency_before(&self, before: Timestamp) -> Read<bool> {
        let sql = "SELECT 1 FROM idempotency WHERE created_ms < ?1 LIMIT 1";
        Ok(self.keys.one(sql, [before.0], |_| Ok(()))?.is_some())
    }

    pub(crate) fn signed_head(&self, origin: &str) -> Read<Option<SignedHeadRow>> {
        self.keys.one("SELECT size, root, note FROM signed_head WHERE origin = ?1", [origin], |row| {
            Ok(SignedHeadRow {
                origin: origin.to_owned(),
                size: unsigned(row, 0)?,
                root: row.get(1)?,
                note: row.get(2)?,
            })
        })
    }

    pub(crate) fn epochs(&self, tenant: TenantId) -> Read<Vec<EpochRow>> {
        self.keys.many(
            "SELECT epoch, state, created_ms, destroyed_ms FROM shred_epoch WHERE tenant = ?1 ORDER BY epoch",
            [tenant.0],
            |row| {
                Ok(EpochRow {
                    tenant,
                    epoch: row.get(0)?,
                    state: coded(row, 1)?,
                    created: time(row, 2)?,
                    destroyed: maybe_time(row, 3)?,
                })
            },
        )
    }

    pub(crate) fn clock_mark(&self) -> Read<Option<Timestamp>> {
        self.keys.one("SELECT latest_ms FROM clock_mark WHERE one = 1", (), |row| time(row, 0))
    }

    pub(crate) fn house(&self, name: &str) -> Read<Option<Vec<u8>>> {
        self.keys.one("SELECT value FROM house WHERE name = ?1", [name], |row| row.get(0))
    }
}
