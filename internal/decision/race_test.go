package decision_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// stops are where a reading can be held up: before and after it reads, each kind of part.
var stops = func() (all []string) {
	for _, part := range []string{"shared", "catalogue", "own", "holdings", "member", "path"} {
		all = append(all, "before "+part, "after "+part)
	}
	return all
}()

// gate reads from a real store and lets a test act in the middle.
type gate struct {
	*store.Store
	mu sync.Mutex
	at map[string]func() // once each
}

func (g *gate) pass(stop string) {
	g.mu.Lock()
	act := g.at[stop]
	delete(g.at, stop)
	g.mu.Unlock()
	if act != nil {
		act()
	}
}

func (g *gate) when(stop string, act func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at[stop] = act
}

func (g *gate) LoadShared(ctx context.Context, env id.Environment) (decision.Shared, bool, error) {
	g.pass("before shared")
	defer g.pass("after shared")
	return g.Store.LoadShared(ctx, env)
}

func (g *gate) LoadCatalogue(ctx context.Context, env id.Environment) (decision.Catalogue, error) {
	g.pass("before catalogue")
	defer g.pass("after catalogue")
	return g.Store.LoadCatalogue(ctx, env)
}

func (g *gate) LoadOwn(ctx context.Context, env id.Environment, org id.Organization) (decision.Own, bool, error) {
	g.pass("before own")
	defer g.pass("after own")
	return g.Store.LoadOwn(ctx, env, org)
}

func (g *gate) LoadHoldings(ctx context.Context, org id.Organization) (map[id.Role][]id.Permission, error) {
	g.pass("before holdings")
	defer g.pass("after holdings")
	return g.Store.LoadHoldings(ctx, org)
}

func (g *gate) LoadMember(ctx context.Context, env id.Environment, m id.Membership, most int) (decision.Member, bool, error) {
	g.pass("before member")
	defer g.pass("after member")
	return g.Store.LoadMember(ctx, env, m, most)
}

func (g *gate) LoadPath(ctx context.Context, env id.Environment, org id.Organization, ref authz.ResourceRef) ([]authz.Resource, bool, error) {
	g.pass("before path")
	defer g.pass("after path")
	return g.Store.LoadPath(ctx, env, org, ref)
}

// cold is everything about one member below the organization, asked of memory that has none of it but what a first
// change made it forget: so every kind of part is read.
func (w *world) cold(org id.Organization, m id.Membership) {
	ref := authz.ResourceRef{ExternalID: "deep", ResourceType: "box"}
	ask := func() {
		must(w.memory.Check(ctx, w.c, authz.Question{Membership: m, Permission: "a:read", Resource: ref}))
	}
	ask()
	w.db.Fresh().Hold([]fresh.Region{{Kind: fresh.Holdings, ID: string(org)}})() // so that they are read alone
	ask()
}

// A change that comes in the middle of any reading is seen by whoever asks after it, and so is one that began before the
// reading and ended in its midst.
func TestChangesInTheMiddleOfReadings(t *testing.T) {
	t.Parallel()
	for _, stop := range stops {
		for _, kind := range []fresh.Kind{fresh.Catalogue, fresh.Environment, fresh.Holdings, fresh.Organization, fresh.Resources, fresh.Member} {
			for _, early := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %c %v", stop, kind, early), func(t *testing.T) {
					t.Parallel()
					midst(t, stop, kind, early)
				})
			}
		}
	}
}

func midst(t *testing.T, stop string, kind fresh.Kind, early bool) {
	w, org, m := small(t)
	group := must(w.rules.CreateGroup(ctx, w.c, org, authz.NewGroup{Name: "crew"})).ID
	must(w.rules.AddGroupMember(ctx, w.c, org, group, m))
	g := &gate{Store: w.db, at: map[string]func(){}}
	book := w.db.Fresh()
	// The writer is another process as far as this one's holds go, so that the test says when they begin and end.
	db := must(store.Open(ctx, "sqlite:"+filepath.Join(w.folder, "world.db"), store.Visit))
	defer db.Close()
	abroad := *w
	abroad.rules = authz.New(db, w.clock.now, w.ids)
	change := abroad.changes(org, m)[kind]
	if kind == fresh.Organization {
		change = func() { must(abroad.rules.AssignGroupRole(ctx, w.c, group, authz.NewAssignment{Role: "editor"})) }
	}
	regions := []fresh.Region{{Kind: kind, ID: map[fresh.Kind]string{
		fresh.Catalogue: string(w.c.Environment), fresh.Environment: string(w.c.Environment), fresh.Holdings: string(org),
		fresh.Organization: string(org), fresh.Resources: string(org), fresh.Member: string(m),
	}[kind]}}
	w.memory = decision.New(w.rules, g, book, w.clock.now, decision.Options{})
	book.Begin(fresh.NewTerm(nil))
	release := func() {}
	reached := false
	act := func() {
		reached = true
		if !early {
			release = book.Hold(regions)
		}
		change()
		release()
	}
	g.when(stop, act)
	if early {
		release = book.Hold(regions)
	}
	w.cold(org, m)
	if !reached {
		g.when(stop, nil) // a part that was held was not read at all
		act()
	}
	w.agree(fmt.Sprintf("a change of %c %s", kind, stop))
}
