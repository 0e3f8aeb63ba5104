package dashboard

import (
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
)

// roleShown is the screen of one role.
type roleShown struct {
	authz.Role
	Default bool
	Own     bool // whether it is the owner's to change: environment roles are not an organization's
	Place   int
	Of      int
	Groups  []permissionGroup
	Use     authz.RoleUse
}

// Deletable says whether the role may ever be deleted.
func (s roleShown) Deletable() bool { return deletable(s.Role) }

// chosen is the permissions of the catalogue that are in a list.
func chosen(all []authz.Permission, slugs []string) []authz.Permission {
	var some []authz.Permission
	for _, p := range all {
		if slices.Contains(slugs, p.Slug) {
			some = append(some, p)
		}
	}
	return some
}

func showRole(v *visit) error {
	org := v.organization()
	above, _, err := v.above(org)
	if err != nil {
		return err
	}
	policy, err := v.door.rules.Policy(v.Context(), v.caller, org)
	if err != nil {
		return err
	}
	shown := roleShown{Of: len(policy.Roles)}
	for i, r := range policy.Roles {
		if r.Slug == v.PathValue("slug") {
			shown.Role, shown.Place, shown.Default, shown.Own = r, i+1, r.ID == policy.Default, r.Organization == org
		}
	}
	if shown.Place == 0 {
		return fault.Missing("Role", v.PathValue("slug"))
	}
	if shown.Use, err = v.door.rules.UseOfRole(v.Context(), v.caller, org, shown.ID); err != nil {
		return err
	}
	all, err := v.catalogue(v.Context())
	if err != nil {
		return err
	}
	shown.Groups = grouped(chosen(all, shown.Permissions))
	v.example(shown.examples()...)
	return v.show("role.html", shown.Name, above, shown)
}

// rolePath is the address of a role in the API.
func rolePath(r authz.Role) string { return authorizationPath(r.Organization) + "/roles/" + r.Slug }

func (s roleShown) examples() []Call {
	get := Call{What: "Get the role", Method: "GET", Path: rolePath(s.Role), Node: "authorization.getEnvironmentRole(" + encode(s.Slug, "") + ")"}
	set := Call{What: "Set its permissions", Method: "PUT", Path: rolePath(s.Role) + "/permissions", Body: map[string]any{"permissions": s.Permissions}}
	if s.Custom() {
		get.Node = "authorization.getOrganizationRole(" + encode(s.Organization, "") + ", " + encode(s.Slug, "") + ")"
	}
	return []Call{get, set, {What: "Delete it, with a replacement for those who hold it", Method: "POST", Path: rolePath(s.Role) + "/deletion",
		Body: map[string]any{"replacement_role_slug": "member"}}}
}
