-- +goose Up

CREATE TABLE webhook_endpoints (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    status TEXT NOT NULL,
    events TEXT NOT NULL,
    place BIGINT NOT NULL,
    last_success TEXT,
    void_before TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE INDEX webhook_endpoints_by_id ON webhook_endpoints (environment_id, id);
CREATE UNIQUE INDEX webhook_endpoints_by_url ON webhook_endpoints (environment_id, url) WHERE status <> 'removed';
CREATE INDEX webhook_endpoints_enabled ON webhook_endpoints (environment_id, place) WHERE status = 'enabled';

CREATE TABLE webhook_deliveries (
    id TEXT PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (id),
    event_id TEXT NOT NULL,
    type TEXT NOT NULL,
    replay BIGINT NOT NULL,
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    claim TEXT NOT NULL,
    first_attempt TEXT,
    next_attempt TEXT,
    last_error TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE INDEX webhook_deliveries_by_id ON webhook_deliveries (endpoint_id, id);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (endpoint_id, state, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
-- Each event goes to each endpoint once, and again only when that is asked for.
CREATE UNIQUE INDEX webhook_deliveries_first ON webhook_deliveries (endpoint_id, event_id) WHERE replay = 0;

CREATE TABLE webhook_attempts (
    delivery_id TEXT NOT NULL REFERENCES webhook_deliveries (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    at TEXT NOT NULL,
    duration BIGINT NOT NULL,
    status BIGINT NOT NULL,
    answer TEXT NOT NULL,
    error TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

CREATE TABLE webhook_replays (
    id TEXT PRIMARY KEY,
    endpoint_id TEXT NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    events TEXT NOT NULL,
    after_place BIGINT NOT NULL,
    up_to_place BIGINT NOT NULL,
    range_start TEXT,
    range_end TEXT,
    queued BIGINT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE INDEX webhook_replays_by_endpoint ON webhook_replays (endpoint_id);

-- +goose Down

DROP TABLE webhook_replays;
DROP TABLE webhook_attempts;
DROP TABLE webhook_deliveries;
DROP TABLE webhook_endpoints;
