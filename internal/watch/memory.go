package watch

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fresh"
)

// Memory shows whether the process may answer from memory, and what keeps it from that.
type Memory struct {
	book      *fresh.Book
	decisions *decision.Service
}

// NewMemory returns the figures of what is remembered, and of the checks that it answers.
func NewMemory(book *fresh.Book, decisions *decision.Service) *Memory {
	return &Memory{book, decisions}
}

var (
	checks   = figure("checks_total", "Checks, those of a batch each, by what they came to.", "result")
	answers  = figure("answers_total", "Checks, lists of roles and lists of permissions, by whether memory or the database answered, and why.", "by", "why")
	entries  = figure("memory_entries", "What is remembered at the moment, by kind.", "kind")
	evicted  = figure("memory_evictions_total", "Entries that were dropped for want of room or use.")
	termHeld = figure("memory_term", "1 while the process may answer from memory, else 0.")
	termLeft = figure("memory_term_left_seconds", "How much longer it may if its lease is not extended; +Inf where there is no lease.")
	heldNow  = figure("memory_held_regions", "Parts of the data that are being changed, and so not answered from memory at the moment.")
)

// Describe implements prometheus.Collector.
func (m *Memory) Describe(to chan<- *prometheus.Desc) {
	for _, f := range []*prometheus.Desc{checks, answers, entries, evicted, termHeld, termLeft, heldNow} {
		to <- f
	}
}

// Collect implements prometheus.Collector.
func (m *Memory) Collect(to chan<- prometheus.Metric) {
	var left time.Duration
	if t := m.book.Term(); t != nil {
		left = t.Left()
	}
	gauge(to, termHeld, truth(left > 0))
	seconds := left.Seconds()
	if left == math.MaxInt64 {
		seconds = math.Inf(1)
	}
	gauge(to, termLeft, seconds)
	gauge(to, heldNow, m.book.HeldRegions())
	m.collectDecisions(to, m.decisions.Stats())
}

func (m *Memory) collectDecisions(to chan<- prometheus.Metric, s decision.Stats) {
	counter(to, checks, s.Allowed, "allowed")
	counter(to, checks, s.Denied, "denied")
	counter(to, checks, s.Refused, "refused")
	counter(to, answers, s.Remembered, "memory", "remembered")
	for why, n := range map[string]uint64{
		"no_term": s.Termless, "held": s.Held, "changed": s.Changed, "absent": s.Absent, "unfit": s.Unfit, "failed": s.Failed,
	} {
		counter(to, answers, n, "database", why)
	}
	for kind, n := range map[string]uint64{"member": s.Members, "organization": s.Organizations, "resource": s.Resources, "policy": s.Policies} {
		gauge(to, entries, n, kind)
	}
	counter(to, evicted, s.Evicted)
}
