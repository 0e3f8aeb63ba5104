package api_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/id"
)

// object is a JSON object.
type object map[string]any

// list is a JSON array.
type list []any

// client sends requests as one caller and checks of every answer what holds for all of them.
type client struct {
	tb     testing.TB
	url    string
	key    string
	keyID  id.APIKey
	header http.Header // sent with every request
	fanOut func()      // makes the deliveries of what happened so far
}

// in is the same caller, for a subtest.
func (c *client) in(tb testing.TB) *client {
	other := *c
	other.tb = tb
	return &other
}

// with is the same caller with a header more.
func (c *client) with(name, value string) *client {
	other := *c
	if other.header = c.header.Clone(); other.header == nil {
		other.header = http.Header{}
	}
	other.header.Set(name, value)
	return &other
}

func (c *client) get(path string) answer            { c.tb.Helper(); return c.send("GET", path, nil) }
func (c *client) post(path string, body any) answer { c.tb.Helper(); return c.send("POST", path, body) }
func (c *client) put(path string, body any) answer  { c.tb.Helper(); return c.send("PUT", path, body) }
func (c *client) patch(path string, body any) answer {
	c.tb.Helper()
	return c.send("PATCH", path, body)
}
func (c *client) delete(path string) answer { c.tb.Helper(); return c.send("DELETE", path, nil) }

// send sends a request. A body that is a string goes out as it is, anything else as JSON; nil sends none.
func (c *client) send(method, path string, body any) answer {
	c.tb.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			c.tb.Fatal(err)
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(c.tb.Context(), method, c.url+path, reader)
	if err != nil {
		c.tb.Fatal(err)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	req.Header.Set("Content-Type", "application/json")
	for name, values := range c.header {
		req.Header[name] = values
	}
	return c.roundTrip(req)
}

func (c *client) roundTrip(req *http.Request) answer {
	c.tb.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", req.Method, req.URL.RequestURI(), err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		c.tb.Fatalf("%s %s: %v", req.Method, req.URL.RequestURI(), err)
	}
	a := answer{tb: c.tb, call: req.Method + " " + req.URL.RequestURI(), status: resp.StatusCode, header: resp.Header, raw: raw}
	a.check(c, req)
	return a
}

// answer is what came back.
type answer struct {
	tb     testing.TB
	call   string
	status int
	header http.Header
	raw    []byte
}

var requestID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// check is what holds for every answer to anybody (semantics 2.0 and 2.15).
func (a answer) check(c *client, req *http.Request) {
	a.tb.Helper()
	if !requestID.MatchString(a.header.Get("X-Request-ID")) {
		a.tb.Errorf("%s: X-Request-ID is %q", a.call, a.header.Get("X-Request-ID"))
	}
	if a.status >= 500 {
		a.tb.Errorf("%s: answered %d to a client: %s", a.call, a.status, a.raw)
	}
	if len(a.raw) > 0 {
		kind := a.header.Get("Content-Type")
		if !strings.HasPrefix(kind, "application/json") && !a.table() {
			a.tb.Errorf("%s: Content-Type of the answer is %q", a.call, kind)
		}
		if a.table() {
			if kind != "text/csv; charset=utf-8" {
				a.tb.Errorf("%s: Content-Type of the answer is %q", a.call, kind)
			}
		} else if bytes.ContainsAny(a.raw, "\n") || bytes.Contains(a.raw, []byte(`\u003c`)) {
			a.tb.Errorf("%s: the answer is not compact JSON as JavaScript writes it: %s", a.call, a.raw)
		}
	}
	if c.key != "" && bytes.Contains(a.raw, []byte(c.key)) {
		a.tb.Errorf("%s: the answer holds the API key", a.call)
	}
	if a.status >= 400 {
		a.checkRefusal()
	}
	validate(a.tb, c, req, a)
}

// table says whether a table was asked for and given.
func (a answer) table() bool {
	return strings.Contains(a.call, "format=csv") && a.status == http.StatusOK
}

