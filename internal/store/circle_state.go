package store

import "time"

// Circle is how a process stands with the others on the same PostgreSQL. Counts are since it began.
type Circle struct {
	Term     bool          // it may answer from memory now
	Left     time.Duration // of the lease, if it is not renewed
	Replicas int           // rows, its own among them, as they were last listed
	Holds    int           // changes of others that are in force here
	Trouble  string        // why it cannot hear of changes, or what broke the wire last

	Terms         uint64 // how many began
	Announcements uint64
	Waits         uint64        // announcements that others had to answer
	Waited        time.Duration // for them, in all
	LongestWait   time.Duration
	Expelled      uint64 // how often others went on without it
	Removed       uint64 // rows of others that it went on without
	Reconnects    uint64

	until time.Time
}

// Circle says how this process stands with the others. On SQLite there are none, and only Term is set.
func (s *Store) Circle() Circle {
	state, term := s.peers.standing(), s.book.Term()
	if state.Term = term != nil && term.Lasts(); state.Term && !state.until.IsZero() {
		state.Left = max(0, time.Until(state.until))
	}
	return state
}

// standing implements peers.
func (c *circle) standing() Circle {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *circle) count(note func(*Circle)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	note(&c.state)
}

// waited counts how long the others took to answer.
func (c *circle) waited(a *announcement) {
	took := time.Since(a.began)
	c.count(func(s *Circle) {
		s.Waits++
		s.Waited += took
		s.LongestWait = max(s.LongestWait, took)
	})
}
