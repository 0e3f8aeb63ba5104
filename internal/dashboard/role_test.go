package dashboard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"golang.org/x/net/html"
)

// A role is made with its permissions in one step; what is refused keeps what was typed.
func TestCreateRole(t *testing.T) {
	h := given(t)
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "invoices:read", Name: "Read invoices"}))
	ed := h.as(operator.Editor)
	p := ed.post(h.path("/new/role"), "name", "Billing", "slug", "Not A Slug", "description", "kept", "permissions", "invoices:read")
	p.wants(422).blames("slug")
	if p.value("name") != "Billing" || p.value("slug") != "Not A Slug" || p.value("description") != "kept" {
		t.Errorf("typed was %q, %q, %q", p.value("name"), p.value("slug"), p.value("description"))
	}
	ed.posted(h.path("/new/role"), "name", "Billing", "slug", "billing", "permissions", "invoices:read").wants(200, "Billing", "created")
	r := must(h.rules.Role(t.Context(), h.c, "", "billing"))
	if len(r.Permissions) != 1 || r.Permissions[0] != "invoices:read" {
		t.Errorf("the role holds %q", r.Permissions)
	}
}

// What the slug of a custom role begins with is fixed, and the first one says what it changes.
func TestFirstCustomRole(t *testing.T) {
	h := given(t)
	org := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")})).ID
	ed := h.as(operator.Editor)
	base := "/organizations/" + string(org)
	ed.get(h.path(base+"/roles")).wants(200, "no custom role yet")
	ed.get(h.path(base+"/new/role")).wants(200, "first custom role of Acme", "its own priority order and its own default role")
	ed.posted(h.path(base+"/new/role"), "name", "Billing", "slug", "billing").wants(200, "Billing")
	if r := must(h.rules.Role(t.Context(), h.c, org, "org-billing")); !r.Custom() {
		t.Error("the role is not the organization's own")
	}
	ed.get(h.path(base+"/roles")).wants(200, "own order and default")
	ed.get(h.path(base + "/new/role")).wants(200).lacks("first custom role")
}

// Before it is saved, an edit says how many members gain and lose; the undo brings back what was.
func TestEditRoleForesees(t *testing.T) {
	h := given(t)
	h.furnish(h.c)
	ctx := t.Context()
	must(h.rules.CreatePermission(ctx, h.c, authz.NewPermission{Slug: "doc:write", Name: "Write"}))
	ed := h.as(operator.Editor)
	form := []string{"was_name", "Member", "name", "Member", "permissions", "doc:write"}
	edit := h.path("/roles/member/edit")
	ed.post(edit, append(form, "step", "preview")...).wants(200, "+doc:write", "1 member in 1 organization would change", "1 gain")
	if r := must(h.rules.Role(ctx, h.c, "", "member")); len(r.Permissions) != 0 {
		t.Fatalf("looking at it changed it: %q", r.Permissions)
	}
	p := ed.posted(edit, append(form, "step", "save")...).wants(200, "was saved", "doc:write")
	if p.find("button", "class", "button small") == nil {
		t.Error("nothing takes it back")
	}
	ed.posted(edit, "was_name", "Member", "was_permissions", "doc:write", "name", "Member")
	if r := must(h.rules.Role(ctx, h.c, "", "member")); len(r.Permissions) != 0 {
		t.Errorf("after the undo it holds %q", r.Permissions)
	}
}

