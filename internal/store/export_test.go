package store

import (
	"context"
	"errors"

	"github.com/rolecall/rolecall/internal/authz"
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
