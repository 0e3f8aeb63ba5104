package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A furnished world has something of everything that screens show.
type furnished struct {
	acme, initech, empty string            // organizations: with custom roles, following the environment, without anything
	members              map[string]string // of Acme, by first name
}

// furnish fills the first environment.
func furnish(t *testing.T, r *rolecall, v *visitor) *furnished {
	t.Helper()
	r.furnishRoles(t)
	w := &furnished{members: map[string]string{}}
	for i := range 30 {
		r.organization(t, fmt.Sprintf("Customer %02d", i+1))
	}
	// Lists begin with the newest, so what has most to show is made last.
	w.empty = r.organization(t, "Nobody yet")
	w.initech, w.acme = r.organization(t, "Initech"), r.organization(t, "Acme")
	r.role(t, w.acme, "org-billing", "Billing", "invoices:read", "invoices:pay", "reports:read")
	r.role(t, w.acme, "org-auditor", "Auditor", "invoices:read", "audit:read")
	for _, m := range []struct{ org, first, role string }{
		{w.acme, "Ada", "admin"}, {w.acme, "Bela", "org-billing"}, {w.acme, "Chidi", "org-auditor"}, {w.acme, "Dana", ""}, {w.acme, "Elif", "editor"},
		{w.initech, "Ines", "admin"}, {w.initech, "Jamal", "editor"}, {w.initech, "Kira", ""},
	} {
		domain := map[string]string{w.acme: "acme", w.initech: "initech"}[m.org]
		user := r.create(t, "/user_management/users", map[string]any{
			"email": strings.ToLower(m.first) + "@" + domain + ".example", "first_name": m.first, "last_name": "Example",
		})
		var roles []string
		if m.role != "" {
			roles = []string{m.role}
		}
		made := r.membership(t, m.org, user, roles...)
		if m.org == w.acme {
			w.members[m.first] = made
		}
	}
	r.furnishGroups(t, w)
	r.furnishResources(t, w)
	r.furnishOperation(t, v, w)
	v.post("/dashboard/new/person", url.Values{"email": {"sam@rolecall.example"}, "role": {"editor"}})
	return w
}

func (r *rolecall) furnishRoles(t *testing.T) {
	t.Helper()
	for _, p := range [][3]string{
		{"invoices:read", "Read invoices", "See what was billed"}, {"invoices:pay", "Pay invoices", "Release payments"}, {"invoices:export", "Export invoices", ""},
		{"projects:read", "Read projects", ""}, {"projects:edit", "Edit projects", "Change what others see"}, {"projects:delete", "Delete projects", ""},
		{"members:invite", "Invite members", ""}, {"settings:edit", "Edit settings", ""}, {"reports:read", "Read reports", ""}, {"audit:read", "Read the audit log", ""},
	} {
		body := map[string]any{"slug": p[0], "name": p[1]}
		if p[2] != "" {
			body["description"] = p[2]
		}
		r.create(t, "/authorization/permissions", body)
	}
	all := []string{"invoices:read", "invoices:pay", "projects:read", "projects:edit", "projects:delete", "members:invite", "settings:edit", "reports:read"}
	r.role(t, "", "admin", "Admin", all...)
	r.role(t, "", "manager", "Manager", "invoices:read", "projects:read", "projects:edit", "reports:read", "members:invite")
	r.role(t, "", "editor", "Editor", "projects:read", "projects:edit")
	r.call(t, "PUT", "/authorization/roles/member/permissions", map[string]any{"permissions": []string{"projects:read"}})
	r.call(t, "PUT", "/authorization/role_priority", map[string]any{"role_slugs": []string{"admin", "manager", "editor", "member"}})
}

func (r *rolecall) furnishGroups(t *testing.T, w *furnished) {
	t.Helper()
	groups := "/organizations/" + w.acme + "/groups"
	finance := r.create(t, groups, map[string]any{"name": "Finance", "description": "Pays the bills"})
	r.create(t, groups, map[string]any{"name": "Design"})
	r.call(t, "POST", groups+"/"+finance+"/organization-memberships", map[string]any{"organization_membership_id": w.members["Elif"]})
	r.call(t, "POST", groups+"/"+finance+"/organization-memberships", map[string]any{"organization_membership_id": w.members["Dana"]})
	r.create(t, "/authorization/groups/"+finance+"/role_assignments", map[string]any{"role_slug": "org-billing"})
	r.call(t, "PUT", "/user_management/organization_memberships/"+w.members["Chidi"]+"/deactivate", nil)
}

func (r *rolecall) furnishResources(t *testing.T, w *furnished) {
	t.Helper()
	r.call(t, "POST", "/authorization/resource_types", map[string]any{"slug": "workspace", "name": "Workspace", "description": "Where teams work"})
	r.call(t, "POST", "/authorization/resource_types", map[string]any{"slug": "document", "name": "Document", "parent_resource_type_slugs": []string{"workspace"}})
	r.create(t, "/authorization/permissions", map[string]any{"slug": "document:write", "name": "Write documents", "resource_type_slug": "document"})
	r.create(t, "/authorization/roles", map[string]any{"slug": "author", "name": "Author", "resource_type_slug": "document"})
	r.call(t, "PUT", "/authorization/roles/author/permissions", map[string]any{"permissions": []string{"document:write"}})
	place := func(name, kind, parent string) string {
		body := map[string]any{"external_id": strings.ToLower(name), "name": name, "resource_type_slug": kind, "organization_id": w.acme}
		if parent != "" {
			body["parent_resource_id"] = parent
		}
		return r.create(t, "/authorization/resources", body)
	}
	workspace := place("Website", "workspace", "")
	budget := place("Budget", "document", workspace)
	place("Plan", "document", workspace)
	assignments := "/authorization/organization_memberships/%s/role_assignments"
	r.create(t, fmt.Sprintf(assignments, w.members["Ada"]), map[string]any{"role_slug": "author", "resource_id": budget})
	r.create(t, fmt.Sprintf(assignments, w.members["Bela"]), map[string]any{
		"role_slug": "author", "resource_id": budget, "expires_at": time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339),
	})
}

// furnishOperation makes a webhook with deliveries, a key, and work that
// follows a change.
func (r *rolecall) furnishOperation(t *testing.T, v *visitor, w *furnished) {
	t.Helper()
	delivered := make(chan struct{}, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("thank you"))
		delivered <- struct{}{}
	}))
	t.Cleanup(receiver.Close)
	r.create(t, "/webhook_endpoints", map[string]any{"endpoint_url": receiver.URL + "/hook", "events": []string{"role.created", "role.deleted"}})
	off := r.create(t, "/webhook_endpoints", map[string]any{"endpoint_url": "https://hooks.example/rolecall", "events": []string{"group.created"}})
	r.call(t, "PATCH", "/webhook_endpoints/"+off, map[string]any{"status": "disabled"})
	v.post(r.inside("/new/key"), url.Values{"name": {"billing service"}, "may": {"everything"}})
	r.role(t, "", "trainee", "Trainee", "projects:read")
	r.membership(t, w.initech, r.user(t, "tom@initech.example"), "trainee")
	r.call(t, "POST", "/authorization/roles/trainee/deletion", map[string]any{"replacement_role_slug": "member"})
	for range 2 {
		select {
		case <-delivered:
		case <-time.After(patience):
			t.Fatal("the webhook was not called")
		}
	}
}
