package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// What is not there is said in JSON, with the methods that are (traps of 2.15).
func TestUnknownPathsAndMethods(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, path := range []string{"/", "/nowhere", "/authorization", "/authorization/roles/", "/authorization//roles", "//authorization/roles", "/authorization/./roles",
			"/authorization/x/../roles", "/authorization/roles/a/b/c/d", "/Authorization/roles", "/authorization/roles/admin/", "/favicon.ico", "/%2e%2e/etc/passwd",
			"/authorization%2Froles", "/authorization/organizations//roles", "/authorization/roles/..", "/authorization/roles/.", "/authorization/roles/%2E%2E/../x"} {
			a := w.get(path).refused(404, "route_not_found")
			if a.header.Get("Location") != "" {
				t.Errorf("%s is redirected", path)
			}
		}
		for path, allow := range map[string]string{
			roles: "GET, POST", roles + "/admin": "GET, PATCH, DELETE", roles + "/admin/permissions": "POST, PUT", "/events": "GET",
			organizations + "/external_id/x": "GET", organizations + "/x": "GET, PUT, DELETE", memberships + "/x/deactivate": "PUT", "/openapi.json": "GET",
		} {
			a := w.send("TRACE", path, nil).refused(405, "method_not_allowed")
			if got := a.header.Get("Allow"); !sameSet(strings.Split(got, ", "), strings.Split(allow, ", ")) {
				t.Errorf("%s allows %q, want %q", path, got, allow)
			}
			w.send("BREW", path, nil).refused(405, "method_not_allowed")
		}
		w.delete(roles).refused(405, "method_not_allowed")
		w.put(organizations, object{}).refused(405, "method_not_allowed")
		w.post("/events", object{}).refused(405, "method_not_allowed")
		w.post("/nowhere", object{}).refused(404, "route_not_found")
	})
}

// Parameters of paths hold any character, escaped or not (fact 12 of the SDK's requests).
func TestPathParameters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("docs:read", "docs:*", "a.b", "...")
		w.role("admin", "docs:read", "docs:*", "a.b")
		for path, slug := range map[string]string{
			"docs:read": "docs:read", "docs%3Aread": "docs:read", "docs%3aread": "docs:read", "docs:*": "docs:*", "docs:%2A": "docs:*", "%64ocs:read": "docs:read", "a%2Eb": "a.b", "%2E%2E.": "...",
		} {
			w.get(permissions+"/"+path).is(200).has("slug", slug)
		}
		w.delete(roles + "/admin/permissions/docs%3A%2A").is(200)
		w.delete(roles+"/admin/permissions/docs:read").is(200).has("permissions", list{"a.b"})
		for _, path := range []string{"docs:read%2F", "docs:read%00", "%00", "%FF", "%C3%28", "docs:read%20", "+", "docs%253Aread", "DOCS:READ", strings.Repeat("a", 5000), "%F0%9F%98%80", "docs:read;x", "docs:read%0A", "'%20OR%20'1'='1"} {
			w.get(permissions+"/"+path).refused(404, "entity_not_found")
			w.get(roles + "/admin").is(200)
			w.delete(roles+"/"+path).refused(404, "entity_not_found")
		}

		// External ids hold any ASCII character but NUL.
		var all strings.Builder
		for c := byte(1); c < 128; c++ {
			all.WriteByte(c)
		}
		for i, external := range []string{"a/b", "//", "...", "a/../b", "a?b#c&d=e%f+g h", "%2F", "a b", "\\", "*", ":", "\x01", "\n", "~", "external_id", all.String()} {
			org := w.post(organizations, object{"name": "n", "external_id": external}).is(201).text("id")
			escaped := strings.ReplaceAll(segment(external), "..", "%2E%2E")
			w.get(organizations+"/external_id/"+escaped).is(200).has("id", org).has("external_id", external)
			user := w.post(users, object{"email": fmt.Sprintf("u%d@acme.example", i), "external_id": external}).is(201).text("id")
			w.get(users+"/external_id/"+escaped).is(200).has("id", user)
		}
		w.get(organizations+"/external_id/nobody").refused(404, "entity_not_found")
		w.get(organizations+"/external_id/a%00b").refused(404, "entity_not_found")
		w.get(organizations+"/external_id/%FF").refused(404, "entity_not_found")
	})
}

