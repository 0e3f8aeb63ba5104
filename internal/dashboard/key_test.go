package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
)

// checked is the attributes of an element by name.
func checked(all []html.Attribute) map[string]string {
	named := map[string]string{}
	for _, a := range all {
		named[a.Key] = a.Val
	}
	return named
}

// keyOf is the value of the key that a page shows, empty when it shows none.
func keyOf(p *shown) string {
	if n := p.find("pre", "id", "value"); n != nil {
		return n.FirstChild.FirstChild.Data
	}
	return ""
}

// A new key is shown on the one page that answers its form, and nowhere else.
func TestKeyIsShownOnce(t *testing.T) {
	h := given(t)
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "invoices:read", Name: "Read"}))
	org := must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	boss := h.as(operator.Owner)
	p := boss.post(h.path("/new/key"), "name", "billing service", "may", "some", "permissions", "invoices:read", "organization", "acme").wants(200, "only time", "1 permission")
	value := keyOf(p)
	k := must(h.people.Authenticate(t.Context(), value))
	if k.Environment != h.c.Environment || k.Everything || len(k.Permissions) != 1 || k.Organization != org.ID {
		t.Errorf("the key is %+v", k)
	}
	if p.location != "" || strings.Contains(strings.Join(p.header.Values("Set-Cookie"), " "), value) || p.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the value may stay somewhere: %v", p.header)
	}
	list := boss.get(h.path("/keys")).wants(200, "billing service", k.Hint, "1 permission", "Acme")
	if strings.Contains(list.raw+boss.get(h.path("/new/key")).raw+h.log.String(), value) {
		t.Error("the value is shown again, or logged")
	}
	seen := h.as(operator.Viewer).get(h.path("/keys")).wants(200, "billing service", k.Hint)
	if seen.links(h.path("/new/key")) || seen.links(h.path("/keys/"+string(k.ID)+"/revoke")) || strings.Contains(seen.raw, value) {
		t.Error("a viewer sees the value, or what he may not do")
	}
}

// A key that is refused names the field and keeps what was typed.
func TestKeyRefusals(t *testing.T) {
	h := given(t)
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "invoices:read", Name: "Read"}))
	foreign := must(h.rules.CreateOrganization(t.Context(), h.staging, authz.OrganizationInput{Name: authz.Some("Secret")}))
	boss := h.as(operator.Owner)
	boss.post(h.path("/new/key"), "name", "", "may", "everything").wants(422).blames("name")
	for _, org := range []string{"nobody", string(foreign.ID), "Secret"} {
		p := boss.post(h.path("/new/key"), "name", "x", "may", "some", "permissions", "invoices:read", "organization", org).wants(422).blames("organization")
		if p.value("name") != "x" || p.value("organization") != org || p.find("input", "value", "some") == nil {
			t.Errorf("what was typed is lost: %q, %q", p.value("name"), p.value("organization"))
		}
	}
	if all := must(h.people.ListKeys(t.Context(), h.c.Environment)); len(all) != 0 {
		t.Errorf("there are %d keys", len(all))
	}
	h.as(operator.Editor).post(h.path("/new/key"), "name", "x", "may", "everything").wants(http.StatusForbidden)
}

// A key is revoked after the question what stops working, for good, and in its own environment only.
func TestRevokeKey(t *testing.T) {
	h := given(t)
	k, value, err := h.people.CreateKey(t.Context(), operator.NewKey{Environment: h.c.Environment, Name: "old service"})
	if err != nil {
		t.Fatal(err)
	}
	foreign, other, err := h.people.CreateKey(t.Context(), operator.NewKey{Environment: h.staging.Environment, Name: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	boss := h.as(operator.Owner)
	boss.get(h.path("/keys/"+string(k.ID)+"/revoke")).wants(200, "1 key stops working", "old service", "all organizations", "cannot be undone")
	boss.posted(h.path("/keys/"+string(k.ID)+"/revoke")).wants(200, "is revoked", "No working key")
	if _, err := h.people.Authenticate(t.Context(), value); err == nil {
		t.Error("the revoked key works")
	}
	boss.get(h.path("/keys?show=revoked")).wants(200, "old service", k.Hint)
	for _, gone := range []string{string(k.ID), string(foreign.ID), "nothing"} {
		boss.get(h.path("/keys/" + gone + "/revoke")).wants(http.StatusNotFound).lacks("secret")
		boss.post(h.path("/keys/" + gone + "/revoke")).wants(http.StatusNotFound)
	}
	must(h.people.Authenticate(t.Context(), other))
}
