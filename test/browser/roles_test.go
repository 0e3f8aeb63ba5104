package browser_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What people do with roles.

// TestCatalogueAndRoles begins where everybody begins: with the link that the
// server announced, and nothing but the role that is always there.
func TestCatalogueAndRoles(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	p.see("There is no permission yet, so roles cannot allow anything.")
	p.click("link", "Add permissions first")
	p.click("link", "Create the first permission")
	dialog := p.within("dialog", "Create permission")
	dialog.fill("Slug", "invoices:read")
	dialog.fill("Name", "Read invoices")
	dialog.click("button", "Create permission")
	p.hasNot("dialog", "Create permission")
	p.see("Permission “invoices:read” was created. No role has it yet.")
	p.visit(r.inside("/permissions"))
	p.click("link", "Create permission")
	dialog.fill("Slug", "invoices:read")
	dialog.fill("Name", "Again")
	dialog.click("button", "Create permission")
	dialog.see("Slug")
	dialog.holds("Name", "Again")
	dialog.fill("Slug", "invoices:pay")
	dialog.fill("Name", "Pay invoices")
	dialog.click("button", "Create permission")
	p.hasNot("dialog", "Create permission")

	p.click("link", "Roles")
	p.click("link", "Create role")
	dialog = p.within("dialog", "Create role")
	dialog.fill("Name", "Chief Accountant")
	dialog.holds("Slug", "chief-accountant")
	dialog.fill("Slug", "accountant") // one's own stays
	dialog.fill("Name", "Accountant")
	dialog.holds("Slug", "accountant")
	dialog.click("checkbox", "invoices:pay Pay invoices")
	dialog.click("button", "Create role")
	p.hasNot("dialog", "Create role")
	p.see("Accountant")
	role := r.call(t, "GET", "/authorization/roles/accountant", nil)
	if fmt.Sprint(role["permissions"]) != "[invoices:pay]" {
		t.Errorf("the role must have the permission that was chosen with it, got %v", role["permissions"])
	}
}

// TestFirstCustomRole changes for an organization what it follows.
func TestFirstCustomRole(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read", "invoices:pay")
	acme := r.organization(t, "Acme")
	r.membership(t, acme, r.user(t, "ada@acme.example"))

	p.click("link", "Organizations")
	p.click("link", "Acme")
	p.within("navigation", "Organization").click("link", "Roles")
	p.at(r.inside("/organizations/" + acme + "/roles"))
	p.see("This organization has no custom role yet, so it follows the environment.")
	p.click("link", "Create role")
	dialog := p.within("dialog", "Create role")
	dialog.see("This is the first custom role of Acme. From now on the organization has its own priority order and its own default role")
	dialog.see("Nobody’s access changes.")
	for _, typed := range []struct{ letters, slug string }{{"Année", "annee"}, {" 2: Bil", "annee-2-bil"}, {"ling!", "annee-2-billing"}} {
		p.write(typed.letters)
		dialog.holds("Slug (generated when empty)", typed.slug) // after the prefix that stands before the field
	}
	dialog.see("org-")
	dialog.click("checkbox", "invoices:pay")
	p.look("dialog first custom role")
	dialog.click("button", "Create role")
	p.hasNot("dialog", "Create role")
	p.see("Role “Année 2: Billing!” was created, at the bottom of the order.")
	p.visit(r.inside("/organizations/" + acme + "/roles"))
	p.see("The organization’s own order and default")
	p.order("Member", "Année 2: Billing", "org-annee-2-billing")
	priority := r.call(t, "GET", "/authorization/organizations/"+acme+"/role_priority", nil)
	if fmt.Sprint(priority["role_slugs"]) != "[member org-annee-2-billing]" || priority["source"] != "organization" {
		t.Errorf("the organization must have an order of its own, got %v", priority)
	}
	p.click("link", "Create role")
	p.has("dialog", "Create role")
	p.notSee("This is the first custom role")
}

