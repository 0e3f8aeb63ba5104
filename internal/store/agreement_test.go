package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store/storetest"
	"pgregory.net/rapid"
)

// List and check agree, in both directions, whatever the world, the order and the size of the pages (ADR 13, security
// case 10): for every membership U, permission P and resource R, Check(U, P, R) says yes exactly when R is among the
// resources of U and P below each ancestor of R, U among the members with P on R, and P among the permissions of U on R.
// A batch answers what its questions would get alone.
func TestListsAgreeWithChecks(t *testing.T) {
	db := open(t, "sqlite:"+filepath.Join(t.TempDir(), "rolecall.db"))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w := &agreement{tenancy: newTenancy(t, rt, db, n), yes: map[question]bool{}}
		w.ask()
		w.batch()
		for _, p := range w.permissions {
			for _, r := range append(w.places(), w.foreign[0].ID) {
				w.membersWith(p, r)
			}
			for _, m := range w.members {
				for _, parent := range w.places() {
					w.resourcesFor(m, p, parent)
				}
			}
		}
		for _, m := range w.members {
			for _, r := range w.places() {
				w.permissionsOn(m, r)
			}
		}
		w.wholeOrganization()
		storetest.Loads(t, db, w.c.Environment)
	})
}

type question struct {
	member     id.Membership
	permission string
	resource   id.Resource
}

// agreement holds what every check says, and compares lists with it.
type agreement struct {
	*tenancy
	yes   map[question]bool
	lists int
}

func (w *agreement) places() []id.Resource {
	all := []id.Resource{authz.OrganizationResource(w.org)}
	for _, r := range w.resources {
		all = append(all, r.ID)
	}
	return all
}

func (w *agreement) ask() {
	for _, m := range w.members {
		for _, p := range w.permissions {
			for _, r := range w.places() {
				d, err := w.rules.Check(context.Background(), w.c, authz.Question{Membership: m.ID, Permission: p.Slug, Resource: authz.ResourceRef{ID: r}})
				if err != nil {
					w.Fatalf("checking: %v", err)
				}
				w.yes[question{m.ID, p.Slug, r}] = d.Authorized
			}
		}
	}
}

// batch asks everything at once, with questions about what is unknown or somebody else's among it.
func (w *agreement) batch() {
	var qs []authz.Question
	for q := range w.yes {
		qs = append(qs, authz.Question{Membership: q.member, Permission: q.permission, Resource: authz.ResourceRef{ID: q.resource}, Explain: w.toss("explain")})
	}
	m, p := w.members[0].ID, w.permissions[0].Slug
	qs = append(qs,
		authz.Question{Membership: m, Permission: p}, authz.Question{Membership: m, Permission: "nowhere"},
		authz.Question{Membership: "om_01ARZ3NDEKTSV4RRFFQ69G5FAV", Permission: p},
		authz.Question{Membership: m, Permission: p, Resource: authz.ResourceRef{ID: w.foreign[0].ID}},
		authz.Question{Membership: m, Permission: p, Resource: authz.ResourceRef{ID: authz.OrganizationResource(w.other)}},
		authz.Question{Membership: m, Permission: p, Resource: authz.ResourceRef{ResourceType: "project", ExternalID: "x0"}},
		authz.Question{Membership: m, Permission: p, Resource: authz.ResourceRef{ResourceType: authz.OrganizationType, ExternalID: string(w.other)}},
	)
	qs = rapid.Permutation(qs).Draw(w.T, "questions")
	for len(qs) > 0 {
		some := qs[:min(len(qs), authz.MaxQuestions)]
		qs = qs[len(some):]
		answers, err := w.rules.CheckAll(context.Background(), w.c, some)
		if err != nil {
			w.Fatalf("checking many: %v", err)
		}
		for i, q := range some {
			d, err := w.rules.Check(context.Background(), w.c, q)
			want := authz.Answer{Question: q, Decision: d, Refusal: fault.Of(err)}
			if diff := cmp.Diff(want, answers[i], cmp.Comparer(func(a, b *fault.Error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })); diff != "" {
				w.Fatalf("question %+v alone (-) and among others (+):\n%s", q, diff)
			}
		}
	}
}