// Ids are matched to the letter: nothing that only resembles one names anything.
func TestResemblingIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		ulid := strings.TrimPrefix(org, "org_")
		for _, id := range []string{strings.ToLower(org), ulid, "org" + ulid, "org__" + ulid, "user_" + ulid, "org_" + ulid + "%20", "%20" + org, org + "0", org[:len(org)-1],
			"org_" + strings.ToLower(ulid), "org_8" + ulid[1:], "org_" + strings.Repeat("Z", 26), "org_" + strings.Repeat("0", 26), "org_" + ulid + "%00", "organization_" + ulid, "org_" + strings.Replace(ulid, "0", "O", 1)} {
			w.get(organizations+"/"+id).refused(404, "entity_not_found")
			w.get(rolesOf(id)).refused(404, "entity_not_found")
		}
		w.get(organizations + "/org%5F" + ulid).is(200)
	})
}

// A body of exactly a mebibyte is read, one byte more is not, also without a length told beforehand.
func TestBodyLimit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		body := func(size int) string {
			head := `{"slug":"a","name":"a","unknown":"`
			return head + strings.Repeat("x", size-len(head)-2) + `"}`
		}
		w.post(permissions, body(1<<20)).is(201)
		w.post(permissions, body(1<<20+1)).refused(413, "request_too_large")
		req, err := http.NewRequest("POST", w.url+permissions, io.MultiReader(strings.NewReader(body(1<<20+1)), strings.NewReader(strings.Repeat(" ", 1<<20))))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+w.key)
		w.roundTrip(req).refused(413, "request_too_large")
		// Where no body is read, none is minded.
		w.send("GET", roles, strings.Repeat("x", 100)).is(200)
		w.send("DELETE", roles+"/nobody", object{"x": 1}).refused(404, "entity_not_found")
	})
}

// Bodies that are no JSON object are refused as a whole (400), and none of them reaches a rule.
func TestMalformedBodies(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		deep := func(levels int) string { return strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels) }
		for _, body := range []string{"{", "}", "[]", "[{}]", "null", "1", `"x"`, "true", "{}{}", `{"slug":"a"`, `{"slug":"a",}`, `{slug:"a"}`, "{'slug':'a'}", "slug=a&name=b",
			"\xff\xfe", `{"slug":"a` + "\xff" + `"}`, `{"a":"` + "\xc3\x28" + `"}`, "\x00", `{"slug":"a"} x`, "<xml/>", deep(20_000), strings.Repeat("[", 100_000), `{"a":1e}`, `{"a":01}`, `{"a":"` + "\n" + `"}`, `{"a":NaN}`, "\ufeff{}"} {
			w.post(permissions, body).refused(400, "bad_request")
		}
		w.fired()
		// An empty body counts as an empty object.
		w.post(permissions, "").refused(422, "invalid_request_parameters", "slug", "name")
		w.post(permissions, " \n ").refused(422, "invalid_request_parameters", "slug", "name")
		w.post(permissions, deep(10_000)).refused(422, "invalid_request_parameters", "slug", "name")
		w.post(permissions, nil).refused(422, "invalid_request_parameters", "slug", "name")
		// Unknown keys are ignored, whatever they hold; of a key given twice the last one counts; keys match to the letter.
		w.post(permissions, `{"slug":"x","x":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`,"y":1e400,"z":"\ud800","name":"n","slug":"a"}`).is(201).has("slug", "a")
		w.post(permissions, `{"SLUG":"b","Slug":"c","slug":"d","name":"n","Name":1}`).is(201).has("slug", "d").has("name", "n")
		w.post(permissions, `{"slug":"e","name":"n","":null,"__proto__":{},"constructor":1}`).is(201)
		w.fired("permission.created a", "permission.created d", "permission.created e")
		// The type that the client declares does not matter: curl declares a form.
		w.with("Content-Type", "application/x-www-form-urlencoded").post(permissions, `{"slug":"f","name":"n"}`).is(201)
		w.with("Content-Type", "text/plain; charset=utf-16").post(permissions, `{"slug":"g","name":"n"}`).is(201)
		w.fired("permission.created f", "permission.created g")
	})
}

// Text comes back as it was sent: what is in a string is never escaped for another world than JSON's.
func TestTextIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, text := range []string{`<b>&amp;"'\/`, "日本語 العربية 😀", "a\u2028b\u2029c", "e\u0301 é", "a\u200b\u202e", " lead and trail ", "'; DROP TABLE roles; --", "%s%d$1", "\ufffd\uffff", strings.Repeat("😀", 48)} {
			slug := fmt.Sprintf("p%d", i)
			w.post(permissions, object{"slug": slug, "name": text, "description": text}).is(201).has("name", text).has("description", text)
			w.get(permissions+"/"+slug).is(200).has("name", text)
		}
		// Half a surrogate is no character: JSON readers would put the replacement character in its place.
		for _, half := range []string{`a\ud800b`, `\udc00`, `\ud800\ud800`, `\ud83d\\ude00`, `\uD83D`} {
			w.post(permissions, `{"slug":"half","name":"`+half+`"}`).refused(422, "invalid_request_parameters", "name")
		}
		w.post(permissions, `{"slug":"whole","name":"\ud83d\ude00 \\ud800"}`).is(201).has("name", `😀 \ud800`)
		// A name is one line that people can read.
		for _, name := range []string{"\u200b\u202e", "\x01", "a\nb", "\x7f"} {
			w.post(permissions, object{"slug": "name", "name": name}).refused(422, "invalid_request_parameters", "name")
		}
		w.post(permissions, object{"slug": "lines", "name": "n", "description": "a\nb\x01"}).is(201).has("description", "a\nb\x01")
	})
}