// TestOrder is changed by hand, by mouse and by keys.
func TestOrder(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	for _, name := range []string{"Admin", "Editor", "Guest"} {
		r.role(t, "", map[string]string{"Admin": "admin", "Editor": "editor", "Guest": "guest"}[name], name)
	}
	r.call(t, "PUT", "/authorization/role_priority", map[string]any{"role_slugs": []string{"admin", "editor", "guest", "member"}})
	ordered := func(slugs ...string) {
		t.Helper()
		p.order(slugs...)
		priority := r.call(t, "GET", "/authorization/role_priority", nil)["role_slugs"].([]any)
		if !slices.EqualFunc(priority, slugs, func(a any, b string) bool { return a == b }) {
			t.Errorf("the order must be %v, got %v", slugs, priority)
		}
	}
	p.reload()
	p.dragRole("guest", "admin")
	p.see("The new order holds")
	ordered("guest", "admin", "editor", "member")
	p.dragRole("guest", "editor")
	p.see("The new order holds")
	ordered("admin", "editor", "guest", "member")

	// By keys alone, and what is moved keeps the focus.
	for range 40 {
		p.press("Tab")
		if name, err := evaluate[string](p.ctx, `document.activeElement.ariaLabel ?? ''`); err == nil && name == "Guest higher" {
			break
		}
	}
	p.focused("button", "Guest higher")
	p.press("Enter")
	p.focused("button", "Guest higher")
	ordered("admin", "guest", "editor", "member")
	p.press("Space")
	p.focused("button", "Guest lower") // there is no higher
	ordered("guest", "admin", "editor", "member")
	p.reload()
	ordered("guest", "admin", "editor", "member")
}

// dragRole takes a role by its handle and drops it where another one is.
func (p *page) dragRole(slug, onto string) {
	p.tb.Helper()
	spot := func(slug string) spot {
		at, err := evaluate[spot](p.ctx, fmt.Sprintf(`(() => {
		  const handle = document.querySelector('tr[data-id="%s"] .handle'), box = handle.getBoundingClientRect();
		  return {x: box.x + box.width / 2, y: box.y + box.height / 2, height: handle.closest('tr').offsetHeight, why: ''};
		})()`, slug))
		if err != nil {
			p.tb.Fatal(err)
		}
		return at
	}
	start, end := spot(slug), spot(onto)
	if end.Y > start.Y {
		end.Y += end.Height / 4
	} else {
		end.Y -= end.Height / 4
	}
	p.do("drag "+slug, p.dragging(start, end))
	p.rest()
}

// TestDefault is chosen with who would be concerned, and taken back.
func TestDefault(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.role(t, "", "guest", "Guest")
	p.visit(r.inside("/roles/guest"))
	p.click("link", "Make default")
	dialog := p.within("dialog", "Default role")
	dialog.see("Nobody would gain or lose anything.")
	dialog.click("button", "Make it the default")
	p.hasNot("dialog", "Default role")
	p.within("row", "guest").see("default")
	p.click("button", "Undo")
	p.within("row", "member").see("default")
	if got := r.call(t, "GET", "/authorization/default_role", nil); fmt.Sprint(got["role"]) == "guest" {
		t.Errorf("undo must bring the default back, got %v", got)
	}
}