// below lists what lies under a resource, at any depth, found by walking up.
func (w *agreement) below(root id.Resource) (all []authz.Resource) {
	for _, r := range w.resources {
		for up, ok := w.parents[r.ID]; ok; up, ok = w.parents[up] {
			if up == root {
				all = append(all, r)
			}
		}
	}
	return all
}

func (w *agreement) resourcesFor(m authz.Membership, p authz.Permission, parent id.Resource) {
	var want []string
	for _, r := range w.below(parent) {
		if (p.ResourceType == authz.OrganizationType || p.ResourceType == r.Type) && w.yes[question{m.ID, p.Slug, r.ID}] {
			want = append(want, string(r.ID))
		}
	}
	compare(w, fmt.Sprintf("resources of %s for %s below %s", m.ID, p.Slug, parent), want, func(r page.Request) (page.Page[authz.Resource], error) {
		return w.rules.ResourcesFor(context.Background(), w.c, m.ID, p.Slug, authz.ResourceRef{ID: parent}, r)
	}, func(r authz.Resource) string { return string(r.ID) })
}

func (w *agreement) membersWith(p authz.Permission, r id.Resource) {
	var want []string
	for _, m := range w.members {
		if w.yes[question{m.ID, p.Slug, r}] {
			want = append(want, string(m.ID))
		}
	}
	list := func(how authz.Assigned) func(page.Request) (page.Page[authz.Member], error) {
		return func(req page.Request) (page.Page[authz.Member], error) {
			return w.rules.MembersWith(context.Background(), w.c, "", authz.ResourceRef{ID: r}, p.Slug, how, req)
		}
	}
	compare(w, fmt.Sprintf("members with %s on %s", p.Slug, r), want, list(authz.Anyhow), memberKey)
	compare(w, fmt.Sprintf("members with %s on %s, inherited too", p.Slug, r), want, list(authz.Inherit), memberKey)
	if r != authz.OrganizationResource(w.org) { // on which every effective role is
		want = slices.DeleteFunc(want, func(m string) bool { return !w.assignedOn(id.Membership(m), p, r) })
	}
	compare(w, fmt.Sprintf("members with %s by a role on %s", p.Slug, r), want, list(authz.Directly), memberKey)
}

// assignedOn says whether an assignment on the resource itself gives a permission to a member, now.
func (w *agreement) assignedOn(m id.Membership, p authz.Permission, r id.Resource) bool {
	policy := must(w.rules.Policy(context.Background(), w.c, w.org))
	holds := func(role id.Role) bool {
		for gone, ok := policy.Retired[role]; ok; gone, ok = policy.Retired[role] {
			if role = gone.Role; gone.Default {
				return false // a resource has no default
			}
		}
		return slices.ContainsFunc(policy.Roles, func(x authz.Role) bool { return x.ID == role && slices.Contains(x.Permissions, p.Slug) })
	}
	return slices.ContainsFunc(w.assigned, func(a authz.Assignment) bool {
		mine := a.Membership == m || slices.Contains(w.inGroup[a.Group], m)
		return a.Resource == r && mine && a.Begun(w.at) && !a.Ended(w.at) && holds(a.Role)
	})
}

func memberKey(m authz.Member) string { return string(m.ID) }

func (w *agreement) permissionsOn(m authz.Membership, r id.Resource) {
	var want []string
	for _, p := range w.permissions {
		if w.yes[question{m.ID, p.Slug, r}] {
			want = append(want, string(p.ID))
		}
	}
	compare(w, fmt.Sprintf("permissions of %s on %s", m.ID, r), want, func(req page.Request) (page.Page[authz.Permission], error) {
		return w.rules.PermissionsOn(context.Background(), w.c, m.ID, authz.ResourceRef{ID: r}, req)
	}, func(p authz.Permission) string { return string(p.ID) })
}

