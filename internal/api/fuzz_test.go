package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/api"
)

// calm is a test whose server may log errors: within a fuzz target only the target itself may fail, and it does so by
// the answer.
type calm struct{ testing.TB }

func (calm) Errorf(string, ...any) {}

// direct sends a request that no client would, past the network. What is said of every answer holds here too.
func (w *world) direct(t *testing.T, method string, at *url.URL, body string) answer {
	t.Helper()
	req := httptest.NewRequest("GET", "/", strings.NewReader(body))
	req.Method, req.URL = method, at
	req.Header.Set("Authorization", "Bearer "+w.key)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, req)
	a := answer{tb: t, call: method + " " + at.EscapedPath() + "?" + at.RawQuery, status: rec.Code, header: rec.Header(), raw: rec.Body.Bytes()}
	if a.header.Get("X-Request-ID") == "" || a.status >= http.StatusInternalServerError {
		t.Errorf("%s: %d %s", a.call, a.status, a.raw)
	}
	if a.status >= 400 {
		a.checkRefusal()
	}
	return a
}

// FuzzBodies sends any body to any route that takes one.
func FuzzBodies(f *testing.F) {
	w := newWorld(calm{f}, sqliteFile(f))
	m := &matrix{client: w.client}
	m.prepare()
	taking := slices.DeleteFunc(api.Routes(), func(r api.Route) bool { return r.Body == nil })
	for i := range taking {
		for _, seed := range []string{"", "{}", "[]", `{"slug":"a","name":"A","description":null}`, `{"slug":"org-a","name":"\ud800","permissions":["a",null]}`, `{"role_slugs":["member"],"role_slug":"member"}`,
			`{"email":"a@b.example","metadata":{"k":"v"},"external_id":"\u0000"}`, `{"name":1e999,"domains":["a.example"],"domain_data":[{}]}`, `{"permission_slug":"*","resource_id":""}`, "{\"a\":\xff}"} {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		r := taking[int(which)%len(taking)]
		path := r.Path
		for _, name := range pathNames(path) {
			n, _ := nounOf(r, "path", name)
			path = strings.Replace(path, "{"+name+"}", m.own[n], 1)
		}
		w.direct(t, r.Method, &url.URL{Path: path}, body)
	})
}

// FuzzQueries asks every list with any query: limits, orders, cursors, filters, times.
func FuzzQueries(f *testing.F) {
	w := newWorld(calm{f}, sqliteFile(f))
	own := belongings(w.client, "own")
	listing := slices.DeleteFunc(api.Routes(), func(r api.Route) bool { return len(r.Parameters) == 0 || previews(r) })
	for i := range listing {
		for _, seed := range []string{"", "limit=1&order=normal", "after=" + own[user], "before=" + own[eventID] + "&order=desc", "after=" + own[organization] + "&limit=100", "organization_id=" + own[organization],
			"user_id=%00&statuses=active,x", "search=%25_%5C&domains[]=a", "events=role.created&range_start=2026-01-01&range_end=2026-01-31T00:00:00Z", "range_start=0000-01-01T00:00:00%2B23:59", "range_end=99999", "email=a@b.example", "%zz", "limit=9223372036854775808"} {
			f.Add(uint8(i), seed)
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, query string) {
		r := listing[int(which)%len(listing)]
		a := w.direct(t, "GET", &url.URL{Path: r.Path, RawQuery: query}, "")
		if a.status == 200 {
			a.has("object", "list")
		}
	})
}

// FuzzPaths asks for things under any name.
func FuzzPaths(f *testing.F) {
	w := newWorld(calm{f}, sqliteFile(f))
	w.permission("docs:*")
	for _, seed := range []string{"docs:*", "docs%3A%2A", "%00", "%FF", "..", "%2E%2E", "a/b", "a%2Fb", "", "/", strings.Repeat("a", 300), "';--", "org_" + nobodys, "\xc3\x28"} {
		for i := range api.Routes() {
			f.Add(uint8(i), seed, seed)
		}
	}
	routes := api.Routes()
	f.Fuzz(func(t *testing.T, which uint8, first, second string) {
		r := routes[int(which)%len(routes)]
		raw := r.Path
		for i, name := range pathNames(raw) {
			raw = strings.Replace(raw, "{"+name+"}", []string{first, second}[min(i, 1)], 1)
		}
		at := &url.URL{Path: raw}
		if unescaped, err := url.PathUnescape(raw); err == nil {
			at = &url.URL{Path: unescaped, RawPath: raw}
		}
		w.direct(t, r.Method, at, `{"name":"n"}`)
	})
}