// Queries that cannot be decoded are refused, never dropped; what they hold beside known names is ignored.
func TestQueries(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, query := range []string{"limit=%zz", "%", "a=%F", "limit=1;order=asc"} {
			w.get(roles+"?"+query).refused(400, "bad_request")
			w.get(permissions+"?"+query).refused(400, "bad_request")
		}
		for _, query := range []string{"search=%00", "search=%FF", "anything=%00", "limit=%C3%28", "%00=%00", "events[]=%ED%A0%80"} {
			w.get(organizations + "?" + query).is(422)
		}
		w.get(organizations + "?x=1&y[]=2&=3&&limit=5&z").is(200)
		w.get(organizations + "?" + strings.Repeat("a=b&", 5000)).is(200)
		w.get(organizations+"?search="+strings.Repeat("a", 10_000)).refused(422, "invalid_request_parameters", "search")
		w.get(organizations+"?domains="+strings.Repeat("a.example,", 3000)).refused(422, "invalid_request_parameters", "domains")
		w.get(organizations + "?search=" + strings.Repeat("%25", 256) + "&domains=" + strings.Repeat("a.example,", 100)).lists("id")
		w.get(memberships + "?user_id=x&statuses=" + strings.Repeat("active,", 3000)).is(200)
	})
}

// A request id that the client sent is kept when it is a sensible one (fact 9).
func TestRequestID(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for sent, kept := range map[string]bool{"abc-123.X:_": true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "a b": false, "<script>": false, "é": false, "": false} {
			got := w.with("X-Request-ID", sent).get(roles).header.Get("X-Request-ID")
			if (got == sent) != kept || got == "" {
				t.Errorf("X-Request-ID %q was answered with %q", sent, got)
			}
		}
		if a, b := w.get(roles), w.get(roles); a.header.Get("X-Request-ID") == b.header.Get("X-Request-ID") {
			t.Error("two requests have one id")
		}
	})
}

// Answers may not be kept by anybody between, and HEAD is GET without the body.
func TestAnswerHeaders(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.get(roles).is(200)
		if a.header.Get("Cache-Control") != "no-store" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers: %v", a.header)
		}
		if h := w.send("HEAD", roles, nil); h.status != 200 || len(h.raw) > 0 {
			t.Errorf("HEAD: %d %q", h.status, h.raw)
		}
	})
}

// What is not HTTP at all, or only half of it, harms nobody else.
func TestBrokenRequests(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		address := strings.TrimPrefix(w.url, "http://")
		for _, raw := range []string{"nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "POST " + permissions + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.key + "\r\nContent-Length: -1\r\n\r\n",
			"POST " + permissions + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + w.key + "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"} {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, raw)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%q: %v", raw, err)
			} else if resp.StatusCode < 400 || resp.StatusCode >= 500 {
				t.Errorf("%q: %d", raw, resp.StatusCode)
			}
			conn.Close()
		}
		// A body that ends before it was told to.
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{\"slug\":\"a\"", permissions, w.key)
		conn.(*net.TCPConn).CloseWrite()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		var refusal struct{ Code string }
		if err := json.NewDecoder(resp.Body).Decode(&refusal); err != nil || resp.StatusCode != 400 || refusal.Code != "bad_request" {
			t.Errorf("half a body: %d %+v %v", resp.StatusCode, refusal, err)
		}
		conn.Close()
		w.get(permissions).lists("slug")
	})
}
