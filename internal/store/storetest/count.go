package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// counted is an environment with things to count. The second organization and the other environment hold as much again,
// so that a count which forgets a wall is noticed.
type counted struct {
	c               authz.Caller
	rules           *authz.Service
	acme, other     id.Organization
	member, editor  authz.Role // of the environment
	custom, another authz.Role // of acme
	ada             id.User
	team            id.Group
}

func got[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newCounted(t *testing.T, db authz.DB) (w counted) {
	for _, name := range []string{"staging", "production"} {
		w = counted{rules: authz.New(db, time.Now, id.NewSource(time.Now, nil))}
		ctx := context.Background()
		w.c.Environment = got(w.rules.CreateEnvironment(ctx, name)).ID
		for _, slug := range []string{"read", "write", "nothing"} {
			got(w.rules.CreatePermission(ctx, w.c, authz.NewPermission{Slug: slug, Name: slug}))
		}
		role := func(org id.Organization, slug string, permissions ...string) authz.Role {
			return got(w.rules.CreateRole(ctx, w.c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug, Permissions: authz.Some(permissions)}))
		}
		w.member = got(w.rules.Role(ctx, w.c, "", authz.SeededRole))
		w.editor = role("", "editor", "read", "write")
		w.ada = got(w.rules.CreateUser(ctx, w.c, authz.UserInput{Email: authz.Some("ada@x.example")})).ID
		bob := got(w.rules.CreateUser(ctx, w.c, authz.UserInput{Email: authz.Some("bob@x.example")})).ID
		for _, org := range []*id.Organization{&w.other, &w.acme} {
			*org = got(w.rules.CreateOrganization(ctx, w.c, authz.OrganizationInput{Name: authz.Some("Acme")})).ID
			w.custom, w.another = role(*org, "org-custom", "read"), role(*org, "org-another", "read")
			in := got(w.rules.CreateMembership(ctx, w.c, w.ada, *org, authz.RolesInput{Slug: authz.Some("editor")}))
			got(w.rules.CreateMembership(ctx, w.c, bob, *org, authz.RolesInput{Slug: authz.Some("org-custom")}))
			w.team = got(w.rules.CreateGroup(ctx, w.c, *org, authz.NewGroup{Name: "team"})).ID
			got(w.rules.AddGroupMember(ctx, w.c, *org, w.team, in.ID))
			got(w.rules.AssignGroupRole(ctx, w.c, w.team, authz.NewAssignment{Role: "editor"}))
			got(w.rules.SetDefault(ctx, w.c, *org, "editor"))
		}
	}
	return w
}

func n(of int) authz.Count { return authz.Count{N: of} }

