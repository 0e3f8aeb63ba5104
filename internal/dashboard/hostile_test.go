package dashboard_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Text that PostgreSQL refuses to look at is refused before it gets there, wherever it stands.
func TestTextThatNoDatabaseHolds(t *testing.T) {
	h := given(t)
	w := h.furnish(h.c)
	ed := h.as(operator.Editor)
	for _, bad := range []string{"%ff", "a%00", "%c0%80", "%ed%a0%80"} {
		for _, path := range []string{"/organizations/" + bad, "/users/" + bad, "/roles/" + bad + "/edit", "/organizations/" + w["org"] + "/groups/" + bad} {
			ed.get(h.path(path)).wants(404, "No screen has this address")
			ed.post(h.path(path)).wants(404, "No screen has this address")
		}
		text := must(url.QueryUnescape(bad))
		ed.get(h.path("/roles?search="+bad)).wants(422, "search must be valid UTF-8 without NUL")
		ed.post(h.path("/new/role"), "name", text).wants(422, "name must be text without NUL")
		ed.post(h.path("/roles/reader/delete"), "default_of_"+text, "member").wants(400, "The name of a field must be text without NUL")
	}
}

// Who comes back has roles and groups from before, which no undo shall end.
func TestComingBackHasNoUndo(t *testing.T) {
	a := given(t).acme()
	ed := a.as(operator.Editor)
	m := must(a.rules.Member(t.Context(), a.c, a.ada))
	must(a.rules.DeactivateMember(t.Context(), a.c, a.ada))
	p := ed.posted(a.at("/new/member"), "user_id", string(m.User)).wants(200, "is a member of")
	if told := p.find("div", "id", "told"); told == nil || p.find("form", "action", a.at("/members/"+string(a.ada)+"/remove")) != nil {
		t.Error("the membership from before is offered to be removed")
	}
}

// What others can put into a page is not compressed together with a secret: the length would tell of it.
func TestSecretsAreNotCompressed(t *testing.T) {
	h := given(t)
	e := must(h.hooks.CreateEndpoint(t.Context(), h.c, webhook.NewEndpoint{URL: "https://hooks.example/x", Events: []string{"role.created"}}))
	packed := func(b *browser, method, path string, form url.Values) string {
		req := must(http.NewRequestWithContext(t.Context(), method, h.server.URL+path, strings.NewReader(form.Encode())))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		req.Header.Set("Accept-Encoding", "gzip")
		return b.send(req).header.Get("Content-Encoding")
	}
	own, page := h.as(operator.Owner), h.path("/webhooks/"+string(e.ID))
	if packed(h.as(operator.Viewer), "GET", page, nil) != "gzip" {
		t.Error("a page without a secret is not compressed")
	}
	if packed(own, "GET", page, nil) != "" {
		t.Error("the secret of a webhook is compressed")
	}
	if packed(own, "POST", h.path("/new/key"), url.Values{"name": {"k"}, "may": {"all"}}) != "" {
		t.Error("an API key is compressed")
	}
	if packed(own, "POST", "/dashboard/new/person", url.Values{"role": {"viewer"}}) != "" {
		t.Error("a one-time link is compressed")
	}
}

// A sign-in leads to an address as browsers read it, which is below the dashboard or not followed.
func TestSignInLeadsNowhereElse(t *testing.T) {
	b := given(t).as(operator.Viewer)
	for _, next := range []string{"/dashboard/%2e%2e/organizations", "/dashboard/.%2E/x", `/dashboard/..\..\x`, `/dashboard/\evil.example`, "/dashboard/%5cevil.example", "//evil.example/dashboard/", "/dashboard/..", "/dashboardx"} {
		if p := b.get("/dashboard/sign-in?next=" + url.QueryEscape(next)); p.location != "/dashboard" {
			t.Errorf("%s leads to %q", next, p.location)
		}
	}
	for _, next := range []string{"/dashboard/account", b.path("/users?search=%2e%2e%2f"), b.path("/organizations/a%20b")} {
		if p := b.get("/dashboard/sign-in?next=" + url.QueryEscape(next)); p.location != next {
			t.Errorf("%s leads to %q", next, p.location)
		}
	}
}
