package api_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/internal/api"
)

// Whoever asks what a change would do must not make it: where an operation has no preview, and wherever the parameter is
// spelled in another way, the request is refused.
func TestPreviewIsNeverMistaken(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		m := &matrix{client: w.client}
		m.prepare()
		stands, tried := w.look(w.client, w.env), 0
		for _, r := range api.Routes() {
			if !r.Mutates() {
				continue
			}
			tried++
			for _, name := range []string{"preview", " preview", "preview ", "Preview", "PREVIEW"} {
				if name == "preview" && previews(r) {
					continue
				}
				path, body := m.request(r, place{}, nil)
				path = withQuery(path, url.QueryEscape(name)+"=true")
				if r.Body == nil {
					body = nil
				}
				a := sendOf(w.client, r, path, body)
				if a.status != 422 || a.text("code") != "invalid_request_parameters" {
					t.Errorf("%s with %q: %d %s", r.Operation, name, a.status, a.raw)
				}
			}
			if d := cmp.Diff(stands, w.look(w.client, w.env)); d != "" {
				t.Fatalf("%s was asked for a preview and changed something:\n%s", r.Operation, d)
			}
		}
		if tried < 40 {
			t.Errorf("tried %d operations", tried)
		}
	})
}

// sendOf sends a request with a body where the route has one.
func sendOf(c *client, r api.Route, path string, body object) answer {
	c.tb.Helper()
	if body == nil {
		return c.send(r.Method, path, nil)
	}
	return c.send(r.Method, path, body)
}

func withQuery(path, query string) string {
	if strings.Contains(path, "?") {
		return path + "&" + query
	}
	return path + "?" + query
}

// A parameter that is no list is given once: of two it would be unsaid which one counts.
func TestParametersGivenTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		m := &matrix{client: w.client}
		m.prepare()
		tried := 0
		for _, r := range api.Routes() {
			if r.Method != "GET" || !slices.ContainsFunc(r.Parameters, func(p api.Parameter) bool { return p.Name == "limit" }) {
				continue
			}
			for _, p := range r.Parameters {
				path, _ := m.request(r, place{}, nil)
				path, query, _ := strings.Cut(path, "?")
				given, err := url.ParseQuery(query)
				if err != nil {
					t.Fatal(err)
				}
				given[p.Name] = []string{"1", "1"}
				a := w.get(path + "?" + given.Encode())
				if p.Kind == "array" {
					continue
				}
				tried++
				a.refused(422, "invalid_request_parameters", p.Name)
			}
		}
		if tried < 60 {
			t.Errorf("tried %d parameters", tried)
		}
	})
}

// The deletion of a role that may be in use is asked for with what replaces it: an absent body, and one with a key that
// nobody knows, might be a mistake in just that, and delete nothing.
func TestDeletionsWithoutAClearBody(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.role("gone")
		w.custom(org, "org-gone")
		stands := w.look(w.client, w.env)
		for _, path := range []string{roles + "/gone/deletion", rolesOf(org) + "/org-gone/deletion"} {
			if a := w.post(path, nil); a.status != 400 && a.status != 422 {
				t.Errorf("%s without a body: %d %s", path, a.status, a.raw)
			}
			for _, body := range []object{
				{"replacement_slug": "member"}, {"replacement_role_slug": "member", "x": nil}, {"Replacement_role_slug": "member"}, {"preview": true},
			} {
				if a := w.post(path, body); a.status != 422 || a.text("code") != "invalid_request_parameters" {
					t.Errorf("%s with %v: %d %s", path, body, a.status, a.raw)
				}
			}
			if d := cmp.Diff(stands, w.look(w.client, w.env)); d != "" {
				t.Fatalf("a refused deletion changed something:\n%s", d)
			}
			w.post(path, object{}).is(202)
			w.settle()
			stands = w.look(w.client, w.env)
		}
	})
}
