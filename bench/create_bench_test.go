package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/server"
	"github.com/rolecall/rolecall/internal/store"
)

// silent is a database in which nothing is told: the events of a change are made and not written.
type silent struct{ authz.DB }

// Update implements authz.DB.
func (s silent) Update(ctx context.Context, fn func(authz.Tx) error) error {
	return s.DB.Update(ctx, func(tx authz.Tx) error { return fn(untold{tx}) })
}

type untold struct{ authz.Tx }

// InsertEvents implements authz.EventWriter.
func (untold) InsertEvents([]event.Event) error { return nil }

// BenchmarkEvents is the creation of custom roles by 64 at once, without HTTP, with the events that tell of them and
// without, in turns: the difference is what events cost.
//
//	go test ./bench -run '^$' -bench BenchmarkEvents -benchtime 2000x -count 6
func BenchmarkEvents(b *testing.B) {
	for _, d := range []database{
		{"SQLite", "sqlite:" + filepath.Join(b.TempDir(), "world.db")}, {"PostgreSQL", pgtest.URL(b)},
	} {
		settling := &bench{progress: io.Discard}
		w, err := settling.settle(b.Context(), d, plan{organizations: 1000, customRoles: 1})
		if err != nil {
			b.Fatal(err)
		}
		db, err := store.Open(b.Context(), d.location, store.Serve)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := db.Close(); err != nil {
				b.Error(err)
			}
		})
		for name, d2 := range map[string]authz.DB{"told": db, "untold": silent{db}} {
			b.Run(fmt.Sprint(d.Name, "/", name), func(b *testing.B) {
				rules := authz.New(d2, time.Now, id.NewSource(time.Now, nil))
				env, err := rules.EnvironmentByName(b.Context(), server.FirstEnvironment)
				if err != nil {
					b.Fatal(err)
				}
				caller := authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "key", Source: "api", Name: "bench"}}
				var n atomic.Int64
				b.SetParallelism(mostConnections / 2)
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						org := w.organizations[int(n.Add(1))%len(w.organizations)]
						if _, err := rules.CreateRole(b.Context(), caller, org, authz.NewRole{Name: "Release manager"}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			})
		}
	}
}
