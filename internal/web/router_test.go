package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/web"
)

// told answers with the pattern that matched and the values of its parameters.
func told(pattern string, names ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, pattern)
		for _, n := range names {
			fmt.Fprintf(w, " %s=%q", n, r.PathValue(n))
		}
	})
}

// The two patterns of this router are a pair that one standard mux refuses to hold.
func newRouter() *web.Router {
	r := web.NewRouter()
	r.Handle("GET", "/things/{id}/parts", told("parts", "id"))
	r.Handle("POST", "/things/{id}/parts", told("new part", "id"))
	r.Handle("GET", "/things/external_id/{external_id}", told("external", "external_id"))
	r.Handle("GET", "/things/{id}", told("thing", "id"))
	r.Handle("PUT", "/things/{id}", told("change", "id"))
	return r
}

func ask(r http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		u = &url.URL{Path: target}
	}
	req := httptest.NewRequest(method, "/", nil)
	req.URL, req.RequestURI = u, target
	r.ServeHTTP(w, req)
	return w
}

func TestRouter(t *testing.T) {
	t.Parallel()
	r := newRouter()
	for target, want := range map[string]string{
		"/things/1": `thing id="1"`, "/things/1/parts": `parts id="1"`, "/things/external_id/1": `external external_id="1"`,
		"/things/external_id/parts": `external external_id="parts"`, "/things/external_id": `thing id="external_id"`,
		"/things/a%2Fb": `thing id="a/b"`, "/things/external_id/a%2Fb%3Fc": `external external_id="a/b?c"`, "/things/a:b*": `thing id="a:b*"`,
		"/things/%2E%2E": `thing id=".."`, "/things/%252F": `thing id="%2F"`, "/things/a%00b": `thing id="a\x00b"`, "/things/%FF": `thing id="\xff"`, "/things/1?x=/y": `thing id="1"`,
	} {
		if w := ask(r, "GET", target); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: %d %s, want %s", target, w.Code, w.Body, want)
		}
	}
	for _, target := range []string{"/", "/things", "/things/", "/things//parts", "//things/1", "/things/./1", "/things/../things/1", "/things/1/", "/things/1/parts/", "/Things/1", "/things/1/parts/2", "/things%2F1", "things/1", "*", ""} {
		w := ask(r, "GET", target)
		if w.Code != 404 || !strings.Contains(w.Body.String(), `"code":"route_not_found"`) || w.Header().Get("Location") != "" || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
			t.Errorf("%q: %d %s %v", target, w.Code, w.Body, w.Header())
		}
	}
}

func TestRouterMethods(t *testing.T) {
	t.Parallel()
	r := newRouter()
	for _, c := range []struct{ method, target, allow string }{
		{"DELETE", "/things/1", "GET, PUT"}, {"PUT", "/things/1/parts", "GET, POST"}, {"POST", "/things/external_id/1", "GET"}, {"PATCH", "/things/a%2Fb", "GET, PUT"}, {"get", "/things/1", "GET, PUT"},
	} {
		w := ask(r, c.method, c.target)
		if w.Code != 405 || w.Header().Get("Allow") != c.allow || !strings.Contains(w.Body.String(), `"code":"method_not_allowed"`) {
			t.Errorf("%s %s: %d, Allow %q, %s", c.method, c.target, w.Code, w.Header().Get("Allow"), w.Body)
		}
	}
	if w := ask(r, "HEAD", "/things/1"); w.Code != 200 {
		t.Errorf("HEAD: %d", w.Code)
	}
	if w := ask(r, "DELETE", "/nowhere"); w.Code != 404 {
		t.Errorf("DELETE of nothing: %d", w.Code)
	}
}