// wholeOrganization compares the look-ups of a whole organization with the answers about each member.
func (w *agreement) wholeOrganization() {
	ctx, home := context.Background(), authz.OrganizationResource(w.org)
	every := []authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}
	holding, able := map[string][]string{}, map[string][]string{}
	for _, m := range w.members {
		member := must(w.rules.Member(ctx, w.c, m.ID))
		for _, h := range member.Held {
			if mine := string(m.ID); !slices.Contains(holding[h.Role.Slug], mine) {
				holding[h.Role.Slug] = append(holding[h.Role.Slug], mine)
			}
		}
		for _, p := range w.permissions {
			if w.yes[question{m.ID, p.Slug, home}] {
				able[p.Slug] = append(able[p.Slug], string(m.ID))
			}
		}
	}
	for _, role := range must(w.rules.Policy(ctx, w.c, w.org)).Roles {
		compare(w, "members with role "+role.Slug, holding[role.Slug], func(r page.Request) (page.Page[authz.Member], error) {
			return w.rules.ListMembers(ctx, w.c, authz.MembershipFilter{Organization: w.org, Role: role.Slug, Statuses: every}, r)
		}, memberKey)
		compare(w, "access by role "+role.Slug, holding[role.Slug], w.access(authz.AccessFilter{Role: role.Slug, Statuses: every}), accessKey)
		compare(w, "access of active members by role "+role.Slug, w.active(holding[role.Slug]), w.access(authz.AccessFilter{Role: role.Slug}), accessKey)
	}
	var all []string
	for _, m := range w.members {
		all = append(all, string(m.ID))
	}
	compare(w, "access", w.active(all), w.access(authz.AccessFilter{}), accessKey)
	for _, p := range w.permissions {
		compare(w, "access by permission "+p.Slug, able[p.Slug], w.access(authz.AccessFilter{Permission: p.Slug}), accessKey)
	}
	for _, a := range must(w.access(authz.AccessFilter{Statuses: every})(page.Request{Limit: 100, Order: page.Asc})).Items {
		for _, p := range w.permissions {
			if slices.Contains(a.Permissions, p.Slug) != w.yes[question{a.ID, p.Slug, home}] {
				w.Fatalf("the access of %s and a check do not agree about %s", a.ID, p.Slug)
			}
		}
	}
}

// active keeps the members that are active.
func (w *agreement) active(ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(m string) bool {
		return !slices.ContainsFunc(w.members, func(of authz.Membership) bool { return string(of.ID) == m && of.Status == authz.StatusActive })
	})
}

func accessKey(a authz.Access) string { return string(a.ID) }

func (w *agreement) access(f authz.AccessFilter) func(page.Request) (page.Page[authz.Access], error) {
	return func(r page.Request) (page.Page[authz.Access], error) {
		return w.rules.ListAccess(context.Background(), w.c, w.org, f, r)
	}
}

// compare reads a list to its end and back, in one of all combinations of order and size of the pages, and one page
// from a random cursor, and wants what a list of exactly those items would give. want is in the order of the ids.
func compare[T any](w *agreement, what string, want []string, list func(page.Request) (page.Page[T], error), key func(T) string) {
	self := func(s string) string { return s }
	shown := func(r page.Request) page.Page[string] {
		p, err := list(r)
		if err != nil {
			w.Fatalf("%s: %v", what, err)
		}
		items := make([]string, len(p.Items))
		for i, item := range p.Items {
			items[i] = key(item)
		}
		got := page.Page[string]{Items: items, Before: p.Before, After: p.After}
		if diff := cmp.Diff(page.Of(r, want, self), got); diff != "" {
			w.Fatalf("%s, %+v: checks (-) and list (+):\n%s", what, r, diff)
		}
		return got
	}
	w.lists++
	r := page.Request{Limit: []int{1, 2, 100}[w.lists%3], Order: []page.Order{page.Desc, page.Asc, page.Normal}[w.lists/3%3]}
	forth, back := func(p page.Page[string]) (string, string) { return p.After, "" }, func(p page.Page[string]) (string, string) { return "", p.Before }
	if r.Order == page.Normal {
		forth, back = back, forth
	}
	p := shown(r)
	for _, next := range []func(page.Page[string]) (string, string){forth, back} {
		for {
			if r.After, r.Before = next(p); r.After == "" && r.Before == "" {
				break
			}
			p = shown(r)
		}
	}
	// A cursor need not be in the list, nor anywhere: it is a position.
	places := w.places()
	cursor := []string{
		string(w.members[w.lists%len(w.members)].ID), string(w.permissions[w.lists%len(w.permissions)].ID), string(places[w.lists%len(places)]), string(w.foreign[0].ID),
	}[w.lists/9%4]
	shown(page.Request{Limit: r.Limit, Order: r.Order, After: cursor})
	shown(page.Request{Limit: r.Limit, Order: r.Order, Before: cursor})
}
