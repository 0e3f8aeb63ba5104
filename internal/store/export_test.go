package store

import (
	"context"
	"errors"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
)

// OnExec makes a store call fn before every statement that writes; nil ends that.
func OnExec(s *Store, fn func()) { s.beforeExec = fn }

// Try runs fn inside an open transaction and takes back what it wrote when it fails. It may be nested.
func Try(t authz.Tx, fn func() error) error {
	do := func(statement string) error {
		_, err := t.(*tx).sql.ExecContext(t.(*tx).ctx, statement)
		return err
	}
	if err := do("SAVEPOINT try"); err != nil {
		return err
	}
	err := fn()
	if err != nil {
		err = errors.Join(err, do("ROLLBACK TO SAVEPOINT try"))
	}
	return errors.Join(err, do("RELEASE SAVEPOINT try"))
}

// Write runs a statement as it is.
func Write(ctx context.Context, s *Store, statement string, args ...any) error {
	_, err := s.write.ExecContext(ctx, statement, args...)
	return err
}

// Remembered says whether what a table holds is remembered.
func Remembered(table string) bool { return remembered(table) }

// Exec runs a statement as one that writes nothing that is remembered.
func Exec(t authz.Tx, statement string) error {
	_, err := t.(*tx).exec("testing", statement)
	return err
}

// Alter runs a statement that writes in regions.
func Alter(t authz.Tx, in []fresh.Region, statement string) error {
	_, err := t.(*tx).alter(in, "testing", statement)
	return err
}

// Read runs a query on the pool that readers use, and reads its first row.
func Read(ctx context.Context, s *Store, query string) error {
	var first any
	return s.read.QueryRowContext(ctx, query).Scan(&first)
}

// Loads are the texts of the loaders, by what they load.
var Loads = map[string]string{
	"shared": selectShared, "own": selectOwn, "catalogue": selectCatalogue, "holdings": selectHoldings, "member": selectMember,
	"path": selectPathOfID, "path by external id": selectPathOfExternal,
}

// Inside runs fn in a transaction that announced a change of regions and did not commit.
func Inside(ctx context.Context, s *Store, regions []fresh.Region, fn func() error) error {
	return s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error {
		_, err := s.peers.announce(ctx, t, regions)
		return errors.Join(err, fn())
	})
}

// FencePause is how soon a server tries to begin a term anew.
const FencePause = fencePause

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
	err = t.(*tx).sql.QueryRow("SELECT pg_backend_pid()").Scan(&pid)
	return pid, err
}

// WireName is what the connection calls itself over which a store hears of others.
func WireName(s *Store) string { return "rolecall " + s.peers.(*circle).id }
