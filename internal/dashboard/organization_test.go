package dashboard_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
)

// An organization is made with all that its form asks for; what is refused keeps what was typed and names the field.
func TestCreateOrganization(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	form := h.path("/new/organization")
	p := ed.post(form, "name", "Acme", "domains", "acme.example\nnot a domain", "external_id", "cus 42", "metadata", "plan=gold\nno equals")
	p.wants(422, "which line 2 is not").blames("metadata")
	if p.value("name") != "Acme" || p.value("domains") != "acme.example\nnot a domain" || p.value("external_id") != "cus 42" || p.value("metadata") != "plan=gold\nno equals" {
		t.Errorf("typed was lost: %s", p.raw)
	}
	ed.post(form, "name", " ", "domains", "no_domain").wants(422).blames("name").blames("domains")
	ed.posted(form, "name", " Acme ", "domains", "ACME.example\r\nshop.example pending", "external_id", "42", "metadata", "plan = gold \r\n\r\nnote=a=b").
		wants(200, "Acme", "follows the environment’s roles", "acme.example verified", "shop.example pending", "plan", "gold", "a=b")
	ed.post(form, "name", "Other", "external_id", "42").wants(409, "already used by another").blames("external_id")
	ed.post(form, "name", "Other", "domains", "acme.example").wants(409, "already belongs to another organization").blames("domains")
	o := must(h.rules.OrganizationByExternalID(t.Context(), h.c, "42"))
	if want := map[string]string{"plan": "gold", "note": "a=b"}; !maps.Equal(o.Metadata, want) {
		t.Errorf("metadata is %v, want %v", o.Metadata, want)
	}
}

// Organizations are searched by name and domain, a page at a time, with the search kept on the way through the pages.
func TestListOrganizations(t *testing.T) {
	h := given(t)
	v := h.as(operator.Viewer)
	v.get(h.path("/organizations")).wants(200, "No organization yet").lacks("Create organization")
	for i := range 30 {
		must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some(fmt.Sprintf("Shop %02d", i))}))
	}
	must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Bank"), Domains: authz.Some([]authz.DomainInput{{Name: "money.example", State: "verified"}})}))
	v.get(h.path("/organizations?search=zzz")).wants(200, "No organization matches").lacks("No organization yet")
	v.get(h.path("/organizations?search=MONEY.ex")).wants(200, "Bank").lacks("Shop")
	first := v.get(h.path("/organizations?search=shop")).wants(200, "Shop 29", "Shop 05").lacks("Bank", "Shop 04")
	next := first.find("a", "rel", "next")
	if next == nil {
		t.Fatal("no next page")
	}
	second := v.get(attr(next, "href")).wants(200, "Shop 04", "Shop 00").lacks("Bank", "Shop 05")
	if previous := second.find("a", "rel", "prev"); previous == nil || !strings.Contains(attr(previous, "href"), "search=shop") {
		t.Error("the way back lost the search")
	}
}

// An edit can be taken back, and does not take back unseen what somebody else saved meanwhile.
func TestEditOrganization(t *testing.T) {
	h := given(t)
	c := h.customer()
	ed := h.as(operator.Editor)
	edit := c.path + "/edit"
	seen := ed.get(edit).wants(200).value("seen")
	p := ed.posted(edit, "seen", seen, "name", "Acme Inc", "metadata", "plan=gold").wants(200, "Acme Inc is saved", "gold")
	late := ed.post(edit, "seen", seen, "name", "Acme Ltd").wants(409, "Somebody changed this while you had it open", "What is there now", "Acme Inc", "plan=gold")
	if late.value("name") != "Acme Ltd" {
		t.Errorf("what the second typed was lost: %q", late.value("name"))
	}
	ed.undo(p).wants(200, "Acme is saved").lacks("gold")
	if o := must(h.rules.Organization(t.Context(), h.c, c.org.ID)); o.Name != "Acme" || len(o.Metadata) != 0 {
		t.Errorf("after the undo it is %q with %v", o.Name, o.Metadata)
	}
	ed.posted(edit, "seen", ed.get(edit).value("seen"), "name", "Acme Ltd").wants(200, "Acme Ltd is saved")
}

// What is deleted with an organization is named in numbers, and its name must be typed.
func TestDeleteOrganization(t *testing.T) {
	h := given(t)
	c := h.customer()
	must(h.rules.CreateRole(t.Context(), h.c, c.org.ID, authz.NewRole{Name: "Own"}))
	must(h.rules.CreateGroup(t.Context(), h.c, c.org.ID, authz.NewGroup{Name: "G"}))
	ed := h.as(operator.Editor)
	ed.get(c.path+"/delete").wants(200, "1 membership", "1 custom role", "1 group", "0 resources", "Type Acme to confirm", "There is no undo")
	ed.post(c.path+"/delete", "name", "acme").wants(422).blames("name")
	ed.post(c.path+"/delete").wants(422, "1 membership").blames("name")
	ed.get(c.path).wants(200, "Acme")
	ed.posted(c.path+"/delete", "name", "Acme").wants(200, "Acme is deleted, with 1 membership.", "No organization yet")
	ed.get(c.path).wants(404)
}

// A viewer sees an organization without what he may not do, and is refused it all the same.
func TestViewersChangeNoCustomer(t *testing.T) {
	h := given(t)
	c := h.customer()
	v := h.as(operator.Viewer)
	for path, hidden := range map[string]string{c.path: "Delete Acme", c.path + "/members": "Add member", c.one: "Deactivate", h.path("/users"): "Create user"} {
		v.get(path).wants(200).lacks(hidden, "Edit")
	}
	for _, path := range []string{c.path + "/delete", c.path + "/edit", c.path + "/new/member", c.one + "/roles", c.one + "/remove", c.one + "/deactivate", h.path("/users/" + string(c.member.Person.ID) + "/delete")} {
		v.post(path, "name", "Acme").wants(403)
	}
	h.holds(c, "reader")
}

// Metadata that lines cannot hold as it is survives being shown and saved again.
func TestMetadataSurvivesItsForm(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	odd := map[string]string{"a=b": " two\nlines ", `back\slash`: `\n`, "empty": "", " blank ": "\t", "é": "=", `\=`: `\s`}
	update := map[string]*string{}
	for key, value := range odd {
		update[key] = &value
	}
	o := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Odd"), Metadata: authz.Some(update)}))
	edit := h.path("/organizations/" + string(o.ID) + "/edit")
	ed.posted(edit, "name", "Renamed", "metadata", ed.get(edit).value("metadata"))
	if got := must(h.rules.Organization(t.Context(), h.c, o.ID)); !maps.Equal(got.Metadata, odd) || got.Name != "Renamed" {
		t.Errorf("metadata became %q, want %q", got.Metadata, odd)
	}
	ed.posted(edit, "name", "Renamed", "metadata", "only=this")
	if got := must(h.rules.Organization(t.Context(), h.c, o.ID)); !maps.Equal(got.Metadata, map[string]string{"only": "this"}) {
		t.Errorf("metadata became %q", got.Metadata)
	}
}
