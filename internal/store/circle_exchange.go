package store

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// pollTime is after how long the rows are listed again while others are waited for.
const pollTime = 100 * time.Millisecond

// lease is what this process says of itself.
func (c *circle) lease() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.about.Lease
}

// poll is after how long the rows are listed again: soon enough to see a short lease end.
func (w *wire) poll() time.Duration {
	poll := pollTime
	for _, s := range w.seen {
		poll = min(poll, s.lease/8)
	}
	return poll
}

// mustExchange says whether there is something to tell or to ask.
func (w *wire) mustExchange(now time.Time) bool {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := false
	for _, a := range c.open {
		if !a.sent {
			return true
		}
		waiting = true
	}
	return w.listNow || len(w.answers) > 0 || len(w.lapsed) > 0 || waiting && !now.Before(w.listed.Add(w.poll())) ||
		len(c.over) > 0 && !now.Before(c.overSince.Add(overTime))
}

// next is when there is something to do if nothing happens.
func (w *wire) next(due time.Time) time.Time {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) > 0 {
		due = earlier(due, w.listed.Add(w.poll()))
	}
	if len(c.over) > 0 {
		due = earlier(due, c.overSince.Add(overTime))
	}
	return due
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// round is what one exchange tells and asks.
type round struct {
	announced []*announcement
	over      []uint64
	list      bool
	letters
	removed []string // rows
}

// take collects what is to be told and asked.
func (w *wire) take(now time.Time) (*round, error) {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &round{over: c.over, list: w.listNow}
	c.over = nil
	for _, a := range c.open {
		if !a.sent {
			r.announced = append(r.announced, a)
		}
	}
	slices.SortFunc(r.announced, func(a, b *announcement) int { return int(a.ticket) - int(b.ticket) })
	r.list = r.list || len(c.open) > 0 && (len(r.announced) > 0 || !now.Before(w.listed.Add(w.poll())))
	if err := r.write(w, c.others); err != nil {
		return nil, err
	}
	r.removed = slices.Sorted(maps.Keys(w.lapsed)) // in one order everywhere, so that two do not wait for each other
	return r, nil
}

// exchange tells the others what there is to tell and lists them, in one round trip. Its parts are one transaction:
// notifications go out after the rows were listed, so whoever was listed hears them.
func (w *wire) exchange(now time.Time) error {
	r, err := w.take(now)
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	if len(r.texts) > 0 {
		batch.Queue("SELECT pg_notify(channel, text) FROM unnest(CAST($1 AS text[]), CAST($2 AS text[])) AS letters (channel, text)", r.channels, r.texts)
	}
	for _, row := range r.removed {
		batch.Queue("DELETE FROM replicas WHERE id = $1 AND renewals = $2", row, w.lapsed[row]).
			Exec(func(tag pgconn.CommandTag) error {
				w.removed(row, tag.RowsAffected() == 1)
				return nil
			})
	}
	var rows []otherRow
	if r.list {
		batch.Queue("SELECT id, renewals, lease_ms FROM replicas").Query(func(found pgx.Rows) (err error) {
			rows, err = pgx.CollectRows(found, pgx.RowToStructByPos[otherRow])
			return err
		})
	}
	if batch.Len() > 0 {
		ctx, cancel := w.bounded()
		defer cancel()
		if err := w.conn.SendBatch(ctx, batch).Close(); err != nil {
			return fmt.Errorf("telling of changes: %w", err)
		}
	}
	clear(w.answers)
	w.sent(r, rows)
	return nil
}

// sent takes note of what came of an exchange.
func (w *wire) sent(r *round, rows []otherRow) {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range w.dead {
		c.gone(row)
		c.state.Removed++
	}
	w.dead = nil
	if !r.list {
		for _, a := range r.announced {
			a.sent = true
		}
		return
	}
	w.listed, w.listNow = time.Now(), false
	there := w.look(rows)
	c.others = len(there) > 0
	c.state.Replicas = len(rows)
	for _, a := range r.announced {
		a.sent, a.others, a.waiting = true, c.others, map[string]bool{}
		if a.xid == "" {
			c.finish(a, nil)
			continue
		}
		for row := range there {
			a.waiting[row] = true
		}
	}
	for _, a := range c.open {
		for row := range a.waiting {
			if !there[row] || a.answered[row] {
				delete(a.waiting, row)
			}
		}
		if a.sent && len(a.waiting) == 0 {
			c.finish(a, nil)
		}
	}
}

// gone takes note that a row will not answer any more. The caller holds c.mu.
func (c *circle) gone(row string) {
	for _, a := range c.open {
		if a.waiting[row] {
			if delete(a.waiting, row); len(a.waiting) == 0 {
				c.finish(a, nil)
			}
		}
	}
}
