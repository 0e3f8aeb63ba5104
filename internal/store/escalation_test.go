package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

var deep = flag.Bool("deep", false, "search every small world for escalations as deep as some of them, and with all operations; takes minutes")

// TestNobodyIsRaised is security case 7: in small worlds, every sequence of two and in one of them of three operations of a
// caller who may let people hold the permissions a and b, with background work among them. After each of them nobody holds anything else that he did not hold at the beginning:
// neither as things stand, nor once somebody with all rights, who knows of nothing, does what is harmless in itself.
func TestNobodyIsRaised(t *testing.T) {
	t.Parallel()
	worlds := []small{
		{strongLast: true, strongDefault: true, gone: true},
		{multiple: true, strongDefault: true, gone: true},
		{multiple: true, within: true},
		{strongLast: true, within: true},
		{},
		{multiple: true},
		{strongLast: true},
		{multiple: true, strongLast: true, strongDefault: true},
	}
	if testing.Short() {
		worlds = worlds[:3]
	}
	for i, variant := range worlds {
		t.Run(fmt.Sprintf("%+v", variant), func(t *testing.T) {
			t.Parallel()
			switch {
			case *deep:
				search(t, variant, 2, false)
				search(t, variant, 3, true)
			case i == 0 && !testing.Short():
				search(t, variant, 3, true)
			default:
				search(t, variant, 2, true)
			}
		})
	}
}

// small says how a world begins.
type small struct {
	multiple      bool // members may hold several roles
	strongLast    bool // the role admin has the lowest priority, so that others displace it, else the highest
	strongDefault bool // the role admin is the default of the environment
	gone          bool // a role was deleted and its members wait to be moved
	within        bool // the caller is limited to the first organization too
}

// sandbox is a database inside one open transaction, so that what rules do can be taken back.
type sandbox struct{ tx authz.Tx }

func (s sandbox) View(_ context.Context, fn func(authz.Reader) error) error { return fn(s.tx) }
func (s sandbox) Update(_ context.Context, fn func(authz.Tx) error) error {
	return store.Try(s.tx, func() error { return fn(s.tx) })
}
func (sandbox) PlaceEvents(context.Context, id.Environment, int64, int) (int, error) { return 0, nil }

// errBack takes back what was tried.
var errBack = errors.New("taken back")

// holding is a member who holds a permission that is not the caller's to give.
type holding struct{ member, permission string }

type operation struct {
	name string
	do   func(context.Context) error
}

// explorer walks all sequences of operations.
type explorer struct {
	*testing.T
	*smallWorld
	operations []operation
	innocent   []operation
	start      map[string]map[holding]bool // by the innocent operation done before looking
	others     string                      // the other organization at the beginning, where the caller has no business there
	seen       map[string]int              // how deep was looked from a state
	tried      int
	allowed    int
}

func search(t *testing.T, variant small, depth int, core bool) {
	t.Helper()
	db := open(t, "sqlite:"+t.TempDir()+"/rolecall.db")
	err := db.Update(t.Context(), func(tx authz.Tx) error {
		w := newSmallWorld(t, tx, variant)
		e := &explorer{T: t, smallWorld: w, start: map[string]map[holding]bool{}, seen: map[string]int{}}
		e.operations, e.innocent = w.delegated(), w.harmless()
		if core {
			e.operations = slices.DeleteFunc(e.operations, func(o operation) bool { return !slices.Contains(bearing, o.name) })
			if len(e.operations) != len(bearing) {
				t.Errorf("%d operations of %d", len(e.operations), len(bearing))
			}
		}
		for _, by := range e.innocent {
			e.after(by, func(now map[holding]bool) { e.start[by.name] = now })
		}
		e.others = e.digestOf(w.orgs[1])
		e.seen[e.state()] = depth + 1
		e.explore(nil, depth)
		t.Logf("%d operations tried, %d allowed, %d states", e.tried, e.allowed, len(e.seen))
		return errBack
	})
	if !errors.Is(err, errBack) {
		t.Fatal(err)
	}
}

