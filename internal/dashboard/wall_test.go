package dashboard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/dashboard"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// world is one thing of every kind in an environment, by the name that addresses have for it.
type world map[string]string

// furnish makes a thing of every kind in an environment.
func (h *house) furnish(c authz.Caller) world {
	h.Helper()
	ctx := h.Context()
	must(h.rules.CreatePermission(ctx, c, authz.NewPermission{Slug: "doc:read", Name: "Read"}))
	must(h.rules.CreateRole(ctx, c, "", authz.NewRole{Slug: authz.Some("reader"), Name: "Reader", Permissions: authz.Some([]string{"doc:read"})}))
	org := must(h.rules.CreateOrganization(ctx, c, authz.OrganizationInput{Name: authz.Some("Secret Corp")}))
	must(h.rules.CreateRole(ctx, c, org.ID, authz.NewRole{Slug: authz.Some("org-own"), Name: "Own"}))
	u := must(h.rules.CreateUser(ctx, c, authz.UserInput{Email: authz.Some("hidden@secret.example")}))
	m := must(h.rules.CreateMembership(ctx, c, u.ID, org.ID, authz.RolesInput{}))
	g := must(h.rules.CreateGroup(ctx, c, org.ID, authz.NewGroup{Name: "Secret group"}))
	must(h.rules.CreateResourceType(ctx, c, authz.NewResourceType{Slug: "project", Name: "Project"}))
	r := must(h.rules.CreateResource(ctx, c, authz.NewResource{Organization: org.ID, Type: "project", ExternalID: "secret", Name: "Secret project"}))
	return world{
		"env": string(c.Environment), "org": string(org.ID), "user": string(u.ID), "member": string(m.ID), "membership": string(m.ID), "group": string(g.ID),
		"resource": string(r.ID),
	}
}

// address fills an address of the table; what the world lacks becomes an unknown thing.
func (w world) address(pattern string) string {
	path := dashboard.Prefix + pattern
	for name, value := range w {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	for _, unknown := range []string{"slug", "type", "assignment", "event", "endpoint", "delivery", "key", "job", "person", "invitation", "permission"} {
		path = strings.ReplaceAll(path, "{"+unknown+"}", "reader")
	}
	return strings.TrimSuffix(path, "/")
}

// Nobody sees or does anything without being signed in.
func TestEveryScreenWantsASession(t *testing.T) {
	h := given(t)
	w := h.furnish(h.c)
	nobody := h.stranger()
	for _, s := range dashboard.Screens() {
		if s.Open {
			continue
		}
		p := nobody.get(w.address(s.Path))
		if p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, "/dashboard/sign-in") || strings.Contains(p.raw, "Secret") {
			t.Errorf("GET %s without a session: %d to %q", s.Path, p.status, p.location)
		}
		if s.Posts {
			if p := nobody.post(w.address(s.Path)); p.status != http.StatusSeeOther || p.location != "/dashboard/sign-in" {
				t.Errorf("POST %s without a session: %d to %q", s.Path, p.status, p.location)
			}
		}
	}
}

// Every screen demands its role, and every address that takes a form belongs to an editor or an owner, but for those that
// concern only whoever asks.
func TestEveryScreenDemandsItsRole(t *testing.T) {
	h := given(t)
	w := h.furnish(h.c)
	own := map[string]bool{"/sign-out": true, "/account": true}
	for role, lacks := range map[operator.Role][]operator.Role{operator.Viewer: {operator.Editor, operator.Owner}, operator.Editor: {operator.Owner}} {
		b := h.as(role)
		for _, s := range dashboard.Screens() {
			if s.Open {
				continue
			}
			if s.Posts && s.Needs == operator.Viewer && !own[s.Path] {
				t.Errorf("a viewer may send the form of %s", s.Path)
			}
			for _, needed := range lacks {
				if s.Needs != needed {
					continue
				}
				b.get(w.address(s.Path)).wants(http.StatusForbidden, "Your role here is "+string(role))
				if s.Posts {
					b.post(w.address(s.Path)).wants(http.StatusForbidden, "Your role here is "+string(role))
				}
			}
		}
	}
}

