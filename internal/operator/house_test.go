package operator_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
)

// house is the rules about people over a real database, with a clock that stands until it is moved.
type house struct {
	*operator.Service
	t  *testing.T
	db *store.Store

	mu sync.Mutex
	at time.Time
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

// houses runs a test on a new database of either kind.
func houses(t *testing.T, test func(h *house)) {
	t.Helper()
	t.Parallel()
	for name, location := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "rolecall.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), location(t), store.Serve)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			h := &house{t: t, db: db, at: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}
			h.Service = h.fresh()
			test(h)
		})
	}
}

// fresh is the rules as after a restart: nothing is counted yet.
func (h *house) fresh() *operator.Service {
	s := operator.New(h.db, h.db.Fresh(), h.now, id.NewSource(h.now, nil))
	operator.CheapPasswords(s)
	return s
}

var commandLine operator.Person

// password is a good one.
const password = "correct horse battery"

// invited is the token of an invitation.
func (h *house) invited(email string, role operator.Role) string {
	h.t.Helper()
	_, token, err := h.Invite(h.t.Context(), commandLine, operator.NewInvitation{Email: email, Role: role})
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// person makes somebody, who is signed in.
func (h *house) person(name string, role operator.Role) (operator.Person, string) {
	h.t.Helper()
	p, session, err := h.Accept(h.t.Context(), h.invited("", role),
		operator.NewPerson{Name: name, Email: name + "@acme.example", Password: password})
	if err != nil {
		h.t.Fatal(err)
	}
	return p, session
}

// in wants a session to be one of somebody.
func (h *house) in(what, session string, p operator.Person) operator.Session {
	h.t.Helper()
	s, err := h.Session(h.t.Context(), session)
	if err != nil || s.Person.ID != p.ID {
		h.t.Errorf("%s: %+v, %v", what, s, err)
	}
	return s
}

// out wants a token to be no session, or none any more; the refusal never says which.
func (h *house) out(what, session string) {
	h.t.Helper()
	s, err := h.Session(h.t.Context(), session)
	wantCode(h.t, what, err, fault.Unauthorized, operator.CodeSignedOut)
	if s != (operator.Session{}) || err != nil && err.Error() != "signed_out: You are not signed in, or no longer." {
		h.t.Errorf("%s: %+v, %v", what, s, err)
	}
}

func wantCode(t *testing.T, what string, err error, kind fault.Kind, code string) {
	t.Helper()
	if !fault.Is(err, kind) || !fault.HasCode(err, code) {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// blamed is the fields that a refusal names.
func blamed(err error) string {
	s := ""
	for _, f := range fault.Of(err).Fields {
		s += f.Name + " "
	}
	return s
}

// together does something many times at once.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			errs[i] = do(i)
		})
	}
	done.Wait()
	return errs
}

// tally counts how errors ended, by code.
func tally(errs []error) string {
	counts := map[string]int{}
	for _, err := range errs {
		code := "ok"
		if err != nil {
			code = fault.Of(err).Code
		}
		counts[code]++
	}
	return fmt.Sprint(counts) // sorted by code
}
