package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/api"
)

// once is the same caller, repeating under one key.
func (c *client) once(key string) *client { return c.with("Idempotency-Key", key) }

// replayed wants an answer that says that it is a repetition, or that it is not.
func (a answer) replayed(want bool) answer {
	a.tb.Helper()
	if got := a.header.Get("Idempotent-Replayed") == "true"; got != want {
		a.tb.Errorf("%s: Idempotent-Replayed is %q", a.call, a.header.Get("Idempotent-Replayed"))
	}
	return a
}

// A repeated POST changes nothing and gives the first answer for 24 hours, whatever happened meanwhile (semantics 2.15,
// fact 4).
func TestReplay(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		c, body := w.once("k1"), object{"slug": "a", "name": "A"}
		first := c.post(permissions, body).is(201).replayed(false)
		w.fired("permission.created a")
		c.post(permissions, body).replayed(true).same(first)
		w.patch(permissions+"/a", object{"name": "B"}).is(200)
		w.fired("permission.updated a, changed name")
		c.post(permissions, body).replayed(true).same(first)
		w.delete(permissions + "/a").is(204)
		w.fired("permission.deleted a")
		c.post(permissions, body).replayed(true).same(first) // also after the object is gone
		w.get(permissions+"/a").refused(404, "entity_not_found")
		w.fired()

		w.clock.advance(24*time.Hour - time.Minute)
		c.post(permissions, body).replayed(true).same(first)
		w.clock.advance(time.Minute + time.Second)
		again := c.post(permissions, body).is(201).replayed(false)
		if again.text("id") == first.text("id") {
			t.Error("the first answer was given again after its time")
		}
		w.fired("permission.created a")
		c.post(permissions, body).replayed(true).same(again)
		w.clock.advance(25 * time.Hour)
		c.post(permissions, body).refused(409, "permission_slug_conflict").replayed(false)
		w.fired()
	})
}

// Every POST of the table that changes something takes part, and no other request does.
func TestReplayOfEveryRoute(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		m := &matrix{client: w.client}
		m.prepare()
		for i, r := range api.Routes() {
			if r.Method != "POST" {
				continue
			}
			at := place{in: "nothing"}
			m.prepare()
			plain := m.client
			m.client = plain.once(fmt.Sprintf("key %d", i))
			first := m.ask(r, at, nil)
			if first.status >= 300 {
				t.Errorf("%s %s: %d %s", r.Method, r.Path, first.status, first.raw)
			}
			m.made-- // the same once more
			w.prepared()
			second := m.ask(r, at, nil).replayed(!r.ReadOnly)
			second.same(first)
			if again := w.events.read(t); len(again) > 0 {
				t.Errorf("%s %s: the repetition caused %q", r.Method, r.Path, again)
			}
			m.client = plain
			m.own = nil // what this took away, others need
		}
		c := w.once("put")
		w.permission("put")
		w.role("put")
		c.put(roles+"/put/permissions", object{"permissions": list{"put"}}).is(200).replayed(false)
		c.put(roles+"/put/permissions", object{"permissions": list{}}).is(200).replayed(false).has("permissions", list{})
		c.delete(permissions + "/put").is(204)
		c.delete(permissions+"/put").refused(404, "entity_not_found")
		c.get(permissions+"/put").refused(404, "entity_not_found")
	})
}

// A key names one request: for another method, path or body it is refused, and nothing is done.
func TestReusedKey(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.prepared()
		c := w.once("k")
		c.post(rolesOf(acme), object{"slug": "org-a", "name": "A"}).is(201)
		w.fired("organization_role.created Acme/org-a []")
		c.post(rolesOf(acme), object{"slug": "org-b", "name": "A"}).refused(422, "idempotency_key_reused")
		c.post(rolesOf(acme), `{"slug": "org-a", "name": "A"}`).refused(422, "idempotency_key_reused") // other bytes
		c.post(rolesOf(globex), object{"slug": "org-a", "name": "A"}).refused(422, "idempotency_key_reused")
		c.post(permissions, object{"slug": "org-a", "name": "A"}).refused(422, "idempotency_key_reused")
		w.fired()
		// Other keys, other callers and other environments never meet it.
		w.once("k2").post(rolesOf(acme), object{"slug": "org-a", "name": "A"}).refused(409, "organization_role_slug_conflict").replayed(false)
		w.keyed(t, w.env, "second").once("k").post(rolesOf(acme), object{"slug": "org-b", "name": "A"}).is(201).replayed(false)
		staging, _ := w.environment(t, "staging")
		staging.once("k").permission("theirs")
		w.fired("organization_role.created Acme/org-b []")
		w.get(permissions).lists("slug")
	})
}

