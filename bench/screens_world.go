package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

// estate is a world as large as screens must bear it: the first organization is very large, and every tenth is empty
// but for it. A quarter of the members have the seeded role; the others share the rest evenly, so that counting who
// has which role has the most to count.
type estate struct {
	organizations, memberships int
	permissions, roles         int // of the environment
	groups, resources          int // of the largest organization
	events, deliveries         int
}

// Types of resources, each below the one before.
var resourceTypes = []string{"workspace", "project", "document"}

// settleEstate fills an empty database.
func (b *bench) settleEstate(ctx context.Context, d database, e estate) error {
	if _, err := b.settle(ctx, d, plan{}); err != nil {
		return err
	}
	if err := b.ruled(ctx, d, func(s settler) error { return e.catalogue(ctx, s) }); err != nil {
		return err
	}
	b.say("%s: %d organizations, %d memberships", d.Name, e.organizations, e.memberships)
	if err := b.written(ctx, d, e.people()); err != nil {
		return err
	}
	if err := b.ruled(ctx, d, func(s settler) error { return e.largest(ctx, s) }); err != nil {
		return err
	}
	b.say("%s: %d events, %d deliveries", d.Name, e.events, e.deliveries)
	return b.written(ctx, d, append(e.things(), e.happenings()...))
}

// ruled makes something by the rules in one transaction, and gives the events of it their places.
func (b *bench) ruled(ctx context.Context, d database, make func(settler) error) (err error) {
	db, err := store.Open(ctx, d.location, store.Serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ids := id.NewSource(time.Now, nil)
	rules := authz.New(db, time.Now, ids)
	environments, err := rules.ListEnvironments(ctx)
	if err != nil {
		return err
	}
	caller := authz.Caller{Environment: environments[0].ID, Actor: event.Actor{ID: "bench", Source: "system", Name: "bench"}}
	err = db.Update(ctx, func(tx authz.Tx) error {
		return make(settler{rules: authz.New(together{tx}, time.Now, ids), caller: caller})
	})
	if err != nil {
		return err
	}
	_, err = rules.ListEvents(ctx, caller, authz.EventFilter{}, page.Request{Limit: 1, Order: page.Asc})
	return err
}

// areaSlug is a permission beyond those of every world.
func areaSlug(n int) string {
	return fmt.Sprintf("area%02d:%s", n/5, []string{"read", "create", "update", "delete", "export"}[n%5])
}

// catalogue is what every world has not. Every tenth role holds most permissions, the others a few.
func (e estate) catalogue(ctx context.Context, s settler) error {
	slugs := permissionSlugs(0, permissions)
	for n := range e.permissions - permissions {
		slugs = append(slugs, areaSlug(n))
		if _, err := s.rules.CreatePermission(ctx, s.caller, authz.NewPermission{Slug: areaSlug(n), Name: "Area " + areaSlug(n)}); err != nil {
			return err
		}
	}
	for n, slug := range resourceTypes {
		in := authz.NewResourceType{Slug: slug, Name: strings.ToTitle(slug[:1]) + slug[1:]}
		if n > 0 {
			in.Parents = authz.Some([]string{resourceTypes[n-1]})
		}
		if _, err := s.rules.CreateResourceType(ctx, s.caller, in); err != nil {
			return err
		}
	}
	for n := environmentRoles; n < e.roles; n++ {
		holds := slugs[n%len(slugs) : min(n%len(slugs)+12, len(slugs))]
		if n%10 == 0 {
			holds = slugs[:len(slugs)*3/5]
		}
		role := authz.NewRole{Slug: authz.Some(environmentSlug(n)), Name: fmt.Sprintf("Role %d", n), Permissions: authz.Some(holds)}
		if _, err := s.rules.CreateRole(ctx, s.caller, "", role); err != nil {
			return err
		}
	}
	_, err := s.rules.CreateRole(ctx, s.caller, "", authz.NewRole{Slug: authz.Some("editor"), Name: "Editor", ResourceType: authz.Some(resourceTypes[0])})
	return err
}

// The first of each that people() makes, as ulid numbers them.
const (
	largestOrganization = id.Organization("org_01KDWBZ8000000000000000000")
	firstMember         = id.Membership("om_01KDWBZ8000000000000000000")
)

// people is the organizations and their members. The nth member holds the role of that rank; so that it does not depend
// on the organization, the rank moves on with each round through the organizations.
func (e estate) people() []string {
	role := fmt.Sprintf("(CASE WHEN i %% 4 = 1 THEN 0 ELSE (i + i / %d) %% %d END)", e.organizations, e.roles)
	home := fmt.Sprintf("(CASE WHEN i %% 10 = 0 THEN 0 ELSE i %% %d END)", e.organizations)
	known := strings.NewReplacer("{env}", "(SELECT id FROM environments)", "{at}", "'"+joined+"'",
		"{orgs}", numbers(e.organizations), "{own}", numbers((e.organizations+9)/10), "{members}", numbers(e.memberships),
		"{org}", ulid("org_", "i"), "{tenth}", ulid("org_", "i * 10"), "{custom}", ulid("role_", "i * 10"), "{home}", ulid("org_", home),
		"{resource}", ulid("authz_resource_", home), "{user}", ulid("user_", "i"), "{member}", ulid("om_", "i"),
		"{assignment}", ulid("role_assignment_", "i"), "{rank}", role)
	texts := []string{
		`CREATE TABLE ranks AS SELECT row_number() OVER (ORDER BY place) - 1 AS rank, r.id AS role_id, r.slug AS slug
			FROM role_order o JOIN roles r ON r.id = o.role_id WHERE o.organization_id = '' AND r.resource_type = 'organization'`,
		`CREATE UNIQUE INDEX ranks_by_rank ON ranks (rank)`,
		`{orgs} INSERT INTO organizations (id, environment_id, name, allow_profiles_outside, metadata, search_key, created_at, updated_at)
			SELECT {org}, {env}, 'Organization ' || i, 0, '{}', 'organization ' || i, {at}, {at} FROM n`,
		`{own} INSERT INTO roles (organization_id, id, environment_id, slug, name, resource_type, ordinal, created_at, updated_at)
			SELECT {tenth}, {custom}, {env}, 'org-custom', 'Custom', 'organization', 0, {at}, {at} FROM n`,
		`{own} INSERT INTO role_permissions (organization_id, role_id, permission_id) SELECT {tenth}, {custom}, p.id
			FROM n CROSS JOIN permissions p WHERE p.slug LIKE 'things0%'`,
		`{own} INSERT INTO default_roles (organization_id, environment_id, role_id, updated_at)
			SELECT {tenth}, {env}, r.role_id, {at} FROM n JOIN ranks r ON r.rank = 1`,
		`{own} INSERT INTO role_order (organization_id, environment_id, role_id, place)
			SELECT {tenth}, {env}, o.role_id, o.place FROM n CROSS JOIN role_order o WHERE o.organization_id = ''
			UNION ALL SELECT {tenth}, {env}, {custom}, 100000 FROM n`,
		`{members} INSERT INTO users (id, environment_id, email, email_key, email_verified, first_name, last_name, name_key, last_name_key, metadata, created_at, updated_at)
			SELECT {user}, {env}, 'member-' || i || '@estate.example', 'member-' || i || '@estate.example', 1,
			'Ada', 'Lovelace ' || i, 'ada lovelace ' || i, 'lovelace ' || i, '{}', {at}, {at} FROM n`,
		`{members} INSERT INTO memberships (organization_id, id, environment_id, user_id, status, directory_managed, roles, fallback, created_at, updated_at)
			SELECT {home}, {member}, {env}, {user}, CASE WHEN i % 50 = 7 THEN 'inactive' ELSE 'active' END, 0, r.slug, 0, {at}, {at}
			FROM n JOIN ranks r ON r.rank = {rank}`,
		`{members} INSERT INTO assignments (organization_id, id, environment_id, subject_id, role_id, resource_id, source, explicit, created_at, updated_at)
			SELECT {home}, {assignment}, {env}, {member}, r.role_id, {resource}, 'manual', 1, {at}, {at}
			FROM n JOIN ranks r ON r.rank = {rank}`,
		`DROP TABLE ranks`,
	}
	return replaced(known, texts)
}

func replaced(known *strings.Replacer, texts []string) []string {
	for i, text := range texts {
		texts[i] = known.Replace(text)
	}
	return texts
}

// numbers begins a statement that makes a row of each number below count.
func numbers(count int) string {
	return fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) ", count)
}

