package decision

import (
	"sync"
	"sync/atomic"
)

// mortal is what a cache keeps: something with a life.
type mortal interface {
	comparable
	alive() bool
	kill() bool
	touch(tick uint32) bool
	idle(tick uint32) uint32
}

// cache remembers at most so many values, and at most so much where they are weighed, each until it is dropped, replaced or makes room. What leaves it dies, because
// what nobody finds nobody can drop. Finding is safe at any time; whoever alters it does so under one lock of his own.
type cache[K comparable, V mortal] struct {
	shards  []shard[K, V]
	hash    func(K) uint64
	each    int         // the most that a shard keeps
	gone    func(V)     // called once for each value that leaves
	weigh   func(V) int // nil where all weigh the same
	room    int         // for how much altogether, where they are weighed
	weight  int         // of all; guarded by the lock of whoever alters
	next    int         // shard that makes room; likewise
	count   atomic.Int64
	evicted *atomic.Uint64
}

type shard[K comparable, V mortal] struct {
	mu   sync.RWMutex
	kept map[K]V
	_    [64]byte // shards side by side would slow each other down
}

// There are up to mostShards, which is a power of two, as long as each has room for fewest: which keys share one is
// chance, and in small ones some would lack room that others have.
const (
	mostShards = 256
	fewest     = 64
)

func newCache[K comparable, V mortal](most int, hash func(K) uint64, gone func(V), evicted *atomic.Uint64) *cache[K, V] {
	n := 1
	for n < mostShards && 2*n*fewest <= most {
		n *= 2
	}
	c := &cache[K, V]{shards: make([]shard[K, V], n), hash: hash, each: max(1, most/n), gone: gone, evicted: evicted}
	for i := range c.shards {
		c.shards[i].kept = map[K]V{}
	}
	return c
}

func (c *cache[K, V]) shard(k K) *shard[K, V] { return &c.shards[c.hash(k)&uint64(len(c.shards)-1)] }

// find returns the value of a key, or the zero value.
func (c *cache[K, V]) find(k K) V {
	s := c.shard(k)
	s.mu.RLock()
	v := s.kept[k]
	s.mu.RUnlock()
	return v
}

// put keeps a value, in place of any other of the same key and, where there is no room, of one that was not used for
// long.
func (c *cache[K, V]) put(k K, v V, tick uint32) {
	v.touch(tick)
	if c.weigh != nil {
		for c.weight += c.weigh(v); c.weight > c.room && c.count.Load() > 0; {
			c.shrink(tick)
		}
	}
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, there := s.kept[k]; there {
		c.remove(s, k, old)
	} else if len(s.kept) >= c.each {
		c.evict(s, tick)
	}
	s.kept[k] = v
	c.count.Add(1)
}

// shrink removes one value of the next shard, if that has any.
func (c *cache[K, V]) shrink(tick uint32) {
	s := &c.shards[c.next%len(c.shards)]
	c.next++
	s.mu.Lock()
	defer s.mu.Unlock()
	c.evict(s, tick)
}

// sample is among how many the one that makes room is chosen.
const sample = 8

// evict removes of a few values, which ones is chance, the one that was not used for longest.
func (c *cache[K, V]) evict(s *shard[K, V], tick uint32) {
	var coldest V
	var key K
	looked := 0
	for k, v := range s.kept {
		if looked == 0 || !v.alive() || v.idle(tick) > coldest.idle(tick) {
			coldest, key = v, k
		}
		if looked++; looked == sample || !coldest.alive() {
			break
		}
	}
	if looked > 0 {
		c.remove(s, key, coldest)
		c.evicted.Add(1)
	}
}

func (c *cache[K, V]) remove(s *shard[K, V], k K, v V) {
	v.kill()
	delete(s.kept, k)
	c.count.Add(-1)
	if c.weigh != nil {
		c.weight -= c.weigh(v)
	}
	if c.gone != nil {
		c.gone(v)
	}
}

// drop removes what a key has.
func (c *cache[K, V]) drop(k K) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, there := s.kept[k]; there {
		c.remove(s, k, v)
	}
}

// sweep removes from one of the shards what was not used for a whole tick, and what is of no use.
func (c *cache[K, V]) sweep(i int, tick uint32, useless func(V) bool) {
	s := &c.shards[i%len(c.shards)]
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.kept {
		if cold := v.idle(tick) > 1; cold || useless(v) {
			c.remove(s, k, v)
			if cold {
				c.evicted.Add(1)
			}
		}
	}
}

// all hands out every value until the function has enough.
func (c *cache[K, V]) all(enough func(V) bool) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		for _, v := range s.kept {
			if enough(v) {
				s.mu.RUnlock()
				return
			}
		}
		s.mu.RUnlock()
	}
}
