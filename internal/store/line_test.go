package store_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// company runs changes of which the first lets the others gather before it ends, and returns when all are over. A change
// that panics has the error "panic: " and what it said.
func (s scene) company(ctx []context.Context, changes ...func(authz.Tx) error) []error {
	store.Gather(s.db)
	errs := make([]error, len(changes)+1)
	began, done := make(chan bool), make(chan int)
	update := func(i int, ctx context.Context, change func(authz.Tx) error) {
		defer func() {
			if said := recover(); said != nil {
				errs[i] = fmt.Errorf("panic: %v", said)
			}
			done <- i
		}()
		errs[i] = errors.New("its goroutine ended")
		errs[i] = s.db.Update(ctx, change)
	}
	gathered, begin := make(chan bool), sync.OnceFunc(func() { close(began) })
	go update(0, context.Background(), func(tx authz.Tx) error {
		begin()
		<-gathered
		return tx.InsertResourceType(s.typed("first"))
	})
	<-began
	for i, change := range changes {
		go update(i+1, ctx[i], change)
		for store.Waiting(s.db) <= i {
			runtime.Gosched()
		}
	}
	close(gathered)
	for range errs {
		<-done
	}
	return errs
}

func (s scene) typed(slug string) authz.ResourceType {
	return authz.ResourceType{Environment: s.c.Environment, Slug: slug, Name: slug, Parents: []string{authz.OrganizationType}, CreatedAt: time.Now(), UpdatedAt: time.Now()}
}

// types lists the resource types that are there for anybody who opens the file.
func (s scene) types() string {
	s.Helper()
	var found []string
	if err := s.db.View(context.Background(), func(r authz.Reader) error {
		types, err := r.ResourceTypes(s.c.Environment)
		for _, t := range types {
			found = append(found, t.Slug)
		}
		return err
	}); err != nil {
		s.Fatal(err)
	}
	return strings.Join(found, " ")
}

func (s scene) insert(slug string) func(authz.Tx) error {
	return func(tx authz.Tx) error { return tx.InsertResourceType(s.typed(slug)) }
}

func withoutEnd(n int) []context.Context {
	all := make([]context.Context, n)
	for i := range all {
		all[i] = context.Background()
	}
	return all
}

// Whatever goes wrong with one of the changes that share a commit concerns nobody else.
func TestCompanyOfOneThatFails(t *testing.T) {
	t.Parallel()
	left, leave := context.WithCancel(context.Background())
	refusal := fault.New(fault.Conflict, "no", "No.")
	for name, c := range map[string]struct {
		fails func(scene, authz.Tx) error
		want  func(error) bool
	}{
		"refuses":    {func(scene, authz.Tx) error { return refusal }, func(err error) bool { return errors.Is(err, refusal) }},
		"panics":     {func(scene, authz.Tx) error { panic("help") }, func(err error) bool { return err != nil && err.Error() == "panic: help" }},
		"ends":       {func(scene, authz.Tx) error { runtime.Goexit(); return nil }, func(err error) bool { return err != nil && err.Error() == "its goroutine ended" }},
		"leaves":     {func(s scene, tx authz.Tx) error { leave(); return s.insert("more")(tx) }, func(err error) bool { return fault.Is(err, fault.Unavailable) }},
		"constraint": {func(s scene, tx authz.Tx) error { return s.insert("two")(tx) }, func(err error) bool { return err != nil && !fault.Is(err, fault.Unavailable) }},
		"rolls back": {func(_ scene, tx authz.Tx) error { return errors.Join(store.Run(tx, "ROLLBACK"), refusal) }, func(err error) bool { return errors.Is(err, refusal) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, open(t, databases["sqlite"](t)))
			ctx := withoutEnd(4)
			if name == "leaves" {
				ctx[2] = left
			}
			errs := s.company(ctx, s.insert("one"), s.insert("two"), func(tx authz.Tx) error {
				if err := s.insert("gone")(tx); err != nil {
					return err
				}
				return c.fails(s, tx)
			}, s.insert("three"))
			if !c.want(errs[3]) {
				t.Errorf("the one that fails got %v", errs[3])
			}
			errs[3] = nil
			if err := errors.Join(errs...); err != nil {
				t.Errorf("the others got %v", err)
			}
			if got := s.types(); got != "first one three two" {
				t.Errorf("there are %q", got)
			}
			if err := s.db.Update(context.Background(), s.insert("later")); err != nil {
				t.Errorf("the next change: %v", err)
			}
		})
	}
}

// Whoever leaves before its turn came is not waited for, and changes nothing.
func TestLeavingTheLine(t *testing.T) {
	t.Parallel()
	s := newScene(t, open(t, databases["sqlite"](t)))
	ctx, leave := context.WithCancel(context.Background())
	began, goOn, first := make(chan bool), make(chan bool), make(chan error)
	go func() {
		first <- s.db.Update(context.Background(), func(tx authz.Tx) error {
			close(began)
			<-goOn
			return s.insert("first")(tx)
		})
	}()
	<-began
	second := make(chan error)
	go func() { second <- s.db.Update(ctx, s.insert("second")) }()
	for store.Waiting(s.db) == 0 {
		runtime.Gosched()
	}
	leave()
	if err := <-second; !fault.Is(err, fault.Unavailable) {
		t.Errorf("who left got %v", err)
	}
	close(goOn)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if got := s.types(); got != "first" {
		t.Errorf("there are %q", got)
	}
}

// A commit that fails fails for all: for those too who were only refused, because of what is not there after all.
func TestCommitOfACompanyFails(t *testing.T) {
	t.Parallel()
	s := newScene(t, open(t, databases["sqlite"](t)))
	before := s.sound()
	refused := fault.New(fault.Conflict, "no", "No.")
	errs := s.company(withoutEnd(3), s.insert("one"), func(tx authz.Tx) error {
		// SQLite looks at the keys when it commits, and finds a role that nobody made.
		if err := store.Run(tx, "PRAGMA defer_foreign_keys = 1"); err != nil {
			return err
		}
		return tx.AppendRoleOrder(s.c.Environment, "", []id.Role{"role_nobody"})
	}, func(tx authz.Tx) error { return refused })
	for i, err := range errs {
		if err == nil || errors.Is(err, refused) {
			t.Errorf("change %d got %v", i, err)
		}
	}
	if d := cmp.Diff(before, s.sound()); d != "" {
		t.Errorf("a commit that failed left something:\n%s", d)
	}
	if err := s.db.Update(context.Background(), s.insert("later")); err != nil {
		t.Errorf("the next change: %v", err)
	}
}

// One that takes long is not waited for by those who did their part: it is put back, and made by itself.
func TestCompanyOfOneThatTakesLong(t *testing.T) {
	t.Parallel()
	s := newScene(t, open(t, databases["sqlite"](t)))
	runs := 0
	errs := s.company(withoutEnd(2), s.insert("one"), func(tx authz.Tx) error {
		if runs++; runs == 1 {
			for err := error(nil); ; _, err = tx.Environments() {
				if err != nil {
					return nil // which does not help it
				}
			}
		}
		if got := s.types(); got != "first one" {
			t.Errorf("when it runs by itself there are %s", got)
		}
		return s.insert("long")(tx)
	})
	if err := errors.Join(errs...); err != nil || runs != 2 {
		t.Errorf("got %v after %d runs", err, runs)
	}
	if got := s.types(); got != "first long one" {
		t.Errorf("there are %q", got)
	}
}
