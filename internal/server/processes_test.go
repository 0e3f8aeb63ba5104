package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// TestProcesses runs two servers, each a process of its own, on one PostgreSQL.
func TestProcesses(t *testing.T) {
	t.Parallel()
	program := built(t)
	t.Run("one history", func(t *testing.T) {
		t.Parallel()
		oneHistory(t, twoServers(t, program, pgtest.URL(t)))
	})
	t.Run("a removal outlives its server", func(t *testing.T) {
		t.Parallel()
		removalOutlivesServer(t, program, pgtest.URL(t))
	})
}

// pair is two servers and the key that both know.
type pair struct {
	servers [2]*process
	key     string
}

func twoServers(t *testing.T, program, database string) pair {
	t.Helper()
	p := pair{}
	for i := range p.servers {
		p.servers[i] = launch(t, program, nil, "--listen", "127.0.0.1:0", "--database", database)
	}
	p.key = p.servers[0].key
	return p
}

// Types of events that the writers cause.
const historyTypes = "organization.created,role.created,user.created,organization_membership.created"

// oneHistory lets sixteen write, eight at each server, while a reader follows the events at each: both see every
// acknowledged change exactly once, and in the same order.
func oneHistory(t *testing.T, p pair) {
	written := make(chan struct{})
	var readers sync.WaitGroup
	var seen [2][]string
	for i, server := range p.servers {
		readers.Go(func() { seen[i] = follow(server, p.key, written) })
	}
	var mu sync.Mutex
	var acknowledged []string
	var writers sync.WaitGroup
	for i := range 16 {
		writers.Go(func() {
			w := writer{server: p.servers[i%2], key: p.key, name: fmt.Sprint("w", i)}
			for round := range 6 {
				w.write(round)
			}
			mu.Lock()
			defer mu.Unlock()
			acknowledged = append(acknowledged, w.acknowledged...)
		})
	}
	writers.Wait()
	close(written)
	readers.Wait()
	if !slices.Equal(seen[0], seen[1]) {
		t.Errorf("the readers saw %d and %d events, or in another order", len(seen[0]), len(seen[1]))
	}
	for i := range seen {
		slices.Sort(seen[i])
	}
	slices.Sort(acknowledged)
	if len(acknowledged) != 16*6*4 {
		t.Errorf("%d changes were acknowledged", len(acknowledged))
	}
	if !slices.Equal(seen[0], acknowledged) {
		t.Errorf("%d changes were acknowledged, %d events were seen, %d of them different", len(acknowledged), len(seen[0]), len(slices.Compact(seen[0])))
	}
}

// writer writes at one server and keeps what was acknowledged, in the words of subjectOf.
type writer struct {
	server       *process
	key, name    string
	acknowledged []string
}

func (w *writer) write(round int) {
	name := fmt.Sprintf("%s-%d", w.name, round)
	org := w.create("organization", "/organizations", `{"name":"`+name+`"}`, "id")
	w.create("role", roles, `{"slug":"`+name+`","name":"n"}`, "slug")
	user := w.create("user", "/user_management/users", `{"email":"`+name+`@x.example"}`, "id")
	w.create("organization_membership", "/user_management/organization_memberships", `{"user_id":"`+user+`","organization_id":"`+org+`"}`, "id")
}

func (w *writer) create(noun, path, body, field string) string {
	a, err := w.server.attempt(w.key, "POST", path, body)
	if err != nil || a.status != 201 {
		w.server.tb.Errorf("creating %s: %v, %d %s", noun, err, a.status, a.raw)
		return ""
	}
	subject, _ := a.body[field].(string)
	w.acknowledged = append(w.acknowledged, noun+" "+subject)
	return subject
}

// told is an event as a client reads it.
type told struct {
	ID    string
	Event string
	Data  struct{ ID, Slug string }
}

func (e told) subject() string {
	noun, _, _ := strings.Cut(e.Event, ".")
	return noun + " " + e.Data.ID + e.Data.Slug
}

// follow walks the events at one server by cursor until all is written and nothing is left to read. It says what the
// events are about, in their order.
func follow(server *process, key string, written <-chan struct{}) (seen []string) {
	for after, last := "", false; ; {
		events, err := readEvents(server, key, historyTypes, after)
		if err != nil {
			server.tb.Errorf("following the events: %v", err)
			return seen
		}
		for _, e := range events {
			seen, after = append(seen, e.subject()), e.ID
		}
		if len(events) > 0 {
			continue
		}
		if last {
			return seen
		}
		select {
		case <-written:
			last = true
		default:
		}
	}
}

func readEvents(server *process, key, types, after string) ([]told, error) {
	query := url.Values{"limit": {"7"}, "events": {types}}
	if after != "" {
		query.Set("after", after)
	}
	a, err := server.attempt(key, "GET", "/events?"+query.Encode(), "")
	if err != nil {
		return nil, err
	}
	var list struct{ Data []told }
	if err := json.Unmarshal([]byte(a.raw), &list); err != nil || a.status != 200 {
		return nil, fmt.Errorf("%d %s: %w", a.status, a.raw, err)
	}
	return list.Data, nil
}

