package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

// newSQLite is a new database, past the store.
func newSQLite(t *testing.T) *sql.DB {
	t.Helper()
	location := databases["sqlite"](t)
	open(t, location)
	db, err := sql.Open("sqlite", strings.TrimPrefix(location, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// What a check and a page of members read must not grow with the organization: SQLite chooses indexes by rules, so a
// plan that is right here is right everywhere.
func TestPlansOfHotQueries(t *testing.T) {
	db := newSQLite(t)
	for query, want := range map[string]string{
		`SELECT id FROM (VALUES ('o', 'm'), ('o', 'n')) AS w CROSS JOIN assignments WHERE assignments.organization_id = w.column1 AND assignments.subject_id = w.column2 AND (resource_id || '') IN ('r')`:                                                                                                                                                                                                    "(organization_id=? AND subject_id=?",
		`WITH g (organization_id, membership_id) AS MATERIALIZED (SELECT organization_id, membership_id FROM group_members WHERE organization_id = 'o' AND group_id = 'g' AND membership_id > 'm' ORDER BY membership_id LIMIT 9) SELECT m.status FROM g CROSS JOIN memberships m WHERE m.organization_id = g.organization_id AND m.id = g.membership_id AND m.environment_id = 'e' ORDER BY g.membership_id`: "memberships_by_environment (environment_id=? AND organization_id=? AND id=?)",
		`SELECT group_id, membership_id FROM (VALUES ('o', 'm'), ('o', 'n')) AS w CROSS JOIN group_members WHERE group_members.organization_id = w.column1 AND group_members.membership_id = w.column2`:                                                                                                                                                                                                       "group_members_by_membership (organization_id=? AND membership_id=?)",
		`SELECT group_id, membership_id FROM group_members WHERE organization_id = 'o' AND membership_id >= 'm' AND membership_id <= 'n'`:                                                                                                                                                                                                                                                                     "group_members_by_membership (organization_id=? AND membership_id>? AND membership_id<?)",
		`SELECT id FROM assignments WHERE role_id = 'r' AND organization_id >= 'o' ORDER BY organization_id, id LIMIT 500`:                                                                                                                                                                                                                                                                                    "assignments_by_role (role_id=? AND organization_id>?)",
		`SELECT id FROM assignments a WHERE a.organization_id = 'o' AND a.subject_id >= 'm' AND a.subject_id <= 'n'`:                                                                                                                                                                                                                                                                                          "(organization_id=? AND subject_id>? AND subject_id<?)",
		`SELECT id FROM assignments WHERE due_at <= 'x' ORDER BY due_at LIMIT 100`:                                                                                                                                                                                                                                                                                                                            "assignments_due (due_at<?)",
		`SELECT m.id FROM memberships m WHERE m.environment_id = 'e' AND (m.organization_id, m.id) > ('o', 'm') ORDER BY m.organization_id, m.id LIMIT 500`:                                                                                                                                                                                                                                                   "memberships_by_environment (environment_id=? AND (organization_id,id)>(?,?))",
		`SELECT m.id FROM memberships m WHERE m.environment_id = 'e' AND m.organization_id = 'o' AND m.fallback = 1 AND m.id > 'm' ORDER BY m.id LIMIT 500`:                                                                                                                                                                                                                                                   "memberships_fallback",
		`SELECT id FROM resources WHERE organization_id = 'o' AND parent_id IN ('p', 'q')`:                                                                                                                                                                                                                                                                                                                    "resources_by_parent (organization_id=? AND parent_id=?)",
		`SELECT id FROM memberships WHERE id = 'm' AND environment_id = 'e'`:                                                                                                                                                                                                                                                                                                                                  "(id=?)",
		`SELECT id FROM memberships WHERE environment_id = 'e' AND organization_id = 'o' AND id < 'm' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                              "organization_id=? AND id<?)",
		`SELECT id FROM memberships WHERE environment_id = 'e' AND user_id = 'u' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                                                   "(user_id=?)",
		`SELECT id FROM users WHERE environment_id = 'e' AND id IN (SELECT m.user_id FROM memberships m WHERE m.organization_id = 'o')`:                                                                                                                                                                                                                                                                       "AND id=?)",
		`SELECT id FROM roles WHERE organization_id IN ('', 'o') AND environment_id = 'e'`:                                                                                                                                                                                                                                                                                                                    "(organization_id=? AND environment_id=?)",
		`SELECT place FROM events WHERE environment_id = 'e' AND place IS NOT NULL AND type IN ('t') AND place > 5 ORDER BY place LIMIT 11`:                                                                                                                                                                                                                                                                   "(environment_id=? AND type=?",
		`SELECT place FROM events WHERE environment_id = 'e' AND place IS NOT NULL AND place > 5 ORDER BY place LIMIT 11`:                                                                                                                                                                                                                                                                                     "(environment_id=? AND place>?)",
		`SELECT serial FROM events WHERE environment_id = 'e' AND place IS NULL ORDER BY serial DESC LIMIT 1`:                                                                                                                                                                                                                                                                                                 "events_unplaced",
		`SELECT id FROM webhook_deliveries WHERE endpoint_id = 'e' AND state = 'pending' AND next_attempt <= 't' ORDER BY next_attempt, id LIMIT 9`:                                                                                                                                                                                                                                                           "webhook_deliveries_due",
		`SELECT id FROM webhook_deliveries WHERE endpoint_id = 'e' AND id < 'd' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                                                    "(endpoint_id=? AND id<?)",
		`SELECT id FROM webhook_deliveries WHERE endpoint_id = 'e' AND state = 'failed' AND id < 'd' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                               "(endpoint_id=? AND state=? AND id<?)",
		`SELECT id FROM webhook_deliveries WHERE created_at < 't' ORDER BY created_at LIMIT 9`:                                                                                                                                                                                                                                                                                                                "webhook_deliveries_by_age",
		`SELECT id, name FROM resources WHERE environment_id = 'e' AND organization_id = 'o' AND id < 'r' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                          "(organization_id=? AND id<?)",
		`SELECT id, name FROM resources WHERE environment_id = 'e' AND organization_id = 'o' AND resource_type = 't' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                               "resources_of_type (organization_id=? AND resource_type=?)",
		`SELECT id, name FROM resources WHERE environment_id = 'e' AND organization_id = 'o' AND parent_id = 'p' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                   "resources_by_parent (organization_id=? AND parent_id=?)",
		`SELECT id, name FROM resources WHERE environment_id = 'e' AND resource_type = 't' AND id < 'r' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                            "resources_by_type (environment_id=? AND resource_type=? AND id<?)",
		`SELECT id, name FROM resources WHERE environment_id = 'e' AND resource_type = 't' AND external_id = 'x' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                   "resources_by_external_id (environment_id=? AND resource_type=? AND external_id=?)",
		`SELECT id, name FROM resources WHERE environment_id = 'e' AND organization_id = 'o' AND resource_type = 't' AND external_id = 'x' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                         "(organization_id=? AND resource_type=? AND external_id=?)",
		`SELECT role_id, min(id) FROM assignments WHERE organization_id = 'o' AND resource_id IN ('r', 's') GROUP BY role_id`:                                                                                                                                                                                                                                                                                 "assignments_by_resource (organization_id=? AND resource_id=?)",
		`SELECT id FROM assignments WHERE organization_id = 'o' AND subject_id = 'm' AND id < 'a' ORDER BY id DESC LIMIT 11`:                                                                                                                                                                                                                                                                                  "(organization_id=? AND ",
		`SELECT id FROM assignments WHERE organization_id = 'o' AND resource_id IN ('r') AND id < 'a' ORDER BY id DESC LIMIT 100`:                                                                                                                                                                                                                                                                             "assignments_by_resource (organization_id=? AND resource_id=? AND id<?)",
		`SELECT membership_id FROM group_members WHERE organization_id = 'o' AND group_id = 'g'`:                                                                                                                                                                                                                                                                                                              "(organization_id=? AND group_id=?)",
		`SELECT id FROM assignments WHERE organization_id = 'o' AND subject_id = 'm' AND (resource_id || '') IN ('r') AND (role_id || '') IN ('x') AND id < 'a' ORDER BY id LIMIT 101`:                                                                                                                                                                                                                        "assignments_by_subject (organization_id=? AND subject_id=?",
		`SELECT id FROM assignments WHERE organization_id = 'o' AND subject_id = 'm' AND (resource_id || '') IN ('r') AND id < 'a' ORDER BY id LIMIT 101`:                                                                                                                                                                                                                                                     "assignments_by_subject (organization_id=? AND subject_id=?",
		`SELECT id FROM assignments WHERE organization_id = 'o' AND subject_id = 'm' AND (resource_id || '') IN ('r') AND source = 'manual' AND id < 'a' ORDER BY id DESC LIMIT 101`:                                                                                                                                                                                                                          "assignments_by_subject (organization_id=? AND subject_id=?",
		`SELECT 1 FROM assignments a WHERE a.role_id = 'r' AND substr(a.subject_id, 1, 6) = 'group_' AND a.organization_id = 'o' LIMIT 11`:                                                                                                                                                                                                                                                                    "COVERING INDEX assignments_of_groups (role_id=? AND organization_id=?)",
		`SELECT 1 FROM assignments a WHERE a.role_id = 'r' AND substr(a.subject_id, 1, 6) = 'group_' LIMIT 11`:                                                                                                                                                                                                                                                                                                "COVERING INDEX assignments_of_groups (role_id=?)",
		`SELECT 1 FROM assignments a WHERE a.role_id = 'r' AND substr(a.subject_id, 1, 3) = 'om_' LIMIT 11`:                                                                                                                                                                                                                                                                                                   "COVERING INDEX assignments_by_role (role_id=?)",
		`SELECT 1 FROM role_permissions h WHERE h.permission_id = 'p' AND h.organization_id > '' LIMIT 11`:                                                                                                                                                                                                                                                                                                    "COVERING INDEX role_permissions_by_permission (permission_id=? AND organization_id>?)",
		`SELECT 1 FROM memberships WHERE organization_id = 'o' LIMIT 11`:                                                                                                                                                                                                                                                                                                                                      "COVERING INDEX",
		`SELECT 1 FROM users u WHERE u.environment_id = 'e' AND u.last_name_key >= 'a' AND u.last_name_key < 'b' LIMIT 11`:                                                                                                                                                                                                                                                                                    "COVERING INDEX users_by_last_name (environment_id=? AND last_name_key>? AND last_name_key<?)",
		`SELECT u.id FROM users u WHERE u.environment_id = 'e' AND u.name_key >= 'a' AND u.name_key < 'b' AND (SELECT m.id FROM memberships m WHERE m.user_id = u.id AND (m.organization_id || '') = 'o') IS NOT NULL ORDER BY u.name_key LIMIT 11`:                                                                                                                                                           "memberships_by_user (user_id=?)",
		`SELECT id FROM memberships WHERE (environment_id || '') = 'e' AND (organization_id || '') = 'o' AND id IN (SELECT u.id FROM users u WHERE u.environment_id = 'e' AND u.email_key >= 'a' AND u.email_key < 'b') AND id < 'm' ORDER BY id DESC LIMIT 11`:                                                                                                                                               "(id=?)",
	} {
		plan := slices.DeleteFunc(searched(t, db, query), ofWhatIsFound)
		if all := strings.Join(plan, "; "); !strings.Contains(all, want) || strings.Contains(all, "SCAN") {
			t.Errorf("%s\nis planned as %s, want %s", query, all, want)
		}
	}
}

// ofWhatIsFound tells scans of values that a query was given or has looked up itself.
func ofWhatIsFound(step string) bool {
	return slices.Contains([]string{"SCAN 2-ROW VALUES CLAUSE", "SCAN g", "SCAN path", "SCAN s", "SCAN held"}, step)
}

// searched is the steps of a query's plan.
func searched(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var a, b, c int
		var step string
		if err := rows.Scan(&a, &b, &c, &step); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan
}

// What memory loads is found by indexes, each as far as it goes: a cold check costs as much in a large installation as in
// a small one.
func TestPlansOfLoaders(t *testing.T) {
	db := newSQLite(t)
	set := []string{"roles (organization_id=? AND environment_id=?)", "role_order (organization_id=? AND environment_id=?)", "pinned_defaults (organization_id=? AND environment_id=?)"}
	step := regexp.MustCompile(`^SEARCH (\w+) USING .*?(\(.*\))`)
	for what, want := range map[string][]string{
		"shared": append(slices.Clone(set), "d (organization_id=? AND environment_id=?)", "e (id=?)"),
		"own": append(slices.Clone(set), "o (environment_id=? AND id=?)", "d (organization_id=? AND environment_id=?)",
			"role_permissions (organization_id=?)"),
		"catalogue": {"permissions (environment_id=?)", "r (organization_id=? AND environment_id=?)", "h (organization_id=? AND role_id=?)"},
		"holdings":  {"role_permissions (organization_id=?)"},
		"member": {"memberships (id=?)", "memberships (id=?)", "m (id=?)", "g (organization_id=? AND membership_id=?)",
			"a (organization_id=? AND subject_id=?)"},
		"path":                {"resources (organization_id=? AND id=?)", "r (organization_id=? AND id=?)"},
		"path by external id": {"resources (organization_id=? AND resource_type=? AND external_id=?)", "r (organization_id=? AND id=?)"},
	} {
		query := store.Loads[what]
		var args []any
		for strings.Contains(query, fmt.Sprint("$", len(args)+1)) {
			args = append(args, "1")
		}
		var got []string
		for _, s := range searched(t, db, query, args...) {
			if strings.HasPrefix(s, "SCAN ") && !ofWhatIsFound(s) {
				t.Errorf("loading %s: %s", what, s)
			}
			if found := step.FindStringSubmatch(s); found != nil {
				got = append(got, found[1]+" "+found[2])
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("loading %s looks up\n%q, want\n%q", what, got, want)
		}
	}
	if len(store.Loads) != 7 {
		t.Errorf("%d texts are loaded by, and 7 were looked at", len(store.Loads))
	}
}

// A list of events ends however many write meanwhile, and the writers do not pay for it (ADR 7).
func TestEventsWhileManyWrite(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		ctx, stop := context.WithCancel(context.Background())
		written := make(chan []error, 1)
		go func() {
			written <- together(16, func(i int) error {
				for n := 0; ctx.Err() == nil; n++ {
					if _, err := s.rules.CreateOrganization(context.Background(), s.c, authz.OrganizationInput{Name: authz.Some(fmt.Sprint(i, " ", n))}); err != nil {
						return err
					}
				}
				return nil
			})
		}()
		for range 20 {
			if _, err := s.rules.ListEvents(context.Background(), s.c, authz.EventFilter{}, page.Request{Limit: 10, Order: page.Asc}); err != nil {
				t.Errorf("listing: %v", err)
			}
		}
		stop()
		for i, err := range <-written {
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		}
		s.sound()
	})
}

// One file is one database, whatever name it is opened by.
func TestOneServerForOneFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "real.db")
	ctx := context.Background()
	if _, err := store.Open(ctx, "sqlite:"+file, store.Visit); err == nil || !strings.Contains(err.Error(), "start the server first") {
		t.Errorf("a short command on no database: %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a short command made a database")
	}
	first, err := store.Open(ctx, "sqlite:"+file, store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link} {
		if _, err := store.Open(ctx, "sqlite:"+name, store.Serve); err == nil || !strings.Contains(err.Error(), "in use by another rolecall server") {
			t.Errorf("a second server on %s: %v", filepath.Base(name), err)
		}
		visitor, err := store.Open(ctx, "sqlite:"+name, store.Visit)
		if err != nil {
			t.Errorf("a short command beside the server: %v", err)
			continue
		}
		if err := visitor.Close(); err != nil {
			t.Error(err)
		}
	}
}
