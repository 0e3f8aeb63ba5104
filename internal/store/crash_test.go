package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// The crash test runs a fixed script of operations in a process of its own, which kills itself with SIGKILL before its
// n-th writing statement, for every n there is. Each operation that returned is reported on a pipe, as an answer to a
// client would be. Afterwards the database must show exactly the operations that were reported, each with its events.

const (
	crashAt       = "ROLECALL_TEST_CRASH_AT"
	crashDatabase = "ROLECALL_TEST_CRASH_DATABASE"
)

// script is one operation of every kind that writes, in an order in which each has something to do.
func script(s scene) []func() error {
	ctx := context.Background()
	var org, other id.Organization
	var u, v id.User
	var m, n authz.Member
	permission := func(slug string) func() error {
		return func() error {
			_, err := s.rules.CreatePermission(ctx, s.c, authz.NewPermission{Slug: slug, Name: slug})
			return err
		}
	}
	role := func(owner *id.Organization, slug string) func() error {
		return func() error {
			_, err := s.rules.CreateRole(ctx, s.c, *owner, authz.NewRole{Slug: authz.Some(slug), Name: slug})
			return err
		}
	}
	none, v1 := new(id.Organization), "v"
	return []func() error{
		permission("a:read"), permission("a:write"), role(none, "admin"),
		func() error {
			_, err := s.rules.EditRolePermissions(ctx, s.c, "", "admin", authz.PermissionEdit{Set: authz.Some([]string{"a:read", "a:write"})})
			return err
		},
		func() error {
			o, err := s.rules.CreateOrganization(ctx, s.c, authz.OrganizationInput{
				Name: authz.Some("acme"), Domains: authz.Some([]authz.DomainInput{{Name: "acme.example", State: authz.DomainPending}}),
			})
			org = o.ID
			return err
		},
		func() error {
			o, err := s.rules.CreateOrganization(ctx, s.c, authz.OrganizationInput{Name: authz.Some("other")})
			other = o.ID
			return err
		},
		role(&org, "org-billing"), role(&org, "org-auditor"), role(&other, "org-x"), role(none, "late"),
		func() error {
			_, err := s.rules.EditRolePermissions(ctx, s.c, org, "org-billing", authz.PermissionEdit{Add: "a:read"})
			return err
		},
		func() error { _, err := s.rules.SetDefault(ctx, s.c, org, "org-billing"); return err },
		func() error {
			_, err := s.rules.SetPriority(ctx, s.c, org, []string{"late", "org-billing", "org-auditor", "admin", "member"})
			return err
		},
		func() error {
			x, err := s.rules.CreateUser(ctx, s.c, authz.UserInput{Email: authz.Some("u@x.example")})
			u = x.ID
			return err
		},
		func() error {
			x, err := s.rules.CreateUser(ctx, s.c, authz.UserInput{Email: authz.Some("v@x.example")})
			v = x.ID
			return err
		},
		func() (err error) {
			m, err = s.rules.CreateMembership(ctx, s.c, u, org, authz.RolesInput{})
			return err
		},
		func() (err error) {
			n, err = s.rules.CreateMembership(ctx, s.c, v, other, asked("admin"))
			return err
		},
		func() error { _, err := s.rules.UpdateMember(ctx, s.c, m.ID, asked("org-auditor")); return err },
		func() error { _, err := s.rules.DeactivateMember(ctx, s.c, m.ID); return err },
		func() error { _, err := s.rules.ReactivateMember(ctx, s.c, m.ID); return err },
		func() error {
			_, err := s.rules.UpdateRole(ctx, s.c, org, "org-billing", authz.Details{Name: authz.Some("Billing!")})
			return err
		},
		func() error {
			_, err := s.rules.UpdateOrganization(ctx, s.c, org, authz.OrganizationInput{Metadata: authz.Some(map[string]*string{"k": &v1})})
			return err
		},
		func() error {
			_, err := s.rules.UpdateUser(ctx, s.c, u, authz.UserInput{Metadata: authz.Some(map[string]*string{"k": &v1})})
			return err
		},
		func() error { return s.rules.DeletePermission(ctx, s.c, "a:read") },
		func() error { return s.rules.DeleteRole(ctx, s.c, "", "late") },
		func() error { return s.rules.DeleteMember(ctx, s.c, n.ID) },
		func() error { return s.rules.DeleteOrganization(ctx, s.c, other) },
		func() error { return s.rules.DeleteUser(ctx, s.c, u) },
	}
}

