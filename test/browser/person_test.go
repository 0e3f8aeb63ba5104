package browser_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

const password = "correct horse battery"

// inside is the dashboard's address of a path below the first environment.
func (r *rolecall) inside(path string) string { return "/dashboard/env/" + r.environment + path }

// owner is the browser of the person who used the link that the server
// announced.
func (r *rolecall) owner(t *testing.T) *page {
	t.Helper()
	p := newPage(t, r.address)
	p.accept(r.invitation, "Olive", "olive@rolecall.example")
	location, err := evaluate[string](p.ctx, `location.pathname`)
	if err != nil {
		t.Fatal(err)
	}
	after, found := strings.CutPrefix(location, "/dashboard/env/")
	if !found {
		t.Fatalf("one begins at %s", location)
	}
	r.environment, _, _ = strings.Cut(after, "/")
	return p
}

// accept goes through a one-time link. A link for nobody in particular asks for
// the address.
func (p *page) accept(link, name, email string) {
	p.tb.Helper()
	p.visit(link)
	p.fill("Name", name)
	if email != "" {
		p.fill("E-mail address", email)
	}
	p.fill("Password", password)
	p.fill("Password again", password)
	p.click("button", "Begin")
	p.has("heading", "Roles")
}

// invite lets an owner invite somebody on the screens, and returns the browser
// of who came in by that link.
func (p *page) invite(role, name, email string) *page {
	p.tb.Helper()
	p.visit("/dashboard/people")
	p.click("link", "Invite a person")
	dialog := p.within("dialog", "Invite a person")
	dialog.fill("E-mail address (optional)", email)
	dialog.click("radio", role+" "+personMay[role])
	dialog.click("button", "Make a link")
	p.see("The link is ready")
	link, err := evaluate[string](p.ctx, `document.getElementById('once').textContent`)
	if err != nil {
		p.tb.Fatal(err)
	}
	other := newPage(p.tb, p.address)
	other.accept(link, name, "")
	return other
}

var personMay = map[string]string{
	"viewer": "sees everything and changes nothing",
	"editor": "changes roles, organizations, members, webhooks",
	"owner":  "also decides about people, environments and API keys",
}

const sessionCookie = "rolecall_session"

// session is what the browser is known by.
func (p *page) session() string {
	p.tb.Helper()
	cookies, err := chromedp.Call(p.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{p.address + "/dashboard"}})
	if err != nil {
		p.tb.Fatal(err)
	}
	for _, c := range cookies.Cookies {
		if c.Name == sessionCookie {
			return c.Value
		}
	}
	p.tb.Fatal("nobody is signed in")
	return ""
}

// takeOver opens another page of a person who is signed in.
func takeOver(t *testing.T, address, session string) *page {
	t.Helper()
	p := newPage(t, address)
	p.do("take over a session", command(network.SetCookie, network.SetCookieParams{
		Name: sessionCookie, Value: session, URL: address + "/dashboard", Path: "/dashboard", HTTPOnly: new(true), SameSite: network.CookieSameSiteLax,
	}))
	return p
}

// A visitor asks for pages without a browser: to see many of them.
type visitor struct {
	t       *testing.T
	address string
	client  *http.Client
}

// visitor is somebody with a session.
func (r *rolecall) visitor(t *testing.T, session string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(r.address + "/dashboard")
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(u, []*http.Cookie{{Name: sessionCookie, Value: session, Path: "/dashboard"}})
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &visitor{t: t, address: r.address, client: &http.Client{Jar: jar, CheckRedirect: stay}}
}

// post sends a form as a browser does, and returns where that leads.
func (v *visitor) post(path string, fields url.Values) (location string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), "POST", v.address+path, strings.NewReader(fields.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		text, _ := io.ReadAll(res.Body)
		v.t.Fatalf("POST %s: %s\n%s", path, res.Status, text)
	}
	return res.Header.Get("Location")
}
