package dashboard_test

import (
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
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
