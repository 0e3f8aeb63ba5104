package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rolecall/rolecall/internal/pgtest"
)

// TestLinearizable lets clients change who may do what and ask for it at three replicas on one PostgreSQL, while replicas
// are stopped, killed and cut off from the database, and looks for one order of all that explains every answer. It first
// shows that it finds none where replicas do not tell each other of changes.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	t.Run("without announcements there is no such order", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t, builtAlone(t))
		if h := c.history(func() { c.awaitAnswers(200) }); h.linearizable() {
			t.Errorf("%d operations have an order that explains them: this test would not notice stale answers", len(h.operations))
		}
	})
	t.Run("with announcements there is one", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t, built(t))
		rounds := 3
		if testing.Short() {
			rounds = 1
		}
		h := c.history(func() {
			for range rounds {
				for _, strike := range []func(int){c.stop, c.kill, c.stall, c.cut} {
					c.awaitAnswers(100)
					strike(rand.IntN(len(c.replicas)))
				}
			}
			c.awaitAnswers(100)
		})
		t.Logf("%d operations, %d of them changes with an unknown outcome, %d checks without an answer", len(h.operations), h.unknown, h.dropped)
		if !h.linearizable() {
			t.Error("no order of the operations explains all answers")
		}
	})
}

// builtAlone builds the program with processes that behave as if each were alone with its database.
func builtAlone(t *testing.T) string {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(here, "../store/circle_open.go"): filepath.Join(here, "testdata/strangers.go.txt"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	program, file := filepath.Join(folder, "rolecall"), filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-overlay", file, "-o", program, "../../cmd/rolecall").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// clusterLease is that of the replicas; strikes last longer.
const (
	clusterLease = 500 * time.Millisecond
	strikeTime   = clusterLease * 5 / 4
)

// cluster is three replicas, each behind a proxy of its own, and what clients ask them for.
type cluster struct {
	t        *testing.T
	program  string
	key      string
	replicas [3]struct {
		proxy   *pgtest.Proxy
		process atomic.Pointer[process]
	}
	client   *http.Client
	subjects []subject
	answers  chan struct{} // gets a value for each answer, as long as somebody waits
}

// subject is somebody who may do something at times.
type subject struct {
	check string
	set   func(allowed bool) (path, body string)
}

func newCluster(t *testing.T, program string) *cluster {
	t.Helper()
	c := &cluster{t: t, program: program, client: &http.Client{Timeout: 5 * time.Second}, answers: make(chan struct{})}
	database := pgtest.URL(t)
	for i := range c.replicas {
		proxy, err := pgtest.NewProxy(database)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { proxy.Close() })
		c.replicas[i].proxy = proxy
		c.launch(i)
	}
	for i := range 2 {
		c.subjects = append(c.subjects, c.byRole(fmt.Sprint("a", i)), c.byPermissions(fmt.Sprint("b", i)), c.byDefault(fmt.Sprint("c", i)))
	}
	return c
}

func (c *cluster) launch(i int) {
	p := launch(c.t, c.program, nil, "--listen", "127.0.0.1:0", "--lease", clusterLease.String(), "--database", c.replicas[i].proxy.URL())
	if c.key == "" {
		c.key = p.key
		p.want(201, p.call(c.key, "POST", permissions, newPermission("secret")))
		p.want(201, p.call(c.key, "POST", roles, `{"slug":"holder","name":"n","permissions":["secret"]}`))
	}
	c.replicas[i].process.Store(p)
}

// person is a member of an organization of its own with a role.
func (c *cluster) person(name, role string) (org, member string) {
	p := c.replicas[0].process.Load()
	create := func(path, body string) string {
		return p.want(201, p.call(c.key, "POST", path, body)).body["id"].(string)
	}
	org = create("/organizations", `{"name":"`+name+`"}`)
	user := create("/user_management/users", `{"email":"`+name+`@x.example"}`)
	member = create("/user_management/organization_memberships", `{"user_id":"`+user+`","organization_id":"`+org+`","role_slug":"`+role+`"}`)
	return org, member
}

func checkOf(member string) string {
	return "/authorization/organization_memberships/" + member + "/check"
}

// byRole is somebody whose role changes.
func (c *cluster) byRole(name string) subject {
	_, member := c.person(name, "member")
	return subject{checkOf(member), func(allowed bool) (string, string) {
		return "/user_management/organization_memberships/" + member, `{"role_slug":"` + roleFor(allowed) + `"}`
	}}
}

// byPermissions is somebody whose role gets and loses the permission.
func (c *cluster) byPermissions(name string) subject {
	p := c.replicas[0].process.Load()
	p.want(201, p.call(c.key, "POST", roles, `{"slug":"`+name+`","name":"n"}`))
	_, member := c.person(name, name)
	return subject{checkOf(member), func(allowed bool) (string, string) {
		if allowed {
			return roles + "/" + name + "/permissions", `{"permissions":["secret"]}`
		}
		return roles + "/" + name + "/permissions", `{"permissions":[]}`
	}}
}

// byDefault is somebody who was left with nothing, and so has what the default of the organization is.
func (c *cluster) byDefault(name string) subject {
	p := c.replicas[0].process.Load()
	org, member := c.person(name, "holder")
	p.want(201, p.call(c.key, "POST", "/authorization/organizations/"+org+"/roles", `{"slug":"org-own","name":"n"}`))
	p.want(204, p.call(c.key, "DELETE", "/authorization/organization_memberships/"+member+"/role_assignments",
		`{"role_slug":"holder","resource_external_id":"`+org+`","resource_type_slug":"organization"}`))
	return subject{checkOf(member), func(allowed bool) (string, string) {
		return "/authorization/organizations/" + org + "/default_role", `{"role_slug":"` + roleFor(allowed) + `"}`
	}}
}

func roleFor(allowed bool) string {
	if allowed {
		return "holder"
	}
	return "member"
}

// stop stops a replica for longer than its lease, in the middle of whatever it does.
func (c *cluster) stop(i int) {
	p := c.replicas[i].process.Load()
	p.signal(syscall.SIGSTOP)
	<-time.After(strikeTime)
	p.signal(syscall.SIGCONT)
}

// kill kills a replica and starts another in its place.
func (c *cluster) kill(i int) {
	p := c.replicas[i].process.Load()
	p.signal(syscall.SIGKILL)
	<-p.ended
	c.launch(i)
}

// stall has nothing pass between a replica and the database for longer than its lease.
func (c *cluster) stall(i int) {
	c.replicas[i].proxy.Stall()
	<-time.After(strikeTime)
	c.replicas[i].proxy.Heal()
}

// cut ends the connections of a replica to the database, and it gets no new ones for longer than its lease.
func (c *cluster) cut(i int) {
	c.replicas[i].proxy.Cut()
	<-time.After(strikeTime)
	c.replicas[i].proxy.Heal()
}

// awaitAnswers waits until clients got as many answers, so that there is something before and after each strike.
func (c *cluster) awaitAnswers(n int) {
	end := time.After(patience)
	for range n {
		select {
		case <-c.answers:
		case <-end:
			c.t.Fatal("the replicas do not answer")
		}
	}
}

// history is what clients did and were told.
type history struct {
	mu               sync.Mutex
	began            time.Time
	operations       []porcupine.Operation
	unknown, dropped int
}

// asked is the input of an operation; a check has none to set.
type asked struct {
	subject int
	set     bool
	allowed bool // of a change
}

// clients is how many ask at once.
const clients = 5

// history has clients at work while something happens.
func (c *cluster) history(meanwhile func()) *history {
	h := &history{began: time.Now()}
	over := make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					c.operate(h, i)
				}
			}
		})
	}
	meanwhile()
	close(over)
	wg.Wait()
	return h
}