// What belongs to another environment does not exist: every address with an id in it answers as for an unknown one.
func TestEnvironmentsAreWalls(t *testing.T) {
	h := given(t)
	h.furnish(h.c)
	foreign := h.furnish(h.staging)
	foreign["env"] = string(h.c.Environment) // production's address with staging's things
	ed := h.as(operator.Owner)
	for _, s := range dashboard.Screens() {
		if strings.Count(s.Path, "{") < 2 || !strings.Contains(s.Path, "{env}") {
			continue
		}
		foreignThing := strings.Contains(s.Path, "{org}") || strings.Contains(s.Path, "{user}") || strings.Contains(s.Path, "{member}") || strings.Contains(s.Path, "{group}")
		p := ed.get(foreign.address(s.Path))
		for p.status == http.StatusSeeOther { // to the list that it belongs to
			p = ed.get(p.location)
		}
		if strings.Contains(p.raw, "Secret") && foreignThing || strings.Contains(p.raw, "hidden@secret") {
			t.Errorf("GET %s shows another environment's thing", s.Path)
		}
		if foreignThing && p.status != http.StatusNotFound {
			t.Errorf("GET %s with another environment's ids: %d", s.Path, p.status)
		}
		if s.Posts {
			if p := ed.post(foreign.address(s.Path)); p.status != http.StatusNotFound && foreignThing {
				t.Errorf("POST %s with another environment's ids: %d, %s", s.Path, p.status, p.location)
			}
		}
	}
	if got := must(h.rules.OrganizationSize(t.Context(), h.staging, id.Organization(foreign["org"]))); got.Members.N != 1 || got.Groups.N != 1 || got.CustomRoles.N != 1 {
		t.Errorf("something of the other environment was changed: %+v", got)
	}
}

// A form that another site sends, or that says nothing of where it comes from, changes nothing.
func TestFormsOfOtherSites(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	for name, headers := range map[string][2]string{
		"another site": {"Sec-Fetch-Site", "cross-site"}, "a sibling site": {"Sec-Fetch-Site", "same-site"},
		"another origin": {"Origin", "https://evil.example"}, "no origin": {"Origin", "null"}, "nothing": {"X-Nothing", "x"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.server.URL+h.path("/new/role"), strings.NewReader("name=X&slug=x-role"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(headers[0], headers[1])
		if p := ed.send(req); p.status != http.StatusForbidden {
			t.Errorf("%s: %d", name, p.status)
		}
	}
	if _, err := h.rules.Role(t.Context(), h.c, "", "x-role"); err == nil {
		t.Error("a form of another site made a role")
	}
}

// Every answer carries the policy, without an exception, and no page has anything inline.
func TestContentSecurityPolicy(t *testing.T) {
	h := given(t)
	w := h.furnish(h.c)
	b := h.as(operator.Owner)
	for _, s := range dashboard.Screens() {
		p := b.get(w.address(s.Path))
		csp := p.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'self'") || strings.Contains(csp, "unsafe") || p.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: policy %q", s.Path, csp)
		}
		for n := range p.doc.Descendants() {
			for _, a := range n.Attr {
				if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Val, "javascript:") {
					t.Errorf("%s: <%s %s=%q>", s.Path, n.Data, a.Key, a.Val)
				}
			}
			if (n.Data == "script" || n.Data == "style") && n.FirstChild != nil {
				t.Errorf("%s: inline <%s>", s.Path, n.Data)
			}
		}
	}
}

// A slash too many leads to where it was meant to, and nowhere else.
func TestTrailingSlash(t *testing.T) {
	h := given(t)
	for at, want := range map[string]string{
		"/dashboard/": "/dashboard", "/dashboard/sign-in/?next=/dashboard/people": "/dashboard/sign-in?next=/dashboard/people", h.path("/roles//"): h.path("/roles"),
		"/dashboard//": "/dashboard", "/dashboard/a%2Fb/": "/dashboard/a%2Fb",
	} {
		if p := h.stranger().get(at); p.status != http.StatusPermanentRedirect || p.location != want {
			t.Errorf("%s: %d to %q", at, p.status, p.location)
		}
	}
}