// A refusal is not kept: once its reason is gone, the same request succeeds under the same key.
func TestRefusalsAreNotReplayed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		c := w.once("k")
		c.post(permissions, object{"slug": "a", "name": "A"}).refused(409, "permission_slug_conflict")
		w.delete(permissions + "/a").is(204)
		c.post(permissions, object{"slug": "a", "name": "A"}).is(201).replayed(false)
		c.post(permissions, object{"slug": "a", "name": "A"}).is(201).replayed(true)
		// Nor does a body that is refused use the key up.
		d := w.once("d")
		d.post(permissions, "{").refused(400, "bad_request")
		d.post(permissions, object{"slug": "B"}).refused(422, "invalid_request_parameters", "name")
		d.post(permissions, object{"slug": "b", "name": "B"}).is(201).replayed(false)
	})
}

// Two, and sixteen, at once are one creation, and all get its answer: no false 409.
func TestRepetitionsAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, user := w.organization("Acme"), w.user("ada@acme.example")
		w.prepared()
		for i, n := range []int{2, 16} {
			for what, body := range map[string]object{
				permissions:  {"slug": fmt.Sprintf("p%d", i), "name": "n"},
				rolesOf(org): {"name": "Generated slug"},
				users:        {"email": fmt.Sprintf("u%d@acme.example", i)},
				memberships:  {"user_id": user, "organization_id": org},
			} {
				if what == memberships && i > 0 {
					continue
				}
				answers := make([]answer, n)
				var all sync.WaitGroup
				for j := range answers {
					all.Go(func() { answers[j] = w.once(fmt.Sprint("k", i, what)).post(what, body) })
				}
				all.Wait()
				originals := 0
				for _, a := range answers {
					if a.status != 201 || string(a.raw) != string(answers[0].raw) {
						t.Errorf("%d at once: %s: %d %s, and another got %s", n, a.call, a.status, a.raw, answers[0].raw)
					}
					if a.header.Get("Idempotent-Replayed") == "" {
						originals++
					}
				}
				if originals != 1 {
					t.Errorf("%d at once: %d of them are the first", n, originals)
				}
				if events := w.events.read(t); len(events) != 1 {
					t.Errorf("%d at once caused %q", n, events)
				}
			}
		}
	})
}

// Checks keep no receipt (fact 4): the next one sees what changed.
func TestChecksAreNotReplayed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		w.role("admin", "a")
		m := w.member(w.user("ada@acme.example"), w.organization("Acme"), "admin")
		c := w.once("k")
		c.post(checkOf(m), object{"permission_slug": "a"}).is(200).has("authorized", true)
		w.put(memberships+"/"+m, object{"role_slug": "member"}).is(200)
		c.post(checkOf(m), object{"permission_slug": "a"}).is(200).has("authorized", false).replayed(false)
		c.permission("b") // the key was not used up
	})
}

// What a key may be.
func TestIdempotencyKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for i, key := range []string{"a", "retry-97f5c777-9900-41f9-aa3b-cb85e088cbbf", strings.Repeat("k", 255), "with blanks and /:;,'\"<>{}%", "~!@"} {
			w.once(key).permission(fmt.Sprint("p", i))
			w.once(key).permission(fmt.Sprint("p", i))
		}
		w.once("A").permission("upper") // keys are told apart to the letter
		for _, key := range []string{strings.Repeat("k", 256), "é", "tab\there", "\x7f"} {
			req, err := http.NewRequest("POST", w.url+permissions, strings.NewReader(`{"slug":"never","name":"n"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+w.key)
			req.Header["Idempotency-Key"] = []string{key}
			if key == "\x7f" {
				continue // no client can send it
			}
			w.roundTrip(req).refused(422, "invalid_request_parameters", "Idempotency-Key")
		}
		w.get(permissions+"/never").refused(404, "entity_not_found")
		// An empty header is none.
		w.once("").permission("x")
		w.once("").post(permissions, object{"slug": "x", "name": "x"}).refused(409, "permission_slug_conflict")
	})
}
