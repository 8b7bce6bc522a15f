-- The data file: sealed rows that nobody can read unless the key store says so.

-- Envelopes are large for a key-ordered tree (a page would hold five rows), so the rows lie in order of arrival
-- and the key is an index.
CREATE TABLE record (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    person BLOB NOT NULL CHECK (length(person) = 16),
    compartment INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    sealed BLOB NOT NULL,
    UNIQUE (tenant, person, compartment, version)
) STRICT;

CREATE TABLE document (
    tenant BLOB NOT NULL CHECK (length(tenant) = 16),
    kind INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    version INTEGER NOT NULL CHECK (version BETWEEN 0 AND 4294967295),
    created_ms INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    UNIQUE (tenant, kind, id, version)
) STRICT;

-- State 1 is queued, 2 is failed.
CREATE TABLE job (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    payload BLOB NOT NULL,
    due_ms INTEGER NOT NULL,
    lease_until_ms INTEGER,
    attempts INTEGER NOT NULL CHECK (attempts BETWEEN 0 AND 4294967295),
    failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 4294967295),
    state INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    last_error INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX job_queued ON job (kind, due_ms) WHERE state = 1;
CREATE INDEX job_same ON job (kind, payload) WHERE state = 1;

-- As in the key store: how selective each index is, said once and not measured.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('record', 'sqlite_autoindex_record_1', '1000000 1000000 2 1 1'),
    ('document', 'sqlite_autoindex_document_1', '1000000 1000000 200000 2 1'),
    ('job', 'job', '10000 1'),
    ('job', 'job_queued', '10000 2000 10'),
    ('job', 'job_same', '10000 2000 1');
-- Takes them up in this connection, too.
ANALYZE sqlite_schema;
