package decision_test

import (
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// deaf passes on what it is told to forget, but for regions of one kind.
type deaf struct {
	book *fresh.Book
	to   fresh.Kind
}

func (d deaf) Forget(regions []fresh.Region) {
	var heard []fresh.Region
	for _, r := range regions {
		if r.Kind != d.to {
			heard = append(heard, r)
		}
	}
	d.book.Hold(heard)()
}

// small is a world with something of everything.
func small(t *testing.T) (w *world, org id.Organization, m id.Membership) {
	w = open(t)
	w.kind("folder", authz.OrganizationType)
	w.kind("box", authz.OrganizationType, "folder")
	w.kind("project", authz.OrganizationType, "box")
	w.permission("a:read", "a:write")
	w.role("", "editor", "a:read")
	w.roleFor("folder", "lead")
	org = w.organization("acme")
	w.role(org, "org-a", "a:read")
	m = w.member(org, "ada", "org-a")
	folder := w.resource(org, "folder", "top", "")
	w.resource(org, "box", "deep", folder.ID)
	must(w.rules.AssignRole(ctx, w.c, m, authz.NewAssignment{Role: "lead", Resource: authz.ResourceRef{ID: folder.ID}}))
	return w, org, m
}

// changes is one change for each kind of region, and with the first ones what they change.
func (w *world) changes(org id.Organization, m id.Membership) map[fresh.Kind]func() {
	return map[fresh.Kind]func(){
		fresh.Catalogue: func() { w.holds("", "editor", "a:write") },
		fresh.Environment: func() {
			must(w.rules.SetPriority(ctx, w.c, "", []string{"editor", "member", "lead"}))
		},
		fresh.Holdings: func() { w.holds(org, "org-a", "a:write") },
		fresh.Organization: func() {
			group := must(w.rules.CreateGroup(ctx, w.c, org, authz.NewGroup{Name: "crew"})).ID
			must(w.rules.AddGroupMember(ctx, w.c, org, group, m))
			w.agree("the group had a member")
			must(w.rules.AssignGroupRole(ctx, w.c, group, authz.NewAssignment{Role: "editor"}))
		},
		fresh.Resources: func() {
			to := authz.ResourceRef{}
			box := must(w.rules.Resource(ctx, w.c, org, authz.ResourceRef{ExternalID: "deep", ResourceType: "box"}))
			must(w.rules.UpdateResource(ctx, w.c, org, authz.ResourceRef{ID: box.ID}, authz.ResourceChange{Parent: authz.Some(to)}))
		},
		fresh.Member: func() { must(w.rules.DeactivateMember(ctx, w.c, m)) },
	}
}

// Every kind of region is needed: who does not hear of it answers wrongly.
func TestEveryRegionIsNeeded(t *testing.T) {
	t.Parallel()
	const none = fresh.Kind('-')
	for _, kind := range []fresh.Kind{fresh.Catalogue, fresh.Environment, fresh.Holdings, fresh.Organization, fresh.Resources, fresh.Member} {
		for _, to := range []fresh.Kind{none, kind} {
			t.Run(fresh.Region{Kind: kind}.String()+"/"+fresh.Region{Kind: to}.String(), func(t *testing.T) {
				t.Parallel()
				w, org, m := small(t)
				book := fresh.NewBook()
				w.memory = decision.New(w.rules, w.db, book, w.clock.now, decision.Options{})
				w.db.Fresh().Keep(deaf{book, to})
				w.db.Fresh().Begin(fresh.NewTerm(nil))
				book.Begin(fresh.NewTerm(nil))
				w.agree("it was made")
				w.changes(org, m)[kind]()
				if d := w.differ(w.c); (d != "") != (to == kind) {
					t.Errorf("memory that does not hear of %q: %q", rune(to), d)
				}
			})
		}
	}
}
