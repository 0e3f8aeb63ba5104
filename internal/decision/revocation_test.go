package decision_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// toggle gives a member a permission and takes it again, and tells which of it holds: version is odd while that is
// being changed, and otherwise says by its second bit whether the member has the permission.
type toggle struct {
	name      string
	ask       authz.Question
	give      func() error
	take      func() error
	version   atomic.Uint64
	contended atomic.Uint64 // checks that no change met, and so had one right answer
}

func (g *toggle) turn(rounds int) error {
	for range rounds {
		for _, step := range []func() error{g.give, g.take} {
			g.version.Add(1)
			if err := step(); err != nil {
				return fmt.Errorf("%s: %w", g.name, err)
			}
			g.version.Add(1)
		}
	}
	return nil
}

// check asks once. What was acknowledged before it began, and nothing followed, must be what it says.
func (g *toggle) check(ctx context.Context, t *testing.T, w *world, batch bool) {
	before := g.version.Load()
	var yes bool
	if batch {
		answers, err := w.memory.CheckAll(ctx, w.c, []authz.Question{g.ask, g.ask})
		if err != nil {
			return // the request was cancelled
		}
		if yes = answers[0].Verdict.Authorized; yes != answers[1].Verdict.Authorized {
			t.Errorf("%s: two answers of one batch differ", g.name)
		}
	} else {
		v, err := w.memory.Check(ctx, w.c, g.ask)
		if err != nil {
			return
		}
		yes = v.Authorized
	}
	if after := g.version.Load(); before == after && before%2 == 0 {
		g.contended.Add(1)
		if has := before%4 == 2; yes != has {
			t.Errorf("%s: a check says %v where it is %v since before the check", g.name, yes, has)
		}
	}
}

// toggles are ways to give and to take, one through each kind of region.
func (w *world) toggles(org id.Organization) []*toggle {
	edit := func(owner id.Organization, slug string, held ...string) func() error {
		return func() error {
			_, err := w.rules.EditRolePermissions(ctx, w.c, owner, slug, authz.PermissionEdit{Set: authz.Some(held)})
			return err
		}
	}
	role := func(m id.Membership, slug string) func() error {
		return func() error {
			_, err := w.rules.UpdateMember(ctx, w.c, m, authz.RolesInput{Slug: authz.Some(slug)})
			return err
		}
	}
	shared, custom, moved, grouped := w.member(org, "abe", "editor"), w.member(org, "bob", "org-a"), w.member(org, "cy"), w.member(org, "dan")
	w.role("", "reader", "a:write")
	group := must(w.rules.CreateGroup(ctx, w.c, org, authz.NewGroup{Name: "staff"})).ID
	must(w.rules.AddGroupMember(ctx, w.c, org, group, grouped))
	box := must(w.rules.Resource(ctx, w.c, org, authz.ResourceRef{ExternalID: "deep", ResourceType: "box"}))
	top := must(w.rules.Resource(ctx, w.c, org, authz.ResourceRef{ExternalID: "top", ResourceType: "folder"}))
	leading := w.member(org, "eve")
	w.holds("", "lead", "b:see")
	must(w.rules.AssignRole(ctx, w.c, leading, authz.NewAssignment{Role: "lead", Resource: authz.ResourceRef{ID: top.ID}}))
	below := func(parent id.Resource) func() error {
		return func() error {
			in := authz.ResourceChange{Parent: authz.Some(authz.ResourceRef{ID: parent})}
			_, err := w.rules.UpdateResource(ctx, w.c, org, authz.ResourceRef{ID: box.ID}, in)
			return err
		}
	}
	write := func(m id.Membership) authz.Question { return authz.Question{Membership: m, Permission: "a:write"} }
	return []*toggle{
		{name: "an environment role", ask: write(shared), give: edit("", "editor", "a:write"), take: edit("", "editor")},
		{name: "a custom role", ask: write(custom), give: edit(org, "org-a", "a:write"), take: edit(org, "org-a")},
		{name: "a membership", ask: write(moved), give: role(moved, "reader"), take: role(moved, "member")},
		{
			name: "a group", ask: write(grouped),
			give: func() error {
				_, err := w.rules.ReplaceGroupRoleAssignments(ctx, w.c, group, []authz.NewAssignment{{Role: "reader"}})
				return err
			},
			take: func() error {
				_, err := w.rules.ReplaceGroupRoleAssignments(ctx, w.c, group, nil)
				return err
			},
		},
		{
			name: "a resource", ask: authz.Question{Membership: leading, Permission: "b:see", Resource: authz.ResourceRef{ID: box.ID}},
			give: below(top.ID), take: below(""),
		},
	}
}

// From the moment at which a change was acknowledged no check that begins afterwards says otherwise, whoever else asks,
// gives up, changes something, makes room or begins a new term.
func TestRevocationsAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	for _, o := range []decision.Options{{}, {Members: 2, Organizations: 1, Resources: 2}} {
		t.Run(fmt.Sprint(o.Members), func(t *testing.T) {
			t.Parallel()
			w, org, _ := small(t)
			w.permission("b:see")
			w.memory = decision.New(w.rules, w.db, w.db.Fresh(), w.clock.now, o)
			w.db.Fresh().Begin(fresh.NewTerm(nil))
			all := w.toggles(org)
			for _, g := range all {
				done(g.take())
			}
			hurry(t, w, all)
			for _, g := range all {
				if g.contended.Load() == 0 {
					t.Errorf("%s: no check was free of changes", g.name)
				}
			}
			if s := w.memory.Stats(); s.Remembered == 0 || s.MemberLoads < 2 {
				t.Errorf("memory was not in play: %+v", s)
			}
		})
	}
}

// hurry turns all toggles while others check, some giving up and some having terms end.
func hurry(t *testing.T, w *world, all []*toggle) {
	const rounds, checkers = 25, 4
	var writers, others sync.WaitGroup
	var over atomic.Bool
	for _, g := range all {
		writers.Go(func() {
			if err := g.turn(rounds); err != nil {
				t.Error(err)
			}
		})
	}
	for i := range checkers {
		others.Go(func() {
			for n := i; !over.Load(); n++ {
				all[n%len(all)].check(ctx, t, w, n%3 == 0)
			}
		})
	}
	others.Go(func() {
		for n := 0; !over.Load(); n++ {
			impatient, cancel := context.WithCancel(ctx)
			go cancel()
			all[n%len(all)].check(impatient, t, w, n%2 == 0)
			cancel()
			if book := w.db.Fresh(); n%50 == 0 {
				book.Lapse()
				book.Begin(fresh.NewTerm(nil))
			} else if n%50 == 25 {
				book.Begin(fresh.NewTerm(nil))
			}
		}
	})
	writers.Wait()
	over.Store(true)
	others.Wait()
}
