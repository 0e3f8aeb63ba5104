package decision_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// The policy of an environment is nobody else's, whatever somebody calls an organization.
func TestPolicyOfAnEnvironmentIsNoOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), decision.Options{})
	must(w.memory.Policy(ctx, w.c, ""))
	named := id.Organization(w.c.Environment)
	want, got := outcome(w.rules.Policy(ctx, w.c, named)), outcome(w.memory.Policy(ctx, w.c, named))
	if _, refusal := want.(string); !refusal || !cmp.Equal(want, got) {
		t.Errorf("memory says %v, the rules say %v", got, want)
	}
}

// How much is remembered of organizations is bounded by what they list, not only by how many they are.
func TestOrganizationsAreBoundedByWhatTheyList(t *testing.T) {
	t.Parallel()
	const each, room = 12, 40 // roles of an organization with its own, which are all of the environment's too
	w := newWorld(t, file(t), decision.Options{Rosters: room, Listed: 2 * room})
	w.permission("a:read")
	for i := range each - 2 {
		w.role("", fmt.Sprint("role-", i), "a:read")
	}
	for round := range 2 {
		for i := range 10 {
			if round == 0 {
				org := w.organization(fmt.Sprint("acme-", i))
				w.role(org, "org-own", "a:read")
				w.member(org, fmt.Sprint("ada-", i), "org-own")
			}
			if !w.may(w.people[i], "a:read") {
				t.Fatal("a permission is gone")
			}
			must(w.memory.Policy(ctx, w.c, w.orgs[i]))
			if s := w.memory.Stats(); s.Organizations > room/each || s.Policies > 2*room/(2*each-1) {
				t.Fatalf("%d organizations and %d policies are remembered", s.Organizations, s.Policies)
			}
		}
		if s := w.memory.Stats(); s.Organizations == 0 || s.Policies == 0 {
			t.Fatal("nothing is remembered")
		}
	}
	w.agree("making room")
	small := newWorld(t, file(t), decision.Options{Rosters: 1, Listed: 1})
	small.permission("a:read")
	org := small.organization("acme")
	small.role(org, "org-own", "a:read")
	small.member(org, "ada", "org-own")
	small.agree("finding what is too large to be remembered")
}

// breaking is a loader with a defect.
type breaking struct{ decision.Loader }

func (breaking) LoadMember(context.Context, id.Environment, id.Membership, int) (decision.Member, bool, error) {
	panic("a defect")
}

// A defect that a batch meets is one of its request, not the end of the process, and nobody waits for what it read.
func TestPanicInABatch(t *testing.T) {
	t.Parallel()
	w := open(t, file(t))
	w.permission("a:read")
	m := w.member(w.organization("acme"), "ada")
	memory := decision.New(w.rules, breaking{w.db}, w.db.Fresh(), w.clock.now, decision.Options{})
	w.db.Fresh().Begin(fresh.NewTerm(nil))
	for range 2 {
		func() {
			defer func() {
				if why := recover(); why != "a defect" {
					t.Errorf("it came to %v", why)
				}
			}()
			memory.CheckAll(ctx, w.c, []authz.Question{{Membership: m, Permission: "a:read"}})
		}()
	}
}
