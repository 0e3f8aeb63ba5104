package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/rolecall/rolecall/internal/fresh"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Mode is what a process opens a database for.
type Mode int

// The modes.
const (
	// Serve holds the database for a server: an SQLite file is locked against a second one, and missing migrations
	// are applied.
	Serve Mode = iota
	// Visit is for short commands, also beside a running server. It makes and migrates nothing.
	Visit
)

const (
	sqliteScheme = "sqlite:"
	// lockSuffix names the file that a server holds beside its database.
	lockSuffix = ".lock"
	// applicationID marks an SQLite file as ours: "Role" in its header.
	applicationID = 0x526f6c65
	// checkedSize bounds, in bytes, the files that are read through for damage at start.
	checkedSize = 64 << 20
)

// Open opens the database that location names: sqlite:PATH, or a postgres:// URL. A file that is damaged, written by a
// newer release, somebody else's or in use by another server is refused with what to do about it.
func Open(ctx context.Context, location string, mode Mode) (*Store, error) {
	path, isFile := strings.CutPrefix(location, sqliteScheme)
	var s *Store
	var err error
	switch {
	case isFile:
		s, err = openSQLite(ctx, path, mode)
	case strings.HasPrefix(location, "postgres://"), strings.HasPrefix(location, "postgresql://"):
		s, err = openPostgres(location)
	default:
		return nil, errors.New("the database must be given as sqlite:PATH or as a postgres:// URL")
	}
	if err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, mode); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func openSQLite(ctx context.Context, path string, mode Mode) (*Store, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("sqlite: needs the path of a file, as in sqlite:/var/lib/rolecall/rolecall.db")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding the database file: %w", err)
	}
	switch real, err := filepath.EvalSymlinks(path); {
	case err == nil:
		path = real // two names of one file are one lock
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("finding the database file: %w", err)
	case mode == Visit:
		return nil, fmt.Errorf("there is no database at %s; start the server first ('rolecall serve') or run 'rolecall migrate', or name another one with --database", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the database file: %w", err)
	}
	release := func() error { return nil }
	if mode == Serve {
		held := flock.New(path+lockSuffix, flock.SetPermissions(0o600))
		ok, err := held.TryLock()
		if err != nil {
			return nil, fmt.Errorf("locking the database file: %w", err)
		}
		if !ok {
			return nil, fmt.Errorf("the database file %s is in use by another rolecall server; stop that one first, give this one another file, or use PostgreSQL for several servers", path)
		}
		release = held.Unlock
	}
	s, err := openFile(ctx, path, mode)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	s.release = release
	return s, nil
}

func openFile(ctx context.Context, path string, mode Mode) (*Store, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // not for everybody's eyes, as SQLite would make it
	if err != nil {
		return nil, fmt.Errorf("opening the database file: %w", err)
	}
	if err := errors.Join(checkHeader(f, path), f.Close()); err != nil {
		return nil, err
	}
	pragmas := []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}
	write, err := sqlitePool(path, 1, "immediate", pragmas)
	if err != nil {
		return nil, err
	}
	if err := checkFile(ctx, write, path); err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read, err := sqlitePool(path, max(4, 2*runtime.NumCPU()), "deferred", append(pragmas, "query_only(1)"))
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	book := fresh.NewBook()
	s := &Store{dialect: sqliteDialect(), write: write, read: read, book: book, peers: visitor{path}, line: &line{joinWithin: joinWithin}}
	if mode == Serve {
		if s.peers, err = newHost(path, write, book); err != nil {
			return nil, errors.Join(err, write.Close(), read.Close())
		}
	}
	return s, nil
}

