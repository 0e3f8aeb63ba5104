package dashboard_test

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// The list says where each role comes from, and is narrowed by role and status in its address.
func TestListMembers(t *testing.T) {
	h := given(t)
	c := h.customer()
	ctx := t.Context()
	bob := must(h.rules.CreateUser(ctx, h.c, authz.UserInput{Email: authz.Some("bob@acme.example")}))
	other := must(h.rules.CreateMembership(ctx, h.c, bob.ID, c.org.ID, authz.RolesInput{}))
	g := must(h.rules.CreateGroup(ctx, h.c, c.org.ID, authz.NewGroup{Name: "Finance"}))
	must(h.rules.AssignGroupRole(ctx, h.c, g.ID, authz.NewAssignment{Role: "writer"}))
	must(h.rules.AddGroupMember(ctx, h.c, c.org.ID, g.ID, c.member.ID))
	v := h.as(operator.Viewer)
	list := c.path + "/members"
	v.get(list).wants(200, "Ann Bell", "ann@acme.example", "Writer group Finance", "bob@acme.example", "Member default")
	v.get(list+"?role_slug=writer").wants(200, "Ann Bell").lacks("bob@")
	v.get(list+"?role_slug=reader").wants(200, "No member matches")
	must(h.rules.DeactivateMember(ctx, h.c, other.ID))
	v.get(list+"?status=inactive").wants(200, "bob@").lacks("Ann Bell")
	v.get(list+"?status=active").wants(200, "Ann Bell").lacks("bob@")
	v.get(list+"?status=bogus").wants(422, "statuses")
	p := h.as(operator.Editor).get(c.one).wants(200, "group Finance", "change it at the group", "doc:write", "2 permissions on the organization")
	if !p.links(h.path("/check?membership=" + string(c.member.ID))) {
		t.Error("the member does not link to the check")
	}
}

// Somebody is found and added, or made in the same step; a refusal keeps what was typed.
func TestAddMember(t *testing.T) {
	h := given(t)
	c := h.customer()
	ctx := t.Context()
	bob := must(h.rules.CreateUser(ctx, h.c, authz.UserInput{Email: authz.Some("bob@acme.example")}))
	ed := h.as(operator.Editor)
	add := c.path + "/new/member"
	p := ed.get(add+"?search=bob").wants(200, "bob@acme.example", "The default")
	if p.find("input", "value", string(bob.ID)) == nil {
		t.Fatal("who was found cannot be chosen")
	}
	ed.get(add+"?search=ann@acme").wants(200, "is a member already")
	ed.post(add, "user_id", string(c.member.Person.ID)).wants(409, "already has an active membership")
	p = ed.post(add, "user_id", "", "email", "not an address", "first_name", "Cy", "role_slugs", "writer").wants(422).blames("email")
	if p.value("email") != "not an address" || p.value("first_name") != "Cy" {
		t.Error("what was typed is lost")
	}
	ed.post(add, "user_id", "", "email", "ann@acme.example").wants(422, "already used").blames("email")
	p = ed.posted(add, "user_id", string(bob.ID), "role_slugs", "").wants(200, "bob@acme.example is a member of Acme", "Member", "the default when the member was added")
	ed.undo(p).wants(200, "no longer a member")
	if n := must(h.rules.OrganizationSize(ctx, h.c, c.org.ID)).Members.N; n != 1 {
		t.Errorf("after the undo there are %d members", n)
	}
	ed.posted(add, "user_id", "", "email", "cy@acme.example", "first_name", "Cy", "role_slugs", "writer").wants(200, "Cy is a member of Acme", "Writer", "given directly")
}

// Before roles are saved, the form says what the member gains and loses, and saving can be taken back.
func TestEditMemberRoles(t *testing.T) {
	h := given(t)
	c := h.customer()
	ed := h.as(operator.Editor)
	form := c.one + "/roles"
	p := ed.get(form).wants(200, "Roles of Ann Bell", "Permissions stay as they are")
	if box := p.find("input", "value", "reader"); box == nil || attr(box, "type") != "radio" {
		t.Error("members hold one role, which is not a choice of one")
	}
	ed.post(form, "role_slugs", "writer", "step", "preview").wants(200, "Then in effect: Writer", "gains 1 permission", "+doc:write")
	ed.post(form, "role_slugs", "member", "step", "preview").wants(200, "loses 1 permission", "−doc:read")
	h.holds(c, "reader")
	ed.post(form, "step", "save").wants(422, "must name at least one role")
	ed.post(form, "role_slugs", "reader", "role_slugs", "writer").wants(422, "Multiple roles are not enabled")
	p = ed.posted(form, "role_slugs", "writer", "step", "save").wants(200, "Ann Bell now has Writer")
	h.holds(c, "writer")
	ed.undo(p).wants(200, "Ann Bell now has Reader")
	h.holds(c, "reader")

	must(h.rules.SetMultipleRoles(t.Context(), h.c, true))
	if box := ed.get(form).find("input", "value", "reader"); box == nil || attr(box, "type") != "checkbox" {
		t.Error("members hold several roles, which is not a choice of several")
	}
	ed.posted(form, "role_slugs", "reader", "role_slugs", "writer", "step", "save").wants(200, "Ann Bell now has Writer, Reader")
	h.holds(c, "writer", "reader")
}

