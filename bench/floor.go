package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// floor is the fastest that a database commits single rows: nothing but one INSERT, prepared, for each transaction,
// and as durable as the product's own.
type floor interface {
	// commit writes a row. Workers count from 0 and do one thing at a time.
	commit(ctx context.Context, worker int) error
	close() error
}

// mostConnections is the most that any load uses.
const mostConnections = 64

// floorRow is about as long as the row of a role.
var floorRow = strings.Repeat("rolecall", 25)

// floor makes a database of that name for it.
func (b *bench) floor(ctx context.Context, d database, name string) (floor, error) {
	if d.Name == "SQLite" {
		return openSQLiteFloor(ctx, filepath.Join(b.folder, name+".db"))
	}
	return b.openPostgresFloor(ctx, name)
}

// measure commits rows from a number of workers for a while and returns how many there were in a second.
func measure(ctx context.Context, f floor, workers int, span time.Duration) (float64, error) {
	counts, errs := make([]int, workers), make([]error, workers)
	var group sync.WaitGroup
	began := time.Now()
	for i := range workers {
		group.Go(func() {
			for ctx.Err() == nil && errs[i] == nil && time.Since(began) < span {
				if errs[i] = f.commit(ctx, i); errs[i] == nil {
					counts[i]++
				}
			}
		})
	}
	group.Wait()
	elapsed, sum := time.Since(began), 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / elapsed.Seconds(), errors.Join(errs...)
}

// sqliteFloor is one writer, as in the product, with the same settings.
type sqliteFloor struct {
	db     *sql.DB
	insert *sql.Stmt
}

func openSQLiteFloor(ctx context.Context, path string) (f *sqliteFloor, err error) {
	settings := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}}
	where := url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}
	f = &sqliteFloor{}
	if f.db, err = sql.Open("sqlite", where.String()); err != nil {
		return nil, err
	}
	f.db.SetMaxOpenConns(1)
	_, err = f.db.ExecContext(ctx, `CREATE TABLE floor (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)`)
	if err == nil {
		f.insert, err = f.db.PrepareContext(ctx, `INSERT INTO floor (body) VALUES ($1)`)
	}
	if err != nil {
		return nil, errors.Join(err, f.db.Close())
	}
	return f, nil
}

func (f *sqliteFloor) commit(ctx context.Context, _ int) error {
	_, err := f.insert.ExecContext(ctx, floorRow)
	return err
}

func (f *sqliteFloor) close() error { return f.db.Close() }

// postgresFloor is one connection for each worker.
type postgresFloor []*pgx.Conn

func (b *bench) openPostgresFloor(ctx context.Context, name string) (floor, error) {
	location, err := b.postgres.create(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := execute(ctx, location, `CREATE TABLE floor (id BIGSERIAL PRIMARY KEY, body TEXT NOT NULL)`); err != nil {
		return nil, err
	}
	var f postgresFloor
	for range mostConnections {
		c, err := pgx.Connect(ctx, location)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connecting: %w", err), f.close())
		}
		f = append(f, c)
	}
	return f, nil
}

// commit is autocommit; pgx prepares the statement when it sees it first.
func (f postgresFloor) commit(ctx context.Context, worker int) error {
	_, err := f[worker].Exec(ctx, `INSERT INTO floor (body) VALUES ($1)`, floorRow)
	return err
}

func (f postgresFloor) close() error {
	var errs []error
	for _, c := range f {
		errs = append(errs, c.Close(context.Background()))
	}
	return errors.Join(errs...)
}