// operate does one thing at one replica. A change that got no answer, or was answered with a failure, may take effect at
// any later time.
func (c *cluster) operate(h *history, client int) {
	in := asked{subject: rand.IntN(len(c.subjects)), set: rand.IntN(5) == 0, allowed: rand.IntN(2) == 0}
	s, method, body := c.subjects[in.subject], "POST", `{"permission_slug":"secret"}`
	path := s.check
	if in.set {
		method = "PUT"
		path, body = s.set(in.allowed)
	}
	op := porcupine.Operation{ClientId: client, Input: in, Call: int64(time.Since(h.began))}
	status, authorized := c.ask(c.replicas[rand.IntN(len(c.replicas))].process.Load(), method, path, body)
	op.Return, op.Output = int64(time.Since(h.began)), authorized
	select {
	case c.answers <- struct{}{}:
	default:
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case status == 200:
	case status != 0 && status < 500:
		c.t.Errorf("%s %s: status %d", method, path, status)
		return
	case in.set:
		h.unknown++
		op.Return = math.MaxInt64
	default:
		h.dropped++
		return
	}
	h.operations = append(h.operations, op)
}

// ask returns the status of an answer, 0 where there is none.
func (c *cluster) ask(p *process, method, path, body string) (status int, authorized bool) {
	req, err := http.NewRequest(method, p.address+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return 0, false
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	var answer bytes.Buffer
	var decision struct{ Authorized bool }
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		return 0, false
	}
	if err := json.Unmarshal(answer.Bytes(), &decision); err != nil {
		c.t.Errorf("%s: %v", answer.Bytes(), err)
	}
	return resp.StatusCode, decision.Authorized
}

// linearizable says whether one order of the operations, each at some instant between its request and its answer,
// explains all answers: a check tells what was set last.
func (h *history) linearizable() bool {
	model := porcupine.Model{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			of := map[int][]porcupine.Operation{}
			for _, op := range all {
				of[op.Input.(asked).subject] = append(of[op.Input.(asked).subject], op)
			}
			var parts [][]porcupine.Operation
			for _, part := range of {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return false }, // nobody may do anything at first
		Step: func(state, input, output any) (bool, any) {
			in := input.(asked)
			if in.set {
				return true, in.allowed
			}
			return state == output, state
		},
	}
	return porcupine.CheckOperationsTimeout(model, h.operations, patience) == porcupine.Ok
}
