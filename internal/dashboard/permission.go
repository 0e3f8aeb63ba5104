package dashboard

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/page"
)

// permissionRows is how many permissions a page of the catalogue has: they are short, and groups shall not be torn.
const permissionRows = 50

// permissionList is part of the catalogue.
type permissionList struct {
	Groups  []permissionGroup
	Use     map[string]authz.PermissionUse
	Types   []string // of resources, that permissions are made for
	Matches int
	Total   int
	Pager   pager
}

// Roles is how many roles hold a permission.
func (l permissionList) Roles(slug string) authz.Count {
	u := l.Use[slug]
	return authz.Count{N: u.EnvironmentRoles.N + u.CustomRoles.N, More: u.EnvironmentRoles.More || u.CustomRoles.More}
}

func listPermissions(v *visit) error {
	all, err := v.sortedCatalogue()
	if err != nil {
		return err
	}
	list := permissionList{Total: len(all)}
	if list.Use, err = v.door.rules.PermissionUse(v.Context(), v.caller); err != nil {
		return err
	}
	var found []authz.Permission
	kind, use := v.query.Get("type"), v.query.Get("use")
	for _, p := range all {
		if !slices.Contains(list.Types, p.ResourceType) {
			list.Types = append(list.Types, p.ResourceType)
		}
		held := list.Roles(p.Slug).N > 0
		if matchesPermission(v.query.Get("search"), p) && (kind == "" || kind == p.ResourceType) && (use == "" || held == (use == "held")) {
			found = append(found, p)
		}
	}
	slices.Sort(list.Types)
	part, err := v.part(page.Asc, func(string) bool { return true })
	if err != nil {
		return err
	}
	part.Limit = permissionRows
	shown := page.Of(part, found, func(p authz.Permission) string { return p.Slug })
	list.Matches, list.Groups, list.Pager = len(found), grouped(shown.Items), v.pages(shown.Before, shown.After)
	v.example(
		Call{What: "List the permissions", Method: "GET", Path: "/authorization/permissions?limit=100&order=asc", Node: "authorization.listPermissions({ limit: 100, order: 'asc' })"},
		permissionForm{}.creation(),
	)
	return v.show("permissions.html", "Permissions", nil, list)
}

// sortedCatalogue reads all permissions of the environment in the order of their slugs, in which groups are together.
func (v *visit) sortedCatalogue() ([]authz.Permission, error) {
	all, err := v.catalogue(v.Context())
	slices.SortFunc(all, func(a, b authz.Permission) int { return strings.Compare(a.Slug, b.Slug) })
	return all, err
}

func matchesPermission(search string, p authz.Permission) bool {
	return search == string(p.ID) || matches(search, p.Slug, p.Name, textOf(p.Description))
}

// permissionPage is what holds a permission.
type permissionPage struct {
	authz.Permission
	Use   authz.PermissionUse
	Roles []authz.Role // of the environment, highest priority first
}

// permissionPage reads the permission that the address names.
func (v *visit) permissionPage() (permissionPage, error) {
	p, err := v.door.rules.Permission(v.Context(), v.caller, v.PathValue("permission"))
	if err != nil {
		return permissionPage{}, err
	}
	use, err := v.door.rules.PermissionUse(v.Context(), v.caller)
	if err != nil {
		return permissionPage{}, err
	}
	policy, err := v.door.rules.Policy(v.Context(), v.caller, "")
	if err != nil {
		return permissionPage{}, err
	}
	shown := permissionPage{Permission: p, Use: use[p.Slug]}
	for _, r := range policy.Roles {
		if slices.Contains(r.Permissions, p.Slug) {
			shown.Roles = append(shown.Roles, r)
		}
	}
	return shown, nil
}

func (v *visit) abovePermission(slug string) []crumb {
	above := []crumb{{"Permissions", v.Path("permissions")}}
	if slug != "" {
		above = append(above, crumb{slug, v.Path("permissions", slug)})
	}
	return above
}

func showPermission(v *visit) error {
	p, err := v.permissionPage()
	if err != nil {
		return err
	}
	address := "/authorization/permissions/" + url.PathEscape(p.Slug)
	v.example(
		Call{What: "Get the permission", Method: "GET", Path: address, Node: sdk("authorization.getPermission", p.Slug)},
		Call{What: "Ask whether a member holds it", Method: "POST", Path: "/authorization/organization_memberships/om_…/check",
			Body: map[string]any{"permission_slug": p.Slug}, Node: sdk("authorization.check", map[string]any{"organizationMembershipId": "om_…", "permissionSlug": p.Slug})},
	)
	return v.show("permission.html", p.Slug, v.abovePermission(""), p)
}

// holders is who would lose a permission if it were gone, organization by organization.
type holders struct {
	authz.Permission
	GivenUp       string // why nothing is shown
	Totals        *authz.ImpactTotals
	Organizations []authz.OrganizationImpact
	Next          string
	Further       bool // whether this is not the first page
}

func listHolders(v *visit) error {
	p, err := v.door.rules.Permission(v.Context(), v.caller, v.PathValue("permission"))
	if err != nil {
		return err
	}
	after := v.query.Get("after")
	shown := holders{Permission: p, Further: after != ""}
	found, err := v.await(authz.SupposeDeletePermission(p.Slug), authz.ImpactRequest{ByOrganization: true, Limit: rows, After: after})
	switch {
	case err == nil:
		shown.Totals, shown.Organizations, shown.Next = found.Totals, found.Organizations, v.pages("", found.After).Next
	case fault.HasCode(err, codeGivenUp):
		shown.GivenUp = fault.Of(err).Message
	default:
		return err
	}
	v.example(Call{What: "Count who holds it, organization by organization", Method: "DELETE",
		Path: "/authorization/permissions/" + url.PathEscape(p.Slug) + "?preview=true&by=organizations"})
	return v.show("permission_holders.html", "Who has "+p.Slug, v.abovePermission(p.Slug), shown)
}

// permissionGroup is the permissions whose slugs begin alike, up to the colon.
type permissionGroup struct {
	Name        string
	Permissions []authz.Permission
}

// grouped sorts permissions into groups, in the order in which the groups first appear.
func grouped(all []authz.Permission) []permissionGroup {
	var groups []permissionGroup
	at := map[string]int{}
	for _, p := range all {
		name, _, found := strings.Cut(p.Slug, ":")
		if !found {
			name = ""
		}
		i, known := at[name]
		if !known {
			i = len(groups)
			at[name] = i
			groups = append(groups, permissionGroup{Name: name})
		}
		groups[i].Permissions = append(groups[i].Permissions, p)
	}
	return groups
}

// catalogue reads all permissions of the environment, by slug.
func (v *visit) catalogue(ctx context.Context) ([]authz.Permission, error) {
	return everyPage(func(r page.Request) (page.Page[authz.Permission], error) {
		return v.door.rules.ListPermissions(ctx, v.caller, r)
	})
}
