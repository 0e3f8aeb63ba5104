package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

func keepResourceType(t *testing.T, db authz.DB, env authz.Environment) {
	var rt authz.ResourceType
	fill(t, &rt, 1)
	rt.Environment, rt.Slug, rt.Parents = env.ID, "project", []string{"organization", "workspace"}
	check := func(want ...authz.ResourceType) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, err := r.ResourceTypes(env.ID)
			same(t, "resource types", want, got, true)
			return err
		})
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertResourceType(rt) })
	check(rt)
	rt = refill(t, rt, "Environment", "Slug", "CreatedAt")
	rt.Parents = []string{"folder"}
	update(t, db, func(tx authz.Tx) error { return tx.UpdateResourceType(rt) })
	check(rt)
	update(t, db, func(tx authz.Tx) error { return tx.DeleteResourceType(rt) })
	check()
}

func keepResource(t *testing.T, db authz.DB, env authz.Environment, org authz.Organization) {
	var res authz.Resource
	fill(t, &res, 1)
	res.ID, res.Environment, res.Organization = id.New[id.Resource](ids), env.ID, org.ID
	check := func(want authz.Resource) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, found, err := r.Resource(env.ID, want.ID)
			same(t, "resource", want, got, found)
			named, found, err2 := r.ResourceByExternalID(org.ID, want.Type, want.ExternalID)
			same(t, "resource by external id", want, named, found)
			return errors.Join(err, err2)
		})
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertResource(res) })
	check(res)
	res = refill(t, res, "ID", "Environment", "Organization", "Type", "ExternalID", "CreatedAt")
	update(t, db, func(tx authz.Tx) error { return tx.UpdateResource(res) })
	check(res)
	update(t, db, func(tx authz.Tx) error { return tx.DeleteResources(org.ID, []id.Resource{res.ID}) })
}

// forest is resources by name, in an organization.
type forest struct {
	t   *testing.T
	db  authz.DB
	org authz.Organization
	by  map[string]authz.Resource
}

// grow stores resources from lines such as "task t1 p1": type, name and, unless it is the organization, parent.
func grow(t *testing.T, db authz.DB, org authz.Organization, lines ...string) forest {
	t.Helper()
	f := forest{t: t, db: db, org: org, by: map[string]authz.Resource{}}
	update(t, db, func(tx authz.Tx) error {
		for _, line := range lines {
			words := strings.Fields(line)
			r := authz.Resource{
				ID: id.New[id.Resource](ids), Environment: org.Environment, Organization: org.ID, Type: words[0], ExternalID: words[1], Name: words[1],
				Parent: authz.OrganizationResource(org.ID), CreatedAt: began, UpdatedAt: began,
			}
			if len(words) > 2 {
				r.Parent = f.by[words[2]].ID
			}
			f.by[words[1]] = r
			if err := tx.InsertResource(r); err != nil {
				return err
			}
		}
		return nil
	})
	return f
}

func (f forest) some(names string) []authz.Resource {
	var some []authz.Resource
	for _, n := range strings.Fields(names) {
		some = append(some, f.by[n])
	}
	return some
}

func names(rs []authz.Resource) string {
	var all []string
	for _, r := range rs {
		all = append(all, r.ExternalID)
	}
	return strings.Join(all, " ")
}

