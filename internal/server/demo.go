package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
)

// demoKey is the name of the key that a demo start makes; the one of the start before is revoked.
const demoKey = "demo"

// demoOrganization is the organization with custom roles, which the printed requests use.
const demoOrganization = "Acme"

// The demo world. A role's name is also, in lower case, its slug, with org- before it when it is custom.
var (
	demoPermissions = []string{"invoices:read", "invoices:pay", "projects:read", "projects:edit", "members:invite", "settings:edit"}
	demoRoles       = []struct {
		slug, name  string
		permissions []string
	}{
		{"admin", "Admin", demoPermissions},
		{"editor", "Editor", []string{"invoices:read", "projects:read", "projects:edit"}},
		{"member", "Member", []string{"projects:read"}},
	}
	demoCustom = []struct {
		slug, name  string
		permissions []string
	}{
		{"org-billing", "Billing", []string{"invoices:read", "invoices:pay"}},
		{"org-auditor", "Auditor", []string{"invoices:read", "projects:read"}},
	}
	demoPeople = []struct{ organization, first, role string }{
		{"Acme", "Ada", "admin"}, {"Acme", "Bela", "org-billing"}, {"Acme", "Chidi", "org-auditor"}, {"Acme", "Dana", ""},
		{"Globex", "Emre", "admin"}, {"Globex", "Fumi", "editor"}, {"Globex", "Gwen", ""}, {"Globex", "Hugo", ""},
		{"Initech", "Ines", "admin"}, {"Initech", "Jamal", "editor"}, {"Initech", "Kira", ""}, {"Initech", "Luca", ""},
	}
)

// demo fills an empty environment with the demo world, makes a key for it and says what to try.
func (s Services) demo(ctx context.Context, c Config, n *news) error {
	env, err := s.firstEnvironment(ctx)
	if err != nil {
		return err
	}
	caller := authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "demo", Source: "system", Name: "demo"}}
	if err := s.fillEmpty(ctx, caller); err != nil {
		return fmt.Errorf("making the demo world: %w", err)
	}
	key, shown := c.APIKey, "$ROLECALL_API_KEY"
	if _, err := s.Operators.Authenticate(ctx, key); key == "" || err != nil {
		if key, err = s.renewDemoKey(ctx, env.ID, n); err != nil {
			return err
		}
		n.Environment, n.APIKey, n.chosen, shown = env.Name, key, false, key
	}
	n.Try, err = s.tries(ctx, caller, n.Address, shown)
	return err
}

// fillEmpty fills an empty environment. One that is neither empty nor a demo is somebody's own and left alone.
func (s Services) fillEmpty(ctx context.Context, c authz.Caller) error {
	one := page.Request{Limit: 1, Order: page.Asc}
	orgs, err := s.Rules.ListOrganizations(ctx, c, authz.OrganizationFilter{}, one)
	if err != nil || len(orgs.Items) > 0 && orgs.Items[0].Name == demoOrganization {
		return err
	}
	permissions, err := s.Rules.ListPermissions(ctx, c, one)
	if err != nil {
		return err
	}
	if len(orgs.Items)+len(permissions.Items) > 0 {
		return errors.New("the database is not empty; --demo wants a new one, or one that it filled before")
	}
	return s.fill(ctx, c)
}

func (s Services) renewDemoKey(ctx context.Context, env id.Environment, n *news) (string, error) {
	if n.APIKey != "" { // made by this very start
		return n.APIKey, nil
	}
	keys, err := s.Operators.ListKeys(ctx, env)
	if err != nil {
		return "", err
	}
	for _, k := range keys {
		if k.Name == demoKey && k.RevokedAt.IsZero() {
			if err := s.Operators.RevokeKey(ctx, "", k.ID); err != nil {
				return "", err
			}
		}
	}
	_, value, err := s.Operators.CreateKey(ctx, operator.NewKey{Environment: env, Name: demoKey})
	return value, err
}

func (s Services) fill(ctx context.Context, c authz.Caller) error {
	for _, slug := range demoPermissions {
		if _, err := s.Rules.CreatePermission(ctx, c, authz.NewPermission{Slug: slug, Name: slug}); err != nil {
			return err
		}
	}
	var order []string
	for _, r := range demoRoles {
		order = append(order, r.slug)
		if r.slug != authz.SeededRole {
			if _, err := s.Rules.CreateRole(ctx, c, "", authz.NewRole{Slug: authz.Some(r.slug), Name: r.name}); err != nil {
				return err
			}
		}
		if _, err := s.Rules.EditRolePermissions(ctx, c, "", r.slug, authz.PermissionEdit{Set: authz.Some(r.permissions)}); err != nil {
			return err
		}
	}
	if _, err := s.Rules.SetPriority(ctx, c, "", order); err != nil {
		return err
	}
	return s.fillOrganizations(ctx, c)
}

func (s Services) fillOrganizations(ctx context.Context, c authz.Caller) error {
	orgs := map[string]id.Organization{}
	for _, p := range demoPeople {
		org, made := orgs[p.organization]
		if !made {
			o, err := s.Rules.CreateOrganization(ctx, c, authz.OrganizationInput{Name: authz.Some(p.organization)})
			if err != nil {
				return err
			}
			org = o.ID
			orgs[p.organization] = org
			if p.organization == demoOrganization {
				if err := s.fillCustom(ctx, c, org); err != nil {
					return err
				}
			}
		}
		u, err := s.Rules.CreateUser(ctx, c, authz.UserInput{
			Email: authz.Some(strings.ToLower(p.first + "@" + p.organization + ".example")), FirstName: authz.Some(&p.first),
		})
		if err != nil {
			return err
		}
		roles := authz.RolesInput{Slug: authz.Opt[string]{Set: p.role != "", Value: p.role}}
		if _, err := s.Rules.CreateMembership(ctx, c, u.ID, org, roles); err != nil {
			return err
		}
	}
	return nil
}

func (s Services) fillCustom(ctx context.Context, c authz.Caller, org id.Organization) error {
	for _, r := range demoCustom {
		if _, err := s.Rules.CreateRole(ctx, c, org, authz.NewRole{Slug: authz.Some(r.slug), Name: r.name}); err != nil {
			return err
		}
		if _, err := s.Rules.EditRolePermissions(ctx, c, org, r.slug, authz.PermissionEdit{Set: authz.Some(r.permissions)}); err != nil {
			return err
		}
	}
	return nil
}

// tries are requests that work when pasted: create a custom role, list the organization's roles, check a permission.
func (s Services) tries(ctx context.Context, c authz.Caller, address, key string) ([]string, error) {
	one := page.Request{Limit: 1, Order: page.Asc}
	orgs, err := s.Rules.ListOrganizations(ctx, c, authz.OrganizationFilter{Search: demoOrganization}, one)
	if err != nil || len(orgs.Items) == 0 {
		return nil, err
	}
	org := orgs.Items[0].ID
	members, err := s.Rules.ListMembers(ctx, c, authz.MembershipFilter{Organization: org}, page.Request{Limit: 2, Order: page.Asc})
	if err != nil || len(members.Items) == 0 {
		return nil, err
	}
	member := members.Items[len(members.Items)-1].ID
	curl := `curl -s -w '\n' -H "Authorization: Bearer ` + key + `" '` + address
	return []string{
		curl + "/authorization/organizations/" + string(org) + `/roles' -d '{"name":"Release manager"}'`,
		curl + "/authorization/organizations/" + string(org) + "/roles'",
		curl + "/authorization/organization_memberships/" + string(member) + `/check' -d '{"permission_slug":"invoices:pay"}'`,
	}, nil
}