func sqlitePool(path string, size int, txlock string, pragmas []string) (*sql.DB, error) {
	where := url.URL{Scheme: "file", Path: path, RawQuery: url.Values{"_txlock": {txlock}, "_pragma": pragmas}.Encode()}
	connector, err := sqlite.NewConnector(where.String())
	if err != nil {
		return nil, fmt.Errorf("opening the database file: %w", err)
	}
	db := sql.OpenDB(keeping{connector})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

func damaged(path string, why any) error {
	return fmt.Errorf("%s is damaged or not a Rolecall database (%v); restore it from a backup, or give another file with --database", path, why)
}

// cannotOpen tells damage, after which a backup is the way out, from everything else, after which it is not.
func cannotOpen(path string, err error) error {
	switch sqliteCode(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return damaged(path, err)
	}
	return fmt.Errorf("the database file %s cannot be opened now: %w", path, err)
}

// checkHeader looks at an SQLite file before SQLite does, which would take a truncated one for a short one and change
// the journal of another program's.
func checkHeader(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("opening the database file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	header := make([]byte, headerSize)
	n, err := io.ReadFull(f, header)
	if n == 0 {
		return nil // new
	}
	if !bytes.HasPrefix(header, []byte("SQLite format 3\x00")) {
		return damaged(path, "it has another format")
	}
	if err != nil {
		return damaged(path, "it is cut short")
	}
	// A file without tables may be one of ours whose making was cut short.
	schema, app := binary.BigEndian.Uint32(header[40:]), binary.BigEndian.Uint32(header[68:])
	if schema != 0 && app != applicationID {
		return foreign(path)
	}
	return nil
}

// headerSize is the size of the header of an SQLite file.
const headerSize = 100

func foreign(path string) error {
	return fmt.Errorf("%s is a database of another program; give another file with --database", path)
}

// checkFile reads what tells damage and ownership.
func checkFile(ctx context.Context, db *sql.DB, path string) error {
	var app, tables, pages, pageSize int64
	for query, into := range map[string]*int64{
		"PRAGMA application_id":              &app,
		"SELECT count(*) FROM sqlite_schema": &tables,
		"PRAGMA page_count":                  &pages,
		"PRAGMA page_size":                   &pageSize,
	} {
		if err := db.QueryRowContext(ctx, query).Scan(into); err != nil {
			return cannotOpen(path, err)
		}
	}
	if tables > 0 && app != applicationID {
		return foreign(path)
	}
	if app != applicationID {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return fmt.Errorf("marking the new database file %s: %w", path, err)
		}
		return nil
	}
	wal, err := os.Stat(path + "-wal")
	logged := err == nil && wal.Size() > 0
	file, err := os.Stat(path) // after the log: a server that stops meanwhile first lengthens the file
	if err != nil {
		return cannotOpen(path, err)
	}
	if !logged && file.Size() < pages*pageSize {
		return damaged(path, "it is cut short")
	}
	if file.Size() > checkedSize {
		return nil
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return cannotOpen(path, err)
	}
	if verdict != "ok" {
		return damaged(path, verdict)
	}
	return nil
}

// postgresConnections bounds the connections of one process.
const postgresConnections = 32

// postgresWriters bounds the transactions of one process that change something at the same time. Serializable ones that
// meet on a page of an index run again, and the more there are the more meet: with 32 of them on two cores every
// change runs twice, and fewer get through than with 4. More than on two cores help where the network is slow. The other
// connections are for reading, whatever becomes of these.
const postgresWriters = 8

func openPostgres(location string) (*Store, error) {
	config, err := postgresConfig(location)
	if err != nil {
		return nil, err
	}
	h := newHosts(config)
	db := sql.OpenDB(h)
	db.SetMaxOpenConns(postgresConnections)
	db.SetMaxIdleConns(postgresConnections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	book := fresh.NewBook()
	return &Store{
		dialect: postgresDialect(), write: db, read: db, release: func() error { return nil }, book: book,
		peers: postgresPeers(book, h.single), hosts: h, writers: make(chan struct{}, postgresWriters),
	}, nil
}

// migrations are those of this binary, in the text of this database.
func (s *Store) migrations() (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{}
	if s.dialect.goose == goose.DialectPostgres { // SQLite has the lock on its file
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(s.dialect.goose, s.write, migrationFiles{files, s.dialect.migration}, options...)
}

// migrate brings the database to the version of this binary, or says why that cannot be.
func (s *Store) migrate(ctx context.Context, mode Mode) error {
	provider, err := s.migrations()
	if err != nil {
		return fmt.Errorf("preparing the migrations: %w", err)
	}
	current, known, err := provider.GetVersions(ctx)
	switch {
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return fmt.Errorf("no server in the postgres:// URL takes writes, those that answer are standbys or read only; promote one, or name the primary too (%w)", err)
	case err != nil:
		return fmt.Errorf("reading the version of the %s database: %w", s.dialect.name, err)
	}
	switch {
	case current > known:
		return fmt.Errorf("the database was written by a newer rolecall (schema %d, this one knows %d); run that release, or restore a backup from before the upgrade", current, known)
	case current == known:
		return nil
	case mode == Visit && current == 0:
		return errors.New("the database is empty; start the server first ('rolecall serve') or run 'rolecall migrate', or name another one with --database")
	case mode == Visit:
		return fmt.Errorf("the database has schema %d and needs %d; run 'rolecall migrate' with the server stopped, or start the new server", current, known)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating the %s database: %w", s.dialect.name, err)
	}
	return nil
}

// SchemaVersion says which migration the database is at.
func (s *Store) SchemaVersion(ctx context.Context) (int64, error) {
	provider, err := s.migrations()
	if err != nil {
		return 0, fmt.Errorf("preparing the migrations: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the version of the %s database: %w", s.dialect.name, err)
	}
	return version, nil
}
