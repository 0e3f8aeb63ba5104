package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// The crash test runs a fixed script of operations in a process of its own, which kills itself with SIGKILL before its
// n-th writing statement, for every n there is. Each operation that returned is reported on a pipe, as an answer to a
// client would be. Afterwards the database must show exactly the operations that were reported, each with its events
// (and a batch of background work, which nobody is told of, whole or not at all);
// and the next process must bring what follows them to the end to which it would have come without a crash.

const (
	crashAt       = "ROLECALL_TEST_CRASH_AT"
	crashDatabase = "ROLECALL_TEST_CRASH_DATABASE"
)

// lease is longer than a dead worker keeps its job.
const lease = time.Minute

// TestCrashingChild is the process that dies. It does nothing when it runs as a test.
func TestCrashingChild(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(crashAt))
	if err != nil {
		return
	}
	db, err := store.Open(context.Background(), os.Getenv(crashDatabase), store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	clock := newHandClock()
	s := newSceneAt(t, db, fmt.Sprint("crash ", n), clock.now)
	fmt.Printf("environment %s\n", s.c.Environment)
	dieAt(db, n)
	began := clock.now()
	for _, step := range script(s) {
		clock.set(began.Add(step.at))
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acknowledged")
	}
	fmt.Println("finished")
}

// dieAt lets this process kill itself before its n-th writing statement from now.
func dieAt(db *store.Store, n int) {
	store.OnExec(db, func() {
		if n--; n == 0 {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
}

// child runs a test of this program as a process that may die, and hands on what it prints. It says whether the
// process came to its end.
func child(t *testing.T, test string, environ []string, said func(string)) (finished bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), environ...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch line := lines.Text(); {
		case line == "finished":
			finished = true
		case strings.Contains(line, "FAIL"):
			rest, _ := io.ReadAll(out)
			t.Fatalf("the child failed: %s\n%s", line, rest)
		default:
			said(line)
		}
	}
	if err := cmd.Wait(); finished != (err == nil) {
		t.Fatalf("the child ended with %v, finished %v", err, finished)
	}
	return finished
}

// crash runs the script against a database and says what was reported before it died.
func crash(t *testing.T, location string, at int) (env id.Environment, acknowledged int, finished bool) {
	t.Helper()
	environ := []string{crashAt + "=" + strconv.Itoa(at), crashDatabase + "=" + location}
	finished = child(t, "TestCrashingChild", environ, func(line string) {
		if name, ok := strings.CutPrefix(line, "environment "); ok {
			env = id.Environment(name)
		} else if line == "acknowledged" {
			acknowledged++
		}
	})
	return env, acknowledged, finished
}

// Every process finds the database as the one before it left it, and makes an environment of its own in it. PostgreSQL,
// where everything takes longer, dies at every third write: that a transaction is all or nothing is its own promise.
func TestKillBetweenAnyTwoWrites(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process for every write of the script; run without -short")
	}
	t.Parallel()
	expected := expectedWorlds(t)
	for name, distance := range map[string]int{"sqlite": 1, "postgres": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := databases[name](t)
			for at, finished := 1, false; !finished; at += distance {
				var env id.Environment
				var acknowledged int
				env, acknowledged, finished = crash(t, where, at)
				recovered(t, where, env, expected[acknowledged:], fmt.Sprintf("killed before write %d, after %d acknowledged operations", at, acknowledged))
			}
		})
	}
}