// What a group gives stays whatever is chosen, and the form foresees that.
func TestEditRolesBesideAGroup(t *testing.T) {
	h := given(t)
	c := h.customer()
	ctx := t.Context()
	g := must(h.rules.CreateGroup(ctx, h.c, c.org.ID, authz.NewGroup{Name: "Finance"}))
	must(h.rules.AssignGroupRole(ctx, h.c, g.ID, authz.NewAssignment{Role: "writer"}))
	must(h.rules.AddGroupMember(ctx, h.c, c.org.ID, g.ID, c.member.ID))
	ed := h.as(operator.Editor)
	ed.post(c.one+"/roles", "role_slugs", "member", "step", "preview").wants(200, "Groups give this member roles, too", "Then in effect: Writer", "Permissions stay as they are")
	ed.posted(c.one+"/roles", "role_slugs", "member", "step", "save")
	h.holds(c, "writer")
	for _, a := range must(h.rules.ListRoleAssignments(ctx, h.c, c.member.ID, authz.ResourceRef{}, pageOf(10))).Items {
		if a.Group != "" {
			remove := c.one + "/assignments/" + string(a.ID) + "/remove"
			ed.get(remove).wants(200, "comes from the group Finance").lacks("It can be undone")
			ed.post(remove).wants(422, "comes from group")
		}
	}
	h.holds(c, "writer")
}

// A role is given for a time, is taken off, and comes back with its times when that is undone.
func TestAssignForATime(t *testing.T) {
	h := given(t)
	c := h.customer()
	ed := h.as(operator.Editor)
	assign := c.one + "/assign"
	p := ed.post(assign, "role_slug", "writer", "starts_at", "2099-01-01T08:00", "expires_at", "2098-01-01T08:00").wants(422).blames("expires_at")
	if p.value("starts_at") != "2099-01-01T08:00" {
		t.Error("what was typed is lost")
	}
	ed.post(assign, "role_slug", "writer", "starts_at", "tomorrow").wants(422).blames("starts_at")
	ed.post(assign, "role_slug", "").wants(422, "must be chosen")
	ed.post(assign, "role_slug", "writer", "resource_type_slug", "project", "resource_external_id", "p1").wants(422, "names no resource of Acme").blames("resource_external_id")
	ed.posted(assign, "role_slug", "writer", "expires_at", "2099-01-01T08:00").wants(200, "Ann Bell is assigned writer", "until 1 Jan 2099 08:00 UTC")
	h.holds(c, "writer")

	var given authz.RoleAssignment
	for _, a := range must(h.rules.ListRoleAssignments(t.Context(), h.c, c.member.ID, authz.ResourceRef{}, pageOf(10))).Items {
		if a.Slug == "writer" {
			given = a
		}
	}
	remove := c.one + "/assignments/" + string(given.ID) + "/remove"
	ed.get(remove).wants(200, "Take off Writer", "loses 1 permission", "−doc:write", "Then in effect: Reader")
	h.holds(c, "writer")
	p = ed.posted(remove).wants(200, "Ann Bell is no longer assigned Writer")
	h.holds(c, "reader")
	ed.undo(p).wants(200, "until 1 Jan 2099 08:00 UTC")
	h.holds(c, "writer")
}

// Deactivating says what it means, answers checks with no, and can be undone.
func TestDeactivateMember(t *testing.T) {
	h := given(t)
	c := h.customer()
	ed := h.as(operator.Editor)
	ed.get(c.one+"/deactivate").wants(200, "answers no at once", "1 role", "1 permission", "0 groups")
	if !h.may(c, "doc:read") {
		t.Fatal("looking at it did it")
	}
	p := ed.posted(c.one+"/deactivate").wants(200, "inactive", "checks answer no")
	if h.may(c, "doc:read") {
		t.Error("a check of an inactive member answers yes")
	}
	ed.undo(p).wants(200, "Ann Bell is active again")
	if !h.may(c, "doc:read") {
		t.Error("after the undo a check answers no")
	}
}