// Who saves second sees what the first one changed, with his own changes on top, and loses nothing.
func TestConcurrentEdit(t *testing.T) {
	h := given(t)
	h.furnish(h.c)
	ctx := t.Context()
	for _, slug := range []string{"doc:write", "doc:share"} {
		must(h.rules.CreatePermission(ctx, h.c, authz.NewPermission{Slug: slug, Name: slug}))
	}
	one, two := h.as(operator.Editor), h.as(operator.Editor)
	edit := h.path("/roles/reader/edit")
	seen := []string{"was_name", "Reader", "was_permissions", "doc:read"}
	one.posted(edit, append(seen, "name", "Librarian", "permissions", "doc:write", "permissions", "doc:read")...)
	p := two.post(edit, append(seen, "name", "Reader", "description", "Reads", "permissions", "doc:share")...)
	p.wants(409, one.person.Name+" saved this role", "renamed it to “Librarian”", "added doc:write")
	if p.value("was_name") != "Librarian" || p.value("name") != "Librarian" || p.value("description") != "Reads" {
		t.Errorf("merged: was %q, name %q, description %q", p.value("was_name"), p.value("name"), p.value("description"))
	}
	ticked := map[string]bool{}
	for n := range p.doc.Descendants() {
		if n.Data == "input" && attr(n, "name") == "permissions" && hasAttr(n, "checked") {
			ticked[attr(n, "value")] = true
		}
	}
	if len(ticked) != 2 || !ticked["doc:write"] || !ticked["doc:share"] {
		t.Errorf("the merged edit has %v, want what one added, and what two put in the place of doc:read", ticked)
	}
	if r := must(h.rules.Role(ctx, h.c, "", "reader")); r.Name != "Librarian" || len(r.Permissions) != 2 {
		t.Errorf("the second edit was saved unseen: %+v", r)
	}
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// A role in use is not deleted before its replacement and every new default were chosen, with the numbers in sight; then
// its members hold the replacement at once.
func TestDeleteRoleWithReplacement(t *testing.T) {
	h := given(t)
	w := h.furnish(h.c)
	ctx := t.Context()
	org := id.Organization(w["org"])
	must(h.rules.SetDefault(ctx, h.c, org, "reader"))
	must(h.rules.UpdateMember(ctx, h.c, id.Membership(w["member"]), authz.RolesInput{Slug: authz.Some("reader")}))
	ed := h.as(operator.Editor)
	at := h.path("/roles/reader/delete")
	p := ed.get(at).wants(200, "Given to 1 member.", "1 organization has it as their own default", "Secret Corp")
	if b := p.find("button", "value", "delete"); b == nil || !hasAttr(b, "disabled") {
		t.Error("it can be deleted before anything was chosen")
	}
	ed.post(at, "step", "delete", "confirm", "reader").wants(422).blames("replacement_role_slug")
	ed.post(at, "step", "delete", "confirm", "reader", "replacement_role_slug", "member").wants(409)
	full := []string{"replacement_role_slug", "org-own", "default_role_slug", "member"}
	ed.post(at, append(full, "step", "delete", "confirm", "reader")...).wants(422)
	full[1] = "member"
	ed.post(at, append(full, "step", "preview")...).wants(200, "1 member in 1 organization would change", "1 lose")
	ed.post(at, append(full, "step", "delete", "confirm", "Reader")...).wants(422).blames("confirm")
	gone := ed.post(at, append(full, "step", "delete", "confirm", "reader")...)
	if gone.status != 303 || !strings.Contains(gone.location, "/jobs/") {
		t.Fatalf("deleted: %d to %s: %s", gone.status, gone.location, gone.text())
	}
	m := must(h.rules.Member(ctx, h.c, id.Membership(w["member"])))
	if len(m.Held) != 1 || m.Held[0].Role.Slug != "member" {
		t.Errorf("the member holds %+v", m.Held)
	}
	if pol := must(h.rules.Policy(ctx, h.c, org)); pol.Roles[0].Slug == "reader" {
		t.Error("the role is still there")
	}
}

// The order is the page's, by buttons where there is no JavaScript, and can be taken back.
func TestOrderRoles(t *testing.T) {
	h := given(t)
	h.furnish(h.c)
	ed := h.as(operator.Editor)
	order := func() string { return strings.Join(slugsOf(must(h.rules.Policy(t.Context(), h.c, "")).Roles), " ") }
	if order() != "member reader" {
		t.Fatalf("the order is %s", order())
	}
	ed.posted(h.path("/order"), "up", "reader").wants(200, "The new order holds")
	if order() != "reader member" {
		t.Errorf("one up: %s", order())
	}
	ed.posted(h.path("/order"), "role", "member", "role", "reader")
	if order() != "member reader" {
		t.Errorf("all: %s", order())
	}
	ed.post(h.path("/order"), "role", "member").wants(422)
	h.as(operator.Viewer).post(h.path("/order"), "up", "reader").wants(403)
}

func slugsOf(roles []authz.Role) (all []string) {
	for _, r := range roles {
		all = append(all, r.Slug)
	}
	return all
}

// An order that takes something from somebody says from how many before it holds; every other one holds at once.
func TestOrderAsks(t *testing.T) {
	a := given(t).acme()
	ed := a.as(operator.Editor)
	list, order := a.path("/roles"), a.path("/order")
	present := func() []string {
		var all []string
		for _, r := range must(a.rules.Policy(t.Context(), a.c, "")).Roles {
			all = append(all, r.Slug)
		}
		return all
	}
	before := present()
	fields := func(slugs []string) (form []string) {
		for _, s := range slugs {
			form = append(form, "role", s)
		}
		return form
	}
	// Somebody who holds both keeps the higher, and so loses what only the other one has.
	g, _ := a.group(a.ada)
	must(a.rules.CreatePermission(t.Context(), a.c, authz.NewPermission{Slug: "top:secret", Name: "Top"}))
	must(a.rules.CreateRole(t.Context(), a.c, "", authz.NewRole{Slug: authz.Some("low"), Name: "Low"}))
	must(a.rules.CreateRole(t.Context(), a.c, "", authz.NewRole{Slug: authz.Some("top"), Name: "Top", Permissions: authz.Some([]string{"top:secret"})}))
	must(a.rules.SetPriority(t.Context(), a.c, "", append([]string{"top", "low"}, before...)))
	for _, slug := range []string{"top", "low"} {
		must(a.rules.AssignGroupRole(t.Context(), a.c, g, authz.NewAssignment{Role: slug}))
	}
	before = present()
	wanted := append([]string{"low", "top"}, before[2:]...)

	ed.post(order, fields(wanted)...).wants(200, "Change the order?", "1 member in 1 organization would change", "1 lose")
	if got := present(); !slices.Equal(got, before) {
		t.Fatalf("asking changed the order to %q", got)
	}
	p := ed.posted(order, append(fields(wanted), "sure", "yes")...).wants(200, "The new order holds")
	if got := present(); !slices.Equal(got, wanted) {
		t.Fatalf("the order is %q", got)
	}
	ed.undo(p)
	if got := present(); !slices.Equal(got, before) {
		t.Errorf("after the undo the order is %q", got)
	}
	last := len(before) - 1
	ed.posted(order, "up", before[last]).wants(200, "The new order holds")
	ed.get(list).wants(200)
}

// The list of roles is narrowed by what its address says.
func TestRolesAreNarrowed(t *testing.T) {
	a := given(t).acme()
	v := a.as(operator.Viewer)
	must(a.rules.CreatePermission(t.Context(), a.c, authz.NewPermission{Slug: "top:secret", Name: "Top"}))
	must(a.rules.CreateRole(t.Context(), a.c, "", authz.NewRole{Slug: authz.Some("keeper"), Name: "Keeper of secrets", Permissions: authz.Some([]string{"top:secret"})}))
	v.get(a.path("/roles?permission=top:secret")).wants(200, "Keeper of secrets", "1 of 4 roles").lacks("Reader")
	v.get(a.path("/roles?held=nobody")).wants(200, "Keeper of secrets")
	v.get(a.path("/roles?held=somebody")).wants(200).lacks("Keeper of secrets")
	v.get(a.path("/roles?search=nothing-like-it")).wants(200, "No role matches")
}

// A new role can begin as a template, which is made of the permissions that there are.
func TestRoleFromTemplate(t *testing.T) {
	h := given(t)
	for _, slug := range []string{"doc:read", "doc:write"} {
		must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: slug, Name: slug}))
	}
	p := h.as(operator.Editor).get(h.path("/new/role?like=template:viewer")).wants(200, "Administrator").lacks("Billing: ")
	var ticked []string
	for n := range p.doc.Descendants() {
		if attr(n, "name") == "permissions" && hasAttr(n, "checked") {
			ticked = append(ticked, attr(n, "value"))
		}
	}
	if p.value("name") != "Viewer" || !slices.Equal(ticked, []string{"doc:read"}) {
		t.Errorf("the template is %q with %q", p.value("name"), ticked)
	}
}
