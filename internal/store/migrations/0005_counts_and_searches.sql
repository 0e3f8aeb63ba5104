-- +goose Up

-- What a screen counts and a search of people finds is read from indexes alone, and never more of them than is shown.

DROP INDEX assignments_by_role;
CREATE INDEX assignments_by_role ON assignments (role_id, organization_id, id, subject_id);
CREATE INDEX assignments_of_groups ON assignments (role_id, organization_id, subject_id) WHERE substr(subject_id, 1, 6) = 'group_';

DROP INDEX role_permissions_by_permission;
CREATE INDEX role_permissions_by_permission ON role_permissions (permission_id, organization_id, role_id);

-- Names in the form in which they are searched. Those that are there get what SQL can say of them, until their next change.
ALTER TABLE users ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN last_name_key TEXT NOT NULL DEFAULT '';

UPDATE users SET
    name_key = lower(coalesce(name, trim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')))),
    last_name_key = lower(coalesce(last_name, ''));

CREATE INDEX users_by_name ON users (environment_id, name_key, id);
CREATE INDEX users_by_last_name ON users (environment_id, last_name_key, id);

-- +goose Down

DROP INDEX users_by_last_name;
DROP INDEX users_by_name;
ALTER TABLE users DROP COLUMN last_name_key;
ALTER TABLE users DROP COLUMN name_key;
DROP INDEX role_permissions_by_permission;
CREATE INDEX role_permissions_by_permission ON role_permissions (permission_id);
DROP INDEX assignments_of_groups;
DROP INDEX assignments_by_role;
CREATE INDEX assignments_by_role ON assignments (role_id, organization_id, id);
