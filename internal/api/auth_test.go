package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

// Whoever has no working key gets the same 401 on every route, in JSON, whatever he sent (semantics 2.0).
func TestUnauthorized(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		revoked := w.keyed(t, w.env, "revoked")
		if err := w.keys.RevokeKey(context.Background(), "", revoked.keyID); err != nil {
			t.Fatal(err)
		}
		wrong := (&client{tb: t, url: w.url, key: "sk_wrong"}).get(roles).refused(401, "unauthorized")
		revoked.get(roles).refused(401, "unauthorized").same(wrong)
		anybody := &client{tb: t, url: w.url}
		for _, header := range []string{
			"", "Bearer", "Bearer ", "Basic " + w.key, w.key, "Bearer " + w.key + "x", "Bearer " + w.key[1:], "Bearer " + strings.ToUpper(w.key),
			"Bearer " + w.key + " " + w.key, "Bearer\x00" + w.key, "Bearer " + strings.Repeat("k", 100_000), "Bearer é", "Bearer " + string(w.keyID), "Bearer " + w.key + ",",
		} {
			if strings.ContainsRune(header, 0) {
				continue // no client can send it
			}
			anybody.with("Authorization", header).get(roles).refused(401, "unauthorized")
		}
		// The scheme is matched in any case (RFC 9110), with blanks around the value.
		for _, scheme := range []string{"Bearer ", "bearer ", "BEARER ", "Bearer    "} {
			anybody.with("Authorization", scheme+w.key).get(roles).is(200)
		}
		// Nothing about a request is looked at before the key: not the body, not the query, not the path's ids.
		anybody.post(permissions, "{").refused(401, "unauthorized")
		anybody.get(permissions+"?limit=x").refused(401, "unauthorized")
		anybody.get("/organizations/org_"+nobodys).refused(401, "unauthorized")
		w.get(roles).lists("slug", "member")
	})
}

// A revocation holds from the moment it was acknowledged.
func TestRevokedKey(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.keyed(t, w.env, "short-lived")
		c.get(roles).is(200)
		if err := w.keys.RevokeKey(context.Background(), "", c.keyID); err != nil {
			t.Fatal(err)
		}
		c.get(roles).refused(401, "unauthorized")
		c.permissionRefused()
		w.get(roles).is(200)
	})
}

// A request that was sent but for the end of its body does nothing with a key that was revoked meanwhile.
func TestRevokedKeyOfASlowRequest(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c := w.keyed(t, w.env, "slow")
		body, rest := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+permissions, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.key)
		req.Header.Set("Content-Type", "application/json")
		go func() {
			rest.Write([]byte(`{"slug":"late",`))
			time.Sleep(300 * time.Millisecond) // it is authenticated by then
			err := w.keys.RevokeKey(context.Background(), "", c.keyID)
			rest.Write([]byte(`"name":"late"}`))
			rest.CloseWithError(err)
		}()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("answered %s", resp.Status)
		}
		w.get(permissions).lists("slug")
	})
}

func (c *client) permissionRefused() {
	c.tb.Helper()
	c.post(permissions, object{"slug": "a", "name": "a"}).refused(401, "unauthorized")
}

// A key reaches its environment alone, and what it does is told of it.
func TestKeysOfEnvironments(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		staging, env := w.environment(t, "staging")
		second := w.keyed(t, env, "second")
		staging.permission("a")
		second.role("admin", "a")
		w.get(permissions).lists("slug")
		w.get(roles).lists("slug", "member")
		w.permission("a")
		staging.get(roles).lists("slug", "member", "admin")
		for i, want := range []id.APIKey{staging.keyID, second.keyID, second.keyID} {
			if got := second.get("/events").at("data." + string(rune('0'+i)) + ".context.actor.id"); got != string(want) {
				t.Errorf("event %d was caused by %v, want %s", i, got, want)
			}
		}
		w.fired("permission.created a")
	})
}

// The health routes need no key; what is beside them is not there.
func TestHealth(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		anybody := &client{tb: t, url: w.url}
		anybody.get("/healthz").is(200).has("status", "ok")
		anybody.get("/readyz").is(200).has("status", "ready")
		anybody.post("/healthz", nil).refused(405, "method_not_allowed")
		anybody.get("/metrics").refused(404, "route_not_found")
		resp, err := http.Head(w.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("HEAD /healthz: %d", resp.StatusCode)
		}
	})
}