// counts covers what screens count: within one environment, within one organization, and up to a limit.
func counts(t *testing.T, db authz.DB) {
	w := newCounted(t, db)
	ctx := context.Background()
	limited := w.c
	limited.Only = &authz.Restriction{Organization: w.acme, Everything: true}
	for what, is := range map[string][2]any{
		"the roles of the environment": {got(w.rules.RoleUse(ctx, w.c, "")), map[id.Role]authz.RoleUse{
			w.member.ID: {}, w.editor.ID: {Members: n(2), Groups: n(2), Defaults: n(2)},
		}},
		"the roles of the environment for a limited caller": {got(w.rules.RoleUse(ctx, limited, "")), map[id.Role]authz.RoleUse{
			w.member.ID: {}, w.editor.ID: {Members: n(1), Groups: n(1), Defaults: n(1)},
		}},
		"the roles of an organization": {got(w.rules.RoleUse(ctx, w.c, w.acme)), map[id.Role]authz.RoleUse{
			w.member.ID: {}, w.editor.ID: {Members: n(1), Groups: n(1), Defaults: n(1)}, w.custom.ID: {Members: n(1)}, w.another.ID: {},
		}},
		"a role of the environment": {got(w.rules.UseOfRole(ctx, w.c, "", w.editor.ID)),
			authz.RoleUse{Members: n(2), Groups: n(2), Defaults: n(2)}},
		"a role of the environment in an organization": {got(w.rules.UseOfRole(ctx, w.c, w.acme, w.editor.ID)),
			authz.RoleUse{Members: n(1), Groups: n(1), Defaults: n(1)}},
		"a role for a limited caller": {got(w.rules.UseOfRole(ctx, limited, "", w.editor.ID)),
			authz.RoleUse{Members: n(1), Groups: n(1), Defaults: n(1)}},
		"the catalogue": {got(w.rules.PermissionUse(ctx, w.c)), map[string]authz.PermissionUse{
			"read": {EnvironmentRoles: n(1), CustomRoles: n(4), Organizations: n(2)}, "write": {EnvironmentRoles: n(1)}, "nothing": {},
		}},
		"the catalogue for a limited caller": {got(w.rules.PermissionUse(ctx, limited)), map[string]authz.PermissionUse{
			"read": {EnvironmentRoles: n(1), CustomRoles: n(2), Organizations: n(1)}, "write": {EnvironmentRoles: n(1)}, "nothing": {},
		}},
		"the environment": {got(w.rules.EnvironmentSize(ctx, w.c)),
			authz.EnvironmentSize{Organizations: n(2), Users: n(2), Roles: n(2), Permissions: n(3)}},
		"the environment for a limited caller": {got(w.rules.EnvironmentSize(ctx, limited)),
			authz.EnvironmentSize{Organizations: n(1), Users: n(2), Roles: n(2), Permissions: n(3)}},
		"an organization": {got(w.rules.OrganizationSize(ctx, w.c, w.acme)),
			authz.OrganizationSize{Members: n(2), CustomRoles: n(2), Groups: n(1)}},
		"a user":                      {got(w.rules.UserSize(ctx, w.c, w.ada)), authz.UserSize{Organizations: n(2)}},
		"a user for a limited caller": {got(w.rules.UserSize(ctx, limited, w.ada)), authz.UserSize{Organizations: n(1)}},
		"a group":                     {got(w.rules.GroupSize(ctx, w.c, w.acme, w.team)), authz.GroupSize{Members: n(1), Assignments: n(1)}},
	} {
		if d := cmp.Diff(is[1], is[0]); d != "" {
			t.Errorf("%s: want (-) and counted (+):\n%s", what, d)
		}
	}
	for what, err := range map[string]error{
		"the roles of another organization":   failed(w.rules.RoleUse(ctx, limited, w.other)),
		"a role in another organization":      failed(w.rules.UseOfRole(ctx, limited, w.other, w.editor.ID)),
		"another organization":                failed(w.rules.OrganizationSize(ctx, limited, w.other)),
		"a group of another organization":     failed(w.rules.GroupSize(ctx, w.c, w.other, w.team)),
		"an organization that does not exist": failed(w.rules.OrganizationSize(ctx, w.c, "org_none")),
	} {
		if err == nil {
			t.Errorf("%s was counted", what)
		}
	}
	w.limits(t, db)
	w.retires(t)
}

func failed[T any](_ T, err error) error { return err }

// limits counts up to one.
func (w counted) limits(t *testing.T, db authz.DB) {
	more := authz.Count{N: 1, More: true}
	view(t, db, func(r authz.Reader) error {
		env := w.c.Environment
		for what, is := range map[string][2]any{
			"roles":           {got(r.RoleUses(env, "", "", "", 1))[w.editor.ID], authz.RoleUse{Members: more, Groups: more, Defaults: more}},
			"permissions":     {got(r.PermissionUses(env, "", 1))["read"], authz.PermissionUse{EnvironmentRoles: n(1), CustomRoles: more, Organizations: more}},
			"an environment":  {got(r.EnvironmentSize(env, "", 1)), authz.EnvironmentSize{Organizations: more, Users: more, Roles: more, Permissions: more}},
			"an organization": {got(r.OrganizationSize(w.acme, 1)), authz.OrganizationSize{Members: more, CustomRoles: more, Groups: n(1)}},
			"a user":          {got(r.UserSize(w.ada, "", 1)), authz.UserSize{Organizations: more}},
		} {
			if is[0] != is[1] {
				t.Errorf("%s up to one: %v, want %v", what, fmt.Sprint(is[0]), is[1])
			}
		}
		return nil
	})
}

// retires removes a role that is in use: it is not counted any more.
func (w counted) retires(t *testing.T) {
	ctx := context.Background()
	got(w.rules.RemoveRole(ctx, w.c, w.acme, w.custom.Slug, authz.RoleDeletion{}))
	if _, there := got(w.rules.RoleUse(ctx, w.c, w.acme))[w.custom.ID]; there {
		t.Error("a role that is gone is counted")
	}
	if size := got(w.rules.OrganizationSize(ctx, w.c, w.acme)); size.CustomRoles != n(1) {
		t.Errorf("an organization after a role is gone: %+v", size)
	}
}
