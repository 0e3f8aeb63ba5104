package watch

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rolecall/rolecall/internal/fresh"
)

// Memory shows whether the process may answer from memory, and what keeps it from that.
type Memory struct {
	book *fresh.Book
}

// NewMemory returns the figures of what is remembered.
func NewMemory(book *fresh.Book) *Memory { return &Memory{book} }

var (
	termHeld = figure("memory_term", "1 while the process may answer from memory, else 0.")
	termLeft = figure("memory_term_left_seconds", "How much longer it may if its lease is not extended; +Inf where there is no lease.")
	heldNow  = figure("memory_held_regions", "Parts of the data that are being changed, and so not answered from memory at the moment.")
)

// Describe implements prometheus.Collector.
func (m *Memory) Describe(to chan<- *prometheus.Desc) {
	for _, f := range []*prometheus.Desc{termHeld, termLeft, heldNow} {
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
}
