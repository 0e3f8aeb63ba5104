package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/pgtest"
)

const (
	// promotedTime bounds how long after the promotion of the standby the servers may refuse. It is generous: what was
	// measured is logged, and is a second or two.
	promotedTime = 15 * time.Second
	// longestRequest is the limit of a request (30 seconds) and what a busy machine adds.
	longestRequest = 40 * time.Second
)

// TestFailover runs two servers on a PostgreSQL and its synchronous standby, loses the first, and promotes the second,
// while clients write and check at both servers. No server is restarted.
func TestFailover(t *testing.T) {
	t.Parallel()
	program := built(t)
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		p := pgtest.StartPair(t)
		failover(t, p, twoServers(t, program, p.URL()), 20, func() { p.Primary.Kill(t) })
	})
	// A server that stops in the middle of everything keeps its connections, and requests wait for it until their limit.
	t.Run("frozen", func(t *testing.T) {
		if testing.Short() {
			t.Skip("takes as long as a request may, and longer")
		}
		t.Parallel()
		p := pgtest.StartPair(t)
		servers := twoServers(t, program, p.URL())
		t.Cleanup(func() { p.Primary.Kill(t) })
		failover(t, p, servers, 1, func() { p.Primary.Freeze(t) })
	})
}

// failover promotes the standby when each client was refused a number of times.
func failover(t *testing.T, p *pgtest.Pair, servers pair, refusals int, lose func()) {
	member := newMember(t, servers)
	warm(servers)
	var makers []*client
	for i := range 4 {
		makers = append(makers, newClient(t, servers, i, "maker"))
	}
	turner := newClient(t, servers, 0, "turner")
	checkers := []*client{newClient(t, servers, 0, "checker"), newClient(t, servers, 1, "checker")}
	crowd := slices.Concat(makers, []*client{turner}, checkers)
	stop := make(chan struct{})
	var all sync.WaitGroup
	for _, c := range makers {
		all.Go(func() { c.makePermissions(stop) })
	}
	all.Go(func() { turner.turn(stop) })
	for _, c := range checkers {
		all.Go(func() { c.check(stop, member) })
	}
	end := sync.OnceFunc(func() { close(stop); all.Wait() })
	defer end()

	awaitClients(t, crowd, "answers before the loss", func(c *client) bool { return c.succeeded >= 20 })
	lose()
	awaitClients(t, crowd, "refusals", func(c *client) bool { return c.refused >= refusals })
	p.Promote(t)
	promoted := time.Now()
	awaitClients(t, crowd, "answers after the promotion", func(c *client) bool { return c.since(promoted) >= 20 })
	end()

	for _, c := range crowd {
		back := c.firstAfter(promoted).Sub(promoted)
		t.Logf("%s: %d answers, %d refusals (%d of unknown outcome), back %v after the promotion, longest request %v",
			c.name, c.succeeded, c.refused, c.unknown, back.Round(time.Millisecond), c.longest.Round(time.Millisecond))
		if back > promotedTime {
			t.Errorf("%s was refused for %v after the promotion", c.name, back)
		}
		if c.longest > longestRequest {
			t.Errorf("%s waited %v for an answer", c.name, c.longest)
		}
	}
	nothingLost(t, servers, makers)
	for _, c := range checkers {
		c.wantFresh(turner.changes)
	}
}

// warm asks much at once, so that the servers have connections to lose that nobody uses.
func warm(p pair) {
	var all sync.WaitGroup
	for i := range 200 {
		s := p.servers[i%2]
		all.Go(func() {
			if _, err := s.attempt(p.key, "GET", permissions, ""); err != nil {
				s.tb.Error(err)
			}
		})
	}
	all.Wait()
}

// newMember makes a role, which the turner gives a permission and takes it away again, and a member who holds it.
func newMember(t *testing.T, p pair) (check string) {
	t.Helper()
	s := p.servers[0]
	create := func(path, body string) string {
		a := s.want(201, s.call(p.key, "POST", path, body))
		found, _ := a.body["id"].(string)
		return found
	}
	create(permissions, newPermission("secret"))
	create(roles, `{"slug":"turned","name":"n"}`)
	org := create("/organizations", `{"name":"o"}`)
	user := create("/user_management/users", `{"email":"a@x.example"}`)
	member := create("/user_management/organization_memberships", `{"user_id":"`+user+`","organization_id":"`+org+`","role_slug":"turned"}`)
	return "/authorization/organization_memberships/" + member + "/check"
}

// nothingLost reads everything back that was acknowledged, and wants it made once, also where the request was repeated.
func nothingLost(t *testing.T, p pair, makers []*client) {
	t.Helper()
	made := map[string]int{}
	for after := ""; ; {
		query := url.Values{"limit": {"100"}, "events": {"permission.created"}}
		if after != "" {
			query.Set("after", after)
		}
		a := p.servers[1].want(200, p.servers[1].call(p.key, "GET", "/events?"+query.Encode(), ""))
		var list struct{ Data []told }
		if err := json.Unmarshal([]byte(a.raw), &list); err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Data {
			made[e.Data.Slug]++
			after = e.ID
		}
		if len(list.Data) == 0 {
			break
		}
	}
	for _, c := range makers {
		for _, slug := range c.acknowledged {
			s := p.servers[0]
			s.want(200, s.call(p.key, "GET", permissions+"/"+slug, ""))
			if made[slug] != 1 {
				t.Errorf("%s was made %d times", slug, made[slug])
			}
		}
	}
}

