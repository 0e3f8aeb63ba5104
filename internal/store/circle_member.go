package store

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/rolecall/rolecall/internal/fresh"
)

// stage is how far a process is on the way to a term.
type stage int

const (
	outside stage = iota // it has no row
	present              // it has a row, so that it hears of every change that begins from now on
	waiting              // for the end of the changes that began before
	termed
)

// member is what a process is to the others. The goroutine of the wire alone uses it.
type member struct {
	c     *circle
	row   string
	mine  map[string]bool // rows of this process, also those that are to be removed
	stage stage
	term  *fresh.Term

	renewed time.Time // when the last renewal that succeeded was sent
	floor   uint64    // transactions below may have begun before the row was there
	lost    int       // of the circle, when floor was taken
	told    int       // how many holds had been heard when floor was taken
	polled  time.Time

	holds map[holdKey]*foreignHold
	heard int
}

const (
	renewalsInLease = 4                     // how often a lease is renewed in its own time
	floorPoll       = 10 * time.Millisecond // how often is looked whether earlier transactions ended
)

// arrive begins on a new wire. What was not heard while there was none may be changed by now, so the old row counts for
// nothing; until it is gone others may wait for it.
func (m *member) arrive(w *wire) error {
	m.row, m.stage = "", outside
	if len(m.mine) == 0 {
		return nil
	}
	m.c.book.Lapse()
	return m.remove(w)
}

// remove removes the rows of this process. Its term must be over.
func (m *member) remove(w *wire) error {
	rows := make([]string, 0, len(m.mine))
	for row := range m.mine {
		rows = append(rows, row)
	}
	ctx, cancel := w.bounded()
	defer cancel()
	if _, err := w.conn.Exec(ctx, "DELETE FROM replicas WHERE id = ANY ($1)", rows); err != nil {
		return fmt.Errorf("leaving the other processes: %w", err)
	}
	clear(m.mine)
	m.row, m.stage = "", outside
	return nil
}

// due is when act has something to do.
func (m *member) due(w *wire) time.Time {
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	var now time.Time // which is past
	switch {
	case !m.c.keeping && (m.row != "" || m.c.parted != nil), m.c.keeping && m.row == "" && w.mute == "":
		return now
	case m.row == "":
		return time.Now().Add(quietTime)
	case m.stage == present, m.stage == termed && m.lost != m.c.lost:
		return now
	}
	due := m.renewed.Add(m.c.about.Lease / renewalsInLease)
	if m.stage == waiting {
		due = earlier(due, m.polled.Add(floorPoll))
	}
	return due
}

// act does what is due: it joins, renews, begins a term, or leaves.
func (m *member) act(w *wire) error {
	m.c.mu.Lock()
	keeping, lost, about := m.c.keeping, m.c.lost, m.c.about
	m.c.mu.Unlock()
	switch {
	case !keeping:
		return m.leave(w)
	case m.row == "":
		return m.join(w, about)
	case !time.Now().Before(m.renewed.Add(about.Lease / renewalsInLease)):
		return m.renew(w, about)
	case m.stage == present, m.stage == termed && m.lost != lost:
		return m.mark(w, lost)
	case m.stage == waiting:
		return m.await(w, about)
	}
	return nil
}

// join makes a row, from which on every change that begins is announced to this process.
func (m *member) join(w *wire, about Replica) error {
	ctx, cancel := w.bounded()
	defer cancel()
	if !w.hearing {
		if _, err := w.conn.Exec(ctx, "LISTEN "+w.channel); err != nil {
			return fmt.Errorf("listening to changes: %w", err)
		}
		w.hearing = true
	}
	row, began := rand.Text(), time.Now()
	m.mine[row] = true // also if nobody knows what became of it
	_, err := w.conn.Exec(ctx, "INSERT INTO replicas (id, renewals, lease_ms, address, version, started_at) VALUES ($1, 0, $2, $3, $4, $5)",
		row, about.Lease.Milliseconds(), about.Address, about.Version, began.UTC().Format(stampLayout))
	if err != nil {
		return fmt.Errorf("joining the other processes: %w", err)
	}
	m.row, m.stage, m.renewed, w.listNow = row, present, began, true
	return nil
}

// renew renews the lease, counted from before that was asked for, and sees what became of the others.
func (m *member) renew(w *wire, about Replica) error {
	ctx, cancel := w.bounded()
	defer cancel()
	began := time.Now()
	tag, err := w.conn.Exec(ctx, "UPDATE replicas SET renewals = renewals + 1 WHERE id = $1", m.row)
	if err != nil {
		return fmt.Errorf("renewing the lease: %w", err)
	}
	if tag.RowsAffected() == 0 { // the others do not wait for this process any more
		m.c.book.Lapse()
		m.c.count(func(s *Circle) { s.Expelled++ })
		delete(m.mine, m.row)
		m.row, m.stage = "", outside
		return nil
	}
	m.renewed, w.listNow = began, true
	if m.stage == termed {
		m.term.Extend(m.until(about))
		m.c.count(func(s *Circle) { s.until = m.until(about) })
	}
	return m.sweep(w, about.Lease/renewalsInLease)
}

// until is when the term ends if the lease is not renewed: before anybody's clock has run for the whole lease since.
func (m *member) until(about Replica) time.Time { return m.renewed.Add(about.Lease * 9 / 10) }

// mark takes a number that every transaction is below which might not have listed the row. The number is a transaction's
// own: the end of a snapshot would only be above those that have ended.
func (m *member) mark(w *wire, lost int) error {
	m.c.book.Lapse()
	m.lost, m.told = lost, m.heard
	floor, err := m.number(w, "SELECT pg_current_xact_id() || ''")
	if err != nil {
		return err
	}
	m.floor, m.stage, m.polled = floor, waiting, time.Time{}
	return nil
}

// await begins a term when all transactions below floor have ended.
func (m *member) await(w *wire, about Replica) error {
	m.polled = time.Now()
	oldest, err := m.number(w, "SELECT pg_snapshot_xmin(pg_current_snapshot()) || ''")
	if err != nil || oldest < m.floor {
		return err
	}
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	switch {
	case !m.c.keeping:
		return nil
	case m.lost != m.c.lost: // a commit since is undecided
		m.stage = present
		return nil
	}
	m.term, m.stage = fresh.NewLease(m.until(about)), termed
	m.c.book.Begin(m.term)
	m.c.state.until = m.until(about)
	m.c.state.Terms++
	m.releaseBefore(m.told)
	return nil
}

func (m *member) number(w *wire, query string) (uint64, error) {
	ctx, cancel := w.bounded()
	defer cancel()
	var text string
	if err := w.conn.QueryRow(ctx, query).Scan(&text); err != nil {
		return 0, fmt.Errorf("waiting for a term: %w", err)
	}
	return strconv.ParseUint(text, 10, 64)
}

// leave ends the term and removes the row.
func (m *member) leave(w *wire) error {
	m.c.book.Lapse()
	if len(m.mine) > 0 {
		if err := m.remove(w); err != nil {
			return err
		}
	}
	m.c.mu.Lock()
	defer m.c.mu.Unlock()
	if m.c.parted != nil {
		close(m.c.parted)
		m.c.parted = nil
	}
	return nil
}