// removalOutlivesServer kills the server at which a role was removed in the middle of the work that follows. The other one
// decides as if all were done, takes the job over and ends it: every member is told of once.
func removalOutlivesServer(t *testing.T, program, database string) {
	first := launch(t, program, nil, "--listen", "127.0.0.1:0", "--database", database)
	key := first.key
	first.want(201, first.call(key, "POST", permissions, newPermission("secret")))
	for _, slug := range []string{"gone", "instead"} {
		first.want(201, first.call(key, "POST", roles, `{"slug":"`+slug+`","name":"n"}`))
	}
	first.want(200, first.call(key, "PUT", roles+"/gone/permissions", `{"permissions":["secret"]}`))
	members := crowded(t, database)
	second := launch(t, program, nil, "--listen", "127.0.0.1:0", "--database", database)
	second.signal(syscall.SIGSTOP) // so that the first one gets the job
	a := first.want(202, first.call(key, "POST", roles+"/gone/deletion", `{"replacement_role_slug":"instead"}`))
	job := "/authorization/jobs/" + a.body["id"].(string)
	end := time.Now().Add(patience)
	for progress(first.want(200, first.call(key, "GET", job, ""))) == 0 {
		if time.Now().After(end) {
			t.Fatalf("nobody works on the removal: %s", first.log)
		}
	}
	first.signal(syscall.SIGKILL)
	<-first.ended
	second.signal(syscall.SIGCONT)
	half := second.want(200, second.call(key, "GET", job, ""))
	if half.body["state"] != "running" || progress(half) == len(members) {
		t.Errorf("the server was killed too late: %s", half.raw)
	}
	check := "/authorization/organization_memberships/" + string(members[len(members)-1]) + "/check"
	if d := second.want(200, second.call(key, "POST", check, `{"permission_slug":"secret"}`)); d.body["authorized"] != false {
		t.Errorf("what only the removed role allowed: %s", d.raw)
	}
	second.awaitBody(key, job, func(body map[string]any) bool { return body["state"] == "finished" })
	toldOnce(t, second, key, members)
}

func (p *process) signal(s syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.tb.Fatal(err)
	}
}

func progress(job reply) int {
	done, _ := job.body["progress"].(map[string]any)["done"].(float64)
	return int(done)
}

// awaitBody asks until the answer satisfies a condition: what another process does, it does not say.
func (r *running) awaitBody(key, path string, good func(map[string]any) bool) {
	r.tb.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	end := time.After(patience)
	for {
		a := r.want(200, r.call(key, "GET", path, ""))
		if good(a.body) {
			return
		}
		select {
		case <-poll.C:
		case <-end:
			r.tb.Fatalf("%s stays %s", path, a.raw)
		}
	}
}

// crowded puts 3,000 members with the role into the database of a server, past its API.
func crowded(t *testing.T, database string) []id.Membership {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, database, store.Visit)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rules := authz.New(db, time.Now, id.NewSource(time.Now, nil))
	envs, err := rules.ListEnvironments(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c := authz.Caller{Environment: envs[0].ID}
	gone, err := rules.Role(ctx, c, "", "gone")
	if err != nil {
		t.Fatal(err)
	}
	var orgs []id.Organization
	for i := range 6 {
		o, err := rules.CreateOrganization(ctx, c, authz.OrganizationInput{Name: authz.Some(fmt.Sprint("org ", i))})
		if err != nil {
			t.Fatal(err)
		}
		orgs = append(orgs, o.ID)
	}
	return storetest.Crowd(t, db, c.Environment, orgs, 500, gone)
}

// toldOnce wants one organization_membership.updated for each member.
func toldOnce(t *testing.T, server *process, key string, members []id.Membership) {
	t.Helper()
	count := map[id.Membership]int{}
	for after := ""; ; {
		query := url.Values{"limit": {fmt.Sprint(page.MaxLimit)}, "events": {"organization_membership.updated"}}
		if after != "" {
			query.Set("after", after)
		}
		a := server.want(200, server.call(key, "GET", "/events?"+query.Encode(), ""))
		var list struct{ Data []told }
		if err := json.Unmarshal([]byte(a.raw), &list); err != nil {
			t.Fatal(err)
		}
		for _, e := range list.Data {
			count[id.Membership(e.Data.ID)]++
			after = e.ID
		}
		if len(list.Data) == 0 {
			break
		}
	}
	for _, m := range members {
		if count[m] != 1 {
			t.Errorf("%s was told of %d times", m, count[m])
		}
	}
	if len(count) != len(members) {
		t.Errorf("%d members were told of, %d hold the role", len(count), len(members))
	}
}