// largest is what the largest organization has by the rules, so that there are events of all kinds.
func (e estate) largest(ctx context.Context, s settler) error {
	for n := range e.groups {
		g, err := s.rules.CreateGroup(ctx, s.caller, largestOrganization, authz.NewGroup{Name: fmt.Sprintf("Group %d", n)})
		if err != nil {
			return err
		}
		if _, err := s.rules.AddGroupMember(ctx, s.caller, largestOrganization, g.ID, firstMember); err != nil {
			return err
		}
		if _, err := s.rules.AssignGroupRole(ctx, s.caller, g.ID, authz.NewAssignment{Role: environmentSlug(n % environmentRoles)}); err != nil {
			return err
		}
	}
	for n := range 5 {
		in := authz.NewResource{Organization: largestOrganization, Type: resourceTypes[0], ExternalID: fmt.Sprintf("first-%d", n), Name: fmt.Sprintf("First %d", n)}
		if _, err := s.rules.CreateResource(ctx, s.caller, in); err != nil {
			return err
		}
		role := authz.NewRole{Name: fmt.Sprintf("Own role %d", n), Permissions: authz.Some(permissionSlugs(n, customHolds))}
		if _, err := s.rules.CreateRole(ctx, s.caller, largestOrganization, role); err != nil {
			return err
		}
	}
	return nil
}

// written runs statements past the rules. Nothing waits for the disk and no references are checked.
func (b *bench) written(ctx context.Context, d database, statements []string) (err error) {
	db, err := open(d, "synchronous(OFF)", "cache_size(-400000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if d.Name == "SQLite" {
		statements = append(statements, "PRAGMA wal_checkpoint(TRUNCATE)")
	} else {
		statements = append([]string{"SET session_replication_role = replica"}, statements...)
		statements = append(statements, "VACUUM ANALYZE", "CHECKPOINT")
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("making a large world: %w\n%s", err, statement)
		}
	}
	return nil
}
