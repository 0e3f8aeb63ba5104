package dashboard

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// above is the way to a screen of an organization, or of the environment where org is empty.
func (v *visit) above(org id.Organization) (crumbs []crumb, name string, err error) {
	if org == "" {
		return []crumb{{"Roles", v.Path("roles")}}, v.env.Name, nil
	}
	o, err := v.door.rules.Organization(v.Context(), v.caller, org)
	if err != nil {
		return nil, "", err
	}
	return []crumb{{"Organizations", v.Path("organizations")}, {o.Name, v.In(org)}, {"Roles", v.In(org, "roles")}}, o.Name, nil
}

// roleList is the roles of an owner in their order.
type roleList struct {
	Owner        id.Organization
	Organization string // its name
	Policy       authz.Policy
	Roles        []roleRow
	Filtered     bool
	Catalogue    []authz.Permission
	Templates    []roleTemplate // what a first custom role can begin with
}

type roleRow struct {
	authz.Role
	Place                  int
	Default                bool
	Use                    authz.RoleUse
	Deletable, Defaultable bool // whether that is this owner's to do
}

// deletable says whether a role may ever be deleted: the one that every environment begins with may not.
func deletable(r authz.Role) bool { return r.Custom() || r.Slug != authz.SeededRole }

// roleFilter is what the address of the list asks for.
type roleFilter struct{ search, kind, permission, held string }

// wants says whether a role is asked for. Held is what was given: it says nothing of those who have the role because it
// is the default and nothing was given.
func (f roleFilter) wants(r authz.Role, use authz.RoleUse) bool {
	held := use.Members.N+use.Groups.N > 0
	return matches(f.search, r.Name, r.Slug, textOf(r.Description), string(r.ID)) &&
		(f.kind != "custom" || r.Custom()) && (f.kind != "environment" || !r.Custom()) &&
		(f.permission == "" || slices.Contains(r.Permissions, f.permission)) &&
		(f.held != "somebody" || held) && (f.held != "nobody" || !held)
}

func listRoles(v *visit) error {
	org := v.organization()
	above, name, err := v.above(org)
	if err != nil {
		return err
	}
	list := roleList{Owner: org}
	if org != "" {
		list.Organization = name
	}
	if list.Policy, err = v.door.rules.Policy(v.Context(), v.caller, org); err != nil {
		return err
	}
	use, err := v.door.rules.RoleUse(v.Context(), v.caller, org)
	if err != nil {
		return err
	}
	if list.Catalogue, err = v.catalogue(v.Context()); err != nil {
		return err
	}
	if org != "" && !list.Policy.Own {
		list.Templates = templatesFor(list.Catalogue)
	}
	filter := roleFilter{v.query.Get("search"), v.query.Get("kind"), strings.TrimSpace(v.query.Get("permission")), v.query.Get("held")}
	for i, r := range list.Policy.Roles {
		if !filter.wants(r, use[r.ID]) {
			list.Filtered = true
			continue
		}
		list.Roles = append(list.Roles, roleRow{Role: r, Place: i + 1, Default: r.ID == list.Policy.Default, Use: use[r.ID],
			Deletable: r.Organization == org && deletable(r), Defaultable: list.Policy.Own && r.ID != list.Policy.Default && r.ResourceType == authz.OrganizationType,
		})
	}
	v.example(roleExamples(org)...)
	if org != "" {
		return v.show("roles.html", "Roles of "+name, above[:2], list)
	}
	return v.show("roles.html", "Roles", nil, list)
}

// roleExamples is what the API has for the list.
func roleExamples(org id.Organization) []Call {
	if org == "" {
		return []Call{
			{What: "List the environment roles", Method: "GET", Path: "/authorization/roles", Node: "authorization.listEnvironmentRoles()"},
			{What: "Set their priority order", Method: "PUT", Path: "/authorization/role_priority", Body: map[string]any{"role_slugs": []string{"admin", "member"}}},
			{What: "Choose the default role", Method: "PUT", Path: "/authorization/default_role", Body: map[string]any{"role_slug": "member"}},
		}
	}
	base := authorizationPath(org)
	return []Call{
		{What: "List the roles available to the organization", Method: "GET", Path: base + "/roles", Node: "authorization.listOrganizationRoles(" + encode(org, "") + ")"},
		{What: "Set their priority order", Method: "PUT", Path: base + "/role_priority", Body: map[string]any{"role_slugs": []string{"admin", "org-billing", "member"}}},
		{What: "Choose its default role", Method: "PUT", Path: base + "/default_role", Body: map[string]any{"role_slug": "org-billing"}},
	}
}

// matches says whether any text contains what is searched for.
func matches(search string, texts ...string) bool {
	search = strings.ToLower(strings.TrimSpace(search))
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), search) {
			return true
		}
	}
	return false
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
