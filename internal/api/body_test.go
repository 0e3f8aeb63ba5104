package api_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/web"
)

// bodies calls a test for every field of every body of the table of routes.
func bodies(t *testing.T, test func(m *matrix, r api.Route, p place, tag reflect.StructTag)) {
	onBoth(t, func(t *testing.T, w *world) {
		m := &matrix{client: w.client}
		for _, r := range api.Routes() {
			for _, p := range places(t, r) {
				if p.in == "body" {
					test(m, r, p, tagOf(r, p.name))
				}
			}
		}
	})
}

func tagOf(r api.Route, name string) reflect.StructTag {
	for f := range reflect.TypeOf(r.Body).Fields() {
		if f.Tag.Get("json") == name {
			return f.Tag
		}
	}
	return ""
}

// wrong is values that are not of the type of a field.
func wrong(t reflect.Type, nullable bool) []any {
	number, huge := json.RawMessage("1"), json.RawMessage("1e999")
	var all []any
	switch {
	case t.Kind() == reflect.String:
		all = []any{number, huge, true, list{}, list{"x"}, object{}, "a\x00b", "\x00"}
	case t.Kind() == reflect.Bool:
		all = []any{number, json.RawMessage("0"), "true", "", list{}, object{}}
	case t.Kind() == reflect.Map:
		all = []any{number, huge, true, "x", list{}, list{object{}}, object{"k": number}, object{"k": object{}}, object{"k": list{}}, object{"k": "\x00"}, object{"\x00": "v"}}
	case t == reflect.TypeFor[[]string]():
		all = []any{number, huge, true, "x", object{}, list{number}, list{nil}, list{list{}}, list{object{}}, list{"a", false}, list{"a\x00"}}
	case t == reflect.TypeFor[[]api.DomainData]():
		all = []any{number, true, "x", object{}, list{number}, list{nil}, list{"x"}, list{object{"domain": number, "state": "verified"}}, list{object{"domain": nil, "state": "verified"}}, list{object{"domain": "\x00", "state": "verified"}}}
	case t == reflect.TypeFor[[]web.Item[api.CheckOf]](): // what is wrong in one of them is named by its index: TestMalformedBatch
		all = []any{number, huge, true, "x", object{}, list{}, list{"\x00"}}
	case t == reflect.TypeFor[[]web.Item[api.NewRoleAssignment]](): // likewise: TestReplaceGroupRoleAssignments
		all = []any{number, huge, true, "x", object{}}
	case t == reflect.TypeFor[[]api.OrganizationDefault]():
		all = []any{number, true, "x", object{}, list{number}, list{nil}, list{"x"}, list{object{}}, list{object{"organization_id": number, "role_slug": "x"}}, list{object{"organization_id": "\x00", "role_slug": "x"}}}
	default:
		panic("a body field of the type " + t.String() + ": say here which values are none of it")
	}
	if !nullable {
		all = append(all, nil)
	}
	return all
}

// A value of the wrong type, or with a NUL, in any field of any body is refused with the field named.
func TestWrongTypes(t *testing.T) {
	bodies(t, func(m *matrix, r api.Route, p place, tag reflect.StructTag) {
		for _, value := range wrong(p.form, tag.Get("nullable") != "") {
			a := m.ask(r, p, value)
			if a.status == 400 && a.text("code") == "invalid_metadata" {
				continue // says the same under the code of the contract
			}
			a.refused(422, "invalid_request_parameters", p.name)
		}
	})
}

// null is taken where the document says so; a field that is required is missed by name.
func TestNullAndMissing(t *testing.T) {
	bodies(t, func(m *matrix, r api.Route, p place, tag reflect.StructTag) {
		if tag.Get("nullable") != "" {
			if a := m.ask(r, p, nil); a.status >= 300 {
				m.tb.Errorf("null in %s, which is nullable: %d %s", p.name, a.status, a.raw)
			}
			m.own = nil // what this made is in nobody's way
		}
		if p.required {
			m.ask(r, p, absent).refused(422, "invalid_request_parameters", p.name)
		}
	})
}

