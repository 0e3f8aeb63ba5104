package server_test

import (
	"bufio"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/server"
)

// Canary values for everything that is secret or personal never appear in a log, an announcement, a refusal or an
// event, whatever goes wrong (security case 16).
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t)
	address, err := url.Parse(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := address.User.Password()
	const key, once, query, header = "sk_canary-of-the-key-0123456789", "canary-of-the-idempotency-key", "canary.in.query@acme.example", "canary-in-header"
	r := start(t, server.Config{Database: cluster.URL(), APIKey: key})
	var told strings.Builder
	call := func(key, method, path, body string) {
		t.Helper()
		a, err := r.attempt(key, method, path, body, "Idempotency-Key", once+method+path, "Cookie", header, "User-Agent", header, "Referer", header)
		if err != nil {
			told.WriteString(err.Error())
		}
		told.WriteString(a.raw)
	}
	traffic := func() {
		call(key, "POST", permissions, newPermission("a"))
		call(key, "POST", permissions, newPermission("b"))
		call(key, "POST", permissions, `{"slug":"c","name":`)
		call(key, "GET", "/user_management/users?email="+query, "")
		call(key, "GET", "/user_management/users?email=%zz"+query, "")
		call(key+"x", "GET", roles, "")
		call("", "GET", roles+"?email="+query, "")
		call(key, "GET", "/nowhere?email="+query, "")
		call(key, "PATCH", "/events?email="+query, "")
		call(key, "GET", "/events?limit=100", "")
		call("", "GET", "/readyz", "")
	}
	traffic()
	cluster.Stop(t)
	traffic()
	cluster.Restart(t)
	r.until(200, "", "GET", "/readyz", "")
	traffic()
	r.stop()
	if !strings.Contains(told.String(), "permission.created") || !strings.Contains(told.String(), "temporarily_unavailable") {
		t.Error("the traffic was not what this test needs")
	}
	for place, text := range map[string]string{"log": r.log.String(), "announcement": r.out.String(), "answers": told.String()} {
		for what, secret := range map[string]string{
			"API key": key, "half of the API key": key[10:], "database password": password, "Idempotency-Key": once, "e-mail of a query": query, "header": header,
		} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s hold the %s", place, what)
			}
		}
	}
}

// Each request is one line of JSON that says what was asked and what came of it.
func TestLogLines(t *testing.T) {
	t.Parallel()
	r := start(t, server.Config{Database: "sqlite:" + sqliteFile(t)})
	r.want(201, r.call(r.key, "POST", permissions, newPermission("docs:read"), "X-Request-ID", "first"))
	r.want(404, r.call(r.key, "GET", permissions+"/docs:write", "", "X-Request-ID", "second"))
	r.want(401, r.call("", "GET", roles, "", "X-Request-ID", "third"))
	r.want(404, r.call(r.key, "GET", "/nowhere", "", "X-Request-ID", "fourth"))
	r.stop()
	lines := map[string]map[string]any{}
	for scan := bufio.NewScanner(strings.NewReader(r.log.String())); scan.Scan(); {
		var line map[string]any
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			t.Fatalf("not JSON: %s", scan.Text())
		}
		if id, ok := line["request_id"].(string); ok {
			if lines[id] != nil {
				t.Errorf("two lines for the request %s", id)
			}
			lines[id] = line
		}
	}
	for id, want := range map[string]map[string]any{
		"first":  {"method": "POST", "route": "POST " + permissions, "status": 201.0, "msg": "request", "level": "INFO"},
		"second": {"method": "GET", "route": "GET " + permissions + "/{slug}", "status": 404.0, "code": "entity_not_found"},
		"third":  {"status": 401.0, "code": "unauthorized"},
		"fourth": {"status": 404.0, "code": "route_not_found"},
	} {
		for name, value := range want {
			if lines[id][name] != value {
				t.Errorf("the line of the %s request has %s %v, want %v: %v", id, name, lines[id][name], value, lines[id])
			}
		}
	}
	for _, id := range []string{"first", "second"} {
		if env, _ := lines[id]["environment"].(string); !strings.HasPrefix(env, "environment_") {
			t.Errorf("the line of the %s request does not say whose it is: %v", id, lines[id])
		}
	}
}
