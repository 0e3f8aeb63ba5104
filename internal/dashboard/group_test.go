package dashboard_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
)

// acme is an organization with a member Ada, a role payer that holds invoices:pay, and a workspace Design with the
// project Apollo in it, on which the role maker with project:edit can be held.
type acme struct {
	*house
	org            id.Organization
	ada            id.Membership
	design, apollo authz.Resource
}

func (h *house) acme() acme {
	h.Helper()
	ctx := h.Context()
	a := acme{house: h}
	for _, slug := range []string{"workspace", "project"} {
		parents := map[string][]string{"workspace": {"organization"}, "project": {"workspace", "organization"}}[slug]
		must(h.rules.CreateResourceType(ctx, h.c, authz.NewResourceType{Slug: slug, Name: slug, Parents: authz.Some(parents)}))
	}
	must(h.rules.CreatePermission(ctx, h.c, authz.NewPermission{Slug: "invoices:pay", Name: "Pay"}))
	must(h.rules.CreatePermission(ctx, h.c, authz.NewPermission{Slug: "project:edit", Name: "Edit", ResourceType: authz.Some("project")}))
	must(h.rules.CreateRole(ctx, h.c, "", authz.NewRole{Slug: authz.Some("payer"), Name: "Payer", Permissions: authz.Some([]string{"invoices:pay"})}))
	must(h.rules.CreateRole(ctx, h.c, "", authz.NewRole{Slug: authz.Some("maker"), Name: "Maker", ResourceType: authz.Some("project"), Permissions: authz.Some([]string{"project:edit"})}))
	must(h.rules.SetPriority(ctx, h.c, "", []string{"payer", "maker", "member"}))
	a.org = must(h.rules.CreateOrganization(ctx, h.c, authz.OrganizationInput{Name: authz.Some("Acme")})).ID
	a.ada = a.member("Ada")
	a.design = must(h.rules.CreateResource(ctx, h.c, authz.NewResource{Organization: a.org, Type: "workspace", ExternalID: "design", Name: "Design"}))
	a.apollo = must(h.rules.CreateResource(ctx, h.c, authz.NewResource{Organization: a.org, Type: "project", ExternalID: "apollo", Name: "Apollo", Parent: authz.ResourceRef{ID: a.design.ID}}))
	return a
}

// member is a new member of Acme.
func (a acme) member(name string) id.Membership {
	email := strings.ToLower(name) + "@acme.example"
	u := must(a.rules.CreateUser(a.Context(), a.c, authz.UserInput{Email: authz.Some(email), Name: authz.Some(&name)}))
	return must(a.rules.CreateMembership(a.Context(), a.c, u.ID, a.org, authz.RolesInput{})).ID
}

func (a acme) at(below string) string { return a.path("/organizations/" + string(a.org) + below) }

// group is a new group of Acme with these members.
func (a acme) group(members ...id.Membership) (g id.Group, at string) {
	g = must(a.rules.CreateGroup(a.Context(), a.c, a.org, authz.NewGroup{Name: "Finance"})).ID
	for _, m := range members {
		must(a.rules.AddGroupMember(a.Context(), a.c, a.org, g, m))
	}
	return g, a.at("/groups/" + string(g))
}

// may says what a check answers.
func (a acme) may(m id.Membership, permission string, on id.Resource) bool {
	return must(a.rules.Check(a.Context(), a.c, authz.Question{Membership: m, Permission: permission, Resource: authz.ResourceRef{ID: on}})).Authorized
}

