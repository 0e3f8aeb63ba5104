package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rolecall/rolecall/internal/fresh"
)

// line has the changes of an SQLite file made one after the other, as they must be, but those that wait for their turn
// meanwhile in one transaction, a company: the disk is waited for once for all of them. Each is made by its own
// goroutine and is all or nothing by a savepoint of its own.
type line struct {
	joinWithin time.Duration // how long the first of a company waits for the last to join

	mu      sync.Mutex
	taken   bool      // somebody has the turn
	waiting []*waiter // for it, longest first
}

// waiter waits for the turn.
type waiter struct {
	alone bool
	comes chan *company
}

// company is changes that are committed together.
type company struct {
	conn    *sql.Conn // nil while there is no transaction
	since   time.Time // when the first of them had done its part
	members []*part
	broken  bool // what is written cannot be told apart by member any more
}

// part is a change that was made, or was refused in view of those before it, and waits for the commit. Should that
// fail, what was seen of the others never was.
type part struct {
	tx        *tx // nil where nothing was made
	announced time.Duration
	ended     chan error
}

const (
	mostParts  = 64
	joinWithin = 20 * time.Millisecond
	// patience is how long others, who have done their part, wait for one that joined them. After that it is put back
	// and has a transaction to itself.
	patience = 50 * time.Millisecond
)

var (
	// errUndone is for those who lost what they did by what happened to another.
	errUndone = errors.New("the transaction was undone by what happened to another change in it")
	// errApart is for who takes too long for others to wait, or undid what they did.
	errApart = errors.New("a change must be made in a transaction of its own")
)

// inCompany makes a change in its turn and returns when it is durable, or nothing of it is.
func (s *Store) inCompany(ctx context.Context, work *Work, fn func(*tx) error) error {
	for alone := false; ; {
		err := s.inTurn(ctx, alone, work, fn)
		switch {
		case errors.Is(err, errApart):
			alone = true
		case !errors.Is(err, errUndone):
			return err
		}
	}
}

func (s *Store) inTurn(ctx context.Context, alone bool, work *Work, fn func(*tx) error) error {
	c, err := s.line.join(ctx, alone)
	if err != nil {
		return err
	}
	m := &part{ended: make(chan error, 1)}
	followed, returned := len(c.members) > 0, false
	defer func() {
		if !returned { // fn panicked, or ended its goroutine
			s.takeBack(c)
			s.goOn(c)
		}
	}()
	t, err := s.takePart(ctx, c)
	if err == nil {
		err = t.conclude(fn(t))
	}
	if err == nil {
		err = s.leave(c, t)
	}
	returned = true
	if err == nil {
		m.tx = t
		if !followed {
			c.since = time.Now()
		}
	} else {
		s.takeBack(c)
	}
	switch {
	case err == nil || len(c.members) > 0:
		c.members = append(c.members, m)
	case followed:
		m.ended <- errApart
	default:
		m.ended <- nil
	}
	commits := time.Now()
	s.goOn(c)
	outcome := <-m.ended
	if err == nil && outcome == nil {
		work.Announce, work.Commit = m.announced, time.Since(commits)
	}
	if outcome != nil {
		return outcome
	}
	return err
}

// conclude is what came of a function that returned err.
func (t *tx) conclude(err error) error {
	switch {
	case t.late:
		return errApart
	case err == nil:
		return t.broken
	}
	return err
}

// takePart begins the transaction of a company, or the part of one more member in it. Whoever goes away must not take the
// others along: only the first is interrupted, who has nobody to take along.
func (s *Store) takePart(ctx context.Context, c *company) (*tx, error) {
	lasting := context.WithoutCancel(ctx)
	if c.conn != nil {
		_, err := c.conn.ExecContext(lasting, "SAVEPOINT member")
		if err != nil {
			c.broken = true
			return nil, fmt.Errorf("joining a transaction: %w", err)
		}
		return &tx{ctx: lasting, asked: ctx, sql: c.conn, store: s, until: time.Now().Add(patience)}, nil
	}
	conn, err := s.write.Conn(lasting)
	if err == nil {
		c.conn = conn
		_, err = conn.ExecContext(lasting, "BEGIN IMMEDIATE")
	}
	if err != nil {
		return nil, fmt.Errorf("beginning a transaction: %w", err)
	}
	return &tx{ctx: ctx, asked: ctx, sql: conn, store: s}, nil
}

