package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// CurveRow is checks over a number of connections, by one server.
type CurveRow struct {
	Server      string  `json:"server"` // a database, or bareServer
	Connections int     `json:"connections"`
	PerSecond   Rate    `json:"per_second"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	rounds      rounds
}

// bareServer names the bare handler where it stands beside databases.
const bareServer = "bare net/http"

// curve measures checks over more and more connections, beside the bare handler.
func (b *bench) curve(ctx context.Context, report *Report) error {
	connections := pick(b, []int{1, 2, 4, 8, 16, 32, 64, 128, 256}, []int{1, 16})
	askers, end, err := b.askers(ctx, "curve", pick(b, 1000, 50))
	if err != nil {
		return err
	}
	defer end()
	rows := make([]*CurveRow, 0, len(askers)*len(connections))
	for round := range b.Rounds + 1 { // the first only warms up
		b.say("curve: round %d of %d", round, b.Rounds)
		for c, n := range connections {
			for i, a := range askers {
				if round == 0 {
					rows = append(rows, &CurveRow{Server: a.name, Connections: n})
				}
				l := load{connections: n, span: pick(b, time.Second, 200*time.Millisecond)}
				o, err := l.run(ctx, a.server, func(n int) exchange { return a.checks[n%len(a.checks)] })
				if err != nil {
					return fmt.Errorf("%s: %w", a.name, err)
				}
				if round > 0 {
					rows[c*len(askers)+i].rounds.add(o, 1)
				}
			}
		}
	}
	for _, row := range rows {
		row.PerSecond, row.P50, row.P99 = rate(row.rounds.product), median(row.rounds.p50), median(row.rounds.p99)
		report.Curve = append(report.Curve, *row)
	}
	return nil
}

// asker is a server with the questions that it is asked.
type asker struct {
	name   string
	server *process
	checks []exchange
}

// askers starts the bare handler and a server on each database, with a world and its questions. end stops them.
func (b *bench) askers(ctx context.Context, name string, organizations int) (all []asker, end func(), err error) {
	var started []*process
	end = func() {
		for _, s := range started {
			if err := s.stop(); err != nil {
				b.say("%v", err)
			}
		}
	}
	defer func() {
		if err != nil {
			end()
		}
	}()
	databases, err := b.databases(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	bare, err := b.launchBare(ctx)
	if err != nil {
		return nil, nil, err
	}
	started, all = append(started, bare), append(all, asker{name: bareServer, server: bare})
	for _, d := range databases {
		w, err := b.settle(ctx, d, plan{organizations: organizations, members: 20, customRoles: 5})
		if err != nil {
			return nil, end, err
		}
		s, err := b.serve(ctx, d)
		if err != nil {
			return nil, end, err
		}
		started, all = append(started, s), append(all, asker{name: d.Name, server: s, checks: w.checks()})
	}
	all[0].checks = slices.Clone(all[1].checks)
	for i := range all[0].checks {
		all[0].checks[i].body = authorized(true) // which the bare handler always says
	}
	return all, end, nil
}
