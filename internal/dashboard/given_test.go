package dashboard_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/dashboard"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
	"golang.org/x/net/html"
)

// house is a dashboard over a database of its own, with two environments.
type house struct {
	*testing.T
	server  *httptest.Server
	door    *dashboard.Door
	db      *store.Store
	rules   *authz.Service
	people  *operator.Service
	hooks   *webhook.Service
	c       authz.Caller // everything in production
	staging authz.Caller // everything in staging
	log     *logged
}

const password = "correct horse battery"

func given(t *testing.T) *house {
	t.Helper()
	t.Parallel()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "rolecall.db"), store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewSource(time.Now, nil)
	h := &house{T: t, db: db, rules: authz.New(db, time.Now, ids), people: operator.New(db, db.Fresh(), time.Now, ids), log: &logged{}}
	h.hooks = webhook.New(db, h.rules, time.Now, ids, webhook.Options{})
	door, err := dashboard.New(h.rules, h.people, h.hooks, dashboard.Options{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	h.door = door
	router := web.NewRouter()
	door.Register(router)
	h.server = httptest.NewServer(web.Wrap(router, slog.New(slog.NewTextHandler(h.log, nil)), ids))
	t.Cleanup(func() {
		h.server.Close()
		db.Close()
		if t.Failed() {
			t.Log(h.log)
		}
	})
	for name, c := range map[string]*authz.Caller{"production": &h.c, "staging": &h.staging} {
		env := must(h.rules.CreateEnvironment(t.Context(), name))
		*c = authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system", Name: "test"}}
	}
	return h
}

// must is the value of a call that a test cannot go on without.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// path is an address below production.
func (h *house) path(below string) string { return "/dashboard/env/" + string(h.c.Environment) + below }

// browser is a browser without JavaScript, of nobody or of a person who signed in.
type browser struct {
	*house
	client *http.Client
	person operator.Person
}

// stranger is nobody's browser.
func (h *house) stranger() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.Fatal(err)
	}
	return &browser{house: h, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is the browser of a new person of that role.
func (h *house) as(role operator.Role) *browser {
	h.Helper()
	b := h.stranger()
	_, token, err := h.people.Invite(h.Context(), operator.Person{}, operator.NewInvitation{Role: role})
	if err != nil {
		h.Fatal(err)
	}
	name := fmt.Sprint(role, " ", id.New[id.Request](id.NewSource(time.Now, nil)))
	p := b.post("/dashboard/invitation", "token", token, "name", name, "email", strings.ReplaceAll(name, " ", "-")+"@x.example", "password", password, "again", password)
	if p.status != http.StatusSeeOther {
		h.Fatalf("the invitation was answered %d: %s", p.status, p.text())
	}
	for _, person := range must(h.people.ListPeople(h.Context())) {
		if person.Name == name {
			b.person = person
		}
	}
	return b
}

// shown is an answered page.
type shown struct {
	*house
	status   int
	location string
	header   http.Header
	raw      string
	doc      *html.Node
}

// get asks for an address and does not follow where it leads.
func (b *browser) get(path string) *shown {
	b.Helper()
	return b.ask(http.MethodGet, path, nil)
}

// post sends a form of names and values in turn.
func (b *browser) post(path string, fields ...string) *shown {
	b.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.ask(http.MethodPost, path, form)
}

// posted sends a form that must succeed, and is the page that it leads to.
func (b *browser) posted(path string, fields ...string) *shown {
	b.Helper()
	p := b.post(path, fields...)
	if p.status != http.StatusSeeOther {
		b.Fatalf("POST %s was answered %d: %s", path, p.status, p.text())
	}
	return b.get(p.location).wants(http.StatusOK)
}

func (b *browser) ask(method, path string, form url.Values) *shown {
	b.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(b.Context(), method, b.server.URL+path, body)
	if err != nil {
		b.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.send(req)
}

func (b *browser) send(req *http.Request) *shown {
	b.Helper()
	answer, err := b.client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		b.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(raw)))
	if err != nil {
		b.Fatal(err)
	}
	return &shown{house: b.house, status: answer.StatusCode, location: answer.Header.Get("Location"), header: answer.Header, raw: string(raw), doc: doc}
}

// wants fails unless the page has the status and all the texts.
func (p *shown) wants(status int, texts ...string) *shown {
	p.Helper()
	if p.status != status {
		p.Fatalf("answered %d, want %d: %s", p.status, status, p.text())
	}
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			p.Errorf("the page lacks %q: %s", text, p.text())
		}
	}
	return p
}

// lacks fails when the page has any of the texts.
func (p *shown) lacks(texts ...string) *shown {
	p.Helper()
	for _, text := range texts {
		if strings.Contains(p.text(), text) {
			p.Errorf("the page has %q: %s", text, p.text())
		}
	}
	return p
}

// text is what a reader of the content reads, each run of blanks as one.
func (p *shown) text() string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style" || n.Data == "head") {
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	root := p.doc
	if main := p.find("main", "", ""); main != nil {
		root = main
	}
	walk(root)
	return strings.Join(strings.Fields(b.String()), " ")
}

// find is the first element of that name whose attribute has the value; an empty attribute is any.
func (p *shown) find(element, attribute, value string) *html.Node {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == element && (attribute == "" || attr(n, attribute) == value) {
			return n
		}
	}
	return nil
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// value is what a field of a form holds.
func (p *shown) value(name string) string {
	p.Helper()
	if n := p.find("input", "name", name); n != nil {
		return attr(n, "value")
	}
	if n := p.find("textarea", "name", name); n != nil && n.FirstChild != nil {
		return n.FirstChild.Data
	}
	return ""
}

// blames fails unless the field is marked as wrong.
func (p *shown) blames(name string) *shown {
	p.Helper()
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && attr(n, "id") == "e-"+name {
			return p
		}
	}
	p.Errorf("%q is not blamed: %s", name, p.text())
	return p
}

// links says whether the page links to an address.
func (p *shown) links(address string) bool {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" && attr(n, "href") == address {
			return true
		}
	}
	return false
}

// ready says whether the page has a button of that text that can be pressed.
func (p *shown) ready(text string) bool {
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == "button" && n.FirstChild != nil && n.FirstChild.Data == text {
			return !hasAttr(n, "disabled")
		}
	}
	return false
}

// cookie is the value of a cookie that the browser holds for the dashboard.
func (b *browser) cookie(name string) string {
	at := must(url.Parse(b.server.URL + "/dashboard/"))
	for _, c := range b.client.Jar.Cookies(at) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setCookie(name, value string) {
	at := must(url.Parse(b.server.URL + "/dashboard"))
	b.client.Jar.SetCookies(at, []*http.Cookie{{Name: name, Value: value, Path: "/dashboard"}})
}

// undo sends the form that the page offers to take back what was done, and is the page that it leads to.
func (b *browser) undo(p *shown) *shown {
	b.Helper()
	told := p.find("div", "id", "told")
	if told == nil {
		b.Fatalf("nothing was told: %s", p.text())
	}
	action := ""
	var fields []string
	for n := range told.Descendants() {
		switch {
		case n.Type == html.ElementNode && n.Data == "form":
			action = attr(n, "action")
		case n.Type == html.ElementNode && n.Data == "input":
			fields = append(fields, attr(n, "name"), attr(n, "value"))
		}
	}
	if action == "" {
		b.Fatalf("there is no undo: %s", p.text())
	}
	return b.posted(action, fields...)
}
