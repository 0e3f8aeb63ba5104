package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
)

// work does all background work.
func (h *house) work() {
	h.Helper()
	for must(h.rules.Work(h.Context(), "test")) {
	}
}

// Multiple roles are switched off after seeing who keeps which role, and the way leads to the progress of the work.
func TestSwitchMultipleRoles(t *testing.T) {
	h := given(t)
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "invoices:pay", Name: "Pay"}))
	must(h.rules.CreateRole(t.Context(), h.c, "", authz.NewRole{Slug: authz.Some("clerk"), Name: "Clerk", Permissions: authz.Some([]string{"invoices:pay"})}))
	org := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	u := must(h.rules.CreateUser(t.Context(), h.c, authz.UserInput{Email: authz.Some("ada@acme.example")}))
	ed := h.as(operator.Editor)
	mode := h.path("/settings/mode")
	ed.get(h.path("/settings")).wants(200, "1 organization ", "Multiple roles off")
	ed.get(mode+"?multiple_roles=on").wants(200, "Nobody would gain or lose anything", "Switch on")
	ed.posted(mode, "multiple_roles", "on").wants(200, "Multiple roles are on")
	h.work()
	must(h.rules.CreateMembership(t.Context(), h.c, u.ID, org.ID, authz.RolesInput{Slugs: authz.Some([]string{"member", "clerk"})}))

	p := ed.get(mode+"?multiple_roles=off").wants(200, "1 member in 1 organization would change", "1 lose", "ada@acme.example", "Acme", "member, clerk", "cannot be undone")
	if !p.ready("Switch off") || !p.links(h.path("/organizations/"+string(org.ID))) {
		t.Error("the numbers are not followed by the switch, or the organization is no link")
	}
	if !must(h.rules.Environment(t.Context(), h.c)).MultipleRoles {
		t.Error("looking has switched it off")
	}
	job := ed.posted(mode, "multiple_roles", "off").wants(200, "Multiple roles are off", "running", "0 of 1 member")
	if box := job.find("div", "id", "job"); attr(box, "hx-trigger") != "every 1s" {
		t.Error("the progress does not renew itself")
	}
	address := attr(job.find("div", "id", "job"), "hx-get")
	ed.get(mode+"?multiple_roles=on").wants(409, "Try again when that job is finished")
	ed.get(h.path("/settings")).wants(200, "still being moved")
	h.work()
	done := ed.get(address).wants(200, "finished", "1 of 1 member", "All is done")
	if box := done.find("div", "id", "job"); attr(box, "hx-trigger") != "" {
		t.Error("the progress renews itself for ever")
	}
	ed.get(h.path("/jobs")).wants(200, "Multiple roles switched off", "finished", ed.person.Name)
	viewer := h.as(operator.Viewer)
	if viewer.get(h.path("/settings")).wants(200).links(mode + "?multiple_roles=on") {
		t.Error("a viewer is offered the switch")
	}
	viewer.post(mode, "multiple_roles", "on").wants(http.StatusForbidden)
}

// Who keeps which role goes over pages; the switch stands only where the numbers are.
func TestSwitchPages(t *testing.T) {
	h := given(t)
	must(h.rules.SetMultipleRoles(t.Context(), h.c, true))
	h.work()
	must(h.rules.CreateRole(t.Context(), h.c, "", authz.NewRole{Slug: authz.Some("clerk"), Name: "Clerk"}))
	org := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	for i := range 30 {
		u := must(h.rules.CreateUser(t.Context(), h.c, authz.UserInput{Email: authz.Some(fmt.Sprintf("user-%02d@acme.example", i))}))
		must(h.rules.CreateMembership(t.Context(), h.c, u.ID, org.ID, authz.RolesInput{Slugs: authz.Some([]string{"member", "clerk"})}))
	}
	ed := h.as(operator.Editor)
	mode := h.path("/settings/mode")
	p := ed.get(mode+"?multiple_roles=off").wants(200, "30 members in 1 organization", "user-24@", "Next members").lacks("user-25@")
	next := ""
	for n := range p.doc.Descendants() {
		if strings.Contains(attr(n, "href"), "after=") {
			next = attr(n, "href")
		}
	}
	p = ed.get(next).wants(200, "user-25@", "user-29@", "Back to the numbers").lacks("user-24@", "Next members")
	if p.ready("Switch off") {
		t.Error("it can be switched where its numbers are not")
	}
}

// A job of another environment does not exist.
func TestForeignJobs(t *testing.T) {
	h := given(t)
	must(h.rules.SetMultipleRoles(t.Context(), h.staging, true))
	boss := h.as(operator.Owner)
	list := boss.get("/dashboard/env/"+string(h.staging.Environment)+"/jobs").wants(200, "Events about changed roles")
	for n := range list.doc.Descendants() {
		if _, below, found := strings.Cut(attr(n, "href"), "/jobs/"); found {
			boss.get(h.path("/jobs/" + below)).wants(http.StatusNotFound)
		}
	}
	boss.get(h.path("/jobs")).wants(200, "No work yet")
	boss.get(h.path("/jobs/nothing")).wants(http.StatusNotFound)
}

// Owners make environments; a name that cannot be is named and kept.
func TestCreateEnvironment(t *testing.T) {
	h := given(t)
	boss := h.as(operator.Owner)
	boss.post("/dashboard/new/environment", "name", "").wants(422).blames("name")
	if p := boss.post("/dashboard/new/environment", "name", "staging").wants(409, "exists already"); p.value("name") != "staging" {
		t.Errorf("what was typed is lost: %q", p.value("name"))
	}
	boss.posted("/dashboard/new/environment", "name", "review").wants(200, "Environment review is there", "Member")
	ed := h.as(operator.Editor)
	if ed.get("/dashboard/environments").wants(200, "production", "staging", "review").links("/dashboard/new/environment") {
		t.Error("an editor is offered to make one")
	}
}
