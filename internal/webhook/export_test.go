package webhook

import (
	"log/slog"
	"net"
	"net/netip"
	"time"

	"code.dny.dev/ssrf"
)

// What tests need to see or to set.
const (
	ClaimTime = claimTime
	StepSize  = stepSize
	AtOnce    = atOnce
)

// Allow makes a service that refuses every address but these take them.
func (s *Service) Allow(prefixes ...netip.Prefix) {
	s.guard = newGuard(false, ssrf.WithAllowedV4Prefixes(prefixes...))
}

// NewWorkerResolving is a worker that asks its own resolver for names.
func NewWorkerResolving(s *Service, log *slog.Logger, r *net.Resolver) *Worker {
	return newWorker(s, log, r)
}

// Refuses says why a URL cannot be an endpoint's.
func (s *Service) Refuses(url string) string { return s.guard.refuses(url) }

// Impatient is a worker that waits for an answer no longer than this.
func (w *Worker) Impatient(d time.Duration) { w.client.Timeout = d }
