package dashboard_test

import (
	"github.com/rolecall/rolecall/internal/authz"
	"golang.org/x/net/html"
)

// undoable says whether a page offers to take back what was done.
func (p *shown) undoable() bool {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "form" && n.Parent != nil && attr(n.Parent, "id") == "told" {
			return true
		}
	}
	return false
}

// customer is an organization with one member, and roles to choose from.
type customer struct {
	org    authz.Organization
	member authz.Member
	path   string // of the organization
	one    string // of the member
}

// customer makes the organization Acme with the member Ann Bell, and the roles reader (doc:read) and writer (doc:read,
// doc:write), highest last.
func (h *house) customer() customer {
	h.Helper()
	ctx := h.Context()
	for _, slug := range []string{"doc:read", "doc:write"} {
		must(h.rules.CreatePermission(ctx, h.c, authz.NewPermission{Slug: slug, Name: slug}))
	}
	must(h.rules.CreateRole(ctx, h.c, "", authz.NewRole{Slug: authz.Some("reader"), Name: "Reader", Permissions: authz.Some([]string{"doc:read"})}))
	must(h.rules.CreateRole(ctx, h.c, "", authz.NewRole{Slug: authz.Some("writer"), Name: "Writer", Permissions: authz.Some([]string{"doc:read", "doc:write"})}))
	must(h.rules.SetPriority(ctx, h.c, "", []string{"writer", "reader", "member"}))
	first, last := "Ann", "Bell"
	u := must(h.rules.CreateUser(ctx, h.c, authz.UserInput{Email: authz.Some("ann@acme.example"), FirstName: authz.Some(&first), LastName: authz.Some(&last)}))
	var c customer
	c.org = must(h.rules.CreateOrganization(ctx, h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	c.member = must(h.rules.CreateMembership(ctx, h.c, u.ID, c.org.ID, authz.RolesInput{Slug: authz.Some("reader")}))
	c.path = h.path("/organizations/" + string(c.org.ID))
	c.one = c.path + "/members/" + string(c.member.ID)
	return c
}

// holds fails unless these are the roles in effect of the member, highest first.
func (h *house) holds(c customer, slugs ...string) {
	h.Helper()
	var has []string
	for _, held := range must(h.rules.Member(h.Context(), h.c, c.member.ID)).Held {
		has = append(has, held.Role.Slug)
	}
	if len(has) != len(slugs) {
		h.Fatalf("the member holds %q, want %q", has, slugs)
	}
	for i := range has {
		if has[i] != slugs[i] {
			h.Fatalf("the member holds %q, want %q", has, slugs)
		}
	}
}

// may says whether a check answers yes for the member.
func (h *house) may(c customer, permission string) bool {
	h.Helper()
	return must(h.rules.Check(h.Context(), h.c, authz.Question{Membership: c.member.ID, Permission: permission})).Authorized
}
