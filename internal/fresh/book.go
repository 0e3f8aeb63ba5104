package fresh

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Memory is something that remembers what the database holds.
type Memory interface {
	// Forget drops what is remembered of regions and of all that lies in them, and sees to it that nothing whose reading
	// began before is remembered afterwards. When it returns no answer counts that is made of any of it.
	Forget([]Region)
}

// Book keeps the agreement for one process. It is safe for concurrent use.
type Book struct {
	term     atomic.Pointer[Term]
	memories []Memory // fixed before the first term

	mu   sync.RWMutex
	held map[Region]int // how many changes hold a region at the moment
}

// NewBook returns the book of a process that has no term yet.
func NewBook() *Book { return &Book{held: map[Region]int{}} }

// Keep has the memory told of changes. It must be called before the first term begins.
func (b *Book) Keep(m Memory) { b.memories = append(b.memories, m) }

// Term is the term of this moment; nil while nothing may be answered from memory. What is remembered belongs to one term,
// and means nothing in the next.
func (b *Book) Term() *Term { return b.term.Load() }

// Begin starts a term, in place of any other. Before it is called every change that is under way and that this process
// was not told of must have ended.
func (b *Book) Begin(t *Term) {
	if last := b.term.Swap(t); last != nil {
		last.End()
	}
}

// Lapse ends the term, if there is one, for good.
func (b *Book) Lapse() {
	if last := b.term.Swap(nil); last != nil {
		last.End()
	}
}

// Hold holds regions until the returned function is called, which may be called more than once. When Hold returns,
// nothing about them is answered from memory.
func (b *Book) Hold(regions []Region) (release func()) {
	regions = slices.Clone(regions)
	b.count(regions, 1)
	for _, m := range b.memories {
		m.Forget(regions)
	}
	return sync.OnceFunc(func() { b.count(regions, -1) })
}

func (b *Book) count(regions []Region, by int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range regions {
		if b.held[r] += by; b.held[r] == 0 {
			delete(b.held, r)
		}
	}
}

// Held says whether any of the regions is held. A memory asks after it made known that it reads, and names the regions
// that those it reads lie in too: a reading that Forget did not meet finds the region held.
func (b *Book) Held(regions ...Region) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.held) == 0 {
		return false
	}
	for _, r := range regions {
		if b.held[r] > 0 {
			return true
		}
	}
	return false
}

// HeldOf lists the regions of a kind that are held. A memory that learns only from what it reads in which region that
// lies asks before it reads: one that was held then may have been changed since and held by nobody any more.
func (b *Book) HeldOf(k Kind) []Region {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var held []Region
	for r := range b.held {
		if r.Kind == k {
			held = append(held, r)
		}
	}
	return held
}

// HeldRegions is how many regions are held at the moment.
func (b *Book) HeldRegions() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.held)
}

// Term is a span of time in which a process may answer from memory.
type Term struct {
	ends    atomic.Int64  // nanoseconds after epoch; endless for a process that nobody else has to wait for
	foreign func() uint64 // what changes when another process writes; nil where that cannot go unnoticed
	at      uint64        // of foreign, for as long as the term may last
	over    atomic.Bool
}

const endless = int64(1<<63 - 1)

// epoch is what moments are counted from. Only differences matter, and they are monotonic.
var epoch = time.Now()

// NewTerm returns a term that lasts until End, and while foreign, where it is given, returns what it returns now.
func NewTerm(foreign func() uint64) *Term {
	t := &Term{foreign: foreign}
	t.ends.Store(endless)
	if foreign != nil {
		t.at = foreign()
	}
	return t
}

// NewLease returns a term that lasts until a moment, which Extend puts off. Moments must have a monotonic reading.
func NewLease(until time.Time) *Term {
	t := &Term{}
	t.ends.Store(int64(until.Sub(epoch)))
	return t
}

// Extend puts the end of a lease off. It does not bring back what is over.
func (t *Term) Extend(until time.Time) { t.ends.Store(int64(until.Sub(epoch))) }

// End ends the term for good.
func (t *Term) End() { t.over.Store(true) }

// Lasts says whether the term lasts at this moment.
func (t *Term) Lasts() bool {
	if t.over.Load() || t.foreign != nil && t.foreign() != t.at {
		return false
	}
	ends := t.ends.Load()
	return ends == endless || int64(time.Since(epoch)) < ends
}

// Left is how much longer the term lasts if nothing ends or extends it; the longest time there is for one without end.
func (t *Term) Left() time.Duration {
	ends := t.ends.Load()
	switch {
	case !t.Lasts():
		return 0
	case ends == endless:
		return time.Duration(endless)
	}
	return max(0, time.Duration(ends)-time.Since(epoch))
}
