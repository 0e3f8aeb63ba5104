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
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// floor is how fast a database commits what the creation of a role writes, as durably as the product, without HTTP or
// rules: nothing is read, and nothing can be refused.
type floor interface {
	// commit writes the rows of one creation in one transaction. Workers count from 0 and do one thing at a time.
	commit(ctx context.Context, worker int) error
	close() error
}

// mostConnections is the most that any load uses.
const mostConnections = 64

// The rows of a creation: the role, its place in the order and its event. Another row would be the receipt of a request
// that may be repeated, which the load does not ask for. The place of the event comes later, with those of many others.
const (
	insertRole = `
		INSERT INTO roles (organization_id, id, environment_id, slug, name, description, resource_type, ordinal, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	insertPlace = `INSERT INTO role_order (organization_id, environment_id, role_id, place) VALUES ($1, $2, $3, $4)`
	insertEvent = `
		INSERT INTO events (id, environment_id, organization_id, type, data, context, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`
)

// plainTables have the columns of the product's, one key each, and neither constraints nor further indexes.
var plainTables = []string{
	`CREATE TABLE roles (id TEXT PRIMARY KEY, organization_id TEXT, environment_id TEXT, slug TEXT, name TEXT, description TEXT,
		resource_type TEXT, ordinal BIGINT, created_at TEXT, updated_at TEXT)`,
	`CREATE TABLE role_order (role_id TEXT PRIMARY KEY, organization_id TEXT, environment_id TEXT, place BIGINT)`,
	`CREATE TABLE events (serial BIGSERIAL PRIMARY KEY, id TEXT, environment_id TEXT, organization_id TEXT, type TEXT, data TEXT,
		context TEXT, created_at TEXT)`,
}

// floorEnvironment is what the rows belong to.
const floorEnvironment = "env_floor"

// written is a statement with its arguments.
type written struct {
	query string
	args  []any
}

// creationRows makes the rows of one more creation, as long as those that the load causes. There is an organization to
// each, so that orders need not be read.
func creationRows(ids *id.Source) []written {
	const now, description = "2026-01-02T15:04:05.000Z", "Ships"
	role, org := string(id.New[id.Role](ids)), string(id.New[id.Organization](ids))
	slug := "release-manager-1000-" + strings.ToLower(role[len(role)-6:])
	data := fmt.Sprintf(`{"object":"organization_role","organization_id":%q,"slug":%q,"name":"Release manager 1000",`+
		`"description":%q,"resource_type_slug":"organization","permissions":[],"created_at":%q,"updated_at":%q}`,
		org, slug, description, now, now)
	const context = `{"actor":{"id":"key_01JGKQ6Q0Z8Y6V7C2M5T4R3W1X","source":"api","name":"bench"}}`
	return []written{
		{insertRole, []any{org, role, floorEnvironment, slug, "Release manager 1000", description, "organization", 0, now, now}},
		{insertPlace, []any{org, floorEnvironment, role, 6}},
		{insertEvent, []any{string(id.New[id.Event](ids)), floorEnvironment, org, "organization_role.created", data, context, now}},
	}
}

// floor makes a database of that name for it: of plain tables, or of the product's own with all their keys, constraints
// and indexes.
func (b *bench) floor(ctx context.Context, d database, name string, plain bool) (floor, error) {
	path := filepath.Join(b.folder, name+".db")
	location, bigserial := "sqlite:"+path, "INTEGER"
	if d.Name != "SQLite" {
		var err error
		if location, err = b.postgres.create(ctx, name); err != nil {
			return nil, err
		}
		bigserial = "BIGSERIAL"
	}
	tables := []string{`INSERT INTO environments (id, name, created_at, updated_at) VALUES ('` + floorEnvironment + `', 'floor', '', '')`}
	if plain {
		tables = nil
		for _, t := range plainTables {
			tables = append(tables, strings.ReplaceAll(t, "BIGSERIAL", bigserial))
		}
	} else if db, err := store.Open(ctx, location, store.Serve); err != nil {
		return nil, err
	} else if err := db.Close(); err != nil {
		return nil, err
	}
	if d.Name == "SQLite" {
		return openSQLiteFloor(ctx, path, tables)
	}
	return openPostgresFloor(ctx, location, tables)
}

// measure commits from a number of workers for a while and returns how many commits there were in a second.
func measure(ctx context.Context, workers int, span time.Duration, commit func(ctx context.Context, worker int) error) (float64, error) {
	counts, errs := make([]int, workers), make([]error, workers)
	var group sync.WaitGroup
	began := time.Now()
	for i := range workers {
		group.Go(func() {
			for ctx.Err() == nil && errs[i] == nil && time.Since(began) < span {
				if errs[i] = commit(ctx, i); errs[i] == nil {
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

// sqliteFloor is one writer, with the settings of the product, who keeps his statements prepared.
type sqliteFloor struct {
	db         *sql.DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	ids        *id.Source
	mu         sync.Mutex
}

func openSQLiteFloor(ctx context.Context, path string, tables []string) (f *sqliteFloor, err error) {
	settings := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}}
	where := url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}
	f = &sqliteFloor{statements: map[string]*sql.Stmt{}, ids: id.NewSource(time.Now, nil)}
	if f.db, err = sql.Open("sqlite", where.String()); err != nil {
		return nil, err
	}
	if f.conn, err = f.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, f.db.Close())
	}
	for _, t := range tables {
		if _, err := f.conn.ExecContext(ctx, t); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	for _, query := range []string{insertRole, insertPlace, insertEvent, "BEGIN IMMEDIATE", "COMMIT"} {
		if f.statements[query], err = f.conn.PrepareContext(ctx, query); err != nil {
			return nil, errors.Join(err, f.close())
		}
	}
	return f, nil
}

// commit does not run under ctx, whose end the driver would watch at each statement.
func (f *sqliteFloor) commit(context.Context, int) error {
	rows := creationRows(f.ids)
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.statements["BEGIN IMMEDIATE"].Exec(); err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := f.statements[r.query].Exec(r.args...); err != nil {
			return err
		}
	}
	_, err := f.statements["COMMIT"].Exec()
	return err
}

func (f *sqliteFloor) close() error { return errors.Join(f.conn.Close(), f.db.Close()) }

// postgresFloor is one connection for each worker.
type postgresFloor struct {
	connections []*pgx.Conn
	ids         *id.Source
}

func openPostgresFloor(ctx context.Context, location string, tables []string) (*postgresFloor, error) {
	for _, t := range tables {
		if err := execute(ctx, location, t); err != nil {
			return nil, err
		}
	}
	f := &postgresFloor{ids: id.NewSource(time.Now, nil)}
	for range mostConnections {
		c, err := pgx.Connect(ctx, location)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connecting: %w", err), f.close())
		}
		f.connections = append(f.connections, c)
	}
	return f, nil
}

// commit is BEGIN, a statement for each row, and COMMIT, each sent when the one before was answered; pgx prepares a
// statement when it sees it first.
func (f *postgresFloor) commit(ctx context.Context, worker int) error {
	tx, err := f.connections[worker].Begin(ctx)
	if err != nil {
		return err
	}
	for _, r := range creationRows(f.ids) {
		if _, err := tx.Exec(ctx, r.query, r.args...); err != nil {
			return errors.Join(err, tx.Rollback(ctx))
		}
	}
	return tx.Commit(ctx)
}

func (f *postgresFloor) close() error {
	var errs []error
	for _, c := range f.connections {
		errs = append(errs, c.Close(context.Background()))
	}
	return errors.Join(errs...)
}
