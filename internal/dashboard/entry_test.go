package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/operator"
)

// A session is a cookie that scripts cannot read, is not sent by other sites, is new at every sign-in, and ends at once.
func TestSession(t *testing.T) {
	h := given(t)
	b := h.as(operator.Viewer)
	roles := h.path("/roles")
	b.get(roles).wants(200, "Roles")
	first := b.cookie("rolecall_session")
	p := b.post("/dashboard/sign-in?next="+roles, "email", b.person.Email, "password", password)
	if p.status != http.StatusSeeOther || p.location != roles {
		t.Fatalf("signed in: %d to %q", p.status, p.location)
	}
	set := p.header.Values("Set-Cookie")
	if len(set) != 1 || !strings.Contains(set[0], "HttpOnly") || !strings.Contains(set[0], "SameSite=Lax") || !strings.Contains(set[0], "Path=/dashboard") {
		t.Errorf("the cookie is %q", set)
	}
	second := b.cookie("rolecall_session")
	if first == second || second == "" {
		t.Error("the session is not a new one")
	}
	stale := h.stranger()
	stale.setCookie("rolecall_session", first)
	if p := stale.get(roles); p.status != http.StatusSeeOther {
		t.Errorf("the session from before signing in anew still opens: %d", p.status)
	}
	b.post("/dashboard/sign-out")
	stale.setCookie("rolecall_session", second)
	if p := stale.get(roles); p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, "/dashboard/sign-in?next=") {
		t.Errorf("a session that was signed out still opens: %d", p.status)
	}
	if log := h.log.String(); strings.Contains(log, first) || strings.Contains(log, second) || strings.Contains(log, password) {
		t.Error("a secret is in the log")
	}
}

// A wrong password and an unknown address are the same refusal; what was typed stays, but for the password; and nobody
// tries for long.
func TestSignInRefused(t *testing.T) {
	h := given(t)
	b := h.as(operator.Owner)
	s := h.stranger()
	wrong := s.post("/dashboard/sign-in", "email", b.person.Email, "password", "not the password")
	unknown := s.post("/dashboard/sign-in", "email", "nobody@x.example", "password", "not the password")
	wrong.wants(401, "do not belong together")
	unknown.wants(401)
	if wrong.value("email") != b.person.Email || wrong.value("password") != "" || strings.Contains(wrong.raw, "not the password") {
		t.Error("what was typed is not kept, or the password is")
	}
	for range 12 {
		wrong = s.post("/dashboard/sign-in", "email", b.person.Email, "password", "not the password")
	}
	if wrong.wants(429); wrong.header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	s.post("/dashboard/sign-in", "email", b.person.Email, "password", password).wants(429)
}

// A link after signing in leads into the dashboard and nowhere else.
func TestNextIsOurs(t *testing.T) {
	h := given(t)
	b := h.as(operator.Viewer)
	for _, next := range []string{"https://evil.example/dashboard/", "//evil.example/dashboard/x", `/\evil.example`, "/dashboardx/", "/authorization/roles", "javascript:alert(1)", "/dashboard/../authorization", "\x00"} {
		p := b.ask(http.MethodGet, "/dashboard/sign-in?next="+strings.NewReplacer("\x00", "%00", `\`, "%5C").Replace(next), nil)
		if p.status == http.StatusSeeOther && p.location != "/dashboard" {
			t.Errorf("%q leads to %q", next, p.location)
		}
	}
}

// A one-time link opens once, and looking at it does not use it up.
func TestInvitationOpensOnce(t *testing.T) {
	h := given(t)
	_, token, err := h.people.InviteFirst(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	link := "/dashboard/invitation?token=" + token
	h.stranger().get(link).wants(200, "owner")
	b := h.stranger()
	fields := []string{"token", token, "name", "Ada", "email", "ada@x.example", "password", "short", "again", "short"}
	p := b.post("/dashboard/invitation", fields...).wants(422).blames("password")
	if p.value("name") != "Ada" || p.value("email") != "ada@x.example" || p.value("token") != token || strings.Contains(p.raw, "short") {
		t.Error("what was typed is not kept, or the password is")
	}
	fields[7], fields[9] = password, "another"
	b.post("/dashboard/invitation", fields...).wants(422).blames("again")
	fields[9] = password
	if p := b.post("/dashboard/invitation", fields...); p.status != http.StatusSeeOther {
		t.Fatalf("accepted: %d %s", p.status, p.text())
	}
	b.get(h.path("/roles")).wants(200)
	h.stranger().get(link).wants(404)
	h.stranger().post("/dashboard/invitation", fields...).wants(404)
	if strings.Contains(h.log.String(), token) {
		t.Error("the token is in the log")
	}
}

// A lower role and a removal hold from the next request on, in sessions that exist.
func TestDemotionHoldsAtOnce(t *testing.T) {
	h := given(t)
	h.furnish(h.c)
	boss, b := h.as(operator.Owner), h.as(operator.Editor)
	b.get(h.path("/new/role")).wants(200)
	boss.posted("/dashboard/people/"+string(b.person.ID)+"/role", "role", "viewer").wants(200, "is viewer now")
	b.get(h.path("/new/role")).wants(403, "Your role here is viewer")
	b.get(h.path("/roles")).wants(200).lacks("Create role")
	boss.posted("/dashboard/people/" + string(b.person.ID) + "/remove")
	if p := b.get(h.path("/roles")); p.status != http.StatusSeeOther {
		t.Errorf("somebody who was removed still sees: %d", p.status)
	}
	boss.post("/dashboard/people/"+string(boss.person.ID)+"/remove").wants(409, "owner")
}

// What a page says happened is the server's word: another site, or an older session, cannot put words or forms there.
func TestToldIsSigned(t *testing.T) {
	h := given(t)
	b := h.as(operator.Owner)
	b.setCookie("rolecall_told", "eyJUb2xkIjoiWW91IGhhdmUgd29uIn0.AAAA")
	b.get(h.path("/roles")).wants(200).lacks("You have won")
}