// A group that is refused keeps what was typed; one that is made can be renamed and named back.
func TestGroupForm(t *testing.T) {
	a := given(t).acme()
	ed := a.as(operator.Editor)
	ed.get(a.at("/groups")).wants(200, "No groups yet")
	p := ed.post(a.at("/new/group"), "name", strings.Repeat("x", 300), "description", "kept").wants(422).blames("name")
	if p.value("description") != "kept" {
		t.Errorf("the description is %q", p.value("description"))
	}
	ed.posted(a.at("/new/group"), "name", "Finance <3").wants(200, "Finance <3", "was created")
	made := must(a.rules.ListGroups(t.Context(), a.c, a.org, page.Request{Limit: 1, Order: page.Desc})).Items[0]
	p = ed.posted(a.at("/groups/"+string(made.ID)+"/edit"), "name", "Money", "description", "").wants(200, "Money")
	ed.undo(p).wants(200, "Finance <3").lacks("Money")
	ed.get(a.at("/groups")).wants(200, "Finance <3")
}

// Who joins a group holds its roles, who leaves loses them, and both can be taken back.
func TestGroupMembersComeAndGo(t *testing.T) {
	a := given(t).acme()
	g, at := a.group()
	must(a.rules.AssignGroupRole(t.Context(), a.c, g, authz.NewAssignment{Role: "payer"}))
	ed := a.as(operator.Editor)
	ed.get(at+"/add-member").wants(200, "Ada", "ada@acme.example")
	ed.post(at+"/add-member", "organization_membership_id", "om_nobody").wants(422, "does not exist here")

	p := ed.posted(at+"/add-member", "organization_membership_id", string(a.ada)).wants(200, "Ada is in “Finance” now")
	if !a.may(a.ada, "invoices:pay", "") {
		t.Error("the new member does not hold the group's role")
	}
	ed.get(at+"/add-member").wants(200, "in the group")
	p = ed.undo(p).wants(200, "Ada left “Finance”")
	if a.may(a.ada, "invoices:pay", "") {
		t.Error("who left still holds the group's role")
	}
	ed.undo(p).wants(200, "Ada is in “Finance” now")
	ed.posted(at+"/remove-member", "organization_membership_id", string(a.ada)).wants(200, "Nobody is in the group yet")
	ed.posted(at+"/remove-member", "organization_membership_id", string(a.ada)).wants(200, "not in the group any more")
}

// A group with more members than a page has leads through all of them.
func TestGroupMembersArePaged(t *testing.T) {
	a := given(t).acme()
	var all []id.Membership
	for i := range 30 {
		all = append(all, a.member(fmt.Sprintf("Person%d", i)))
	}
	_, at := a.group(all...)
	ed := a.as(operator.Viewer)
	p := ed.get(at).wants(200, "Person29").lacks("Person4 ")
	next := p.find("a", "rel", "next")
	if next == nil {
		t.Fatal("no page follows")
	}
	p = ed.get(attr(next, "href")).wants(200, "Person0 ", "Person4 ").lacks("Person29")
	if p.find("a", "rel", "prev") == nil {
		t.Error("nothing leads back")
	}
	ed.get(at+"?after=nonsense").wants(422, "after is not a cursor")
}

// A role for a type of resource is given on one of that type, named by its own id; the undo keeps the time.
func TestGroupRoles(t *testing.T) {
	a := given(t).acme()
	g, at := a.group(a.ada)
	ed := a.as(operator.Editor)
	ed.post(at+"/add-role", "role_slug", "").wants(422).blames("role_slug")
	ed.post(at+"/add-role", "role_slug", "maker").wants(422, "held on a project").blames("resource_id")
	p := ed.post(at+"/add-role", "role_slug", "maker", "resource_id", "gone", "expires_at", "2199-01-02T03:04").wants(422).blames("resource_id")
	if p.value("resource_id") != "gone" || p.value("expires_at") != "2199-01-02T03:04" {
		t.Errorf("typed was %q until %q", p.value("resource_id"), p.value("expires_at"))
	}
	ed.post(at+"/add-role", "role_slug", "payer", "expires_at", "2001-01-01T00:00").wants(422, "must lie in the future").blames("expires_at")

	ed.posted(at+"/add-role", "role_slug", "maker", "resource_id", "apollo", "expires_at", "2199-01-02T03:04").wants(200, "Maker", "Apollo", "until 2 Jan 2199 03:04 UTC")
	if !a.may(a.ada, "project:edit", a.apollo.ID) || a.may(a.ada, "project:edit", a.design.ID) {
		t.Error("the role is not held on the project, or not there alone")
	}
	given := must(a.rules.ListGroupRoleAssignments(t.Context(), a.c, g, page.Request{Limit: 1, Order: page.Asc})).Items[0]
	p = ed.posted(at+"/remove-role", "role_assignment_id", string(given.ID)).wants(200, "no roles", "no longer")
	if a.may(a.ada, "project:edit", a.apollo.ID) {
		t.Error("the role is still held")
	}
	ed.undo(p).wants(200, "Maker", "until 2 Jan 2199 03:04 UTC")
}

