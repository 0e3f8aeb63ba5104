package web

import (
	"context"
	"sync"
	"time"
)

// limit is a context that ends at a moment, or with the one that it is of. It costs a timer only from when somebody
// wants to be told of its end: most requests are answered from memory, where nothing waits.
type limit struct {
	parent context.Context
	until  time.Time

	mu     sync.Mutex
	timed  context.Context // the same with a timer; made for the first who asks
	cancel context.CancelFunc
	over   bool
}

var _ context.Context = (*limit)(nil)

func newLimit(parent context.Context, until time.Time) *limit {
	return &limit{parent: parent, until: until}
}

// end ends the context.
func (l *limit) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	if l.cancel != nil {
		l.cancel()
	}
}

// Deadline implements context.Context.
func (l *limit) Deadline() (time.Time, bool) {
	if earlier, ok := l.parent.Deadline(); ok && earlier.Before(l.until) {
		return earlier, true
	}
	return l.until, true
}

// Done implements context.Context.
func (l *limit) Done() <-chan struct{} { return l.withTimer().Done() }

// Err implements context.Context.
func (l *limit) Err() error {
	if t := l.needed(); t != nil {
		return t.Err()
	}
	return nil
}

// Value implements context.Context. Package context finds by it what a child has to be ended with.
func (l *limit) Value(key any) any {
	l.mu.Lock()
	timed := l.timed
	l.mu.Unlock()
	if timed != nil {
		return timed.Value(key)
	}
	return l.parent.Value(key)
}

// needed is the context with a timer, or nil while there is none and the context has not ended.
func (l *limit) needed() context.Context {
	l.mu.Lock()
	timed, over := l.timed, l.over
	l.mu.Unlock()
	if timed == nil && (over || l.parent.Err() != nil || !time.Now().Before(l.until)) {
		return l.withTimer()
	}
	return timed
}

func (l *limit) withTimer() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timed == nil {
		l.timed, l.cancel = context.WithDeadline(l.parent, l.until)
		if l.over {
			l.cancel()
		}
	}
	return l.timed
}
