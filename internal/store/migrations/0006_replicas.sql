-- +goose Up

-- The processes that may answer from memory. Whoever changes what they remember waits for each, or until its renewals
-- stand still for as long as its row says. SQLite has one process and no row.
CREATE TABLE replicas (
    id TEXT NOT NULL PRIMARY KEY,
    renewals BIGINT NOT NULL,
    lease_ms BIGINT NOT NULL,
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at TEXT NOT NULL
);

-- +goose Down

DROP TABLE replicas;
