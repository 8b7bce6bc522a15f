-- The key store. Copies older than the horizon open for nobody.
-- Every key begins with the tenant, so that a tenant's rows can move to a cell of their own.

CREATE TABLE tenant (
    tenant BLOB NOT NULL PRIMARY KEY CHECK (length(tenant) = 16),
    number INTEGER NOT NULL UNIQUE CHECK (number BETWEEN 0 AND 4294967295),
    state INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    config_version INTEGER NOT NULL CHECK (config_version BETWEEN 0 AND 4294967295),
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant_key (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    root BLOB NOT NULL CHECK (length(root) = 16),
    key_version INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (tenant, root, key_version)
) STRICT, WITHOUT ROWID;

CREATE TABLE sub_key (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    kind INTEGER NOT NULL,
    number INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    wrapped BLOB NOT NULL,
    PRIMARY KEY (tenant, kind, number, generation)
) STRICT, WITHOUT ROWID;

-- State 2 is erased: such a row refers to no key. `cell` is slot * 8 + class.
CREATE TABLE person (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    person BLOB NOT NULL CHECK (length(person) = 16),
    state INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    epoch INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    cell INTEGER,
    PRIMARY KEY (tenant, person),
    CHECK ((state = 2) = (cell IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX person_by_epoch ON person (tenant, epoch) WHERE cell IS NOT NULL;

-- Wrapped key bundles, in cells that are overwritten in place and never move (see cells.rs).
CREATE TABLE key_cell_192 (slot INTEGER PRIMARY KEY, bytes BLOB NOT NULL CHECK (length(bytes) = 192)) STRICT;
CREATE TABLE key_cell_256 (slot INTEGER PRIMARY KEY, bytes BLOB NOT NULL CHECK (length(bytes) = 256)) STRICT;
CREATE TABLE key_cell_512 (slot INTEGER PRIMARY KEY, bytes BLOB NOT NULL CHECK (length(bytes) = 512)) STRICT;
CREATE TABLE key_cell_1024 (slot INTEGER PRIMARY KEY, bytes BLOB NOT NULL CHECK (length(bytes) = 1024)) STRICT;
CREATE TABLE free_cell (
    class INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (class, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE person_index (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 16),
    person BLOB NOT NULL CHECK (length(person) = 16),
    PRIMARY KEY (tenant, number, hash, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_index_by_person ON person_index (tenant, person);

CREATE TABLE token (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    token BLOB NOT NULL CHECK (length(token) = 16),
    person BLOB NOT NULL CHECK (length(person) = 16),
    field INTEGER NOT NULL,
    PRIMARY KEY (tenant, token)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_by_person ON token (tenant, person);

-- Ordered as the decision asks; the id finds its row through an index.
CREATE TABLE consent (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    person BLOB NOT NULL CHECK (length(person) = 16),
    purpose INTEGER NOT NULL,
    recipient INTEGER NOT NULL,
    consent BLOB NOT NULL CHECK (length(consent) = 16),
    state INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    explicit INTEGER NOT NULL CHECK (explicit IN (0, 1)),
    until_ms INTEGER,
    notice BLOB NOT NULL CHECK (length(notice) = 16),
    notice_version INTEGER NOT NULL,
    event INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    edition INTEGER NOT NULL,
    PRIMARY KEY (tenant, person, purpose, recipient, consent)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX consent_by_id ON consent (tenant, consent);
-- 4 and 5 are given and renewed: the states that permit.
CREATE INDEX consent_due ON consent (until_ms) WHERE until_ms IS NOT NULL AND state IN (4, 5);

CREATE TABLE person_limit (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    person BLOB NOT NULL CHECK (length(person) = 16),
    kind INTEGER NOT NULL,
    field INTEGER NOT NULL,
    purpose INTEGER NOT NULL,
    set_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, person, kind, field, purpose)
) STRICT, WITHOUT ROWID;

CREATE TABLE principal (
    key_hash BLOB NOT NULL PRIMARY KEY CHECK (length(key_hash) = 32),
    principal BLOB NOT NULL CHECK (length(principal) = 16),
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    role INTEGER NOT NULL,
    state INTEGER NOT NULL,
    subject BLOB CHECK (length(subject) = 16),
    expires_ms INTEGER,
    zone BLOB,
    wrapped_log_secret BLOB NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX principal_by_id ON principal (tenant, principal);
CREATE INDEX principal_by_subject ON principal (tenant, subject) WHERE subject IS NOT NULL;

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32),
    leaf BLOB NOT NULL,
    identity BLOB NOT NULL,
    postings BLOB NOT NULL,
    incarnation INTEGER NOT NULL CHECK (incarnation BETWEEN 0 AND 4294967295),
    tail INTEGER NOT NULL CHECK (tail >= 0),
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    key_hash BLOB NOT NULL CHECK (length(key_hash) = 16),
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    status INTEGER NOT NULL,
    reference BLOB CHECK (length(reference) = 16),
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_ms);
CREATE INDEX idempotency_by_reference ON idempotency (tenant, reference) WHERE reference IS NOT NULL;

CREATE TABLE signed_head (
    origin TEXT NOT NULL PRIMARY KEY,
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- State 3 is destroyed.
CREATE TABLE shred_epoch (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    epoch INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    destroyed_ms INTEGER,
    PRIMARY KEY (tenant, epoch),
    CHECK ((state = 3) = (destroyed_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE clock_mark (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    latest_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE house (
    name TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- How selective each index is, said once and not measured: without it the planner takes the first column of a
-- primary key for selective, although all rows of a large tenant share it, and would walk them. No sampled keys are
-- ever stored (ANALYZE is never run on data).
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('tenant_key', 'tenant_key', '1000 2 1 1'),
    ('sub_key', 'sub_key', '100000 200 100 1 1'),
    ('person', 'person', '1000000 1000000 1'),
    ('person', 'person_by_epoch', '1000000 1000000 100000'),
    ('person_index', 'person_index', '2000000 2000000 500000 2 1'),
    ('person_index', 'person_index_by_person', '2000000 2000000 2'),
    ('token', 'token', '6000000 6000000 1'),
    ('token', 'token_by_person', '6000000 6000000 6'),
    ('consent', 'consent', '1000000 1000000 2 2 1 1'),
    ('consent', 'consent_by_id', '1000000 1000000 1'),
    ('consent', 'consent_due', '500000 10'),
    ('person_limit', 'person_limit', '100000 100000 2 2 1 1'),
    ('principal', 'principal', '10000 1'),
    ('principal', 'principal_by_id', '10000 10000 1'),
    ('principal', 'principal_by_subject', '10000 10000 1'),
    ('outbox', 'outbox', '1000 1'),
    ('idempotency', 'idempotency', '100000 100000 1'),
    ('idempotency', 'idempotency_by_age', '100000 10'),
    ('idempotency', 'idempotency_by_reference', '100000 100000 2'),
    ('free_cell', 'free_cell', '10000 2500 1');
-- Takes them up in this connection, too.
ANALYZE sqlite_schema;