// Removing names what ends. It can be undone where that brings back everything, and only there.
func TestRemoveMember(t *testing.T) {
	h := given(t)
	c := h.customer()
	ctx := t.Context()
	ed := h.as(operator.Editor)
	ed.get(c.one+"/remove").wants(200, "1 membership ends", "0 groups", "0 assignments on resources")
	p := ed.posted(c.one+"/remove").wants(200, "Ann Bell is no longer a member of Acme", "No member yet")
	ed.get(c.one).wants(404)
	ed.undo(p).wants(200, "Ann Bell is a member of Acme", "Reader", "given directly")

	members := must(h.rules.ListMembers(ctx, h.c, authz.MembershipFilter{Organization: c.org.ID}, pageOf(10))).Items
	g := must(h.rules.CreateGroup(ctx, h.c, c.org.ID, authz.NewGroup{Name: "G"}))
	must(h.rules.AddGroupMember(ctx, h.c, c.org.ID, g.ID, members[0].ID))
	again := c.path + "/members/" + string(members[0].ID)
	ed.get(again+"/remove").wants(200, "1 group")
	if ed.posted(again + "/remove").undoable() {
		t.Error("an undo is offered that would not bring the group back")
	}
}

// A membership is not shown or changed below an organization that it does not belong to.
func TestMembersStayInTheirOrganization(t *testing.T) {
	h := given(t)
	c := h.customer()
	other := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Other")}))
	ed := h.as(operator.Editor)
	elsewhere := h.path("/organizations/" + string(other.ID) + "/members/" + string(c.member.ID))
	ed.get(elsewhere).wants(404)
	ed.post(elsewhere + "/remove").wants(404)
	foreign := must(h.rules.CreateUser(t.Context(), h.staging, authz.UserInput{Email: authz.Some("x@staging.example")}))
	ed.post(c.path+"/new/member", "user_id", string(foreign.ID)).wants(404)
	h.holds(c, "reader")
}

// The table of who has access is CSV, with everybody in it, and no cell is taken for a formula.
func TestExportAccess(t *testing.T) {
	h := given(t)
	c := h.customer()
	ctx := t.Context()
	evil := "=1+1"
	u := must(h.rules.CreateUser(ctx, h.c, authz.UserInput{Email: authz.Some("bob@acme.example"), Name: authz.Some(&evil)}))
	bob := must(h.rules.CreateMembership(ctx, h.c, u.ID, c.org.ID, authz.RolesInput{}))
	must(h.rules.DeactivateMember(ctx, h.c, bob.ID))
	v := h.as(operator.Viewer)
	if !v.get(c.path + "/members").links(c.path + "/access") {
		t.Error("the members do not link to it")
	}
	p := v.get(c.path + "/access")
	rows, err := csv.NewReader(strings.NewReader(p.raw)).ReadAll()
	if err != nil || !strings.HasPrefix(p.header.Get("Content-Type"), "text/csv") || len(rows) != 3 {
		t.Fatalf("%v, %s, %q", err, p.header.Get("Content-Type"), rows)
	}
	if got := strings.Join(rows[1][2:], "|"); got != "ann@acme.example|Ann Bell|active|reader|doc:read" {
		t.Errorf("the first row is %q", got)
	}
	if got := strings.Join(rows[2][2:], "|"); got != "bob@acme.example|'=1+1|inactive|member|" {
		t.Errorf("the second row is %q", got)
	}
	v.get(c.path + "/access?role_slug=nobody").wants(404)
	v.get(h.path("/organizations/" + string(id.Organization("org_01JZ0000000000000000000000")) + "/access")).wants(404)
}

// A role on a resource is given by the resource's external id, is counted when the member goes, and is taken off there.
func TestAssignOnAResource(t *testing.T) {
	h := given(t)
	c := h.customer()
	ctx := t.Context()
	must(h.rules.CreateResourceType(ctx, h.c, authz.NewResourceType{Slug: "project", Name: "Project"}))
	must(h.rules.CreatePermission(ctx, h.c, authz.NewPermission{Slug: "project:ship", Name: "Ship", ResourceType: authz.Some("project")}))
	must(h.rules.CreateRole(ctx, h.c, "", authz.NewRole{Slug: authz.Some("lead"), Name: "Lead", ResourceType: authz.Some("project"), Permissions: authz.Some([]string{"project:ship"})}))
	must(h.rules.CreateResource(ctx, h.c, authz.NewResource{Organization: c.org.ID, Type: "project", ExternalID: "p1", Name: "Apollo"}))
	ed := h.as(operator.Editor)
	ed.post(c.one+"/assign", "role_slug", "lead").wants(422, "scoped to 'project'")
	p := ed.posted(c.one+"/assign", "role_slug", "lead", "resource_type_slug", "project", "resource_external_id", "p1").
		wants(200, "Ann Bell is assigned lead on project p1", "Lead p1 project")
	ed.get(c.one+"/remove").wants(200, "1 permission on the organization and 1 on resources below it", "1 assignment on a resource")
	remove := ""
	for n := range p.doc.Descendants() {
		if href := attr(n, "href"); strings.Contains(href, "/remove?resource_id=") && strings.Contains(attr(n, "aria-label"), "Lead") {
			remove = href
		}
	}
	ed.get(remove).wants(200, "Ann Bell loses 1 permission on that resource", "−project:ship")
	p = ed.posted(remove).wants(200, "Ann Bell is no longer assigned Lead on project p1").lacks("Lead p1 project")
	ed.undo(p).wants(200, "Lead p1 project")
}