// client is one who asks a server again and again, and notes what happens.
type client struct {
	t      *testing.T
	server *process
	other  *process // where a refused request is repeated
	key    string
	name   string

	mu           sync.Mutex
	succeeded    int
	refused      int
	unknown      int
	at           []time.Time // of the answers
	longest      time.Duration
	acknowledged []string // what was made
	changes      []change
	checks       []checked
}

// change is one that was tried: made says what was answered.
type change struct {
	began, ended time.Time
	allows       bool
	made, denied bool // neither, when nobody knows
}

// checked is an answer.
type checked struct {
	began, ended time.Time
	allowed      bool
}

func newClient(t *testing.T, p pair, i int, what string) *client {
	return &client{t: t, server: p.servers[i%2], other: p.servers[(i+1)%2], key: p.key, name: fmt.Sprint(what, i)}
}

// awaitClients waits until a condition holds for all clients. They are looked at again and again: they are many, and what they
// tell is only numbers.
func awaitClients(t *testing.T, all []*client, what string, done func(*client) bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	end := time.After(patience + longestRequest)
	for _, c := range all {
		for !c.holds(done) {
			select {
			case <-again.C:
			case <-end:
				t.Fatalf("%s: waiting for %s\n%s", c.name, what, c.server.log)
			}
		}
	}
}

func (c *client) holds(done func(*client) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return done(c)
}

// since counts the answers to requests that ended after a moment.
func (c *client) since(moment time.Time) (n int) {
	for i := len(c.at) - 1; i >= 0 && c.at[i].After(moment); i-- {
		n++
	}
	return n
}

func (c *client) firstAfter(moment time.Time) time.Time {
	for _, at := range c.at {
		if at.After(moment) {
			return at
		}
	}
	return moment.Add(time.Hour)
}

// ask sends a request and notes how it went. Whoever is not answered as wanted must be refused with 503.
func (c *client) ask(s *process, want int, method, path, body string, headers ...string) (a reply, began time.Time, ok bool) {
	began = time.Now()
	a, err := s.attempt(c.key, method, path, body, headers...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest = max(c.longest, time.Since(began))
	switch {
	case err != nil:
		c.t.Errorf("%s: %v", c.name, err)
	case a.status == want:
		c.succeeded++
		c.at = append(c.at, time.Now())
		return a, began, true
	case a.status != http.StatusServiceUnavailable:
		c.t.Errorf("%s: %d %s", c.name, a.status, a.raw)
	case a.body["code"] == "outcome_unknown":
		c.unknown++
		c.refused++
	case a.body["code"] == "temporarily_unavailable":
		c.refused++
	default:
		c.t.Errorf("%s: 503 %s", c.name, a.raw)
	}
	return a, began, false
}

// pause keeps those who are refused from asking as fast as they can; false says that it is time to end.
func pause(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return false
	case <-time.After(20 * time.Millisecond):
		return true
	}
}

// makePermissions makes one after the other. A refused request is repeated under its key, at the other server.
func (c *client) makePermissions(stop <-chan struct{}) {
	for i := 0; pause(stop); i++ {
		slug := fmt.Sprint(c.name, "-", i)
		for server, other := c.server, c.other; ; server, other = other, server {
			if _, _, ok := c.ask(server, 201, "POST", permissions, newPermission(slug), "Idempotency-Key", slug); ok {
				c.acknowledged = append(c.acknowledged, slug)
				break
			}
			if !pause(stop) {
				return
			}
		}
	}
}

// turn gives the role its permission and takes it away, by turns.
func (c *client) turn(stop <-chan struct{}) {
	for allows := true; pause(stop); allows = !allows {
		body := `{"permissions":[]}`
		if allows {
			body = `{"permissions":["secret"]}`
		}
		a, began, ok := c.ask(c.server, 200, "PUT", roles+"/turned/permissions", body)
		c.changes = append(c.changes, change{began, time.Now(), allows, ok, a.body["code"] == "temporarily_unavailable"})
	}
}

func (c *client) check(stop <-chan struct{}, path string) {
	for pause(stop) {
		a, began, ok := c.ask(c.server, 200, "POST", path, `{"permission_slug":"secret"}`)
		if ok {
			c.checks = append(c.checks, checked{began, time.Now(), a.body["authorized"] == true})
		}
	}
}

// wantFresh wants every check to have been answered from a state that held while it was asked: made by a change that had
// begun before the answer, and not one that an acknowledged one had replaced before the question.
func (c *client) wantFresh(changes []change) {
	c.t.Helper()
	for _, q := range c.checks {
		possible := map[bool]bool{false: true} // at the beginning
		for _, ch := range changes {
			switch {
			case ch.began.After(q.ended) || ch.denied:
			case ch.made && ch.ended.Before(q.began):
				possible = map[bool]bool{ch.allows: true}
			default:
				possible[ch.allows] = true
			}
		}
		if !possible[q.allowed] {
			c.t.Errorf("%s: a check from %v to %v was answered %v", c.name, q.began, q.ended, q.allowed)
		}
	}
}