// resourceTrees covers what lies above and below resources, in two organizations that use the same names.
func resourceTrees(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	lines := []string{"workspace w1", "workspace w2", "project p1 w1", "project p2 w1", "project p3", "task t1 p1", "task t2 p2", "step s1 t1", "note n1 s1"}
	f := grow(t, db, organizationNamed(t, db, env, "one", nil), lines...)
	other := grow(t, db, organizationNamed(t, db, env, "two", nil), lines...)
	view(t, db, func(r authz.Reader) error {
		above, err := r.Ancestors(f.org.ID, f.some("n1 t2 p3 w2 p1"))
		for name, want := range map[string]string{"n1": "s1 t1 p1 w1", "t2": "p2 w1", "p3": "", "w2": "", "p1": "w1"} {
			if got := names(above[f.by[name].ID]); got != want {
				t.Errorf("ancestors of %s: %q, want %q", name, got, want)
			}
		}
		none, err2 := r.Ancestors(f.org.ID, nil)
		if len(none) != 0 {
			t.Errorf("ancestors of nothing: %v", none)
		}
		return errors.Join(err, err2)
	})
	for name, want := range map[string]string{"w1": "p1 p2 t1 t2 s1 n1", "p1": "t1 s1 n1", "n1": "", "w2": ""} {
		for _, max := range []int{1, 2, 3, 4, 100} {
			view(t, db, func(r authz.Reader) error {
				got, err := r.Descendants(f.by[name], max)
				all := strings.Fields(want)
				if want := strings.Join(all[:min(max, len(all))], " "); names(got) != want {
					t.Errorf("at most %d below %s: %q, want %q", max, name, names(got), want)
				}
				return err
			})
		}
	}
	view(t, db, func(r authz.Reader) error {
		foreign, err := r.ResourcesByID(f.org.ID, []id.Resource{other.by["w1"].ID, f.by["t1"].ID})
		if names(foreign) != "t1" || len(foreign) > 0 && foreign[0].Organization != f.org.ID {
			t.Errorf("I8: by id, in another organization: %v", foreign)
		}
		return err
	})
	update(t, db, func(tx authz.Tx) error {
		return tx.DeleteResources(f.org.ID, []id.Resource{f.by["p1"].ID, other.by["p1"].ID})
	})
	view(t, db, func(r authz.Reader) error {
		_, gone, err := r.Resource(env.ID, f.by["p1"].ID)
		_, stays, err2 := r.Resource(env.ID, other.by["p1"].ID)
		_, walled, err3 := r.Resource("environment_x", other.by["p1"].ID)
		if gone || !stays || walled {
			t.Errorf("after a deletion in one organization: %v %v, through another environment: %v", gone, stays, walled)
		}
		return errors.Join(err, err2, err3)
	})
}

// resourceLists covers every filter, and a level too wide for one statement.
func resourceLists(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	f := grow(t, db, organizationNamed(t, db, env, "one", nil), "workspace a", "workspace b", "project c a", "project d a", "project e b")
	g := grow(t, db, organizationNamed(t, db, env, "two", nil), "workspace a", "project c a")
	grow(t, db, organizationNamed(t, db, Environment(t, db, "staging"), "three", nil), "workspace a")
	for _, c := range []struct {
		filter authz.ResourceFilter
		want   string
	}{
		{authz.ResourceFilter{Organization: f.org.ID}, "a b c d e"}, {authz.ResourceFilter{Type: "workspace"}, "a b a"},
		{authz.ResourceFilter{Type: "project", ExternalID: "c"}, "c c"}, {authz.ResourceFilter{Organization: g.org.ID, ExternalID: "c"}, "c"},
		{authz.ResourceFilter{Organization: f.org.ID, Parent: f.by["a"].ID}, "c d"}, {authz.ResourceFilter{Organization: g.org.ID, Parent: f.by["a"].ID}, ""},
		{authz.ResourceFilter{Organization: f.org.ID, Type: "workspace", Parent: authz.OrganizationResource(f.org.ID)}, "a b"},
	} {
		view(t, db, func(r authz.Reader) error {
			p, err := r.Resources(env.ID, c.filter, first(10))
			if names(p.Items) != c.want {
				t.Errorf("%+v lists %q, want %q", c.filter, names(p.Items), c.want)
			}
			down, err2 := r.Resources(env.ID, c.filter, page.Request{Limit: 1, Order: page.Desc})
			if len(p.Items) > 1 && (len(down.Items) != 1 || down.Items[0].ID != p.Items[len(p.Items)-1].ID || down.After == "") {
				t.Errorf("%+v lists %q newest first", c.filter, names(down.Items))
			}
			return errors.Join(err, err2)
		})
	}
	lines := []string{"workspace top"}
	for i := range 1201 {
		lines = append(lines, fmt.Sprintf("project p%d top", i), fmt.Sprintf("task t%d p%d", i, i))
	}
	wide := grow(t, db, organizationNamed(t, db, env, "wide", nil), lines...)
	view(t, db, func(r authz.Reader) error {
		below, err := r.Descendants(wide.by["top"], 10_000)
		distinct := map[id.Resource]bool{}
		for _, b := range below {
			distinct[b.ID] = true
		}
		if len(below) != 2402 || len(distinct) != 2402 || below[1200].Type != "project" || below[1201].Type != "task" {
			t.Errorf("%d below, %d of them distinct", len(below), len(distinct))
		}
		leaves := below[1201:]
		above, err2 := r.Ancestors(wide.org.ID, leaves)
		for _, l := range leaves {
			if got := names(above[l.ID]); got != "p"+l.ExternalID[1:]+" top" {
				t.Fatalf("ancestors of %s: %q", l.ExternalID, got)
			}
		}
		return errors.Join(err, err2)
	})
}