// checkRefusal: every refusal is JSON with code and message, and never looks like one of OAuth (traps of 2.15).
func (a answer) checkRefusal() {
	a.tb.Helper()
	var body map[string]any
	if err := json.Unmarshal(a.raw, &body); err != nil {
		a.tb.Errorf("%s: %d without a JSON object: %q", a.call, a.status, a.raw)
		return
	}
	for _, key := range []string{"code", "message"} {
		if s, ok := body[key].(string); !ok || s == "" {
			a.tb.Errorf("%s: %d without %s: %s", a.call, a.status, key, a.raw)
		}
	}
	for _, key := range []string{"error", "error_description"} {
		if _, there := body[key]; there {
			a.tb.Errorf("%s: %d has a key %s, which clients take for OAuth: %s", a.call, a.status, key, a.raw)
		}
	}
	if challenge := a.header.Get("WWW-Authenticate"); (a.status == 401) != (challenge != "") {
		a.tb.Errorf("%s: %d with WWW-Authenticate %q", a.call, a.status, challenge)
	}
}

// is wants a status.
func (a answer) is(status int) answer {
	a.tb.Helper()
	if a.status != status {
		a.tb.Fatalf("%s: status %d, want %d: %s", a.call, a.status, status, a.raw)
	}
	if status == http.StatusNoContent && len(a.raw) > 0 {
		a.tb.Errorf("%s: 204 with a body: %s", a.call, a.raw)
	}
	return a
}

// refused wants a refusal with a code, blaming exactly the given fields.
func (a answer) refused(status int, code string, fields ...string) answer {
	a.tb.Helper()
	a.is(status)
	if got := a.text("code"); got != code {
		a.tb.Errorf("%s: code %q, want %q: %s", a.call, got, code, a.raw)
	}
	var blamed []string
	for i := range a.size("errors") {
		blamed = append(blamed, a.text("errors."+strconv.Itoa(i)+".field"))
		if a.text("errors."+strconv.Itoa(i)+".code") == "" {
			a.tb.Errorf("%s: errors[%d] has no code, which is all that clients print: %s", a.call, i, a.raw)
		}
	}
	slices.Sort(blamed)
	slices.Sort(fields)
	if !slices.Equal(blamed, fields) {
		a.tb.Errorf("%s: blames %q, want %q: %s", a.call, blamed, fields, a.raw)
	}
	return a
}

// at finds a value by a path such as data.0.slug; nil when there is none.
func (a answer) at(path string) any {
	a.tb.Helper()
	var v any
	if err := json.Unmarshal(a.raw, &v); err != nil {
		a.tb.Fatalf("%s: %v: %q", a.call, err, a.raw)
	}
	for part := range strings.SplitSeq(path, ".") {
		switch here := v.(type) {
		case map[string]any:
			v = here[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(here) {
				return nil
			}
			v = here[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) text(path string) string {
	a.tb.Helper()
	s, _ := a.at(path).(string)
	return s
}

func (a answer) size(path string) int {
	a.tb.Helper()
	all, _ := a.at(path).([]any)
	return len(all)
}

// has wants values by path; a want is compared as JSON.
func (a answer) has(path string, want any) answer {
	a.tb.Helper()
	encoded, err := json.Marshal(want)
	if err != nil {
		a.tb.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(encoded, &plain); err != nil {
		a.tb.Fatal(err)
	}
	if got := a.at(path); !reflect.DeepEqual(got, plain) {
		a.tb.Errorf("%s: %s is %v, want %v: %s", a.call, path, got, plain, a.raw)
	}
	return a
}

// each gathers one text of every item of a list.
func (a answer) each(field string) []string {
	a.tb.Helper()
	all := make([]string, a.size("data"))
	for i := range all {
		all[i] = a.text("data." + strconv.Itoa(i) + "." + field)
	}
	return all
}

// lists wants a list whose items have these texts, in this order.
func (a answer) lists(field string, want ...string) answer {
	a.tb.Helper()
	a.is(200).has("object", "list")
	if got := a.each(field); !slices.Equal(got, want) {
		a.tb.Errorf("%s: lists %q, want %q", a.call, got, want)
	}
	return a
}

// same wants the same answer, byte for byte.
func (a answer) same(other answer) {
	a.tb.Helper()
	if a.status != other.status || !bytes.Equal(a.raw, other.raw) {
		a.tb.Errorf("%s: %d %s\nwant what %s gave: %d %s", a.call, a.status, a.raw, other.call, other.status, other.raw)
	}
}

// segment escapes a value for a path.
func segment(s string) string { return url.PathEscape(s) }
