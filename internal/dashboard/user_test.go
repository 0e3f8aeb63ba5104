package dashboard_test

import (
	"fmt"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
)

// pageOf asks for the beginning of a list.
func pageOf(n int) page.Request { return page.Request{Limit: n, Order: page.Asc} }

// A user is made, found and changed; what is refused keeps what was typed and names the field.
func TestUsers(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	ed.get(h.path("/users")).wants(200, "No user yet")
	form := h.path("/new/user")
	p := ed.post(form, "email", "nobody", "first_name", "Ann", "external_id", "ü", "metadata", "team=a").wants(422).blames("email").blames("external_id")
	if p.value("email") != "nobody" || p.value("first_name") != "Ann" || p.value("metadata") != "team=a" {
		t.Error("what was typed is lost")
	}
	ed.posted(form, "email", "Ann@acme.example", "email_verified", "yes", "first_name", "Ann", "last_name", "Bell", "external_id", "7", "metadata", "team=a").
		wants(200, "Ann Bell", "Ann@acme.example verified", "team", "No organization yet")
	ed.post(form, "email", "ann@ACME.example").wants(422, "already used by another user").blames("email")
	ed.get(h.path("/users")).wants(200, "Ann Bell")
	u := must(h.rules.UserByExternalID(t.Context(), h.c, "7"))
	edit := h.path("/users/" + string(u.ID) + "/edit")
	seen := ed.get(edit).value("seen")
	p = ed.posted(edit, "seen", seen, "email", "ann@acme.example", "name", "Annie").wants(200, "Annie is saved", "not verified")
	ed.post(edit, "seen", seen, "email", "late@acme.example").wants(409, "Somebody changed this", "Annie")
	ed.undo(p).wants(200, "Ann Bell is saved", "Ann@acme.example verified", "team")
}

// Deleting a user names how many memberships end.
func TestDeleteUser(t *testing.T) {
	h := given(t)
	c := h.customer()
	u := c.member.Person
	two := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Globex")}))
	must(h.rules.CreateMembership(t.Context(), h.c, u.ID, two.ID, authz.RolesInput{}))
	ed := h.as(operator.Editor)
	one := h.path("/users/" + string(u.ID))
	p := ed.get(one).wants(200, "Member of 2 organizations", "Acme", "Reader direct", "Globex", "Member default")
	if !p.links(c.one) {
		t.Error("the memberships are not linked")
	}
	ed.get(one+"/delete").wants(200, "2 memberships, in 2 organizations, end")
	ed.get(one).wants(200)
	ed.posted(one+"/delete").wants(200, "Ann Bell is deleted, with 2 memberships.")
	ed.get(one).wants(404)
	ed.get(c.one).wants(404)
}

// Users are searched by the beginnings of addresses and names, a page at a time.
func TestSearchUsers(t *testing.T) {
	h := given(t)
	for i := range 30 {
		must(h.rules.CreateUser(t.Context(), h.c, authz.UserInput{Email: authz.Some(fmt.Sprintf("ann%02d@acme.example", i))}))
	}
	last := "Quill"
	must(h.rules.CreateUser(t.Context(), h.c, authz.UserInput{Email: authz.Some("bob@acme.example"), LastName: authz.Some(&last)}))
	v := h.as(operator.Viewer)
	list := h.path("/users")
	v.get(list+"?search=quil").wants(200, "bob@acme.example").lacks("ann0")
	v.get(list+"?search=zzz").wants(200, "No user matches").lacks("No user yet")
	first := v.get(list+"?search=ann").wants(200, "ann29@", "ann05@").lacks("bob@", "ann04@")
	next := first.find("a", "rel", "next")
	if next == nil {
		t.Fatal("no next page")
	}
	v.get(attr(next, "href")).wants(200, "ann04@", "ann00@").lacks("bob@", "ann05@")
}
