package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{7}, 7}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v = %v, want %v", c.values, got, c.want)
		}
	}
}

// TestLoad shows that the load counts what it is answered and does not accept a wrong answer.
func TestLoad(t *testing.T) {
	t.Parallel()
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) == "refuse" {
			w.WriteHeader(http.StatusConflict)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(hs.Close)
	bodies := []string{"one", "refuse", "", "four"}
	for _, c := range []struct {
		want              string // of the first request
		answered, refused int
		fails             bool
	}{{"one", 3, 1, false}, {"two", 0, 0, true}} {
		l := load{connections: 1, span: time.Minute, most: len(bodies)}
		o, err := l.run(t.Context(), &process{Address: hs.URL}, func(n int) exchange {
			e := exchange{request: post("/", "key", bodies[n]), status: http.StatusOK, body: bodies[n]}
			if n == 0 {
				e.body = c.want
			}
			return e
		})
		if c.fails {
			if err == nil || !strings.Contains(err.Error(), "a wrong answer") {
				t.Errorf("got %v, want the error that an answer was wrong", err)
			}
			continue
		}
		if err != nil || o.answered != c.answered || o.refused[http.StatusConflict] != c.refused || len(o.latencies) != c.answered {
			t.Errorf("got %+v, %v, want %d answered and %d refused", o, err, c.answered, c.refused)
		}
	}
}

// The benchmarks below are for profiles: the same requests within one process, without a network.
//
//	go test ./bench -run '^$' -bench BenchmarkCheck/SQLite -cpuprofile cpu.out && go tool pprof -top -cum cpu.out

func BenchmarkCheck(b *testing.B) {
	onDatabases(b, func(b *testing.B, w *world, h http.Handler) {
		asked := make([]sent, warm)
		for i, q := range w.questions[:warm] {
			asked[i] = sent{received(http.MethodPost, fmt.Sprintf(checkPath, q.member), w.key), `{"permission_slug":"` + q.permission + `"}`, authorized(q.allowed)}
		}
		drive(b, h, asked)
	})
}

func BenchmarkBatch(b *testing.B) {
	onDatabases(b, func(b *testing.B, w *world, h http.Handler) {
		var asked []sent
		for _, e := range w.batches()[:10] {
			_, body, _ := strings.Cut(string(e.request), "\r\n\r\n")
			asked = append(asked, sent{received(http.MethodPost, batchPath, w.key), body, e.body})
		}
		drive(b, h, asked)
	})
}

func BenchmarkRoles(b *testing.B) {
	onDatabases(b, func(b *testing.B, w *world, h http.Handler) {
		var asked []sent
		for _, org := range w.organizations[:100] {
			asked = append(asked, sent{received(http.MethodGet, fmt.Sprintf(availablePath, org), w.key), "", ""})
		}
		drive(b, h, asked)
	})
}

func BenchmarkPermissions(b *testing.B) {
	onDatabases(b, func(b *testing.B, w *world, h http.Handler) {
		var asked []sent
		for _, at := range w.seats[:100] {
			asked = append(asked, sent{received(http.MethodGet, fmt.Sprintf(permissionsPath, at.member, id.Retype[id.Resource](at.organization)), w.key), "", ""})
		}
		drive(b, h, asked)
	})
}

// BenchmarkBare is the handler that checks are compared with, for the difference.
func BenchmarkBare(b *testing.B) {
	b.ReportAllocs()
	r := received(http.MethodPost, fmt.Sprintf(checkPath, "om_01JZ0000000000000000000000"), "key")
	drive(b, bareHandler(), []sent{{r, `{"permission_slug":"things01:read"}`, authorized(true)}})
}

// received is a request as a server hands it to its handler, still without its body.
func received(method, path, key string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// warm is how many different requests a benchmark sends, each once before it measures.
const warm = 1000

// sent is a request, its body and the answer that it must get.
type sent struct {
	*http.Request
	body, want string // nothing is wanted where it is empty
}

// drive sends requests in turn and compares the answers. It costs little itself, so that figures are those of the
// handler.
func drive(b *testing.B, h http.Handler, all []sent) {
	answer, in := &keptAnswer{header: http.Header{}}, strings.NewReader("")
	send := func(s sent) {
		in.Reset(s.body)
		r := *s.Request
		r.Body, r.ContentLength = io.NopCloser(in), int64(len(s.body))
		clear(answer.header)
		answer.body = answer.body[:0]
		h.ServeHTTP(answer, &r)
		if s.want != "" && string(answer.body) != s.want {
			b.Fatalf("%s %s was answered %s", r.Method, r.URL, answer.body)
		}
	}
	for _, s := range all {
		send(s)
	}
	for n := 0; b.Loop(); n++ {
		send(all[n%len(all)])
	}
}

// keptAnswer is an answer that is kept.
type keptAnswer struct {
	header http.Header
	body   []byte
}

func (w *keptAnswer) Header() http.Header { return w.header }
func (w *keptAnswer) WriteHeader(int)     {}
func (w *keptAnswer) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}

func BenchmarkCreateRole(b *testing.B) {
	onDatabases(b, func(b *testing.B, w *world, h http.Handler) {
		for n := 0; b.Loop(); n++ {
			path := strings.Replace(createPath, "%s", string(w.organizations[n%len(w.organizations)]), 1)
			if answer := request(h, path, w.key, `{"name":"Release manager","description":"Ships"}`); answer.Code != http.StatusCreated {
				b.Fatalf("got %d %s", answer.Code, answer.Body)
			}
		}
	})
}

func request(h http.Handler, path, key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

// onDatabases runs a benchmark with the handlers of the product over a small world on each database.
func onDatabases(b *testing.B, measure func(*testing.B, *world, http.Handler)) {
	for _, d := range []struct {
		name     string
		location func(*testing.B) string
	}{
		{"SQLite", func(b *testing.B) string { return "sqlite:" + filepath.Join(b.TempDir(), "world.db") }},
		{"PostgreSQL", func(b *testing.B) string { return pgtest.URL(b) }},
	} {
		b.Run(d.name, func(b *testing.B) {
			location := d.location(b)
			settling := &bench{progress: io.Discard}
			w, err := settling.settle(b.Context(), database{d.name, location}, plan{organizations: 300, members: 20, customRoles: 5})
			if err != nil {
				b.Fatal(err)
			}
			db, err := store.Open(context.Background(), location, store.Serve)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() {
				if err := db.Close(); err != nil {
					b.Error(err)
				}
			})
			ids := id.NewSource(time.Now, nil)
			rules := authz.New(db, time.Now, ids)
			hooks := webhook.New(db, rules, time.Now, ids, webhook.Options{})
			door, err := api.New(rules, decision.New(rules, db, db.Fresh(), time.Now, decision.Options{}), operator.New(db, db.Fresh(), time.Now, ids), hooks, "bench")
			if err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(context.Background())
			var keeping sync.WaitGroup
			keeping.Go(func() { db.KeepTerms(ctx) })
			b.Cleanup(func() { stop(); keeping.Wait() })
			router := web.NewRouter()
			door.Register(router)
			b.ReportAllocs()
			measure(b, w, web.Wrap(router, slog.New(slog.NewJSONHandler(io.Discard, nil)), ids))
		})
	}
}
