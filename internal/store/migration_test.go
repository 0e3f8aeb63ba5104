package store

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rolecall/rolecall/internal/pgtest"
)

// Migration 0002 brings along who held what: every assignment gets the environment and the resource of its organization,
// and every membership shows the role that its last event told of.
func TestMigratingAssignments(t *testing.T) {
	ctx := context.Background()
	for name, open := range map[string]func(*testing.T) (*Store, error){
		"sqlite": func(t *testing.T) (*Store, error) {
			s, err := openFile(ctx, filepath.Join(t.TempDir(), "rolecall.db"), Serve)
			if err == nil {
				s.release = func() error { return nil }
			}
			return s, err
		},
		"postgres": func(t *testing.T) (*Store, error) { return openPostgres(pgtest.URL(t)) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := open(t)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			provider, err := s.migrations()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.UpTo(ctx, 1); err != nil {
				t.Fatal(err)
			}
			fillFirstSchema(t, s)
			if err := s.migrate(ctx, Serve); err != nil {
				t.Fatal(err)
			}
			checkMigrated(t, s)
		})
	}
}

// What fillFirstSchema makes of each, in the one before.
const (
	oldEnvironments  = 2
	oldOrganizations = 2
	oldMembers       = 4
)

// fillFirstSchema makes rows as the first release wrote them.
func fillFirstSchema(t *testing.T, s *Store) {
	t.Helper()
	write := func(statement string, args ...any) {
		t.Helper()
		if _, err := s.write.ExecContext(context.Background(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	const now = "2026-01-01T00:00:00.000Z"
	for e := range oldEnvironments {
		env := fmt.Sprint("environment_", e)
		write(`INSERT INTO environments (id, name, created_at, updated_at) VALUES ($1, $1, $2, $2)`, env, now)
		for r := range 2 {
			write(`INSERT INTO roles (organization_id, id, environment_id, slug, name, resource_type, ordinal, created_at, updated_at) VALUES ('', $1, $2, $3, 'n', 'organization', $4, $5, $5)`,
				fmt.Sprintf("role_%d%d", e, r), env, fmt.Sprint("r", r), r+1, now)
		}
		write(`INSERT INTO default_roles VALUES ('', $1, $2, $3)`, env, fmt.Sprintf("role_%d0", e), now)
		for o := range oldOrganizations {
			org := fmt.Sprintf("org_%d%d", e, o)
			write(`INSERT INTO organizations (id, environment_id, name, allow_profiles_outside, metadata, search_key, created_at, updated_at) VALUES ($1, $2, 'n', 0, '{}', 'n', $3, $3)`, org, env, now)
			for m := range oldMembers {
				user := fmt.Sprintf("user_%d%d%d", e, o, m)
				write(`INSERT INTO users (id, environment_id, email, email_key, email_verified, metadata, created_at, updated_at) VALUES ($1, $2, $1, $1, 0, '{}', $3, $3)`, user, env, now)
				write(`INSERT INTO memberships VALUES ($1, $2, $3, $4, 'active', 0, $5, $5)`, org, "om_"+user, env, user, now)
				write(`INSERT INTO assignments VALUES ($1, $2, $3, $4, 'manual', $5, $5)`, org, "role_assignment_"+user, "om_"+user, fmt.Sprintf("role_%d%d", e, m%2), now)
			}
		}
	}
}

func checkMigrated(t *testing.T, s *Store) {
	t.Helper()
	const all = oldEnvironments * oldOrganizations * oldMembers
	for query, want := range map[string]int{
		`SELECT count(*) FROM assignments`: all,
		`SELECT count(*) FROM memberships`: all,
		`SELECT count(*) FROM assignments a JOIN organizations o ON o.id = a.organization_id AND o.environment_id = a.environment_id`:                                                                    all,
		`SELECT count(*) FROM assignments WHERE resource_id = 'authz_resource_' || substr(organization_id, 5)`:                                                                                           all,
		`SELECT count(*) FROM assignments WHERE 'role_assignment_' || substr(subject_id, 4) = id AND source = 'manual' AND explicit = 1 AND starts_at IS NULL AND expires_at IS NULL AND due_at IS NULL`: all,
		`SELECT count(*) FROM assignments WHERE substr(role_id, 6, 1) <> substr(environment_id, 13)`:                                                                                                     0,
		`SELECT count(*) FROM memberships m JOIN assignments a ON a.organization_id = m.organization_id AND a.subject_id = m.id JOIN roles r ON r.id = a.role_id WHERE m.roles = r.slug`:                 all,
		`SELECT count(*) FROM memberships WHERE roles = 'r1'`:                                                                                                                                            all / 2,
		`SELECT count(*) FROM memberships WHERE fallback <> 0`:                                                                                                                                           0,
		`SELECT count(*) FROM roles WHERE retired_at IS NULL`:                                                                                                                                            2 * oldEnvironments,
		`SELECT count(*) FROM environments WHERE multiple_roles = 0`:                                                                                                                                     oldEnvironments,
		`SELECT count(*) FROM assignments WHERE created_at = updated_at`:                                                                                                                                 all,
		`SELECT count(*) FROM assignments WHERE created_at = '2026-01-01T00:00:00.000Z'`:                                                                                                                 all,
	} {
		var got int
		if err := s.write.QueryRowContext(context.Background(), query).Scan(&got); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}
