package dashboard_test

import (
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"golang.org/x/net/html"
)

// shop is an environment with permissions, two roles and an organization with a custom role and three members.
type shop struct {
	*house
	acme id.Organization
}

func givenShop(t *testing.T) shop {
	t.Helper()
	h := given(t)
	ctx := t.Context()
	for _, slug := range []string{"invoices:read", "invoices:pay", "projects:read"} {
		must(h.rules.CreatePermission(ctx, h.c, authz.NewPermission{Slug: slug, Name: "Name of " + slug}))
	}
	must(h.rules.CreateRole(ctx, h.c, "", authz.NewRole{Slug: authz.Some("admin"), Name: "Admin", Permissions: authz.Some([]string{"invoices:pay"})}))
	org := must(h.rules.CreateOrganization(ctx, h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	must(h.rules.CreateRole(ctx, h.c, org.ID, authz.NewRole{Slug: authz.Some("org-billing"), Name: "Billing"}))
	for i, role := range []string{"admin", "admin", "member"} {
		u := must(h.rules.CreateUser(ctx, h.c, authz.UserInput{Email: authz.Some(fmt.Sprintf("u%d@acme.example", i))}))
		must(h.rules.CreateMembership(ctx, h.c, u.ID, org.ID, authz.RolesInput{Slug: authz.Some(role)}))
	}
	return shop{house: h, acme: org.ID}
}

// held is what a role holds.
func (h *house) held(org id.Organization, slug string) string {
	h.Helper()
	return strings.Join(must(h.rules.Role(h.Context(), h.c, org, slug)).Permissions, " ")
}

// ticking is the fields of the form of a matrix page, as a browser sends them, with some cells turned over.
func (p *shown) ticking(turned ...string) []string {
	p.Helper()
	var fields []string
	for n := range p.doc.Descendants() {
		if n.Data != "input" || !slices.Contains([]string{"shown", "was", "cell"}, attr(n, "name")) {
			continue
		}
		value := attr(n, "value")
		checked := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" })
		if i := slices.Index(turned, value); i >= 0 && attr(n, "name") == "cell" {
			checked, turned = !checked, slices.Delete(slices.Clone(turned), i, i+1)
		}
		if attr(n, "type") == "hidden" || checked {
			fields = append(fields, attr(n, "name"), value)
		}
	}
	if len(turned) > 0 {
		p.Errorf("there are no cells %q", turned)
	}
	return fields
}

// reviewed is the fields of a review, as a browser sends them.
func (p *shown) reviewed() []string {
	var fields []string
	for n := range p.doc.Descendants() {
		if n.Data == "input" && slices.Contains([]string{"from", "add", "remove"}, attr(n, "name")) {
			fields = append(fields, attr(n, "name"), attr(n, "value"))
		}
	}
	return fields
}

// Cells are ticked and unticked, reviewed with who gains and loses, applied in one go and taken back.
func TestMatrix(t *testing.T) {
	s := givenShop(t)
	ed := s.as(operator.Editor)
	m := ed.get(s.path("/matrix")).wants(200, "invoices:pay", "Admin", "Member")
	review := ed.post(s.path("/matrix/review"), m.ticking("admin:invoices:pay", "admin:invoices:read", "member:projects:read")...)
	review.wants(200, "3 changes of 2 roles", "Admin", "2 members in 1 organization would change: 2 gain , 2 lose", "1 member in 1 organization would change: 1 gain , 0 lose")
	if s.held("", "admin") != "invoices:pay" {
		t.Error("the review saved")
	}
	ed.post(s.path("/matrix/review"), append(review.reviewed(), "step", "wait", "only", "member")...).wants(200, "3 changes of 2 roles", "1 member in 1 organization would change").lacks("2 members in 1 organization")
	back := ed.post(s.path("/matrix/review"), append(review.reviewed(), "back", "yes")...).wants(200, "not saved yet")
	if again := strings.Join(back.ticking(), " "); !strings.Contains(again, "cell admin:invoices:read") || strings.Contains(again, "cell admin:invoices:pay") {
		t.Errorf("the way back lost changes: %s", again)
	}
	done := ed.posted(s.path("/matrix/apply"), review.reviewed()...).wants(200, "Saved: Member, Admin.", "Undo")
	if a, m := s.held("", "admin"), s.held("", "member"); a != "invoices:read" || m != "projects:read" {
		t.Errorf("admin holds %q and member %q", a, m)
	}
	var undo []string
	for n := range done.find("div", "id", "told").Descendants() {
		if n.Data == "input" {
			undo = append(undo, attr(n, "name"), attr(n, "value"))
		}
	}
	ed.posted(s.path("/matrix/apply"), undo...)
	if a, m := s.held("", "admin"), s.held("", "member"); a != "invoices:pay" || m != "" {
		t.Errorf("taken back, admin holds %q and member %q", a, m)
	}
}

// What others changed since somebody looked is shown to him before he saves, and neither change is lost.
func TestMatrixConcurrently(t *testing.T) {
	s := givenShop(t)
	first, second := s.as(operator.Editor), s.as(operator.Editor)
	m := first.get(s.path("/matrix"))
	review := first.post(s.path("/matrix/review"), m.ticking("admin:invoices:read")...)
	second.posted(s.path("/matrix/apply"), second.post(s.path("/matrix/review"), m.ticking("admin:projects:read")...).reviewed()...)
	refused := first.post(s.path("/matrix/apply"), review.reviewed()...)
	refused.wants(409, "Nothing was saved", second.person.Name+" changed this role", "added projects:read", "Gains 1 permission")
	if got := s.held("", "admin"); got != "invoices:pay projects:read" {
		t.Fatalf("admin holds %q", got)
	}
	first.posted(s.path("/matrix/apply"), refused.reviewed()...).wants(200, "Saved: Admin.")
	if got := s.held("", "admin"); got != "invoices:pay invoices:read projects:read" {
		t.Errorf("admin holds %q", got)
	}

	stale := first.post(s.path("/matrix/review"), m.ticking("admin:invoices:pay")...)
	stale.wants(200, "after you had seen it", "added invoices:read")
	if err := s.rules.DeletePermission(t.Context(), s.c, "invoices:read"); err != nil {
		t.Fatal(err)
	}
	first.post(s.path("/matrix/review"), m.ticking("member:invoices:read")...).wants(200, "Not there any more", "permission invoices:read")
}

// An organization's matrix shows what it inherits and changes only what is its own.
func TestMatrixOfOrganization(t *testing.T) {
	s := givenShop(t)
	ed := s.as(operator.Editor)
	path := s.path("/organizations/" + string(s.acme) + "/matrix")
	m := ed.get(path).wants(200, "Matrix of Acme", "Billing", "Admin")
	if strings.Contains(m.raw, `value="admin:`) {
		t.Error("an environment role can be ticked")
	}
	// A form that was made by hand changes environment roles no more than the page does.
	ed.post(path+"/apply", "add", "admin:invoices:read", "from", "admin:invoices:pay")
	ed.posted(path+"/apply", ed.post(path+"/review", m.ticking("org-billing:invoices:pay")...).wants(200, "1 change of 1 role of Acme").reviewed()...)
	if a, b := s.held("", "admin"), s.held(s.acme, "org-billing"); a != "invoices:pay" || b != "invoices:pay" {
		t.Errorf("admin holds %q and billing %q", a, b)
	}
}

// A page of the matrix stays light however large the matrix is, and every window of it has an address.
func TestMatrixWindows(t *testing.T) {
	h := given(t)
	for i := range 25 {
		must(h.rules.CreateRole(t.Context(), h.c, "", authz.NewRole{Slug: authz.Some(fmt.Sprintf("r%02d", i)), Name: fmt.Sprintf("Role %02d", i)}))
	}
	for i := range 130 {
		must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: fmt.Sprintf("p:%03d", i), Name: "P"}))
	}
	ed := h.as(operator.Editor)
	first := ed.get(h.path("/matrix")).wants(200, "Roles 1 to 20 of 26", "Permissions 1 to 100 of 130")
	if n := strings.Count(first.raw, `type="checkbox"`); n != 2000 {
		t.Errorf("%d cells are shown", n)
	}
	last := ed.get(h.path("/matrix?first_role=21&first_permission=101")).wants(200, "Roles 21 to 26 of 26", "Permissions 101 to 130 of 130", "r24", "p:129")
	last.lacks("r18", "p:099")
	if !last.links(h.path("/matrix?first_permission=101&first_role=1")) {
		t.Error("no way to the roles before")
	}
	ed.get(h.path("/matrix?search=12&roles=r03")).wants(200, "Roles 1 to 1 of 1", "Permissions 1 to 12 of 12", "p:012", "p:129")
	ed.get(h.path("/matrix?search=nothing")).wants(200, "No permission matches")
	ed.get(h.path("/matrix?first_role=0")).wants(422, "first_role must be a whole number")
	// What is outside of the window keeps what it had.
	ed.posted(h.path("/matrix/apply"), ed.post(h.path("/matrix/review"), first.ticking("r00:p:000")...).reviewed()...)
	const window = "?first_permission=101&search=p%3A"
	far := ed.get(h.path("/matrix" + window))
	if far.find("form", "action", h.path("/matrix/review"+window)) == nil {
		t.Error("the form forgets its window")
	}
	review := ed.post(h.path("/matrix/review"+window), far.ticking("r00:p:129")...).wants(200, "1 change")
	ed.post(attr(review.find("button", "name", "back"), "formaction"), append(review.reviewed(), "back", "yes")...).wants(200, "Permissions 101 to 130 of 130", "not saved yet")
	done := ed.post(attr(review.find("form", "id", "review"), "action"), review.reviewed()...)
	if done.location != h.path("/matrix"+window) {
		t.Errorf("after the window at its end comes %s", done.location)
	}
	if got := h.held("", "r00"); got != "p:000 p:129" {
		t.Errorf("the role holds %q", got)
	}
}