// recovered opens the database again, as the next process would after a while, and compares it with the first of the
// moments, or with the second where the operation that was cut off may have been committed.
func recovered(t *testing.T, where string, env id.Environment, moments []moment, when string) {
	t.Helper()
	db, err := store.Open(context.Background(), where, store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	want := moments[0]
	clock := &handClock{at: want.at}
	s := scene{t, db, authz.New(db, clock.now, id.NewSource(time.Now, nil)), authz.Caller{Environment: env}}
	found := s.seen()
	if want.nextIsBatch && !cmp.Equal(want.atOnce, found) {
		want = moments[1]
		clock.set(want.at)
		found = s.seen()
	}
	if d := cmp.Diff(want.atOnce, found); d != "" {
		t.Fatalf("%s: expected (-) and found (+) differ:\n%s", when, d)
	}
	s.sound()
	if d := cmp.Diff(want.settled, s.seen()); d != "" {
		t.Fatalf("%s, and the work done that follows: expected (-) and found (+) differ:\n%s", when, d)
	}
	s.clear(clock)
}

// clear does all the work that time will ever bring, so that the next environment in this database is alone with its own.
func (s scene) clear(clock *handClock) {
	s.Helper()
	clock.pass(24 * time.Hour)
	storetest.Settle(s, s.rules, s.c)
}

// moment is an environment after some operations of the script.
type moment struct {
	at              time.Time // when the next process looks: at the time of the operation that was cut off, and a lease later
	atOnce, settled storetest.World
	nextIsBatch     bool // the operation after it may be committed before it is acknowledged
}

// seen is the world with its jobs and the types of its events, in their order.
func (s scene) seen() storetest.World {
	s.Helper()
	w := storetest.Look(s, s.db, s.rules, s.c)
	for i, j := range s.jobs() {
		w[fmt.Sprintf("job %03d", i)] = fmt.Sprintf("%s of %q, %d of %d, finished %v", j.Kind, j.Slug, j.Done, j.Total, !j.FinishedAt.IsZero())
	}
	var types []string
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		p := must(s.rules.ListEvents(context.Background(), s.c, authz.EventFilter{}, r))
		for _, e := range p.Items {
			types = append(types, string(e.Type))
		}
		if r.After = p.After; r.After == "" {
			w["events"] = strings.Join(types, "\n")
			return w
		}
	}
}

// expectedWorlds is the world after each operation of the script when nothing goes wrong: as it is at once, and as it is
// when what follows was done. For the latter the operations are done again, in an environment of its own.
func expectedWorlds(t *testing.T) []moment {
	main, copies := open(t, databases["sqlite"](t)), open(t, databases["sqlite"](t))
	clock := newHandClock()
	began := clock.now()
	s := newSceneAt(t, main, "production", clock.now)
	steps := script(s)
	var moments []moment
	for i := range len(steps) + 1 {
		next := steps[min(i, len(steps)-1)]
		m := moment{at: began.Add(next.at).Add(lease), nextIsBatch: i < len(steps) && next.batch}
		clock.set(m.at)
		m.atOnce = s.seen()
		m.settled = settledAfter(t, copies, i, m.at)
		if i > 0 && cmp.Equal(moments[i-1].atOnce, m.atOnce) {
			t.Errorf("operation %d of the script changes nothing that can be seen", i-1)
		}
		moments = append(moments, m)
		if i == len(steps) {
			return moments
		}
		clock.set(began.Add(steps[i].at))
		if err := steps[i].do(); err != nil {
			t.Fatalf("operation %d of the script: %v", i, err)
		}
	}
	return moments
}

// settledAfter is the world after n operations and all the work that follows them.
func settledAfter(t *testing.T, db *store.Store, n int, at time.Time) storetest.World {
	t.Helper()
	clock := newHandClock()
	began := clock.now()
	s := newSceneAt(t, db, fmt.Sprint("copy ", n), clock.now)
	for i, step := range script(s)[:n] {
		clock.set(began.Add(step.at))
		if err := step.do(); err != nil {
			t.Fatalf("operation %d of the script: %v", i, err)
		}
	}
	clock.set(at)
	s.sound()
	w := s.seen()
	s.clear(clock)
	return w
}

// A commit that was lost leaves nothing behind, and one that a rule refused neither.
func TestRefusedChangeLeavesNoEvent(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		before := s.sound()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := s.rules.CreateRole(ctx, s.c, "", authz.NewRole{Slug: authz.Some("x"), Name: "x"})
		if err == nil || errors.Is(err, io.EOF) {
			t.Errorf("a cancelled change returned %v", err)
		}
		if _, err := s.rules.EditRolePermissions(context.Background(), s.c, "", "member", authz.PermissionEdit{Set: authz.Some([]string{"un:known"})}); err == nil {
			t.Error("R55: an unknown permission was accepted")
		}
		if d := cmp.Diff(before, s.sound()); d != "" {
			t.Errorf("a change that failed left something:\n%s", d)
		}
	})
}
