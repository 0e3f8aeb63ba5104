package store

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall/rolecall/internal/fresh"
)

// holdKey names a change that another process announced.
type holdKey struct {
	process string
	ticket  uint64
}

// foreignHold is what is held for it.
type foreignHold struct {
	xid      string
	heard    int
	since    time.Time
	complete bool // no part is missing
	releases []func()
}

// hold holds what another process is about to change. What it says once more, over a new wire, is held already.
func (m *member) hold(process string, h hold, regions []fresh.Region) {
	key := holdKey{process, h.Ticket}
	held := m.holds[key]
	if held == nil {
		m.heard++
		held = &foreignHold{xid: h.Xid, heard: m.heard, since: time.Now()}
		m.holds[key] = held
	}
	if !held.complete {
		held.releases = append(held.releases, m.c.book.Hold(regions))
		held.complete = !h.More
	}
	m.countHolds()
}

// release ends the holds of changes that ended.
func (m *member) release(process string, tickets []uint64) {
	for _, ticket := range tickets {
		m.drop(holdKey{process, ticket})
	}
}

func (m *member) drop(key holdKey) {
	if held := m.holds[key]; held != nil {
		for _, release := range held.releases {
			release()
		}
		delete(m.holds, key)
		m.countHolds()
	}
}

func (m *member) countHolds() {
	n := len(m.holds)
	m.c.count(func(s *Circle) { s.Holds = n })
}

// releaseBefore ends the holds heard up to a number, all of whose transactions have ended: those of a server that was
// lost with the server.
func (m *member) releaseBefore(heard int) {
	for key, held := range m.holds {
		if held.heard <= heard {
			for _, release := range held.releases {
				release()
			}
			delete(m.holds, key)
		}
	}
	m.c.state.Holds = len(m.holds)
}

// sweep ends the holds older than an age whose transaction is over, which nobody told: the process may be gone.
func (m *member) sweep(w *wire, age time.Duration) error {
	xids, old := []string{}, map[string][]holdKey{}
	for key, held := range m.holds {
		if time.Since(held.since) >= age {
			xids, old[held.xid] = append(xids, held.xid), append(old[held.xid], key)
		}
	}
	if len(xids) == 0 {
		return nil
	}
	ctx, cancel := w.bounded()
	defer cancel()
	rows, err := w.conn.Query(ctx, "SELECT xid FROM unnest(CAST($1 AS text[])) AS held (xid) WHERE pg_visible_in_snapshot(CAST(xid AS xid8), pg_current_snapshot())", xids)
	if err != nil {
		return fmt.Errorf("asking what became of changes: %w", err)
	}
	over, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("asking what became of changes: %w", err)
	}
	for _, xid := range over {
		for _, key := range old[xid] {
			m.drop(key)
		}
	}
	return nil
}
