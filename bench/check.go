package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"
)

const checkPath = "/authorization/organization_memberships/%s/check"

var checkConnections = []int{16, 64}

// check measures POST …/check beside a handler that reads the same body and answers the same JSON without knowing
// anything.
func (b *bench) check(ctx context.Context, report *Report) error {
	worldPlan := pick(b, plan{organizations: 1000, members: 20, customRoles: 5}, plan{organizations: 50, members: 20, customRoles: 5})
	databases, err := b.databases(ctx, "check")
	if err != nil {
		return err
	}
	bare, err := b.launchBare(ctx)
	if err != nil {
		return err
	}
	defer bare.stop()
	rows, askers := []*CheckRow{}, []asker{}
	for _, d := range databases {
		w, err := b.settle(ctx, d, worldPlan)
		if err != nil {
			return err
		}
		s, err := b.serve(ctx, d)
		if err != nil {
			return err
		}
		defer s.stop()
		a := asker{d.Name, s, w.checks(), nil, map[int]*CheckRow{}}
		a.bare = slices.Clone(a.checks)
		for i := range a.bare {
			a.bare[i].body = authorized(true) // which the bare handler always says
		}
		for _, connections := range checkConnections {
			row := &CheckRow{Database: d.Name, Connections: connections}
			rows, a.rows[connections] = append(rows, row), row
		}
		askers = append(askers, a)
	}
	for round := range b.Rounds + 1 { // the first only warms up
		b.say("check: round %d of %d", round, b.Rounds)
		for _, connections := range checkConnections {
			for _, a := range askers {
				if err := b.ask(ctx, a, bare, connections, round > 0); err != nil {
					return err
				}
			}
		}
	}
	for _, row := range rows {
		report.Check = append(report.Check, row.finish())
	}
	report.Notes = append(report.Notes, fmt.Sprintf("check: %d organizations of %d members and %d custom roles, %d questions",
		worldPlan.organizations, worldPlan.members, worldPlan.customRoles, len(askers[0].checks)))
	return nil
}

// asker is one database's server with the questions it is asked.
type asker struct {
	name   string
	server *process
	checks []exchange
	bare   []exchange
	rows   map[int]*CheckRow // by the number of connections
}

// ask runs the bare handler and then the product.
func (b *bench) ask(ctx context.Context, a asker, bare *process, connections int, counts bool) error {
	l := load{connections: connections, span: pick(b, 2*time.Second, 300*time.Millisecond)}
	floor, err := l.run(ctx, bare, func(n int) exchange { return a.bare[n%len(a.bare)] })
	if err != nil {
		return fmt.Errorf("bare handler: %w", err)
	}
	product, err := l.run(ctx, a.server, func(n int) exchange { return a.checks[n%len(a.checks)] })
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	if counts {
		a.rows[connections].add(product, floor)
	}
	return ctx.Err()
}

// checks are the questions as requests, with their answers.
func (w *world) checks() []exchange {
	all := make([]exchange, len(w.questions))
	for i, q := range w.questions {
		all[i] = exchange{
			request: post(fmt.Sprintf(checkPath, q.member), w.key, `{"permission_slug":"`+q.permission+`"}`),
			status:  http.StatusOK, body: authorized(q.allowed),
		}
	}
	return all
}

func authorized(yes bool) string { return fmt.Sprintf(`{"authorized":%v}`, yes) }

func (b *bench) launchBare(ctx context.Context) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return launch(ctx, exec.Command(self, bareArgument))
}

// bareHandler is the least that net/http needs for such a request: route, read and parse the body, write JSON; and for a
// page: send bytes that are there.
func bareHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	var page keptPage
	mux.HandleFunc("PUT "+pagePath, page.keep)
	mux.HandleFunc("GET "+pagePath, page.show)
	mux.HandleFunc("POST "+fmt.Sprintf(checkPath, "{id}"), func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			PermissionSlug string `json:"permission_slug"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := json.Marshal(map[string]bool{"authorized": body.PermissionSlug != "" && r.PathValue("id") != ""})
		if err != nil {
			panic(err) // it always encodes
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(answer) // a client that went away has nobody left to tell
	})
	return mux
}

func serveBare(ctx context.Context, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: bareHandler()}
	stop := context.AfterFunc(ctx, func() { hs.Close() })
	defer stop()
	if _, err := fmt.Fprintf(out, "{\"address\":\"http://%s\"}\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := hs.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
