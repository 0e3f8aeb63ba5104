package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall/rolecall/internal/id"
)

// mostReplicas is the most that are measured on one database.
const mostReplicas = 3

// replicas measures what it costs that several servers on one PostgreSQL answer from memory: how long a change takes, when
// a revocation counts everywhere, and how long a server that vanishes holds a writer up.
func (b *bench) replicas(ctx context.Context, report *Report) (err error) {
	if b.postgres == nil {
		return nil
	}
	var all []*circle
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop())
		}
	}()
	for n := 1; n <= mostReplicas; n++ {
		c, err := b.circle(ctx, n)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	f, err := b.floor(ctx, all[0].database, "replicas_floor", true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if report.Replicas, err = b.changes(ctx, f, all); err != nil {
		return err
	}
	largest := all[mostReplicas-1]
	if report.Revocations, err = b.revocations(ctx, largest); err != nil {
		return err
	}
	report.Stalls, err = b.stalls(ctx, largest)
	return err
}

// circle is servers on one database.
type circle struct {
	database database
	world    *world
	servers  []*process
	member   id.Membership
}

// Of the member whose role changes: what it may do with one role and not with the other.
const (
	allowedRole = environmentRoles - 1
	deniedRole  = 0
)

func (b *bench) circle(ctx context.Context, servers int) (c *circle, err error) {
	location, err := b.postgres.create(ctx, fmt.Sprint("replicas_", servers))
	if err != nil {
		return nil, err
	}
	c = &circle{database: database{"PostgreSQL", location}}
	if c.world, err = b.settle(ctx, c.database, plan{organizations: 20, members: 20}); err != nil {
		return nil, err
	}
	c.member = c.world.questions[0].member
	for range servers {
		s, err := b.serve(ctx, c.database)
		if err != nil {
			return nil, errors.Join(err, c.stop())
		}
		c.servers = append(c.servers, s)
	}
	return c, c.complete(ctx)
}

func (c *circle) stop() (err error) {
	for _, s := range c.servers {
		err = errors.Join(err, s.stop())
	}
	return err
}

// complete waits until every server has told the others that it is there.
func (c *circle) complete(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.database.location)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for {
		var there, new int
		err := conn.QueryRow(ctx, "SELECT count(id), count(id) FILTER (WHERE renewals = 0) FROM replicas").Scan(&there, &new)
		if err != nil || there == len(c.servers) && new == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// give gives the member a role at a server, and says how long that took.
func (c *circle) give(ctx context.Context, server, role int) (time.Duration, error) {
	body := encoded(map[string]string{"role_slug": environmentSlug(role)})
	return call(ctx, c.servers[server], c.world.key, http.MethodPut, "/user_management/organization_memberships/"+string(c.member), body, http.StatusOK, nil)
}

// may asks a server whether the member may do what the role allows.
func (c *circle) may(ctx context.Context, server int) (authorized bool, took time.Duration, err error) {
	body := encoded(map[string]string{"permission_slug": permissionSlug(allowedRole * environmentHolds)})
	var answer struct{ Authorized bool }
	took, err = call(ctx, c.servers[server], c.world.key, http.MethodPost, "/authorization/organization_memberships/"+string(c.member)+"/check", body, http.StatusOK, &answer)
	return answer.Authorized, took, err
}

// changes gives and takes a role, in turn where there are 1, 2 and 3 servers, with a bare commit before each turn.
func (b *bench) changes(ctx context.Context, f floor, all []*circle) ([]ReplicasRow, error) {
	turns := pick(b, 1000, 60)
	b.say("replicas: %d changes with 1, 2 and 3", turns)
	took, bare := make([][]float64, len(all)), []float64{}
	for n := range turns + 10 { // the first only warm up
		began := time.Now()
		if err := f.commit(ctx, 0); err != nil {
			return nil, err
		}
		commit := milliseconds(time.Since(began))
		if n >= 10 {
			bare = append(bare, commit)
		}
		for i, c := range all {
			d, err := c.give(ctx, n/2%len(c.servers), []int{allowedRole, deniedRole}[n%2])
			if err != nil {
				return nil, err
			}
			if n >= 10 {
				took[i] = append(took[i], milliseconds(d))
			}
		}
	}
	var rows []ReplicasRow
	for i := range all {
		var over, more []float64
		for n := range bare {
			over, more = append(over, took[i][n]/bare[n]), append(more, took[i][n]-took[0][n])
		}
		rows = append(rows, ReplicasRow{
			Replicas: i + 1, Changes: turns, P50: median(took[i]), P99: at(took[i], 0.99), Highest: highest(took[i]),
			More: median(more), FloorP50: median(bare), FloorP99: at(bare, 0.99), Ratio: median(over),
		})
	}
	return rows, nil
}

// at is the value below which a share of all lies.
func at(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

// revocations takes the role at one server after the other, when all remember it, and asks all at once as soon as that is
// answered.
func (b *bench) revocations(ctx context.Context, c *circle) (row RevocationRow, err error) {
	row.Revocations = pick(b, 500, 30)
	b.say("replicas: %d revocations", row.Revocations)
	var denials []float64
	for n := range row.Revocations {
		if _, err := c.give(ctx, n%len(c.servers), allowedRole); err != nil {
			return row, err
		}
		for server := range c.servers { // twice, so that the second is from memory
			for range 2 {
				if ok, _, err := c.may(ctx, server); err != nil || !ok {
					return row, errors.Join(err, fmt.Errorf("server %d does not know what was given: %v", server, ok))
				}
			}
		}
		if _, err := c.give(ctx, n%len(c.servers), deniedRole); err != nil {
			return row, err
		}
		answered := time.Now()
		yes, errs, after := make([]bool, len(c.servers)), make([]error, len(c.servers)), make([]float64, len(c.servers))
		var group sync.WaitGroup
		for server := range c.servers {
			group.Go(func() {
				yes[server], _, errs[server] = c.may(ctx, server)
				after[server] = milliseconds(time.Since(answered))
			})
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			return row, err
		}
		for server := range c.servers {
			if yes[server] {
				row.Late++
			}
		}
		denials = append(denials, after...)
	}
	row.P50, row.P99, row.Highest = median(denials), at(denials, 0.99), highest(denials)
	return row, nil
}

// stalls stops and kills a server and times the next change at another.
func (b *bench) stalls(ctx context.Context, c *circle) ([]StallRow, error) {
	var rows []StallRow
	last := len(c.servers) - 1
	for _, how := range []struct {
		name   string
		signal syscall.Signal
	}{{"SIGSTOP", syscall.SIGSTOP}, {"kill -9", syscall.SIGKILL}} {
		row := StallRow{How: how.name, Times: pick(b, 10, 2)}
		b.say("replicas: %s", how.name)
		var first, second []float64
		for range row.Times {
			s := c.servers[last]
			if err := s.cmd.Process.Signal(how.signal); err != nil {
				return nil, err
			}
			took, err := c.give(ctx, 0, allowedRole)
			if err != nil {
				return nil, err
			}
			next, err := c.give(ctx, 0, deniedRole)
			if err != nil {
				return nil, err
			}
			first, second = append(first, milliseconds(took)), append(second, milliseconds(next))
			if how.signal == syscall.SIGSTOP {
				if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
					return nil, err
				}
			} else {
				<-s.ended
				again, err := b.serve(ctx, c.database)
				if err != nil {
					c.servers = c.servers[:last]
					return nil, err
				}
				c.servers[last] = again
			}
			if err := c.complete(ctx); err != nil {
				return nil, err
			}
		}
		row.Median, row.Highest, row.Next = median(first), highest(first), median(second)
		rows = append(rows, row)
	}
	return rows, nil
}