// TestEdit shows who gains and loses while the form is filled in, and can be
// taken back.
func TestEdit(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read", "invoices:pay", "reports:read")
	r.role(t, "", "editor", "Editor", "invoices:read", "reports:read")
	for _, name := range []string{"Acme", "Globex"} {
		r.membership(t, r.organization(t, name), r.user(t, "ada@"+name+".example"), "editor")
	}
	p.visit(r.inside("/roles/editor"))
	p.click("link", "Edit")
	p.see("No permission is changed.")
	p.click("checkbox", "invoices:pay")
	p.see("2 members in 2 organizations would change: 2 gain, 0 lose permissions.")
	p.click("checkbox", "reports:read")
	p.see("2 members in 2 organizations would change: 2 gain, 2 lose permissions.")
	p.look("role edited, before it is saved")
	if got := r.permissionsOf(t, "editor"); !slices.Equal(got, []string{"invoices:read", "reports:read"}) {
		t.Errorf("nothing may be saved yet, got %v", got)
	}
	p.click("button", "Save")
	p.see("The role was saved.")
	if got := r.permissionsOf(t, "editor"); !slices.Equal(got, []string{"invoices:pay", "invoices:read"}) {
		t.Errorf("what was ticked must be saved, got %v", got)
	}
	p.click("button", "Undo")
	p.see("The role was saved.")
	if got := r.permissionsOf(t, "editor"); !slices.Equal(got, []string{"invoices:read", "reports:read"}) {
		t.Errorf("undo must bring back what was there, got %v", got)
	}
}

