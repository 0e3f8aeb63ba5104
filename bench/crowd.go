package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/rolecall/rolecall/internal/id"
)

// crowd is a large world, written past the rules by one statement for each table. The environment is as in every world.
// The nth member joins the organization n modulo their number, as people do: one organization's rows lie far apart.
type crowd struct {
	organizations int
	members       int    // of each organization
	ownEvery      int    // every so manieth organization has a custom role, and so a default and an order of its own
	role          string // the environment role that all members hold, and that is the own default of those organizations
}

// joined is when everything of a crowd was made.
const joined = "2026-01-01T00:00:00.000Z"

// ulid makes the ids of a crowd, in SQL: they sort by number, as those of the product sort by creation.
func ulid(prefix, number string) string {
	return "'" + prefix + "01KDWBZ800' || substr(CAST(10000000000000000 + (" + number + ") AS TEXT), 2)"
}

func (c crowd) member(n int) id.Membership {
	return id.Membership(fmt.Sprintf("om_01KDWBZ800%016d", n))
}

// follows says whether the organization of the nth member has the environment's default.
func (c crowd) follows(n int) bool { return n%c.organizations%c.ownEvery != 0 }

// statements fill the tables of an environment that has its roles. One text serves both databases.
func (c crowd) statements() []string {
	numbers := func(count int) string {
		return fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d) ", count)
	}
	perOrganization, perOwn, perMember := numbers(c.organizations), numbers((c.organizations+c.ownEvery-1)/c.ownEvery), numbers(c.organizations*c.members)
	own := fmt.Sprintf("i * %d", c.ownEvery)
	home := fmt.Sprintf("i %% %d", c.organizations)
	known := strings.NewReplacer("{env}", "(SELECT id FROM environments)", "{at}", "'"+joined+"'", "{slug}", "'"+c.role+"'",
		"{role}", "(SELECT id FROM roles WHERE organization_id = '' AND slug = '"+c.role+"')",
		"{org}", ulid("org_", "i"), "{own}", ulid("org_", own), "{custom}", ulid("role_", own), "{home}", ulid("org_", home),
		"{resource}", ulid("authz_resource_", home), "{user}", ulid("user_", "i"), "{member}", ulid("om_", "i"),
		"{assignment}", ulid("role_assignment_", "i"))
	all := []string{
		perOrganization + `INSERT INTO organizations (id, environment_id, name, allow_profiles_outside, metadata, search_key, created_at, updated_at)
			SELECT {org}, {env}, 'Organization ' || i, 0, '{}', 'organization ' || i, {at}, {at} FROM n`,
		perOwn + `INSERT INTO roles (organization_id, id, environment_id, slug, name, resource_type, ordinal, created_at, updated_at)
			SELECT {own}, {custom}, {env}, 'org-custom', 'Custom', 'organization', 0, {at}, {at} FROM n`,
		perOwn + `INSERT INTO default_roles (organization_id, environment_id, role_id, updated_at) SELECT {own}, {env}, {role}, {at} FROM n`,
		perOwn + `INSERT INTO role_order (organization_id, environment_id, role_id, place)
			SELECT {own}, {env}, o.role_id, o.place FROM n CROSS JOIN role_order o WHERE o.organization_id = ''
			UNION ALL SELECT {own}, {env}, {custom}, 1000 FROM n`,
	}
	if c.members > 0 {
		all = append(all,
			perMember+`INSERT INTO users (id, environment_id, email, email_key, email_verified, metadata, created_at, updated_at)
				SELECT {user}, {env}, 'member-' || i || '@crowd.example', 'member-' || i || '@crowd.example', 1, '{}', {at}, {at} FROM n`,
			perMember+`INSERT INTO memberships (organization_id, id, environment_id, user_id, status, directory_managed, roles, fallback, created_at, updated_at)
				SELECT {home}, {member}, {env}, {user}, 'active', 0, {slug}, 0, {at}, {at} FROM n`,
			perMember+`INSERT INTO assignments (organization_id, id, environment_id, subject_id, role_id, resource_id, source, explicit, created_at, updated_at)
				SELECT {home}, {assignment}, {env}, {member}, {role}, {resource}, 'manual', 1, {at}, {at} FROM n`)
	}
	for i, text := range all {
		all[i] = known.Replace(text)
	}
	return all
}

// gather makes a world with a crowd in it and returns an API key.
func (b *bench) gather(ctx context.Context, d database, c crowd) (key string, err error) {
	w, err := b.settle(ctx, d, plan{})
	if err != nil {
		return "", err
	}
	b.say("%s: %d organizations of %d members", d.Name, c.organizations, c.members)
	// Nothing waits for the disk and no references are checked: what counts comes later.
	db, err := open(d, "synchronous(OFF)", "cache_size(-400000)")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	statements := c.statements()
	if d.Name == "SQLite" {
		statements = append(statements, "PRAGMA wal_checkpoint(TRUNCATE)")
	} else {
		statements = append([]string{"SET session_replication_role = replica"}, statements...)
		statements = append(statements, "VACUUM ANALYZE", "CHECKPOINT")
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return "", fmt.Errorf("gathering a crowd: %w", err)
		}
	}
	return w.key, nil
}

// asProduct is how the product opens SQLite.
var asProduct = []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}

// open opens a database past the product, over one connection. The pragmas are for SQLite.
func open(d database, pragmas ...string) (*sql.DB, error) {
	driver, location := "pgx", d.location
	if path, isFile := strings.CutPrefix(d.location, "sqlite:"); isFile {
		driver = "sqlite"
		where := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_pragma": pragmas}.Encode()}
		location = where.String()
	}
	db, err := sql.Open(driver, location)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// count reads one number past the product.
func count(ctx context.Context, d database, query string) (n int, err error) {
	db, err := open(d, asProduct...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, query).Scan(&n)
	return n, err
}

// plainUpdate changes the role of every assignment of one role to another's, in one statement on a copy of a database
// that nobody uses, and returns the rows per second: the least that moving them costs.
func (b *bench) plainUpdate(ctx context.Context, d database, from, to string) (perSecond float64, err error) {
	copied, remove, err := b.copyOf(ctx, d)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, remove()) }()
	db, err := open(copied, asProduct...)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	role := func(slug string) string {
		return "(SELECT id FROM roles WHERE organization_id = '' AND slug = '" + slug + "')"
	}
	began := time.Now()
	done, err := db.ExecContext(ctx, "UPDATE assignments SET role_id = "+role(to)+" WHERE role_id = "+role(from))
	if err != nil {
		return 0, fmt.Errorf("a plain update: %w", err)
	}
	elapsed := time.Since(began)
	rows, err := done.RowsAffected()
	return float64(rows) / elapsed.Seconds(), err
}
