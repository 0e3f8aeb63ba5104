package store

import (
	"context"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
)

// Announced makes a store call fn between the announcement of a change and its commit.
func Announced(s *Store, fn func(context.Context, authz.Tx)) {
	s.peers = &watched{peers: s.peers, announced: fn}
}

// Silence makes a store never tell that a change ended.
func Silence(s *Store) { s.peers = &watched{peers: s.peers, silent: true} }

// watched is peers that a test looks at, or that die at a certain point.
type watched struct {
	peers
	announced func(context.Context, authz.Tx)
	silent    bool
}

func (w *watched) announce(ctx context.Context, t *tx, regions []fresh.Region) (func(bool), error) {
	ended, err := w.peers.announce(ctx, t, regions)
	if err == nil && w.announced != nil {
		w.announced(ctx, t)
	}
	if w.silent {
		return func(bool) {}, err
	}
	return ended, err
}

// Touch has a transaction change regions.
func Touch(t authz.Tx, regions ...fresh.Region) {
	changed := t.(*tx)
	if changed.changed == nil {
		changed.changed = map[fresh.Region]bool{}
	}
	for _, r := range regions {
		changed.changed[r] = true
	}
}

// Backend is the number of the server's process that a transaction runs in.
func Backend(t authz.Tx) (pid int, err error) {
	pid, _, err = one(t.(*tx), "asking for the backend", scanValue[int], "SELECT pg_backend_pid()")
	return pid, err
}

// WireName is what the connection calls itself over which a store hears of others.
func WireName(s *Store) string { return "rolecall " + s.peers.(*circle).id }
