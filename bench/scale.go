package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// ScaleRow is what a number of memberships costs: to start, to be asked for the first time, and again.
type ScaleRow struct {
	Database      string  `json:"database"`
	Organizations int     `json:"organizations"`
	Memberships   int     `json:"memberships"`
	Start         float64 `json:"start_ms"`
	Idle          float64 `json:"idle_mb"` // resident after the start
	Asked         int     `json:"asked"`   // memberships, for the first and for the second time
	ColdP50       float64 `json:"cold_p50_ms"`
	ColdP99       float64 `json:"cold_p99_ms"`
	WarmP50       float64 `json:"warm_p50_ms"`
	WarmP99       float64 `json:"warm_p99_ms"`
	BareP50       float64 `json:"bare_p50_ms"`
	BareP99       float64 `json:"bare_p99_ms"`
	Active        int     `json:"active"`    // memberships asked about by the end
	Resident      float64 `json:"active_mb"` // resident by then
}

// perOrganization is how many members an organization has, whatever their number in all.
const perOrganization = 20

// scale measures starts and checks where there are more and more memberships. One connection asks, so that a time is
// that of one check and not of a queue.
func (b *bench) scale(ctx context.Context, report *Report) error {
	bare, err := b.launchBare(ctx)
	if err != nil {
		return err
	}
	defer bare.stop()
	for _, memberships := range pick(b, []int{1_000, 10_000, 100_000, 1_000_000}, []int{1_000}) {
		databases, err := b.databases(ctx, fmt.Sprintf("scale_%d", memberships))
		if err != nil {
			return err
		}
		for _, d := range databases {
			row, err := b.scaleOn(ctx, d, bare, memberships)
			if err != nil {
				return fmt.Errorf("%s, %d memberships: %w", d.Name, memberships, err)
			}
			report.Scale = append(report.Scale, row)
		}
	}
	return nil
}

func (b *bench) scaleOn(ctx context.Context, d database, bare *process, memberships int) (row ScaleRow, err error) {
	everybody := crowd{organizations: memberships / perOrganization, members: perOrganization, ownEvery: 2, role: environmentSlug(removedRole)}
	row = ScaleRow{Database: d.Name, Organizations: everybody.organizations, Memberships: memberships}
	key, err := b.gather(ctx, d, everybody)
	if err != nil {
		return row, err
	}
	starts, err := b.starts(ctx, pick(b, 5, 1), func(int) database { return d })
	if err != nil {
		return row, err
	}
	row.Start = starts.Median
	s, err := b.serve(ctx, d)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	row.Idle = float64(residentMemory(s.cmd.Process.Pid)) / 1e6
	// Members of organizations that nobody asked about, but for those that begin and warm up what all share.
	order := rand.Perm(memberships)
	warmUp, rest := order[:min(100, memberships/10)], order[min(100, memberships/10):]
	asked := rest[:min(pick(b, 2_000, 200), len(rest))]
	ask := func(s *process, members []int, connections int) (outcome, error) {
		l := load{connections: connections, span: 5 * time.Minute, most: len(members)}
		return l.run(ctx, s, func(n int) exchange { return everybody.question(members[min(n, len(members)-1)], key, s == bare) })
	}
	if _, err := ask(s, warmUp, 1); err != nil {
		return row, err
	}
	row.Asked = len(asked)
	for _, part := range []struct {
		server   *process
		p50, p99 *float64
	}{{s, &row.ColdP50, &row.ColdP99}, {s, &row.WarmP50, &row.WarmP99}, {bare, &row.BareP50, &row.BareP99}} {
		o, err := ask(part.server, asked, 1)
		if err != nil {
			return row, err
		}
		*part.p50, *part.p99 = milliseconds(o.quantile(0.5)), milliseconds(o.quantile(0.99))
	}
	all := rest[:min(pick(b, 200_000, 500), len(rest))]
	b.say("scale: %s, asking about %d members", d.Name, len(all))
	if _, err := ask(s, all, 16); err != nil {
		return row, err
	}
	row.Active, row.Resident = len(all), float64(residentMemory(s.cmd.Process.Pid))/1e6
	return row, nil
}

// question asks about the nth member for a permission of the role that everybody holds, or of another one.
func (c crowd) question(n int, key string, bare bool) exchange {
	kept := n%2 == 0
	role := removedRole
	if !kept {
		role = replacementRole
	}
	return exchange{
		request: post(fmt.Sprintf(checkPath, c.member(n)), key, `{"permission_slug":"`+permissionSlug(role*environmentHolds)+`"}`),
		status:  http.StatusOK, body: authorized(kept || bare),
	}
}