// typeUse covers what needs a type and what lies between types.
func typeUse(t *testing.T, db authz.DB) {
	env, staging := Environment(t, db, "production"), Environment(t, db, "staging")
	org := organizationNamed(t, db, env, "one", nil)
	grow(t, db, organizationNamed(t, db, staging, "elsewhere", nil), "workspace w", "project p w", "project q")
	f := grow(t, db, org, "workspace w", "project p1 w", "project p2 w", "project p3")
	task := authz.Permission{ID: id.New[id.Permission](ids), Environment: env.ID, Slug: "task:edit", Name: "n", ResourceType: "task", CreatedAt: began, UpdatedAt: began}
	role := func(org id.Organization, slug string, kind string) authz.Role {
		return authz.Role{ID: id.New[id.Role](ids), Environment: env.ID, Organization: org, Slug: slug, Name: "n", ResourceType: kind, CreatedAt: began, UpdatedAt: began}
	}
	made := []authz.Role{role("", "editor", "project"), role(org.ID, "org-editor", "project"), role("", "keeper", "workspace")}
	update(t, db, func(tx authz.Tx) error {
		err := tx.InsertPermission(task)
		for i, r := range made {
			err = errors.Join(err, tx.InsertRole(r))
			if i < 2 {
				r.Permissions = []string{task.Slug}
				err = errors.Join(err, tx.UpdateRole(r))
			}
			a := authz.Assignment{
				ID: id.New[id.Assignment](ids), Environment: env.ID, Organization: org.ID, Membership: id.New[id.Membership](ids), Role: r.ID,
				Resource: f.by["w"].ID, Source: authz.SourceManual, CreatedAt: began, UpdatedAt: began,
			}
			err = errors.Join(err, tx.InsertAssignment(a, time.Time{}))
			a.ID, a.Membership, a.Resource = id.New[id.Assignment](ids), id.New[id.Membership](ids), f.by["p1"].ID
			if i == 0 {
				err = errors.Join(err, tx.InsertAssignment(a, time.Time{}))
			}
		}
		return err
	})
	view(t, db, func(r authz.Reader) error {
		var problems error
		count := func(what string, want int) func(int, error) {
			return func(got int, err error) {
				t.Helper()
				problems = errors.Join(problems, err)
				if got != want {
					t.Errorf("%s: %d, want %d", what, got, want)
				}
			}
		}
		for slug, want := range map[string]int{"workspace": 2, "project": 5, "task": 1, "nothing": 0} {
			count("use of "+slug, want)(r.ResourceTypeUse(env.ID, slug))
		}
		count("projects in workspaces", 2)(r.ResourcesBetween(env.ID, "workspace", "project"))
		count("projects in the organization", 1)(r.ResourcesBetween(env.ID, authz.OrganizationType, "project"))
		count("workspaces in the organization", 1)(r.ResourcesBetween(env.ID, authz.OrganizationType, "workspace"))
		count("workspaces in projects", 0)(r.ResourcesBetween(env.ID, "project", "workspace"))
		count("project roles with permissions of tasks", 2)(r.RolesAcross(env.ID, "project", "task"))
		count("workspace roles with permissions of tasks", 0)(r.RolesAcross(env.ID, "workspace", "task"))
		count("roles of another environment", 0)(r.RolesAcross(staging.ID, "project", "task"))
		for where, want := range map[string][]authz.Role{"w": made, "p1": made[:1], "p2": nil} {
			wanted := map[id.Role]bool{}
			for _, role := range want {
				wanted[role.ID] = true
			}
			got, err := r.RolesHeldOn(org.ID, []id.Resource{f.by[where].ID})
			if problems = errors.Join(problems, err); !slices.Equal(got, slices.Sorted(maps.Keys(wanted))) {
				t.Errorf("roles held on %s: %v", where, got)
			}
		}
		both, err := r.RolesHeldOn(org.ID, []id.Resource{f.by["w"].ID, f.by["p1"].ID})
		if len(both) != 3 {
			t.Errorf("roles held on either: %v", both)
		}
		return errors.Join(problems, err)
	})
}
