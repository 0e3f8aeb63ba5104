package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
)

// mostKept bounds the statements that one connection to an SQLite file keeps. There are about two hundred texts; those
// that list values have one for each number of them.
const mostKept = 400

// keeping opens connections to an SQLite file that keep their statements: SQLite would parse and plan each anew every
// time it is run, which takes longer than to run most of ours.
type keeping struct{ driver.Connector }

// Connect implements driver.Connector.
func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("this SQLite driver lacks what we need of it"), c.Close())
	}
	return &keepingConn{sqliteConn: inner, kept: map[string]*keptStatement{}}, nil
}

// sqliteConn is what the driver's connections can do, as far as database/sql makes use of it.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// keepingConn is one connection. Like every connection of a driver it is used by one goroutine at a time.
type keepingConn struct {
	sqliteConn
	kept map[string]*keptStatement
}

// keptStatement is a statement, which can be run again when nobody reads its rows any more.
type keptStatement struct {
	stmt interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	busy bool
}

// statement finds or makes the statement of a query; nil when it must be run without: when it is being read from, or is
// none of those that a transaction of ours repeats.
func (c *keepingConn) statement(ctx context.Context, query string) (*keptStatement, error) {
	if k, ok := c.kept[query]; ok {
		if k.busy {
			return nil, nil
		}
		return k, nil
	}
	if !repeated(query) {
		return nil, nil
	}
	made, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	k := &keptStatement{}
	var ok bool
	if k.stmt, ok = made.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}); !ok {
		return nil, made.Close()
	}
	return k, c.keep(query, k)
}

// keep keeps a statement, in place of any other where there are too many.
func (c *keepingConn) keep(query string, k *keptStatement) error {
	for other, old := range c.kept {
		if len(c.kept) < mostKept {
			break
		}
		if !old.busy {
			delete(c.kept, other)
			if err := old.stmt.Close(); err != nil {
				return err
			}
		}
	}
	c.kept[query] = k
	return nil
}

func repeated(query string) bool {
	query = strings.TrimLeft(query, " \t\n")
	for _, verb := range []string{"SELECT ", "WITH ", "INSERT ", "UPDATE ", "DELETE ", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT ", "RELEASE "} {
		if strings.HasPrefix(query, verb) {
			return true
		}
	}
	return false
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return k.stmt.ExecContext(ctx, args)
}

// QueryContext implements driver.QueryerContext.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.statement(ctx, query)
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := k.stmt.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	k.busy = true
	return &keptRows{rows, k}, nil
}

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	var errs []error
	for _, k := range c.kept {
		errs = append(errs, k.stmt.Close())
	}
	clear(c.kept)
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// keptRows is rows after which their statement can be run again.
type keptRows struct {
	driver.Rows
	of *keptStatement
}

// Close implements driver.Rows.
func (r *keptRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
