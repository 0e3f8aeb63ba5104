package store

import (
	"context"
	"errors"
	"time"

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

// Run runs any statement inside an open transaction.
func Run(t authz.Tx, statement string) error {
	_, err := t.(*tx).run(statement, nil)
	return err
}

// Waiting is how many changes of an SQLite file wait for their turn.
func Waiting(s *Store) int {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	return len(s.line.waiting)
}

// Gather lets all changes join a company that come while it is made, however long that takes.
func Gather(s *Store) { s.line.joinWithin = time.Hour }
