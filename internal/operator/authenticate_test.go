package operator_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/store"
)

// counted is a storage that counts how often a key was read, and lets a test come in between reading and remembering.
type counted struct {
	*store.Store
	reads   atomic.Int64
	between func()
}

func (c *counted) KeyByHash(ctx context.Context, hash string) (operator.Key, bool, error) {
	c.reads.Add(1)
	k, found, err := c.Store.KeyByHash(ctx, hash)
	if c.between != nil {
		c.between()
	}
	return k, found, err
}

// keyring is keys that may be remembered: a process alone with its database, in a term that a test may end.
type keyring struct {
	*operator.Service
	db   *counted
	book *fresh.Book
	env  id.Environment
	path string
}

func newKeyring(t *testing.T) keyring {
	t.Helper()
	path := "sqlite:" + filepath.Join(t.TempDir(), "rolecall.db")
	db, err := store.Open(t.Context(), path, store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ids := id.NewSource(nil, nil)
	env, err := authz.New(db, time.Now, ids).CreateEnvironment(t.Context(), "production")
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{Store: db}
	k := keyring{operator.New(c, db.Fresh(), time.Now, ids), c, db.Fresh(), env.ID, path}
	k.book.Begin(fresh.NewTerm(nil))
	return k
}

func (k keyring) key(t *testing.T) (operator.Key, string) {
	t.Helper()
	made, value, err := k.CreateKey(t.Context(), operator.NewKey{Environment: k.env, Name: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return made, value
}

// newProcess is keys as another process on the same database has them, whose changes this one is told of by a test.
func newProcess(t *testing.T, path string) *operator.Service {
	t.Helper()
	db, err := store.Open(t.Context(), path, store.Visit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return operator.New(db, db.Fresh(), time.Now, id.NewSource(nil, nil))
}

// works says whether a key works, and whether that took the database.
func (k keyring) works(t *testing.T, value string) (works, read bool) {
	t.Helper()
	before := k.db.reads.Load()
	_, err := k.Authenticate(t.Context(), value)
	if err != nil && !fault.Is(err, fault.Unauthorized) {
		t.Fatal(err)
	}
	return err == nil, k.db.reads.Load() > before
}

func (k keyring) wants(t *testing.T, value string, works, read bool) {
	t.Helper()
	if w, r := k.works(t, value); w != works || r != read {
		t.Errorf("works: %v, want %v; asked the database: %v, want %v", w, works, r, read)
	}
}

// A key that works costs one look into the database, one that does not costs one every time.
func TestKeyIsRemembered(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	made, value := k.key(t)
	k.wants(t, value, true, true)
	k.wants(t, value, true, false)
	k.wants(t, "sk_wrong", false, true)
	k.wants(t, "sk_wrong", false, true)
	first, _ := k.Authenticate(t.Context(), value)
	if again, _ := k.Authenticate(t.Context(), value); again != first {
		t.Error("who the key stands for is made anew for each request")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Authenticate(ended, value); err != nil {
		t.Errorf("without time for the database: %v", err)
	}
	if err := k.RevokeKey(t.Context(), "", made.ID); err != nil {
		t.Fatal(err)
	}
	k.wants(t, value, false, true)
	k.wants(t, value, false, true)
}

// What belongs to one term means nothing in another, nor where there is none.
func TestKeysBelongToATerm(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	_, value := k.key(t)
	k.wants(t, value, true, true)
	k.book.Lapse()
	k.wants(t, value, true, true)
	k.wants(t, value, true, true)
	var foreign atomic.Uint64
	k.book.Begin(fresh.NewTerm(foreign.Load))
	k.wants(t, value, true, true)
	k.wants(t, value, true, false)
	foreign.Add(1) // another process wrote
	k.wants(t, value, true, true)
	k.wants(t, value, true, true)
	k.book.Begin(fresh.NewTerm(foreign.Load))
	k.wants(t, value, true, true)
	k.wants(t, value, true, false)
	k.db.between = k.book.Lapse // while a key is read
	k.book.Begin(fresh.NewTerm(nil))
	k.wants(t, value, true, true)
	k.db.between = nil
	k.book.Begin(fresh.NewTerm(nil))
	k.wants(t, value, true, true)
}

// Nothing is remembered that was read while its environment's keys were changed, whenever the change began and ended.
func TestKeyIsNotRememberedWhileChanged(t *testing.T) {
	t.Parallel()
	for name, order := range map[string]func(k keyring, hold func() (release func()), revoke func()){
		"begun and over while the key is read": func(k keyring, hold func() func(), revoke func()) {
			k.db.between = func() { release := hold(); revoke(); release() }
		},
		"begun while the key is read": func(k keyring, hold func() func(), revoke func()) {
			k.db.between = func() {
				release := hold()
				k.db.between = func() { revoke(); release() }
			}
		},
		"begun before the key is read, and over then": func(k keyring, hold func() func(), revoke func()) {
			release := hold()
			k.db.between = func() { revoke(); release() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := newKeyring(t)
			made, value := k.key(t)
			another := newProcess(t, k.path)
			order(k, func() func() { return k.book.Hold([]fresh.Region{{Kind: fresh.Keys, ID: string(k.env)}}) }, func() {
				k.db.between = nil
				if err := another.RevokeKey(t.Context(), k.env, made.ID); err != nil {
					t.Error(err)
				}
			})
			k.wants(t, value, true, true)
			if k.db.between != nil {
				k.wants(t, value, true, true)
			}
			k.wants(t, value, false, true)
		})
	}
}

// A revocation holds from the moment it is acknowledged, however many ask meanwhile, and some of them go away.
func TestRevocationOfARememberedKey(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	for range 20 {
		made, value := k.key(t)
		var revoked atomic.Bool
		var asking sync.WaitGroup
		warm := make(chan struct{})
		for n := range 4 {
			asking.Go(func() {
				for asked := 0; ; asked++ {
					ctx, cancel := context.WithCancel(t.Context())
					if n == 0 {
						cancel()
					}
					was := revoked.Load()
					_, err := k.Authenticate(ctx, value)
					cancel()
					if was && err == nil {
						t.Error("a key worked after its revocation was acknowledged")
					}
					if was {
						return
					}
					if n == 1 && asked == 100 {
						close(warm)
					}
				}
			})
		}
		<-warm
		if err := k.RevokeKey(t.Context(), k.env, made.ID); err != nil {
			t.Fatal(err)
		}
		revoked.Store(true)
		asking.Wait()
	}
}

// Somebody finds a key in the old generation, that generation is dropped, the key is revoked, and only then does he go on:
// the revocation did not find the key, and it must not be back in memory after it.
func TestRevocationOfAKeyWhoseGenerationWasDropped(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	made, value := k.key(t)
	k.wants(t, value, true, true)
	operator.Remember(k.Service, k.env, operator.MostRemembered)
	goOn := operator.Found(k.Service, value)
	operator.Remember(k.Service, k.env, operator.MostRemembered)
	if err := k.RevokeKey(t.Context(), k.env, made.ID); err != nil {
		t.Fatal(err)
	}
	goOn()
	k.wants(t, value, false, true)
}

// However many keys there are, those in use stay remembered, and others make room.
func TestRememberedKeysAreBounded(t *testing.T) {
	t.Parallel()
	k := newKeyring(t)
	_, used := k.key(t)
	k.wants(t, used, true, true)
	k.wants(t, used, true, false)
	for range 3 {
		operator.Remember(k.Service, k.env, operator.MostRemembered/2)
		k.wants(t, used, true, false)
	}
	if n := operator.Remembered(k.Service); n > 2*operator.MostRemembered {
		t.Errorf("%d keys are remembered", n)
	}
	_, unused := k.key(t)
	k.wants(t, unused, true, true)
	operator.Remember(k.Service, k.env, 2*operator.MostRemembered+1)
	k.wants(t, unused, true, true)
}