// TestCrashingChild is the process that dies. It does nothing when it runs as a test.
func TestCrashingChild(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(crashAt))
	if err != nil {
		return
	}
	db, err := store.Open(context.Background(), os.Getenv(crashDatabase), store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	s := newScene(t, db)
	fmt.Printf("environment %s\n", s.c.Environment)
	store.OnExec(db, func() {
		if n--; n == 0 {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	for _, operation := range script(s) {
		if err := operation(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acknowledged")
	}
	fmt.Println("finished")
}

// crash runs the child against a database and says what it reported before it died.
func crash(t *testing.T, location string, at int) (env id.Environment, acknowledged int, finished bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestCrashingChild$", "-test.v")
	child.Env = append(os.Environ(), crashAt+"="+strconv.Itoa(at), crashDatabase+"="+location)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "environment "):
			env = id.Environment(strings.TrimPrefix(line, "environment "))
		case line == "acknowledged":
			acknowledged++
		case line == "finished":
			finished = true
		case strings.Contains(line, "FAIL"):
			rest, _ := io.ReadAll(out)
			t.Fatalf("the child failed: %s\n%s", line, rest)
		}
	}
	if err := child.Wait(); finished != (err == nil) {
		t.Fatalf("the child ended with %v, finished %v", err, finished)
	}
	return env, acknowledged, finished
}

func TestKillBetweenAnyTwoWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for every write of the script; run without -short")
	}
	t.Parallel()
	expected := expectedWorlds(t)
	for name, location := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "crash.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at, finished := 1, false; !finished; at++ {
				where := location(t)
				var env id.Environment
				var acknowledged int
				env, acknowledged, finished = crash(t, where, at)
				db := open(t, where)
				s := scene{t, db, authz.New(db, time.Now, id.NewSource(time.Now, nil)), authz.Caller{Environment: env}}
				if d := cmp.Diff(expected[acknowledged], s.sound()); d != "" {
					t.Fatalf("killed before write %d, after %d acknowledged operations: expected (-) and found (+) differ:\n%s", at, acknowledged, d)
				}
			}
		})
	}
}

// expectedWorlds is the world after each operation of the script when nothing goes wrong.
func expectedWorlds(t *testing.T) []storetest.World {
	s := newScene(t, open(t, databases["sqlite"](t)))
	worlds := []storetest.World{s.sound()}
	for i, operation := range script(s) {
		if err := operation(); err != nil {
			t.Fatalf("operation %d of the script: %v", i, err)
		}
		worlds = append(worlds, s.sound())
		if cmp.Equal(worlds[i], worlds[i+1]) {
			t.Errorf("operation %d of the script changes nothing that can be seen", i)
		}
	}
	return worlds
}

// A commit that was lost leaves nothing behind, and one that a rule refused neither.
func TestRefusedChangeLeavesNoEvent(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		before := s.sound()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := s.rules.CreateRole(ctx, s.c, "", authz.NewRole{Slug: authz.Some("x"), Name: "x"})
		if err == nil || errors.Is(err, io.EOF) {
			t.Errorf("a cancelled change returned %v", err)
		}
		if _, err := s.rules.EditRolePermissions(context.Background(), s.c, "", "member", authz.PermissionEdit{Set: authz.Some([]string{"un:known"})}); err == nil {
			t.Error("R55: an unknown permission was accepted")
		}
		if d := cmp.Diff(before, s.sound()); d != "" {
			t.Errorf("a change that failed left something:\n%s", d)
		}
	})
}
