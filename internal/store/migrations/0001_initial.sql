-- +goose Up

-- One text for SQLite and PostgreSQL; what must differ is said in ../dialect.go. Times are fixed-width UTC text, flags
-- are 0 or 1. Tables of an organization lead their keys with organization_id; rows that belong to the environment
-- itself have the empty one.

CREATE TABLE environments (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at TEXT NOT NULL,
    revoked_at TEXT
);

CREATE TABLE permissions (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    system BIGINT NOT NULL,
    resource_type TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (environment_id, slug)
);

CREATE INDEX permissions_by_id ON permissions (environment_id, id);

CREATE TABLE organizations (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    allow_profiles_outside BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    external_id TEXT,
    stripe_customer_id TEXT,
    search_key TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (environment_id, external_id),
    UNIQUE (environment_id, stripe_customer_id)
);

CREATE INDEX organizations_by_id ON organizations (environment_id, id);

CREATE TABLE organization_domains (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    environment_id TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (environment_id, name)
);

CREATE TABLE roles (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    resource_type TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, environment_id, slug)
);

CREATE TABLE role_permissions (
    organization_id TEXT NOT NULL,
    role_id TEXT NOT NULL,
    permission_id TEXT NOT NULL REFERENCES permissions (id),
    PRIMARY KEY (organization_id, role_id, permission_id),
    FOREIGN KEY (organization_id, role_id) REFERENCES roles (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX role_permissions_by_permission ON role_permissions (permission_id);

CREATE TABLE default_roles (
    organization_id TEXT NOT NULL,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    role_id TEXT NOT NULL REFERENCES roles (id),
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, environment_id)
);

CREATE INDEX default_roles_by_role ON default_roles (role_id);

CREATE TABLE role_order (
    organization_id TEXT NOT NULL,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    role_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    PRIMARY KEY (organization_id, environment_id, role_id),
    UNIQUE (organization_id, environment_id, place)
);

CREATE INDEX role_order_by_role ON role_order (role_id);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    email_verified BIGINT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    name TEXT,
    profile_picture_url TEXT,
    external_id TEXT,
    metadata TEXT NOT NULL,
    locale TEXT,
    last_sign_in_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (environment_id, email_key),
    UNIQUE (environment_id, external_id)
);

CREATE INDEX users_by_id ON users (environment_id, id);

CREATE TABLE memberships (
    organization_id TEXT NOT NULL REFERENCES organizations (id),
    id TEXT NOT NULL UNIQUE,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    status TEXT NOT NULL,
    directory_managed BIGINT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, user_id)
);

CREATE INDEX memberships_by_user ON memberships (user_id, id);

CREATE TABLE assignments (
    organization_id TEXT NOT NULL,
    id TEXT NOT NULL,
    membership_id TEXT NOT NULL,
    role_id TEXT NOT NULL REFERENCES roles (id),
    source TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX assignments_by_membership ON assignments (organization_id, membership_id, id);
CREATE INDEX assignments_by_role ON assignments (role_id);

CREATE TABLE events (
    serial BIGSERIAL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    environment_id TEXT NOT NULL,
    organization_id TEXT NOT NULL,
    place BIGINT,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    context TEXT NOT NULL,
    created_at TEXT NOT NULL
);

CREATE UNIQUE INDEX events_by_place ON events (environment_id, place) WHERE place IS NOT NULL;
CREATE INDEX events_by_organization ON events (environment_id, organization_id, place) WHERE place IS NOT NULL;
CREATE INDEX events_by_type ON events (environment_id, type, place) WHERE place IS NOT NULL;
CREATE INDEX events_unplaced ON events (environment_id, serial) WHERE place IS NULL;
CREATE INDEX events_by_age ON events (created_at);

CREATE TABLE event_places (
    environment_id TEXT PRIMARY KEY,
    last BIGINT NOT NULL
);

CREATE TABLE receipts (
    owner TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (owner, idempotency_key)
);

CREATE INDEX receipts_by_age ON receipts (created_at);

-- +goose Down

DROP TABLE receipts;
DROP TABLE event_places;
DROP TABLE events;
DROP TABLE assignments;
DROP TABLE memberships;
DROP TABLE users;
DROP TABLE role_order;
DROP TABLE default_roles;
DROP TABLE role_permissions;
DROP TABLE roles;
DROP TABLE organization_domains;
DROP TABLE organizations;
DROP TABLE permissions;
DROP TABLE api_keys;
DROP TABLE environments;
