package dashboard_test

import (
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/dashboard"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// However long it takes to say whom a change concerns, its page is there before, and the change waits for the numbers:
// with JavaScript the page asks its own form again, without it a button does.
func TestNumbersThatTakeLong(t *testing.T) {
	a := given(t).acme()
	h := a.house
	g, group := a.group(a.ada)
	must(h.rules.AssignGroupRole(t.Context(), h.c, g, authz.NewAssignment{Role: "payer"}))
	must(h.rules.AssignRole(t.Context(), h.c, id.Membership(a.ada), authz.NewAssignment{Role: "payer"}))
	must(h.rules.SetMultipleRoles(t.Context(), h.c, true))
	ed := h.as(operator.Editor)
	dashboard.HurryUp(h.door)
	for _, c := range []struct {
		address, button string
		form            []string // that asks for the numbers; empty where the page begins with them
		known           string
	}{
		{h.path("/roles/payer/edit"), "Save", []string{"was_name", "Payer", "was_permissions", "invoices:pay", "name", "Payer", "permissions", "project:edit", "permissions", "invoices:pay"}, "would change"},
		{h.path("/roles/payer/delete"), "Delete the role", []string{"replacement_role_slug", "member", "confirm", "payer"}, "would change"},
		{h.path("/default?role_slug=payer"), "Make it the default", nil, "gain or lose"},
		{h.path("/permissions/invoices:pay/delete"), "Delete permission", nil, "1 member in 1 organization loses"},
		{group + "/delete", "Delete the group", nil, "gain or lose"},
		{a.at("/resources/" + string(a.apollo.ID) + "/delete"), "Delete the resource", nil, "1 lose"},
		{h.path("/settings/mode?multiple_roles=off"), "Switch off", nil, "gain or lose"},
	} {
		address, query, _ := strings.Cut(c.address, "?")
		form := c.form
		page := ed.get(c.address)
		if c.form != nil {
			page = ed.post(address, append(form, "step", "preview")...)
		} else if name, value, ok := strings.Cut(query, "="); ok {
			form = []string{name, value}
		}
		page.wants(200, "Working out who is concerned")
		late := page.find("div", "hx-trigger", "load")
		if page.ready(c.button) || !page.ready("Wait for the numbers") || late == nil || attr(late, "hx-post") != address {
			t.Errorf("%s: the numbers are not asked for, or the change does not wait for them", c.address)
		}
		page = ed.post(address, append(form, "step", "wait")...).wants(200, c.known).lacks("Working out")
		if !page.ready(c.button) {
			t.Errorf("%s: with its numbers, %q cannot be pressed", c.address, c.button)
		}
	}
	if n := len(must(h.rules.ListRoles(t.Context(), h.c, ""))); n < 3 {
		t.Errorf("looking changed something: %d roles", n)
	}
}

// Where even waiting is not enough, that is said where the numbers would be, and nothing is deleted unseen.
func TestNumbersThatTakeTooLong(t *testing.T) {
	a := given(t).acme()
	ed := a.as(operator.Editor)
	dashboard.HurryUp(a.door)
	dashboard.GiveUp(a.door)
	for _, address := range []string{
		a.path("/permissions/invoices:pay/delete"), a.path("/roles/payer/delete"), a.at("/resources/" + string(a.apollo.ID) + "/delete"),
	} {
		p := ed.post(address, "step", "wait", "replacement_role_slug", "member").wants(503, "Counting was given up")
		if said := p.find("p", "id", "consequences"); said == nil || p.find("button", "class", "button danger") != nil {
			t.Errorf("%s: it is not said where the numbers would be", address)
		}
	}
	ed.get(a.path("/permissions/invoices:pay/holders")).wants(200, "Counting was given up")
}
