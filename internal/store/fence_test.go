package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/store"
)

// serve opens a database as a server that answers from memory.
func serve(t *testing.T, location string) *store.Store {
	t.Helper()
	s := open(t, location)
	ctx, stop := context.WithCancel(context.Background())
	var keeping sync.WaitGroup
	keeping.Go(func() { s.KeepTerms(ctx) })
	t.Cleanup(func() { stop(); keeping.Wait() })
	return s
}

func visit(t *testing.T, location string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), location, store.Visit)
	if err != nil {
		t.Fatalf("opening the database beside its server: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// lasting waits until the server may answer from memory.
func lasting(t *testing.T, server *store.Store) (term *fresh.Term) {
	t.Helper()
	await(t, "for a term", func() bool {
		term = server.Fresh().Term()
		return term != nil && term.Lasts()
	})
	return term
}

// newKey stores a key.
func newKey(t *testing.T, s *store.Store, env id.Environment, name string) operator.Key {
	t.Helper()
	k := operator.Key{ID: id.APIKey("key_" + name), Environment: env, Name: name, Hash: name, Everything: true, CreatedAt: time.Now()}
	if inserted, err := s.InsertKey(context.Background(), k); err != nil || !inserted {
		t.Fatalf("storing a key: %v, %v", inserted, err)
	}
	return k
}

func works(t *testing.T, s *store.Store, k operator.Key) bool {
	t.Helper()
	got, found, err := s.KeyByHash(context.Background(), k.Hash)
	if err != nil || !found {
		t.Fatalf("reading a key: found %v, %v", found, err)
	}
	return got.RevokedAt.IsZero()
}

// A server remembers that a key works for as long as its term lasts. Commands revoke the key: whoever can see that the
// key works no more, be it the command or another reader, must find the term over.
func TestCommandsEndTheTermOfAServer(t *testing.T) {
	location := databases["sqlite"](t)
	server := serve(t, location)
	env := newScene(t, server).c.Environment
	var commands sync.WaitGroup
	for c := range 4 {
		beside := visit(t, location)
		commands.Go(func() {
			for round := range 10 {
				k := newKey(t, beside, env, fmt.Sprint(c, " ", round))
				remembered := lasting(t, server)
				var reader sync.WaitGroup
				reader.Go(func() {
					for works(t, server, k) {
					}
					if remembered.Lasts() {
						t.Errorf("%s is revoked, as a reader saw, and the server goes by what it remembers", k.Name)
					}
				})
				if found, err := beside.RevokeKey(context.Background(), "", k.ID, time.Now()); err != nil || !found {
					t.Errorf("revoking a key: %v, %v", found, err)
				}
				if remembered.Lasts() {
					t.Errorf("%s is revoked, as a command was told, and the server goes by what it remembers", k.Name)
				}
				reader.Wait()
			}
		})
	}
	commands.Wait()
	term := lasting(t, server)
	k := newKey(t, visit(t, location), env, "unknown") // which changes nothing that can be remembered
	if _, err := server.RevokeKey(context.Background(), "", k.ID, time.Now()); err != nil || !term.Lasts() {
		t.Errorf("the server's own change: %v; its term lasts: %v", err, term.Lasts())
	}
}

// visitedDatabase tells a child which database to visit.
const visitedDatabase = "ROLECALL_TEST_VISITED_DATABASE"

// TestVisitingChild is a command that stops before it commits.
func TestVisitingChild(t *testing.T) {
	location := os.Getenv(visitedDatabase)
	if location == "" {
		return // not a child
	}
	err := store.Inside(t.Context(), visit(t, location), []fresh.Region{{Kind: fresh.Keys, ID: "e"}}, func() error {
		fmt.Println("inside", os.Getpid())
		select {}
	})
	t.Fatal(err)
}

// While a command is about to commit, no term begins; when it dies, one does.
func TestServerRecoversFromACommandThatDies(t *testing.T) {
	location := databases["sqlite"](t)
	server := serve(t, location)
	before := lasting(t, server)
	died := false
	child(t, "TestVisitingChild", []string{visitedDatabase + "=" + location}, func(line string) {
		number, inside := strings.CutPrefix(line, "inside ")
		if !inside {
			return
		}
		if before.Lasts() {
			t.Error("a command is about to commit, and the server goes by what it remembers")
		}
		watched := time.After(10 * store.FencePause)
		for watching := true; watching; {
			select {
			case <-watched:
				watching = false
			default:
				if term := server.Fresh().Term(); term != nil && term.Lasts() {
					t.Error("a term began while a command was about to commit")
					watching = false
				}
			}
		}
		pid, err := strconv.Atoi(number)
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if died = err == nil; err != nil {
			t.Errorf("ending the command: %v", err)
		}
	})
	if !died {
		t.Fatal("the command did not get to its commit")
	}
	lasting(t, server)
}

// revokedBeside checks that a server finds out what a command changes.
func revokedBeside(t *testing.T, server *store.Store, location string) {
	t.Helper()
	env := newSceneAt(t, server, fmt.Sprint(time.Now().UnixNano()), time.Now).c.Environment
	k := newKey(t, server, env, string(env))
	before := lasting(t, server)
	if found, err := visit(t, location).RevokeKey(context.Background(), "", k.ID, time.Now()); err != nil || !found {
		t.Fatalf("revoking a key: %v, %v", found, err)
	}
	if before.Lasts() {
		t.Error("the server goes by what it remembers")
	}
	lasting(t, server)
}

// Whatever is left of the file of the count, a server and its commands find to each other.
func TestFilesOfTheCount(t *testing.T) {
	for name, left := range map[string]string{"empty": "", "cut short": "abc", "longer": strings.Repeat("count", 100)} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "rolecall.db")
			if err := os.WriteFile(path+".fence", []byte(left), 0o600); err != nil {
				t.Fatal(err)
			}
			revokedBeside(t, serve(t, "sqlite:"+path), "sqlite:"+path)
		})
	}
	t.Run("removed while the server runs", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "rolecall.db")
		server := serve(t, "sqlite:"+path)
		revokedBeside(t, server, "sqlite:"+path)
		if err := os.Remove(path + ".fence"); err != nil {
			t.Fatal(err)
		}
		await(t, "for another file", func() bool {
			info, err := os.Stat(path + ".fence")
			return err == nil && info.Size() > 0
		})
		revokedBeside(t, server, "sqlite:"+path)
	})
	t.Run("by another name", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "rolecall.db")
		other := filepath.Join(t.TempDir(), "other.db")
		if err := os.Symlink(path, other); err != nil {
			t.Fatal(err)
		}
		if err := open(t, "sqlite:"+path).Close(); err != nil {
			t.Fatal(err)
		}
		revokedBeside(t, serve(t, "sqlite:"+other), "sqlite:"+path)
	})
}