// A click on Save is not lost when what the form foresees arrives while the button is held down.
func TestSaveWhileNumbersArrive(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read")
	r.role(t, "", "editor", "Editor")
	p.visit(r.inside("/roles/editor/edit"))
	save := p.reach(wanted{[]string{"button"}, "Save"})
	p.do("hold Save down", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, save.X, save.Y),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, save.X, save.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	p.until("the box is ticked", func(ctx context.Context) error { // by the page, as the hand is busy
		_, err := evaluate[bool](ctx, `document.querySelector('input[value="invoices:read"]').click() ?? true`)
		return err
	})
	p.until("the numbers have come", func(ctx context.Context) error {
		if come, err := evaluate[bool](ctx, `performance.getEntriesByType('resource').some((e) => e.name.endsWith('/edit') && e.responseEnd > 0)`); err != nil || !come {
			return errors.Join(err, errors.New("they have not"))
		}
		return p.frame(ctx)
	})
	p.do("let go of Save", chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, save.X, save.Y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	p.see("The role was saved.")
}

// permissionsOf asks for what an environment role holds, in order.
func (r *rolecall) permissionsOf(t *testing.T, role string) (slugs []string) {
	t.Helper()
	for _, slug := range r.call(t, "GET", "/authorization/roles/"+role, nil)["permissions"].([]any) {
		slugs = append(slugs, slug.(string))
	}
	slices.Sort(slugs)
	return slugs
}

// TestConcurrentEdit: who saves second sees what the first one changed, and
// nothing of either is lost.
func TestConcurrentEdit(t *testing.T) {
	t.Parallel()
	r := start(t)
	olive := r.owner(t)
	eve := olive.invite("editor", "Eve", "eve@rolecall.example")
	r.permissions(t, "invoices:read", "invoices:pay", "reports:read")
	r.role(t, "", "clerk", "Clerk", "invoices:read")
	for _, p := range []*page{olive, eve} {
		p.visit(r.inside("/roles/clerk/edit"))
	}
	olive.click("checkbox", "invoices:pay")
	olive.see("Nobody would gain or lose anything.") // what comes moves the button
	olive.click("button", "Save")
	olive.see("The role was saved.")

	eve.fill("Name", "Senior clerk")
	eve.click("checkbox", "reports:read")
	eve.see("Nobody would gain or lose anything.")
	eve.click("button", "Save")
	eve.see("Olive saved this role while you were editing it. Nothing of yours was lost and nothing was saved yet.")
	eve.see("added invoices:pay")
	eve.holds("Name", "Senior clerk")
	for _, slug := range []string{"invoices:read", "invoices:pay", "reports:read"} {
		eve.is("checkbox", slug, "checked", "true")
	}
	eve.look("role edited by two")
	eve.click("button", "Save")
	eve.see("The role was saved.")
	eve.has("heading", "Senior clerk")
	if got := r.permissionsOf(t, "clerk"); !slices.Equal(got, []string{"invoices:pay", "invoices:read", "reports:read"}) {
		t.Errorf("what both added must be there, got %v", got)
	}
}

// TestCustomRoleDeletion asks for what takes the place of a role that members
// have.
func TestCustomRoleDeletion(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read", "invoices:pay")
	acme := r.organization(t, "Acme")
	r.role(t, acme, "org-clerk", "Clerk", "invoices:read", "invoices:pay")
	r.role(t, acme, "org-reader", "Reader", "invoices:read")
	ada := r.membership(t, acme, r.user(t, "ada@acme.example"), "org-clerk")
	p.visit(r.inside("/organizations/" + acme + "/roles/org-clerk"))
	p.click("link", "Delete…")
	dialog := p.within("dialog", "Delete Clerk?")
	dialog.see("Given to 1 member.")
	dialog.is("button", "Delete the role", "disabled", "true")
	dialog.choose("Those who hold it get", "Reader (org-reader)")
	dialog.see("1 member in 1 organization would change: 0 gain, 1 lose permissions.")
	dialog.click("button", "Delete the role")
	p.see("“Clerk” is gone.")
	p.see("All is done.")
	if got := r.roleOf(t, ada); got != "org-reader" {
		t.Errorf("the member must have the replacement, got %s", got)
	}
	p.visit(r.inside("/organizations/" + acme + "/roles"))
	p.notSee("org-clerk")
}

// roleOf is the role of a membership.
func (r *rolecall) roleOf(t *testing.T, membership string) string {
	t.Helper()
	role, _ := r.call(t, "GET", "/user_management/organization_memberships/"+membership, nil)["role"].(map[string]any)
	return fmt.Sprint(role["slug"])
}

// TestWithoutJavaScript does what matters with plain pages, links and forms.
func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	r := start(t)
	session := r.owner(t).session()
	p := takeOver(t, r.address, session)
	p.withoutScripts()
	r.permissions(t, "invoices:read", "invoices:pay")
	p.visit(r.inside("/roles"))
	p.click("link", "Create role")
	p.at(r.inside("/new/role"))
	p.fill("Name", "Clerk")
	p.fill("Slug", "Not a slug")
	p.click("button", "Create role")
	p.see("Nothing was saved yet")
	p.holds("Name", "Clerk")
	p.fill("Slug", "clerk")
	p.click("checkbox", "invoices:read")
	p.click("button", "Create role")
	p.see("Clerk")

	p.visit(r.inside("/roles"))
	p.order("Member", "Clerk")
	p.click("button", "Clerk higher")
	p.at(r.inside("/roles"))
	p.order("Clerk", "Member")

	ada := r.membership(t, r.organization(t, "Acme"), r.user(t, "ada@acme.example"), "clerk")
	p.click("link", "Clerk")
	p.click("link", "Edit")
	p.click("checkbox", "invoices:pay")
	p.click("button", "Show who is affected")
	p.see("1 member in 1 organization would change: 1 gain, 0 lose permissions.")
	p.is("checkbox", "invoices:pay", "checked", "true")
	p.click("button", "Save")
	p.see("The role was saved.")

	p.click("link", "Delete…")
	p.choose("Those who hold it get", "Member (member)")
	p.fill("Type clerk to confirm", "clerk")
	p.click("button", "Show who is affected")
	p.see("1 member in 1 organization would change: 0 gain, 1 lose permissions.")
	p.holds("Type clerk to confirm", "clerk")
	p.click("button", "Delete the role")
	p.see("“Clerk” is gone.")
	p.until("the work is done", func(context.Context) error {
		jobs := r.call(t, "GET", "/authorization/jobs", nil)["data"].([]any)
		if state := jobs[0].(map[string]any)["state"]; state != "finished" {
			return fmt.Errorf("it is %s", state)
		}
		return nil
	})
	p.reload()
	p.see("All is done.")
	if got := r.roleOf(t, ada); got != "member" {
		t.Errorf("the member must have the replacement, got %s", got)
	}
}
