package watch

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/rolecall/rolecall/internal/store"
)

// circle shows how the process stands with the others on the same PostgreSQL.
type circle struct{ standing func() store.Circle }

// NewCircle returns the figures of leases and of what one process tells the others. On SQLite all are 0.
func NewCircle(standing func() store.Circle) prometheus.Collector { return circle{standing} }

var (
	replicas      = figure("replicas", "Processes with a lease on the database, this one among them, as they were last listed.")
	heldForOthers = figure("replica_holds", "Changes of other processes that keep this one from answering from memory about what they concern.")
	termsBegun    = figure("terms_total", "Times that the process began to answer from memory.")
	announced     = figure("announcements_total", "Changes for which was looked whether other processes have a lease.")
	waits         = figure("replica_waits_total", "Announcements that other processes had to answer.")
	waited        = figure("replica_wait_seconds_total", "How long they took to, all together.")
	longestWait   = figure("replica_wait_longest_seconds", "The longest that they took since the process began.")
	expelled      = figure("expelled_total", "Times that others went on without this process, because its lease had ended.")
	removed       = figure("replicas_removed_total", "Processes that this one went on without, because their lease had ended.")
	reconnects    = figure("replica_reconnects_total", "Times that the connection was made anew over which processes hear of each other.")
)

// Describe implements prometheus.Collector.
func (circle) Describe(to chan<- *prometheus.Desc) {
	for _, f := range []*prometheus.Desc{replicas, heldForOthers, termsBegun, announced, waits, waited, longestWait, expelled, removed, reconnects} {
		to <- f
	}
}

// Collect implements prometheus.Collector.
func (c circle) Collect(to chan<- prometheus.Metric) {
	s := c.standing()
	gauge(to, replicas, s.Replicas)
	gauge(to, heldForOthers, s.Holds)
	counter(to, termsBegun, s.Terms)
	counter(to, announced, s.Announcements)
	counter(to, waits, s.Waits)
	counter(to, waited, s.Waited.Seconds())
	gauge(to, longestWait, s.LongestWait.Seconds())
	counter(to, expelled, s.Expelled)
	counter(to, removed, s.Removed)
	counter(to, reconnects, s.Reconnects)
}