// A server that could not be told does not start; a command that cannot tell it changes nothing.
func TestCountsThatCannotBeKept(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	server, err := store.Open(ctx, "sqlite:"+path, store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	k := newKey(t, server, newScene(t, server).c.Environment, "key")
	beside := visit(t, "sqlite:"+path)
	refused := func(why string) {
		t.Helper()
		if _, err := beside.RevokeKey(ctx, "", k.ID, time.Now()); err == nil || !strings.Contains(err.Error(), ".fence") {
			t.Errorf("%s: revoking a key said %v", why, err)
		}
		if !works(t, beside, k) {
			t.Errorf("%s: the key is revoked", why)
		}
	}
	if err := os.Remove(path + ".fence"); err != nil {
		t.Fatal(err)
	}
	refused("the server's file is gone")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".fence", 0o700); err != nil {
		t.Fatal(err)
	}
	refused("the file cannot be written")
	if _, err := store.Open(ctx, "sqlite:"+path, store.Serve); err == nil || !strings.Contains(err.Error(), ".fence") {
		t.Errorf("starting a server that could not be told: %v", err)
	}
	if err := os.Remove(path + ".fence"); err != nil {
		t.Fatal(err)
	}
	if found, err := beside.RevokeKey(ctx, "", k.ID, time.Now()); err != nil || !found {
		t.Errorf("without a server a key was not revoked: %v, %v", found, err)
	}
	open(t, "sqlite:"+path)
}
