package store_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// holdings notes which regions are held.
type holdings struct {
	book *fresh.Book
	mu   sync.Mutex
	seen []fresh.Region
	late bool // whether it was told of a region that was not held yet
}

// Forget implements fresh.Memory.
func (h *holdings) Forget(regions []fresh.Region) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, regions...)
	h.late = h.late || len(regions) > 0 && !h.book.Held(regions...)
}

// telling is a world in which everything has a name and every change is watched.
type telling struct {
	scene
	clock *handClock
	held  *holdings
	names map[string]string // by id
	ran   map[string]bool   // rules of authz.Service
	wrote map[string]bool   // methods of authz.Tx that ran a statement that writes
}

func newTelling(t *testing.T, s *store.Store) *telling {
	held := &holdings{book: s.Fresh()}
	s.Fresh().Keep(held)
	w := &telling{clock: newHandClock(), held: held, names: map[string]string{}, ran: map[string]bool{}, wrote: map[string]bool{}}
	store.OnExec(s, func() {
		pcs := make([]uintptr, 20)
		frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
		for more := true; more; {
			var f runtime.Frame
			f, more = frames.Next()
			if _, method, ok := strings.Cut(f.Function, "store.(*tx)."); ok {
				w.wrote[method] = true
			}
		}
	})
	w.scene = newSceneAt(t, s, "production", w.clock.now)
	w.name("env", string(w.c.Environment))
	w.ran["CreateEnvironment"] = true
	if len(held.seen) > 0 {
		t.Errorf("making an environment, of which nobody can know, held %v", held.seen)
	}
	return w
}

func (w *telling) name(name, of string) { w.names[of] = name }

// holds runs a rule and compares the regions that are held for it, as "kind:name" in the order of the alphabet.
func (w *telling) holds(want, rule string, do func() error) {
	w.Helper()
	w.ran[rule] = true
	w.held.seen = nil
	if err := do(); err != nil {
		w.Fatalf("%s: %v", rule, err)
	}
	var got []string
	for _, r := range w.held.seen {
		name, known := w.names[r.ID]
		if !known {
			w.Errorf("%s holds %q, of which nothing is known", rule, r)
		}
		got = append(got, string(rune(r.Kind))+":"+name)
	}
	slices.Sort(got)
	if d := cmp.Diff(strings.Fields(want), slices.Compact(got)); d != "" && (want != "" || len(got) > 0) {
		w.Errorf("%s: regions expected (-) and held (+):\n%s", rule, d)
	}
	if n := w.held.book.HeldRegions(); n != 0 || w.held.late {
		w.Errorf("%s: memory was told too late: %v; left held: %d", rule, w.held.late, n)
	}
}

// works does what follows a change, batch by batch.
func (w *telling) works(want string) {
	w.Helper()
	w.holds(want, "Work", func() error {
		for worked := true; worked; {
			var err error
			if worked, err = w.rules.Work(context.Background(), "worker"); err != nil {
				return err
			}
		}
		return nil
	})
}

// id is that of what a name was given to.
func (w *telling) id(name string) string {
	for of, n := range w.names {
		if n == name {
			return of
		}
	}
	w.Fatalf("nothing is called %s", name)
	return ""
}

func (w *telling) ada() id.Membership { return id.Membership(w.id("ada")) }