// Text of the greatest length is taken, and one character more is refused with the field named, whatever bytes the
// characters take.
func TestMaximumLengths(t *testing.T) {
	bodies(t, func(m *matrix, r api.Route, p place, tag reflect.StructTag) {
		limit, err := strconv.Atoi(tag.Get("maxLength"))
		if err != nil {
			return
		}
		for _, filler := range fillers(r, p) {
			a := m.ask(r, p, long(p, limit, filler))
			switch {
			case p.name == "resource_type_slug": // such a long one exists as little as a short one
				a.refused(404, "entity_not_found")
			case a.status >= 300:
				m.tb.Errorf("%s %s with %s of %d characters: %d %s", r.Method, r.Path, p.name, limit, a.status, a.raw)
			default:
				a.has(p.name, long(p, limit, filler))
			}
			m.ask(r, p, long(p, limit+1, filler)).refused(422, "invalid_request_parameters", p.name)
		}
		if p.form.Kind() == reflect.String {
			m.ask(r, p, strings.Repeat("a", 500_000)).refused(422, "invalid_request_parameters", p.name)
		}
	})
}

// fillers is the characters that a field may consist of. Changes get others than creations: the longest external id must
// not be taken already.
func fillers(r api.Route, p place) []string {
	if slices.Contains([]string{"name", "description", "first_name", "last_name", "locale", "stripe_customer_id"}, p.name) {
		return []string{"a", "😀"}
	}
	if r.Method == "PUT" || r.Method == "PATCH" && p.noun == endpointURL {
		return []string{"b"}
	}
	return []string{"a"}
}

// long is text of n characters that a field may hold.
func long(p place, n int, filler string) string {
	prefix, suffix := "", ""
	switch {
	case p.name == "email":
		suffix = "@acme.example"
	case p.noun == customSlug:
		prefix = "org-"
	case p.noun == endpointURL:
		prefix = "https://hooks.example/"
	}
	return prefix + strings.Repeat(filler, n-len(prefix)-len(suffix)) + suffix
}

// Every text of a body has a greatest length, except what only names things that exist: what is stored must be bounded.
func TestStoredTextIsBounded(t *testing.T) {
	t.Parallel()
	for _, r := range api.Routes() {
		for _, p := range places(t, r) {
			if p.in != "body" || p.form.Kind() != reflect.String || tagOf(r, p.name).Get("maxLength") != "" {
				continue
			}
			switch p.name {
			case "user_id", "organization_id", "role_slug", "replacement_role_slug", "default_role_slug", "permission_slug", "resource_id", "resource_external_id", "resource_type_slug", "password", "password_hash",
				"parent_resource_id", "parent_resource_external_id", "parent_resource_type_slug", "after_event_id", "organization_membership_id", "range_start", "range_end", "status", "starts_at", "expires_at": // the last two are kept as instants
			case "slug":
				if strings.HasSuffix(r.Path, "/permissions") && r.Path != permissions {
					continue
				}
				t.Errorf("%s %s: %s has no maxLength", r.Method, r.Path, p.name)
			default:
				t.Errorf("%s %s: %s has no maxLength", r.Method, r.Path, p.name)
			}
		}
	}
}

// Names of things are looked up whatever their length: too long is as unknown as any other.
func TestLongReferences(t *testing.T) {
	bodies(t, func(m *matrix, r api.Route, p place, tag reflect.StructTag) {
		if tag.Get("maxLength") != "" || p.noun == text || p.name == "domains" || p.name == "domain_data" || p.name == "checks" { // a batch answers each question by itself
			return
		}
		long := formed(p, strings.Repeat("a", 200_000))
		if a := m.ask(r, p, long); a.status != 404 && a.status != 422 {
			m.tb.Errorf("%s %s with a very long %s: %d %.200s", r.Method, r.Path, p.name, a.status, a.raw)
		}
	})
}
