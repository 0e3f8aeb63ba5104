package store

import (
	"context"
	"errors"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
)

// OnExec makes a store call fn before every statement that writes; nil ends that.
func OnExec(s *Store, fn func()) { s.beforeExec = fn }

// Try runs fn inside an open transaction and takes back what it wrote when it fails. It may be nested.
func Try(t authz.Tx, fn func() error) error {
	do := func(statement string) error {
		_, err := t.(*tx).exec(statement, statement)
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
