package dashboard

import (
	"maps"
	"net/url"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// resourceAt is the resource that an address names, with what surrounds it.
type resourceAt struct {
	authz.Resource
	Owner        id.Organization
	Organization string // its name
	Path         string
	Lineage      []namedLink    // what it lies in, the organization first
	parent       authz.Resource // the nearest of those
	above        []crumb
}

// Below is an address below the resource's.
func (r resourceAt) Below(action string) string { return r.Path + "/" + action }

// Top says whether it is the organization's own, which cannot be changed.
func (r resourceAt) Top() bool { return r.Type == authz.OrganizationType }

// leads says whether resources of any type can lie below it.
func (r resourceAt) leads(types []authz.ResourceType) bool {
	return slices.ContainsFunc(types, func(t authz.ResourceType) bool { return slices.Contains(t.Parents, r.Type) })
}

// resource finds the resource that the address names, and what it lies in. The crumbs lead to the resource.
func (v *visit) resource() (resourceAt, error) {
	org := v.organization()
	above, name, err := v.aboveIn(org, "Resources", "resources")
	if err != nil {
		return resourceAt{}, err
	}
	named, ok := id.Parse[id.Resource](v.PathValue("resource"))
	if !ok {
		return resourceAt{}, fault.Missing("Resource", v.PathValue("resource"))
	}
	r, err := v.door.rules.Resource(v.Context(), v.caller, org, authz.ResourceRef{ID: named})
	if err != nil {
		return resourceAt{}, err
	}
	at := resourceAt{Resource: r, Owner: org, Organization: name, Path: v.In(org, "resources", string(r.ID))}
	lineage, err := v.lineage(r)
	if err != nil {
		return resourceAt{}, err
	}
	for _, one := range lineage {
		at.Lineage, at.parent = append(at.Lineage, v.namedResource(org, one)), one
	}
	for _, one := range at.Lineage[min(1, len(at.Lineage)):] {
		above = append(above, crumb{one.Name, one.Path})
	}
	at.above = append(above, crumb{r.Name, at.Path})
	return at, nil
}

// lineage is what a resource lies in, the organization first. Types lie at most authz.MaxTypeDepth deep.
func (v *visit) lineage(r authz.Resource) ([]authz.Resource, error) {
	var all []authz.Resource
	for up := r; up.Parent != "" && len(all) <= authz.MaxTypeDepth; {
		next, err := v.door.rules.Resource(v.Context(), v.caller, r.Organization, authz.ResourceRef{ID: up.Parent})
		if err != nil {
			return nil, err
		}
		all = append(all, next)
		up = next
	}
	slices.Reverse(all)
	return all, nil
}

type resourcePage struct {
	resourceAt
	Leads    bool
	Children []resourceRow
	Pages    pager
}

func showResource(v *visit) error {
	at, err := v.resource()
	if err != nil {
		return err
	}
	types, err := v.door.rules.ListResourceTypes(v.Context(), v.caller)
	if err != nil {
		return err
	}
	shown := resourcePage{resourceAt: at, Leads: at.leads(types)}
	if shown.Children, shown.Pages, err = v.resourceRows(v.finder(), authz.ResourceFilter{Organization: at.Owner}, at.ID); err != nil {
		return err
	}
	v.example(Call{What: "Get the resource", Method: "GET", Path: resourceURL(at.ID), Node: sdk("authorization.getResource", at.ID)}, listResourcesCall(at.Owner, "", string(at.ID)))
	return v.show("resource.html", at.Name, at.above[:len(at.above)-1], shown)
}

func resourceURL(r id.Resource) string { return "/authorization/resources/" + string(r) }

// resourceRoles is a page of who holds which role on a resource.
type resourceRoles struct {
	resourceAt
	Roles    []authz.Role // that can be held on it
	Role     string       // that narrows the list
	Assigned []assigned
	Pages    pager
}

func listRolesOnResource(v *visit) error {
	at, err := v.resource()
	if err != nil {
		return err
	}
	part, err := v.part(page.Desc, isCursor[id.Assignment])
	if err != nil {
		return err
	}
	shown := resourceRoles{resourceAt: at, Role: v.query.Get("role")}
	found, err := v.door.rules.ListResourceAssignments(v.Context(), v.caller, at.Owner, authz.ResourceRef{ID: at.ID}, shown.Role, part)
	if err != nil {
		return err
	}
	if shown.Assigned, err = v.finder().assigned(at.Owner, found.Items); err != nil {
		return err
	}
	if shown.Roles, err = v.rolesFor(at); err != nil {
		return err
	}
	shown.Pages = v.pages(found.Before, found.After)
	v.example(Call{What: "List the roles given on it", Method: "GET", Path: resourceURL(at.ID) + "/role_assignments",
		Node: sdk("authorization.listRoleAssignmentsForResource", map[string]any{"resourceId": at.ID})}, assignCall("om_…", "member", at.ID))
	return v.show("resource_roles.html", "Roles on "+at.Name, at.above[:len(at.above)-1], shown)
}

// rolesFor lists the roles that can be held on a resource.
func (v *visit) rolesFor(at resourceAt) ([]authz.Role, error) {
	all, err := v.door.rules.ListRoles(v.Context(), v.caller, at.Owner)
	return slices.DeleteFunc(all, func(r authz.Role) bool { return r.ResourceType != at.Type }), err
}

func assignCall(m, role string, on id.Resource) Call {
	return Call{What: "Give a member a role on it", Method: "POST", Path: "/authorization/organization_memberships/" + m + "/role_assignments",
		Body: map[string]any{"role_slug": role, "resource_id": on},
		Node: sdk("authorization.assignRole", map[string]any{"organizationMembershipId": m, "roleSlug": role, "resourceId": on})}
}

// resourceAccess is a page of who holds a permission on a resource.
type resourceAccess struct {
	resourceAt
	Permission, Assignment string
	Catalogue              []authz.Permission
	Asked                  bool
	Later                  string // the address of the members, where finding them takes too long to wait for
	Members                []holder
	Pages                  pager
}

// holder is a member who holds what was asked for, with the address of the reason.
type holder struct {
	somebody
	Why string
}

func listAccessToResource(v *visit) error {
	at, err := v.resource()
	if err != nil {
		return err
	}
	shown := resourceAccess{resourceAt: at, Permission: v.query.Get("permission"), Assignment: v.query.Get("assignment")}
	if shown.Catalogue, err = v.catalogue(v.Context()); err != nil {
		return err
	}
	if shown.Permission != "" {
		if shown.Later, err = v.waitForHolders(at); err != nil {
			return err
		}
		if shown.Later == "" {
			err = v.findHolders(&shown)
		}
		if err != nil && !v.blameNaming(err, "permission") {
			return err
		}
		shown.Asked = len(v.complaints) == 0
		v.example(accessCall(at.ID, shown))
	}
	return v.show("resource_access.html", "Access to "+at.Name, at.above[:len(at.above)-1], shown)
}

// waitForHolders is the address that finds the members of a large organization while the page is there already.
func (v *visit) waitForHolders(at resourceAt) (string, error) {
	if v.query.Get("wait") != "" {
		return "", nil
	}
	size, err := v.door.rules.OrganizationSize(v.Context(), v.caller, at.Owner)
	if err != nil || !size.Members.More {
		return "", err
	}
	q := maps.Clone(v.query)
	q.Set("wait", "yes")
	return v.Here() + "?" + q.Encode(), nil
}

func (v *visit) findHolders(shown *resourceAccess) error {
	part, err := v.part(page.Desc, isCursor[id.Membership])
	if err != nil {
		return err
	}
	found, err := v.door.rules.MembersWith(v.Context(), v.caller, shown.Owner, authz.ResourceRef{ID: shown.ID}, shown.Permission, authz.Assigned(shown.Assignment), part)
	if err != nil {
		return err
	}
	for _, m := range found.Items {
		shown.Members = append(shown.Members, holder{v.somebody(m), v.checkPath(m.ID, shown.Permission, shown.ID)})
	}
	shown.Pages = v.pages(found.Before, found.After)
	return nil
}

func accessCall(r id.Resource, shown resourceAccess) Call {
	query, node := url.Values{"permission_slug": {shown.Permission}}, map[string]any{"resourceId": r, "permissionSlug": shown.Permission}
	if shown.Assignment != "" {
		query.Set("assignment", shown.Assignment)
		node["assignment"] = shown.Assignment
	}
	return Call{What: "List the members with this permission on it", Method: "GET", Path: resourceURL(r) + "/organization_memberships?" + query.Encode(),
		Node: sdk("authorization.listMembershipsForResource", node)}
}