// explore tries every operation in the present state, and from where each leads.
func (e *explorer) explore(path []string, depth int) {
	for _, o := range e.operations {
		path := append(slices.Clone(path), o.name)
		err := store.Try(e.tx, func() error {
			e.tried++
			if err := o.do(e.Context()); err != nil {
				if fault.Of(err).Kind == fault.Internal {
					e.Fatalf("%s: %v", strings.Join(path, ", "), err)
				}
				return errBack
			}
			e.allowed++
			state := e.state()
			if e.seen[state] >= depth { // with at least as many steps left
				return errBack
			}
			if e.seen[state] == 0 {
				e.look(path)
			}
			e.seen[state] = depth
			if depth > 1 && !e.Failed() {
				e.explore(path, depth-1)
			}
			return errBack
		})
		if !errors.Is(err, errBack) || e.Failed() {
			if !errors.Is(err, errBack) {
				e.Fatal(err)
			}
			return
		}
	}
}

func (e *explorer) state() string { return fmt.Sprint(e.working(), e.digestOf(e.orgs...)) }

// look compares what is held with what was held at the beginning.
func (e *explorer) look(path []string) {
	for _, by := range e.innocent {
		e.after(by, func(now map[holding]bool) {
			for h := range now {
				if !e.start[by.name][h] && !e.start["nothing else"][h] {
					e.Errorf("%s: after this and %s, %s holds %s", strings.Join(path, ", "), by.name, h.member, h.permission)
				}
			}
		})
	}
	if e.variant.within && e.digestOf(e.orgs[1]) != e.others {
		e.Errorf("%s: this changed the other organization", strings.Join(path, ", "))
	}
}

// after gives visit who holds what once an innocent operation was done.
func (e *explorer) after(by operation, visit func(map[holding]bool)) {
	err := store.Try(e.tx, func() error {
		if err := by.do(e.Context()); err != nil && fault.Of(err).Kind == fault.Internal {
			e.Fatalf("%s: %v", by.name, err)
		}
		visit(e.held())
		e.skipped = 0
		return errBack
	})
	if !errors.Is(err, errBack) {
		e.Fatal(err)
	}
}

// Members who were given the same at the same instant, but for different times, are asked about one by one.
func TestMembersAlikeButForTheirTimes(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		s := newSceneAt(t, db, "production", func() time.Time { return now })
		ctx, org := t.Context(), s.organization("acme")
		s.role("", "low")
		s.role("", "strong")
		must(s.rules.CreatePermission(ctx, s.c, authz.NewPermission{Slug: "c", Name: "c"}))
		must(s.rules.EditRolePermissions(ctx, s.c, "", "strong", authz.PermissionEdit{Add: "c"}))
		g := must(s.rules.CreateGroup(ctx, s.c, org, authz.NewGroup{Name: "g"})).ID
		must(s.rules.AssignGroupRole(ctx, s.c, g, authz.NewAssignment{Role: "low"}))
		must(s.rules.SetDefault(ctx, s.c, "", "strong"))
		for n, until := range []time.Time{{}, now.Add(time.Hour)} {
			m := must(s.rules.CreateMembership(ctx, s.c, s.user(n), org, authz.RolesInput{})).ID
			must(s.rules.AddGroupMember(ctx, s.c, org, g, m))
			must(s.rules.AssignRole(ctx, s.c, m, authz.NewAssignment{Role: "member"}))
			must(s.rules.AssignRole(ctx, s.c, m, authz.NewAssignment{Role: "member", ExpiresAt: until}))
			if until.IsZero() {
				continue
			}
			limited := s.c
			limited.Only = &authz.Restriction{}
			err := s.rules.UnassignGroupRole(ctx, limited, g, authz.RoleCriteria{Role: "low"})
			if !fault.HasCode(err, "permission_escalation") {
				t.Errorf("taking away what a member would have when another role ends: %v", err)
			}
		}
	})
}

// tick is a clock on which no two readings agree.
func tick() func() time.Time {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	return func() time.Time { at = at.Add(time.Millisecond); return at }
}