// Nobody deletes a group without having seen who loses what.
func TestDeleteGroupNamesItsNumbers(t *testing.T) {
	a := given(t).acme()
	g, at := a.group(a.ada, a.member("Bela"))
	must(a.rules.AssignGroupRole(t.Context(), a.c, g, authz.NewAssignment{Role: "payer"}))
	ed := a.as(operator.Editor)
	ed.get(at+"/delete").wants(200, "2 members leave the group", "its 1 role", "2 members in 1 organization would change", "2 lose", "Ada", "Bela", "invoices:pay")
	ed.get(at+"/impact").wants(200, "Nothing is deleted yet", "Ada")
	ed.get(at+"/impact?after=x").wants(422, "after")
	if !a.may(a.ada, "invoices:pay", "") {
		t.Fatal("looking deleted it")
	}
	ed.posted(at+"/delete").wants(200, "was deleted", "No groups yet")
	if a.may(a.ada, "invoices:pay", "") {
		t.Error("the role is still held")
	}
	ed.get(at).wants(404)
}

// What a viewer may not do is neither shown nor done.
func TestViewersOnlyLookAtGroupsAndResources(t *testing.T) {
	a := given(t).acme()
	_, group := a.group(a.ada)
	resource := a.at("/resources/" + string(a.apollo.ID))
	v := a.as(operator.Viewer)
	for _, path := range []string{group, a.at("/groups"), a.at("/resources"), resource, resource + "/roles", resource + "/access"} {
		if p := v.get(path).wants(200); strings.Contains(p.raw, "data-panel") {
			t.Errorf("%s offers a form to a viewer", path)
		}
	}
	v.post(group+"/remove-member", "organization_membership_id", string(a.ada)).wants(403)
	v.post(resource+"/delete", "cascade_delete", "true").wants(403)
}

// Things of another organization are not found below this one, whatever the id.
func TestGroupsAndResourcesOfOthers(t *testing.T) {
	a := given(t).acme()
	other := must(a.rules.CreateOrganization(t.Context(), a.c, authz.OrganizationInput{Name: authz.Some("Other")})).ID
	u := must(a.rules.CreateUser(t.Context(), a.c, authz.UserInput{Email: authz.Some("eve@other.example")}))
	eve := must(a.rules.CreateMembership(t.Context(), a.c, u.ID, other, authz.RolesInput{})).ID
	g, at := a.group()
	ed := a.as(operator.Editor)
	below := a.path("/organizations/" + string(other))
	for _, path := range []string{"/groups/" + string(g), "/groups/" + string(g) + "/edit", "/resources/" + string(a.apollo.ID), "/resources/" + string(a.apollo.ID) + "/roles"} {
		ed.get(below+path).wants(404).lacks("Finance", "Apollo")
	}
	ed.post(at+"/add-member", "organization_membership_id", string(eve)).wants(422, "does not exist here")
	ed.post(a.at("/resources/"+string(a.apollo.ID)+"/add-role"), "organization_membership_id", string(eve), "role_slug", "maker").wants(422, "does not exist here")
	if a.may(eve, "project:edit", "") {
		t.Error("somebody of another organization was given the role")
	}
}
