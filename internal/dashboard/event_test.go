package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
)

// newest is the newest event of a caller's environment.
func (h *house) newest(c authz.Caller, types ...string) id.Event {
	h.Helper()
	found := must(h.rules.ListEvents(h.Context(), c, authz.EventFilter{Types: types}, page.Request{Limit: 1, Order: page.Desc}))
	if len(found.Items) == 0 {
		h.Fatalf("there is no event of %q", types)
	}
	return found.Items[0].ID
}

// What happened is told with who did it, and shows both sides of what changed.
func TestEventsShowBeforeAndAfter(t *testing.T) {
	h := given(t)
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "invoices:read", Name: "Read"}))
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "invoices:pay", Name: "Pay"}))
	org := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	must(h.rules.CreateRole(t.Context(), h.c, org.ID, authz.NewRole{Slug: authz.Some("org-clerk"), Name: "Clerk", Permissions: authz.Some([]string{"invoices:read"})}))
	ed := h.as(operator.Editor)
	by := authz.Caller{Environment: h.c.Environment, Actor: ed.person.Actor()}
	must(h.rules.EditRolePermissions(t.Context(), by, org.ID, "org-clerk", authz.PermissionEdit{Set: authz.Some([]string{"invoices:pay"})}))

	ed.get(h.path("/events")).wants(200, "Custom role changed", "Clerk", "− invoices:read", "+ invoices:pay", ed.person.Name, "in the dashboard", "Acme", "Organization created")
	at := "/events/" + string(h.newest(h.c, "organization_role.updated"))
	p := ed.get(h.path(at)).wants(200, "Custom role changed", "Before and after", "− invoices:read", "+ invoices:pay", "stayed", `"previous_attributes"`)
	if p.find("del", "", "") == nil || p.find("ins", "", "") == nil {
		t.Error("what was taken and what was added are not marked")
	}
	own := h.path("/organizations/" + string(org.ID))
	if !ed.get(own+"/events").wants(200, "Custom role changed").lacks("Permission created").links(own + at) {
		t.Error("the organization's tab does not lead to its event")
	}
	ed.get(own+at).wants(200, "Before and after")
}

// Events are narrowed to several kinds and to days; the pages keep that; what cannot be is named.
func TestEventFilters(t *testing.T) {
	h := given(t)
	for i := range 30 {
		must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some(fmt.Sprint("Organization ", i))}))
	}
	must(h.rules.CreateUser(t.Context(), h.c, authz.UserInput{Email: authz.Some("ada@acme.example")}))
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "invoices:read", Name: "Read"}))
	ed := h.as(operator.Viewer)
	first := ed.get(h.path("/events?events=organization.created&events=user.created")).wants(200, "User created", "Organization 29").lacks("Permission created", "Organization 3 ")
	next := first.find("a", "rel", "next")
	if next == nil {
		t.Fatal("there is no next page")
	}
	ed.get(attr(next, "href")).wants(200, "Organization 3").lacks("User created", "Organization 29")
	ed.get(h.path("/events?range_end=2020-01-31")).wants(200, "No event matches").lacks("Nothing happened yet")
	ed.get(h.path("/events?events=role.invented")).wants(422, "role.invented")
	p := ed.get(h.path("/events?range_start=yesterday")).wants(422, "range_start", "must be a time")
	if p.value("range_start") != "yesterday" {
		t.Errorf("what was typed is lost: %q", p.value("range_start"))
	}
}

// An event of another environment, or of another organization, does not exist.
func TestForeignEvents(t *testing.T) {
	h := given(t)
	acme := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	globex := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Globex")}))
	must(h.rules.CreateOrganization(t.Context(), h.staging, authz.OrganizationInput{Name: authz.Some("Secret")}))
	must(h.rules.UpdateOrganization(t.Context(), h.c, acme.ID, authz.OrganizationInput{Name: authz.Some("Acme 2")}))
	v := h.as(operator.Viewer)
	foreign := string(h.newest(h.staging))
	if p := v.get(h.path("/events/" + foreign)).wants(http.StatusNotFound); strings.Contains(p.raw, "Secret") {
		t.Error("another environment's event is shown")
	}
	v.get(h.path("/events?after=" + foreign)).wants(422).lacks("Acme")
	v.get(h.path("/organizations/" + string(globex.ID) + "/events/" + string(h.newest(h.c)))).wants(http.StatusNotFound).lacks("Acme")
	v.get(h.path("/events/nothing")).wants(http.StatusNotFound)
}