// A permission cannot be ticked for a role that cannot have it.
func TestMatrixTypes(t *testing.T) {
	h := given(t)
	must(h.rules.CreateResourceType(t.Context(), h.c, authz.NewResourceType{Slug: "project", Name: "Project"}))
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "pay", Name: "Pay"}))
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "plan", Name: "Plan", ResourceType: authz.Some("project")}))
	must(h.rules.CreateRole(t.Context(), h.c, "", authz.NewRole{Slug: authz.Some("planner"), Name: "Planner", ResourceType: authz.Some("project")}))
	ed := h.as(operator.Editor)
	m := ed.get(h.path("/matrix")).wants(200, "Planner")
	if !strings.Contains(m.raw, `value="planner:plan"`) || strings.Contains(m.raw, `value="planner:pay"`) || !strings.Contains(m.raw, `value="member:plan"`) {
		t.Error("the wrong cells can be ticked")
	}
	review := ed.post(h.path("/matrix/review"), "shown", "pay", "was", "planner:", "cell", "planner:pay").wants(200, "cannot take effect")
	ed.post(h.path("/matrix/apply"), review.reviewed()...).wants(409, "cannot take effect")
	if got := h.held("", "planner"); got != "" {
		t.Errorf("the role holds %q", got)
	}
}

// The matrix leaves as a table that no spreadsheet takes for formulas.
func TestMatrixExport(t *testing.T) {
	s := givenShop(t)
	must(s.rules.CreatePermission(t.Context(), s.c, authz.NewPermission{Slug: "-1", Name: "=cmd|'/c calc'!A0"}))
	a := s.as(operator.Viewer).get(s.path("/matrix/export?roles=admin")).wants(200)
	got, err := csv.NewReader(strings.NewReader(a.raw)).ReadAll()
	want := [][]string{
		{"permission", "name", "resource_type", "admin"}, {"'-1", "'=cmd|'/c calc'!A0", "organization", ""},
		{"invoices:pay", "Name of invoices:pay", "organization", "yes"}, {"invoices:read", "Name of invoices:read", "organization", ""},
		{"projects:read", "Name of projects:read", "organization", ""},
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || a.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%v as %s, %v", got, a.header.Get("Content-Type"), err)
	}
}

// Who may only look sees the matrix and cannot touch it; an organization of another environment is not there.
func TestMatrixWalls(t *testing.T) {
	s := givenShop(t)
	look := s.as(operator.Viewer)
	if m := look.get(s.path("/matrix")).wants(200, "Admin"); strings.Contains(m.raw, "checkbox") {
		t.Error("a viewer can tick")
	}
	for _, path := range []string{"/matrix/review", "/matrix/apply"} {
		look.post(s.path(path), "add", "admin:invoices:read").wants(403)
	}
	foreign := "/dashboard/env/" + string(s.staging.Environment) + "/organizations/" + string(s.acme) + "/matrix"
	ed := s.as(operator.Editor)
	for _, path := range []string{"", "/export"} {
		ed.get(foreign + path).wants(404)
	}
	ed.post(foreign+"/apply", "add", "org-billing:invoices:pay").wants(404)
	if got := s.held(s.acme, "org-billing"); got != "" {
		t.Errorf("the role holds %q", got)
	}
}
