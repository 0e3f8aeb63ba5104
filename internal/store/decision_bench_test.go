package store_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// organizations is how many the world of BenchmarkLoaders has, of 20 members each.
var organizations = flag.Int("organizations", 500, "organizations in the world that loaders are measured in")

const (
	membersEach = 20
	someEach    = 10 // one of so many organizations has custom roles, a group of all its members, and resources
)

// numbered is the id of the nth thing of a kind, as a query makes it of an expression.
func numbered(prefix, expression string) string {
	text := "CAST(" + expression + " AS TEXT)"
	return "'" + prefix + "01JA00000000000' || substr('00000000000', 1, 11 - length(" + text + ")) || " + text
}

func nth(prefix string, n int) string { return fmt.Sprintf("%s01JA00000000000%011d", prefix, n) }

// settled fills an environment with organizations, straight in the tables.
func settled(tb testing.TB, location string, env authz.Environment, orgs int) {
	driver, name := "pgx", location
	if path, isFile := strings.CutPrefix(location, "sqlite:"); isFile {
		driver, name = "sqlite", path
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	conn, err := db.Conn(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	run := func(statement string, args ...any) {
		tb.Helper()
		if _, err := conn.ExecContext(tb.Context(), statement, args...); err != nil {
			tb.Fatalf("%v in %s", err, statement)
		}
	}
	if driver == "pgx" { // SQLite has foreign keys off until asked
		run(`SET session_replication_role = replica`)
	}
	each := func(n int, into, values string) {
		tb.Helper()
		run(fmt.Sprintf(`INSERT INTO %s SELECT %s FROM (
			WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d) SELECT i FROM n) AS n`, into, values, n-1))
	}
	at, quoted := "'2026-03-01T12:00:00.000Z'", "'"+string(env.ID)+"'"
	org, some := numbered("org_", "i"), fmt.Sprint("i * ", someEach)
	memberOf := func(n int) string { return numbered("org_", fmt.Sprint("i / ", n)) }
	each(orgs, `organizations (id, environment_id, name, allow_profiles_outside, metadata, search_key, created_at, updated_at)`,
		org+", "+quoted+", 'Acme', 0, '{}', 'acme', "+at+", "+at)
	each(orgs*membersEach, `users (id, environment_id, email, email_key, email_verified, metadata, created_at, updated_at)`,
		numbered("user_", "i")+", "+quoted+", 'a@x.example', "+numbered("a", "i")+", 0, '{}', "+at+", "+at)
	each(orgs*membersEach, `memberships (organization_id, id, environment_id, user_id, status, directory_managed, roles, fallback, created_at, updated_at)`,
		memberOf(membersEach)+", "+numbered("om_", "i")+", "+quoted+", "+numbered("user_", "i")+", 'active', 0, 'member', 0, "+at+", "+at)
	each(orgs*membersEach, `assignments (organization_id, id, environment_id, subject_id, role_id, resource_id, source, explicit, created_at, updated_at)`,
		memberOf(membersEach)+", "+numbered("role_assignment_", "i")+", "+quoted+", "+numbered("om_", "i")+", '"+string(env.DefaultRole)+"', "+
			numbered("authz_resource_", fmt.Sprint("i / ", membersEach))+", 'manual', 1, "+at+", "+at)
	few := orgs / someEach
	ofSome := func(n int) string { return numbered("org_", fmt.Sprint("i / ", n, " * ", someEach)) }
	each(few, `organization_groups (organization_id, id, environment_id, name, created_at, updated_at)`,
		numbered("org_", some)+", "+numbered("group_", "i")+", "+quoted+", 'g', "+at+", "+at)
	each(few*membersEach, `group_members (organization_id, group_id, membership_id, created_at)`,
		ofSome(membersEach)+", "+numbered("group_", fmt.Sprint("i / ", membersEach))+", "+
			numbered("om_", fmt.Sprintf("i / %d * %d + i %% %d", membersEach, membersEach*someEach, membersEach))+", "+at)
	each(few, `assignments (organization_id, id, environment_id, subject_id, role_id, resource_id, source, explicit, created_at, updated_at)`,
		numbered("org_", some)+", "+numbered("role_assignment_g", "i")+", "+quoted+", "+numbered("group_", "i")+", '"+string(env.DefaultRole)+"', "+
			numbered("authz_resource_", some)+", 'group', 1, "+at+", "+at)
	each(few*5, `roles (organization_id, id, environment_id, slug, name, resource_type, ordinal, created_at, updated_at)`,
		ofSome(5)+", "+numbered("role_", "i")+", "+quoted+", "+numbered("org-", "i")+", 'Custom', 'organization', 0, "+at+", "+at)
	each(few*5, `role_order (organization_id, environment_id, role_id, place)`, ofSome(5)+", "+quoted+", "+numbered("role_", "i")+", i % 5")
	each(few, `default_roles (organization_id, environment_id, role_id, updated_at)`,
		numbered("org_", some)+", "+quoted+", "+numbered("role_", "i * 5")+", "+at)
	each(few*50, `role_permissions (organization_id, role_id, permission_id)`,
		ofSome(50)+", "+numbered("role_", "i / 10")+", "+numbered("perm_", "i % 10"))
	// Four resources in each, every one in the one before.
	each(few*4, `resources (organization_id, id, environment_id, resource_type, external_id, name, parent_id, created_at, updated_at)`,
		ofSome(4)+", "+numbered("resource_", "i")+", "+quoted+", 'type' || CAST(i % 4 AS TEXT), "+numbered("x", "i")+", 'Thing', CASE WHEN i % 4 = 0 THEN "+
			numbered("authz_resource_", fmt.Sprint("i / 4 * ", someEach))+" ELSE "+numbered("resource_", "i - 1")+" END, "+at+", "+at)
	each(100, `permissions (id, environment_id, slug, name, system, resource_type, created_at, updated_at)`,
		numbered("perm_", "i")+", "+quoted+", "+numbered("p", "i")+", 'May', 0, 'organization', "+at+", "+at)
	each(4, `roles (organization_id, id, environment_id, slug, name, resource_type, ordinal, created_at, updated_at)`,
		"'', "+numbered("role_e", "i")+", "+quoted+", "+numbered("e", "i")+", 'Shared', 'organization', i + 2, "+at+", "+at)
	each(100, `role_permissions (organization_id, role_id, permission_id)`, "'', "+numbered("role_e", "i / 25")+", "+numbered("perm_", "i"))
	if driver == "pgx" {
		run(`ANALYZE`)
	}
}

// BenchmarkLoaders measures what one cold part of a decision costs, of organizations picked at random, beside a
// statement that reads nothing. Medians are in the column median-µs.
func BenchmarkLoaders(b *testing.B) {
	for name, location := range databases {
		b.Run(name, func(b *testing.B) {
			where := location(b)
			db := open(b, where)
			s := newScene(b, db)
			env := must(s.rules.Environment(b.Context(), s.c))
			settled(b, where, env, *organizations)
			few := *organizations / someEach
			for what, load := range map[string]func(ctx context.Context) (bool, error){
				"nothing": func(ctx context.Context) (bool, error) { return true, store.Read(ctx, db, `SELECT 1`) },
				"shared": func(ctx context.Context) (bool, error) {
					_, found, err := db.LoadShared(ctx, env.ID)
					return found, err
				},
				"catalogue": func(ctx context.Context) (bool, error) {
					c, err := db.LoadCatalogue(ctx, env.ID)
					return len(c.Permissions) == 100, err
				},
				"own": func(ctx context.Context) (bool, error) {
					o, found, err := db.LoadOwn(ctx, env.ID, id.Organization(nth("org_", someEach*rand.IntN(few))))
					return found && len(o.Held) == 5, err
				},
				"own of one that follows": func(ctx context.Context) (bool, error) {
					_, found, err := db.LoadOwn(ctx, env.ID, id.Organization(nth("org_", someEach*rand.IntN(few)+1)))
					return found, err
				},
				"holdings": func(ctx context.Context) (bool, error) {
					held, err := db.LoadHoldings(ctx, id.Organization(nth("org_", someEach*rand.IntN(few))))
					return len(held) == 5, err
				},
				"member": func(ctx context.Context) (bool, error) {
					m, found, err := db.LoadMember(ctx, env.ID, id.Membership(nth("om_", rand.IntN(*organizations*membersEach))), 1000)
					return found && len(m.Assignments) > 0, err
				},
				"path": func(ctx context.Context) (bool, error) {
					n := rand.IntN(few)
					path, found, err := db.LoadPath(ctx, env.ID, id.Organization(nth("org_", someEach*n)), authz.ResourceRef{ID: id.Resource(nth("resource_", 4*n+3))})
					return found && len(path) == 4, err
				},
				"path by external id": func(ctx context.Context) (bool, error) {
					n := rand.IntN(few)
					ref := authz.ResourceRef{ResourceType: "type3", ExternalID: nth("x", 4*n+3)}
					path, found, err := db.LoadPath(ctx, env.ID, id.Organization(nth("org_", someEach*n)), ref)
					return found && len(path) == 4, err
				},
			} {
				b.Run(what, func(b *testing.B) { medianOf(b, load) })
			}
		})
	}
}

func medianOf(b *testing.B, load func(context.Context) (bool, error)) {
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		found, err := load(b.Context())
		took = append(took, time.Since(began))
		if err != nil || !found {
			b.Fatalf("found %v (%v)", found, err)
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1000, "median-µs")
}
