-- +goose Up

-- Who holds which role: assignments get a subject (a membership or a group), a resource, a source and an interval;
-- memberships remember the roles that their last event showed; roles can be gone for decisions while their assignments
-- still wait to be moved; work that follows a change is a row.

ALTER TABLE environments ADD COLUMN multiple_roles BIGINT NOT NULL DEFAULT 0;
ALTER TABLE roles ADD COLUMN retired_at TEXT;
ALTER TABLE roles ADD COLUMN replacement_id TEXT;
ALTER TABLE memberships ADD COLUMN roles TEXT NOT NULL DEFAULT '';
ALTER TABLE memberships ADD COLUMN fallback BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN permissions TEXT;
ALTER TABLE api_keys ADD COLUMN organization_id TEXT NOT NULL DEFAULT '';

UPDATE memberships SET roles = coalesce((
    SELECT min(r.slug) FROM assignments a JOIN roles r ON r.id = a.role_id
    WHERE a.organization_id = memberships.organization_id AND a.membership_id = memberships.id
), '');

CREATE INDEX memberships_fallback ON memberships (environment_id, organization_id, id) WHERE fallback = 1;
CREATE INDEX memberships_by_environment ON memberships (environment_id, organization_id, id);

CREATE INDEX roles_by_replacement ON roles (replacement_id) WHERE replacement_id IS NOT NULL;
CREATE INDEX roles_by_type ON roles (environment_id, resource_type);

CREATE TABLE pinned_defaults (
    organization_id TEXT NOT NULL,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    retired_id TEXT NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL REFERENCES roles (id),
    PRIMARY KEY (organization_id, environment_id, retired_id)
);

CREATE INDEX pinned_defaults_by_role ON pinned_defaults (role_id);
CREATE INDEX pinned_defaults_by_retired ON pinned_defaults (retired_id);

CREATE TABLE organization_groups (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    description TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id)
);

CREATE TABLE group_members (
    organization_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    membership_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, group_id, membership_id),
    FOREIGN KEY (organization_id, group_id) REFERENCES organization_groups (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, membership_id) REFERENCES memberships (organization_id, id) ON DELETE CASCADE
);

CREATE INDEX group_members_by_membership ON group_members (organization_id, membership_id, group_id);

CREATE TABLE resource_types (
    environment_id TEXT NOT NULL REFERENCES environments (id),
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (environment_id, slug)
);

CREATE TABLE resource_type_parents (
    environment_id TEXT NOT NULL,
    slug TEXT NOT NULL,
    parent_slug TEXT NOT NULL,
    PRIMARY KEY (environment_id, slug, parent_slug),
    FOREIGN KEY (environment_id, slug) REFERENCES resource_types (environment_id, slug) ON DELETE CASCADE
);

-- parent_id of a resource below the organization itself is the id of the organization's own resource, which has no row.
CREATE TABLE resources (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id TEXT NOT NULL UNIQUE,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    resource_type TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    parent_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, resource_type, external_id)
);

CREATE INDEX resources_by_parent ON resources (organization_id, parent_id, id);
CREATE INDEX resources_by_type ON resources (environment_id, resource_type, id);
CREATE INDEX resources_of_type ON resources (organization_id, resource_type, id);
CREATE INDEX resources_by_external_id ON resources (environment_id, resource_type, external_id, id);

CREATE TABLE subject_assignments (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    subject_id TEXT NOT NULL,
    role_id TEXT NOT NULL REFERENCES roles (id),
    resource_id TEXT NOT NULL,
    source TEXT NOT NULL,
    explicit BIGINT NOT NULL,
    starts_at TEXT,
    expires_at TEXT,
    due_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, subject_id, resource_id, role_id, source)
);

INSERT INTO subject_assignments (organization_id, id, environment_id, subject_id, role_id, resource_id, source, explicit, created_at, updated_at)
SELECT a.organization_id, a.id, m.environment_id, a.membership_id, a.role_id, 'authz_resource_' || substr(a.organization_id, 5), a.source, 1, a.created_at, a.updated_at
FROM assignments a JOIN memberships m ON m.organization_id = a.organization_id AND m.id = a.membership_id;

DROP TABLE assignments;
ALTER TABLE subject_assignments RENAME TO assignments;

CREATE INDEX assignments_by_subject ON assignments (organization_id, subject_id, id);
CREATE INDEX assignments_by_role ON assignments (role_id, organization_id, id);
CREATE INDEX assignments_by_resource ON assignments (organization_id, resource_id, id);
CREATE INDEX assignments_due ON assignments (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    organization_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    slug TEXT NOT NULL,
    fallback_only BIGINT NOT NULL,
    actor TEXT NOT NULL,
    at_organization TEXT NOT NULL,
    at_membership TEXT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    held_by TEXT NOT NULL,
    held_until TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    finished_at TEXT
);

CREATE INDEX jobs_by_environment ON jobs (environment_id, id);
CREATE INDEX jobs_waiting ON jobs (id) WHERE finished_at IS NULL;
CREATE INDEX jobs_by_age ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- +goose Down

DROP TABLE jobs;
DROP TABLE assignments;
DROP TABLE resources;
DROP TABLE resource_type_parents;
DROP TABLE resource_types;
DROP TABLE group_members;
DROP TABLE organization_groups;
DROP TABLE pinned_defaults;
DROP INDEX memberships_fallback;
DROP INDEX memberships_by_environment;
DROP INDEX roles_by_replacement;
DROP INDEX roles_by_type;
ALTER TABLE api_keys DROP COLUMN organization_id;
ALTER TABLE api_keys DROP COLUMN permissions;
ALTER TABLE memberships DROP COLUMN fallback;
ALTER TABLE memberships DROP COLUMN roles;
ALTER TABLE roles DROP COLUMN replacement_id;
ALTER TABLE roles DROP COLUMN retired_at;
ALTER TABLE environments DROP COLUMN multiple_roles;
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
