package dashboard_test

import (
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
)

// The list of resources is narrowed by its address, and what is refused keeps what was typed.
func TestResourceListAndForm(t *testing.T) {
	a := given(t).acme()
	ed := a.as(operator.Editor)
	list := a.at("/resources")
	ed.get(list).wants(200, "Apollo", "Design")
	ed.get(list+"?type=workspace").wants(200, "Design design").lacks("Apollo apollo")
	ed.get(list+"?parent="+string(a.design.ID)).wants(200, "Apollo apollo").lacks("Design design")
	ed.get(list+"?external_id=nope").wants(200, "No resource matches").lacks("No resources yet")

	form := a.at("/new/resource")
	p := ed.post(form, "resource_type_slug", "project", "name", "", "external_id", "ümlaut", "description", "kept").wants(422).blames("name").blames("external_id")
	if p.value("description") != "kept" || p.value("external_id") != "ümlaut" {
		t.Errorf("typed was %q, %q", p.value("external_id"), p.value("description"))
	}
	ed.post(form, "resource_type_slug", "project", "name", "Again", "external_id", "apollo").wants(409, "already")
	ed.post(form, "resource_type_slug", "project", "name", "X", "external_id", "x", "parent_resource_type_slug", "workspace", "parent_resource_external_id", "gone").wants(422).blames("parent_resource_id")
	ed.posted(form, "resource_type_slug", "project", "name", "Gemini", "external_id", "gemini", "parent_resource_type_slug", "workspace", "parent_resource_external_id", "design").wants(200, "Gemini", "Lies in Acme")
	ed.get(a.at("/resources/"+string(a.design.ID))).wants(200, "Gemini", "Apollo")
}

// Access follows a resource to where it is moved, and back.
func TestMoveResource(t *testing.T) {
	a := given(t).acme()
	must(a.rules.CreateRole(t.Context(), a.c, "", authz.NewRole{Slug: authz.Some("owner"), Name: "Owner", ResourceType: authz.Some("workspace"), Permissions: authz.Some([]string{"project:edit"})}))
	must(a.rules.AssignRole(t.Context(), a.c, a.ada, authz.NewAssignment{Role: "owner", Resource: authz.ResourceRef{ID: a.design.ID}}))
	ed := a.as(operator.Editor)
	at := a.at("/resources/" + string(a.apollo.ID))
	ed.post(at+"/move", "parent_resource_type_slug", "workspace").wants(422).blames("parent_resource_id")
	ed.post(a.at("/resources/"+string(a.design.ID)+"/move"), "parent_resource_type_slug", "project", "parent_resource_external_id", "apollo").wants(422).blames("parent_resource_id")
	p := ed.posted(at+"/move", "parent_resource_type_slug", "", "parent_resource_external_id", "").wants(200, "was moved")
	if a.may(a.ada, "project:edit", a.apollo.ID) {
		t.Error("the role on the former parent still holds")
	}
	ed.undo(p).wants(200, "was moved")
	if !a.may(a.ada, "project:edit", a.apollo.ID) {
		t.Error("the undo did not bring it back")
	}
}

// A resource with something in it is deleted only when that is ticked, and its numbers are seen before.
func TestDeleteResource(t *testing.T) {
	a := given(t).acme()
	must(a.rules.AssignRole(t.Context(), a.c, a.ada, authz.NewAssignment{Role: "maker", Resource: authz.ResourceRef{ID: a.apollo.ID}}))
	ed := a.as(operator.Editor)
	at := a.at("/resources/" + string(a.design.ID))
	ed.get(at+"/delete").wants(200, "1 resource lies directly in it", "1 member in 1 organization would change", "1 lose", "Ada", "project:edit on Apollo")
	ed.get(a.at("/resources/"+string(a.apollo.ID))+"/delete").wants(200, "1 role is held on it")
	ed.post(at+"/delete").wants(422, "must be ticked").blames("cascade_delete")
	ed.get(at).wants(200)
	ed.posted(at+"/delete", "cascade_delete", "true").wants(200, "was deleted", "No resources yet")
	home := a.at("/resources/" + string(authz.OrganizationResource(a.org)))
	ed.get(home).wants(200, "The organization itself")
	ed.post(home+"/delete", "cascade_delete", "true").wants(404)
}

// Roles on a resource are given, seen, asked about and taken off again.
func TestRolesOnResource(t *testing.T) {
	a := given(t).acme()
	bela := a.member("Bela")
	g, _ := a.group(bela)
	must(a.rules.AssignGroupRole(t.Context(), a.c, g, authz.NewAssignment{Role: "maker", Resource: authz.ResourceRef{ID: a.apollo.ID}}))
	ed := a.as(operator.Editor)
	at := a.at("/resources/" + string(a.apollo.ID))
	ed.post(at+"/add-role", "role_slug", "maker").wants(422).blames("organization_membership_id")
	ed.post(at+"/add-role", "role_slug", "payer", "organization_membership_id", string(a.ada)).wants(422, "cannot be held on a resource of the type 'project'")
	ed.posted(at+"/add-role", "role_slug", "maker", "organization_membership_id", string(a.ada)).wants(200, "Ada has the role “maker”", "given directly", "group Finance")
	ed.get(at+"/access?permission=project:edit").wants(200, "Ada", "Bela")
	ed.get(at+"/access?permission=invoices:pay").wants(200, "Nobody")
	ed.get(at + "/access?permission=nope").wants(422).blames("permission")

	held := must(a.rules.ListRoleAssignments(t.Context(), a.c, a.ada, authz.ResourceRef{ID: a.apollo.ID}, page.Request{Limit: 1, Order: page.Asc})).Items[0]
	p := ed.posted(at+"/remove-role", "organization_membership_id", string(a.ada), "role_assignment_id", string(held.ID)).wants(200, "no longer", "Bela")
	if a.may(a.ada, "project:edit", a.apollo.ID) {
		t.Error("the role is still held")
	}
	ed.undo(p).wants(200, "Ada has the role “maker”")
}
