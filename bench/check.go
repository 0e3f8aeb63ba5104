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
	"time"
)

const checkPath = "/authorization/organization_memberships/%s/check"

var checkConnections = []int{16, 64}

// check measures POST …/check, batches of checks and two lists, each beside a handler that answers as many bytes without
// knowing anything; for a single check it also reads the same body and makes the same JSON.
func (b *bench) check(ctx context.Context, report *Report) error {
	bare, err := b.launchBare(ctx)
	if err != nil {
		return err
	}
	defer bare.stop()
	var contests []contest
	worlds := b.Worlds
	if len(worlds) == 0 {
		worlds = pick(b, []int{1_000, 10_000}, []int{50})
	}
	for _, organizations := range worlds {
		databases, err := b.databases(ctx, fmt.Sprintf("check_%d", organizations))
		if err != nil {
			return err
		}
		for _, d := range databases {
			w, err := b.settle(ctx, d, plan{organizations: organizations, members: 20, customRoles: 5})
			if err != nil {
				return err
			}
			s, err := b.serve(ctx, d)
			if err != nil {
				return err
			}
			defer s.stop()
			asked, err := w.contests(ctx, s)
			if err != nil {
				return fmt.Errorf("%s: %w", d.Name, err)
			}
			for _, c := range asked {
				c.database, c.organizations = d.Name, organizations
				contests = append(contests, c)
			}
		}
	}
	rows := make([]CheckRow, 0, len(contests)*len(checkConnections))
	for round := range b.Rounds + 1 { // the first only warms up
		b.say("check: round %d of %d", round, b.Rounds)
		for i, c := range contests {
			for j, connections := range checkConnections {
				if round == 0 {
					rows = append(rows, CheckRow{Asked: c.asked, Database: c.database, Organizations: c.organizations, Connections: connections, Questions: c.questions})
				}
				if err := b.compete(ctx, c, bare, &rows[i*len(checkConnections)+j], round > 0); err != nil {
					return err
				}
			}
		}
	}
	for _, row := range rows {
		report.Check = append(report.Check, row.finish())
	}
	return nil
}

// contest is one kind of request, as the product and as the bare handler get it.
type contest struct {
	asked         string
	database      string
	organizations int
	questions     int // in one request
	server        *process
	product, bare []exchange
}

// compete runs the bare handler and then the product.
func (b *bench) compete(ctx context.Context, c contest, bare *process, row *CheckRow, counts bool) error {
	l := load{connections: row.Connections, span: pick(b, 2*time.Second, 300*time.Millisecond)}
	floor, floorCPU, err := l.weighed(ctx, bare, func(n int) exchange { return c.bare[n%len(c.bare)] })
	if err != nil {
		return fmt.Errorf("bare handler, %s: %w", c.asked, err)
	}
	product, productCPU, err := l.weighed(ctx, c.server, func(n int) exchange { return c.product[n%len(c.product)] })
	if err != nil {
		return fmt.Errorf("%s, %s: %w", c.database, c.asked, err)
	}
	if counts {
		row.add(product, floor)
		row.rounds.cpu, row.rounds.floorCPU = append(row.rounds.cpu, productCPU), append(row.rounds.floorCPU, floorCPU)
	}
	return ctx.Err()
}

// weighed is run, with the microseconds of processor time that the server took for each request.
func (l load) weighed(ctx context.Context, s *process, next func(n int) exchange) (o outcome, cpu float64, err error) {
	before := processorTime(s.cmd.Process.Pid)
	if o, err = l.run(ctx, s, next); err != nil {
		return o, 0, err
	}
	return o, float64((processorTime(s.cmd.Process.Pid) - before).Microseconds()) / float64(max(o.answered, 1)), nil
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
	mux.HandleFunc(fmt.Sprintf(bytesPath, "{length}"), sendBytes)
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
