package dashboard_test

import (
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
)

// A permission is made and changed; what is refused keeps what was typed and names the field; a change is taken back.
func TestPermissionForms(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	ed.get(h.path("/permissions")).wants(200, "No permission yet")
	p := ed.post(h.path("/new/permission"), "slug", "Not A Slug", "name", "Read invoices", "description", "kept")
	p.wants(422).blames("slug")
	if p.value("slug") != "Not A Slug" || p.value("name") != "Read invoices" || p.value("description") != "kept" {
		t.Errorf("typed was %q, %q, %q", p.value("slug"), p.value("name"), p.value("description"))
	}
	ed.posted(h.path("/new/permission"), "slug", "invoices:read", "name", "Read invoices").wants(200, "invoices:read", "was created", "no role")
	ed.post(h.path("/new/permission"), "slug", "invoices:read", "name", "Again").wants(409, "exists already")
	if next := ed.post(h.path("/new/permission"), "slug", "invoices:pay", "name", "Pay invoices", "again", "yes"); next.location != h.path("/new/permission?like=invoices%3A&type=organization") {
		t.Errorf("after it comes %s", next.location)
	}
	ed.post(h.path("/permissions/invoices:read/edit"), "name", "").wants(422).blames("name")
	edited := ed.posted(h.path("/permissions/invoices:read/edit"), "name", "See invoices", "description", "All of them").wants(200, "was saved", "See invoices", "Undo")
	if form := edited.find("form", "action", h.path("/permissions/invoices:read/edit")); form == nil {
		t.Error("there is no way back")
	}
	if p := must(h.rules.Permission(t.Context(), h.c, "invoices:read")); p.Name != "See invoices" || p.Description == nil {
		t.Errorf("it is %+v", p)
	}
	ed.get(h.path("/permissions/invoices:read/edit")).wants(200, "so it never changes")
}

// The catalogue shows who uses what, in groups, and finds what is searched for.
func TestPermissionCatalogue(t *testing.T) {
	s := givenShop(t)
	must(s.rules.EditRolePermissions(t.Context(), s.c, s.acme, "org-billing", authz.PermissionEdit{Add: "invoices:pay"}))
	look := s.as(operator.Viewer)
	list := look.get(s.path("/permissions")).wants(200, "3 permissions", "1 environment role, 1 custom role in 1 organization", "no role")
	list.lacks("Create permission", "Delete")
	look.get(s.path("/permissions?search=PAY")).wants(200, "1 of 3 permissions", "invoices:pay").lacks("projects:read")
	look.get(s.path("/permissions?use=unused")).wants(200, "2 of 3 permissions").lacks("invoices:pay")
	look.get(s.path("/permissions?search=nothing")).wants(200, "No permission matches")
	look.get(s.path("/permissions/invoices:pay")).wants(200, "Admin", "1 custom role of 1 organization").lacks("Member member")
	ed := s.as(operator.Editor)
	ed.get(s.path("/permissions/invoices:pay/holders")).wants(200, "2 members in 1 organization have it", "Acme")
	ed.get(s.path("/permissions/projects:read/holders")).wants(200, "No member of any organization has it")
	look.get(s.path("/permissions/invoices:pay/delete")).wants(403)
	look.post(s.path("/new/permission"), "slug", "mine", "name", "Mine").wants(403)
	staging := "/dashboard/env/" + string(s.staging.Environment)
	look.get(staging + "/permissions/invoices:pay").wants(404)
	ed.get(staging + "/permissions/invoices:pay/holders").wants(404)
	ed.post(staging + "/permissions/invoices:pay/delete").wants(404)
}

// A permission goes after the numbers were shown: of roles and of members.
func TestDeletePermission(t *testing.T) {
	s := givenShop(t)
	ed := s.as(operator.Editor)
	ask := ed.get(s.path("/permissions/invoices:pay/delete")).wants(200, "1 environment role", "Admin", "2 members in 1 organization lose invoices:pay")
	if ask.find("button", "class", "button danger") == nil {
		t.Error("there is nothing to confirm with")
	}
	ed.get(s.path("/permissions/projects:read/delete")).wants(200, "No role has it", "Nobody loses anything")
	ed.posted(s.path("/permissions/invoices:pay/delete")).wants(200, "was deleted and taken off every role")
	if got := s.held("", "admin"); got != "" {
		t.Errorf("admin still holds %q", got)
	}
	ed.get(s.path("/permissions/invoices:pay")).wants(404)
}

// Long catalogues come in pages that keep their filters.
func TestPermissionPages(t *testing.T) {
	h := given(t)
	for i := range 70 {
		must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "p:" + string(rune('a'+i/26)) + string(rune('a'+i%26)), Name: "P"}))
	}
	look := h.as(operator.Viewer)
	first := look.get(h.path("/permissions?use=unused&search=p:")).wants(200, "70 permissions", "p:aa", "p:bx").lacks("p:by")
	next := first.find("a", "rel", "next")
	if next == nil {
		t.Fatal("there is no next page")
	}
	if !strings.Contains(attr(next, "href"), "use=unused") {
		t.Errorf("the next page is %s", attr(next, "href"))
	}
	look.get(attr(next, "href")).wants(200, "70 permissions", "p:by", "p:cr").lacks("p:bx")
}