// leave ends the part of a member that made its change.
func (s *Store) leave(c *company, t *tx) error {
	if len(c.members) == 0 {
		return nil
	}
	_, err := c.conn.ExecContext(t.ctx, "RELEASE SAVEPOINT member")
	if err != nil {
		c.broken = true
		return fmt.Errorf("leaving a transaction: %w", err)
	}
	return nil
}

// takeBack undoes what the member whose turn it is has written: with all of the transaction where it is the first, and
// where SQLite has undone that because of an error.
func (s *Store) takeBack(c *company) {
	if len(c.members) > 0 && !c.broken {
		_, err := c.conn.ExecContext(context.Background(), "ROLLBACK TO SAVEPOINT member")
		if err == nil {
			_, err = c.conn.ExecContext(context.Background(), "RELEASE SAVEPOINT member")
		}
		if err == nil {
			return
		}
	}
	c.abandon()
	c.answer(errUndone)
	*c = company{}
}

// abandon ends the transaction without a commit.
func (c *company) abandon() {
	if c.conn == nil {
		return
	}
	if _, err := c.conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
		// SQLite has undone it already, or nobody knows in what state the connection is: it is not used again.
		_ = c.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
	_ = c.conn.Close() // gives it back
	c.conn = nil
}

// answer tells the members what became of the company.
func (c *company) answer(err error) {
	for _, m := range c.members {
		m.ended <- err
	}
}

// goOn gives the turn to the next, to join the company if it can, or else commits the company and gives it then.
func (s *Store) goOn(c *company) {
	if s.line.pass(c) {
		return
	}
	err := s.commitAll(c)
	s.line.pass(&company{})
	c.answer(err)
}

// commitAll makes a company durable.
func (s *Store) commitAll(c *company) error {
	all := &tx{ctx: context.Background(), sql: c.conn, store: s, changed: map[fresh.Region]bool{}}
	for _, m := range c.members {
		if m.tx != nil {
			maps.Copy(all.changed, m.tx.changed)
		}
	}
	began := time.Now()
	settle, err := s.hold(all.ctx, all)
	if err != nil {
		c.abandon()
		return err
	}
	for _, m := range c.members {
		if m.tx != nil && len(m.tx.changed) > 0 {
			m.announced = time.Since(began)
		}
	}
	_, err = c.conn.ExecContext(all.ctx, "COMMIT")
	if err != nil {
		c.abandon()
		settle(!s.dialect.undecided(err))
		return fmt.Errorf("committing: %w", err)
	}
	settle(true)
	_ = c.conn.Close() // gives it back; the change is durable whatever it says
	return nil
}

// join waits for the turn, and returns the company to join, which is empty for the first.
func (l *line) join(ctx context.Context, alone bool) (*company, error) {
	l.mu.Lock()
	if !l.taken {
		l.taken = true
		l.mu.Unlock()
		return &company{}, nil
	}
	w := &waiter{alone, make(chan *company, 1)}
	l.waiting = append(l.waiting, w)
	l.mu.Unlock()
	select {
	case c := <-w.comes:
		return c, nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting, w); i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		return nil, ctx.Err()
	}
	return <-w.comes, nil // it came at that moment
}

// pass gives the turn to whoever waits longest. It does not, and says so, where a company has to be committed first.
func (l *line) pass(c *company) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := len(c.members) > 0
	switch {
	case open && (len(l.waiting) == 0 || l.waiting[0].alone || len(c.members) >= mostParts || time.Since(c.since) > l.joinWithin):
		return false
	case len(l.waiting) == 0:
		l.taken = false
	default:
		w := l.waiting[0]
		l.waiting = slices.Delete(l.waiting, 0, 1)
		w.comes <- c
	}
	return true
}
