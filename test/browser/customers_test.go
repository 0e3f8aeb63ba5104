package browser_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/rolecall/rolecall/internal/dashboard"
)

// What people do for their customers: members, groups, and the question why
// somebody may do something.

// TestMember is added, deactivated and brought back.
func TestMember(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read")
	r.role(t, "", "clerk", "Clerk", "invoices:read")
	p.visit(r.inside("/organizations"))
	p.click("link", "Create the first organization")
	dialog := p.within("dialog", "Create organization")
	dialog.fill("Name", "Acme")
	dialog.click("button", "Create organization")
	p.see("Acme is there. It follows the environment’s roles until its first custom role.")

	p.within("navigation", "Organization").click("link", "Members")
	p.click("link", "Add the first member")
	dialog = p.within("dialog", "Add a member")
	dialog.fill("E-mail address", "ada@acme.example")
	dialog.fill("First name (optional)", "Ada")
	dialog.click("radio", "Clerk clerk · 1 permission")
	dialog.click("button", "Add member")
	p.see("Ada")
	p.see("given directly")
	orgs := r.call(t, "GET", "/organizations", nil)["data"].([]any)
	acme := fmt.Sprint(orgs[0].(map[string]any)["id"])
	members := r.call(t, "GET", "/user_management/organization_memberships?organization_id="+acme, nil)["data"].([]any)
	ada := fmt.Sprint(members[0].(map[string]any)["id"])
	if got := r.roleOf(t, ada); got != "clerk" {
		t.Errorf("the member must have the role that was chosen, got %s", got)
	}

	p.click("link", "Deactivate…")
	p.within("dialog", "Deactivate Ada").click("button", "Deactivate")
	p.see("Ada is inactive in Acme: checks answer no.")
	r.may(t, ada, "invoices:read", false)
	p.click("button", "Undo")
	p.see("Ada is active again in Acme.")
	r.may(t, ada, "invoices:read", true)
}

// may asks the API what a member may do.
func (r *rolecall) may(t *testing.T, membership, permission string, want bool) {
	t.Helper()
	check := r.call(t, "POST", "/authorization/organization_memberships/"+membership+"/check", map[string]any{"permission_slug": permission})
	if check["authorized"] != want {
		t.Errorf("may %s: want %t, got %v", permission, want, check)
	}
}

// TestGroup gives a role to its members, and the check says that it comes from
// there.
func TestGroup(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read", "invoices:pay")
	r.role(t, "", "clerk", "Clerk", "invoices:pay")
	r.call(t, "PUT", "/authorization/role_priority", map[string]any{"role_slugs": []string{"clerk", "member"}})
	acme := r.organization(t, "Acme")
	ada := r.membership(t, acme, r.user(t, "ada@acme.example"))
	p.visit(r.inside("/organizations/" + acme + "/groups"))
	p.click("link", "Create the first group")
	dialog := p.within("dialog", "Create group")
	dialog.fill("Name", "Finance")
	dialog.click("button", "Create group")
	p.see("Group “Finance” was created.")
	p.click("link", "Give a role")
	dialog = p.within("dialog", "Give Finance a role")
	dialog.choose("Role", "Clerk (clerk)")
	dialog.click("button", "Give the role")
	p.see("Group “Finance” has the role “clerk” now.")
	p.click("link", "Add a member")
	p.within("dialog", "Add a member to Finance").click("button", "Add ada@acme.example")
	p.within("table", "Members of Finance").see("ada@acme.example")
	r.may(t, ada, "invoices:pay", true)

	p.click("link", "Check access")
	p.fill("Member", "ada@")
	p.click("link", "Choose ada@acme.example in Acme")
	p.fill("Permission", "invoices:pay")
	p.click("button", "Check")
	p.see("Yes")
	p.see("ada@acme.example may invoices:pay on Acme.")
	p.order("Member", "ada@acme.example", "Group", "Finance", "Role", "Clerk", "Permission", "invoices:pay")
	p.look("check with its reason")
	p.reload()
	p.see("through group Finance")
	p.fill("Permission", "invoices:read")
	p.click("button", "Check")
	p.see("ada@acme.example may not invoices:read on Acme.")
	p.see("What would allow it")
	p.look("check answered no")
}

// TestForbidden: a viewer sees everything and changes nothing, an editor
// decides about nobody.
func TestForbidden(t *testing.T) {
	t.Parallel()
	r := start(t)
	olive := r.owner(t)
	vera := olive.invite("viewer", "Vera", "vera@rolecall.example")
	eve := olive.invite("editor", "Eve", "eve@rolecall.example")
	furnish(t, r, r.visitor(t, olive.session()))

	vera.visit(r.inside("/roles"))
	vera.see("Admin")
	vera.hasNot("link", "Create role")
	vera.hasNot("button", "Admin lower")
	vera.hasNot("link", "People")
	vera.visit(r.inside("/roles/editor"))
	vera.hasNot("link", "Delete…")
	vera.visit(r.inside("/roles/editor/delete"))
	vera.has("heading", "You may not do this")
	vera.see("Your role here is viewer, and this needs the role editor. An owner can give it to you.")
	vera.look("error not allowed")

	everything := r.visitor(t, olive.session()).crawl("/dashboard", "/dashboard")
	forbids(t, r.visitor(t, vera.session()), everything, "editor", "owner")
	forbids(t, r.visitor(t, eve.session()), everything, "owner")
}

// forbids requires that nothing leads the visitor to what needs one of the
// roles, and that it is refused to who goes there nevertheless.
func forbids(t *testing.T, v *visitor, everything []find, roles ...string) {
	t.Helper()
	above := func(f find) bool { return f.screen != nil && slices.Contains(roles, string(f.screen.Needs)) }
	for _, f := range v.crawl("/dashboard", "/dashboard") {
		if above(f) {
			t.Errorf("%s leads to %s, which is refused", f.from, f.path)
		}
	}
	tried := make(map[*dashboard.Screen]bool)
	for _, f := range everything {
		if !above(f) || tried[f.screen] {
			continue
		}
		tried[f.screen] = true
		if _, status := v.links(f.path); status != 403 {
			t.Errorf("%s answers %d", f.path, status)
		}
	}
	if len(tried) < 5 {
		t.Errorf("only %d screens were tried", len(tried))
	}
}
