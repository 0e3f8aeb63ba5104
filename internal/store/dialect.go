package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"path"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// dialect is the seam: everything in which the two databases differ.
type dialect struct {
	name          string
	goose         goose.Dialect
	viewOptions   *sql.TxOptions
	updateOptions *sql.TxOptions
	placeOptions  *sql.TxOptions    // of placing events, which must see what was placed before it got its lock
	migration     *strings.Replacer // turns the neutral text of a migration into this database's
	lostRace      func(error) bool  // the transaction lost against another and may be run again
	constraint    func(error) bool  // it failed on a constraint, which a rule that looks first meets only in a race
	down          func(error) bool  // the database cannot answer at the moment
	undecided     func(error) bool  // said of a commit: it may have taken place all the same, or still do so
}

func sqliteDialect() dialect {
	return dialect{
		name:          "SQLite",
		goose:         goose.DialectSQLite3,
		viewOptions:   &sql.TxOptions{ReadOnly: true},
		updateOptions: &sql.TxOptions{}, // BEGIN IMMEDIATE, by the connection's _txlock
		placeOptions:  &sql.TxOptions{},
		migration:     strings.NewReplacer("BIGSERIAL PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"),
		lostRace: func(err error) bool {
			return sqliteCode(err) == sqlite3.SQLITE_BUSY && sqliteExtended(err) == sqlite3.SQLITE_BUSY_SNAPSHOT
		},
		constraint: func(error) bool { return false }, // writers run one after the other
		down: func(err error) bool {
			switch sqliteCode(err) {
			case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
				sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
				return true
			}
			return connectionLost(err)
		},
		undecided: func(error) bool { return false }, // SQLite is in this process and has said what it did
	}
}

func postgresDialect() dialect {
	return dialect{
		name:          "PostgreSQL",
		goose:         goose.DialectPostgres,
		viewOptions:   &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		updateOptions: &sql.TxOptions{Isolation: sql.LevelSerializable},
		placeOptions:  &sql.TxOptions{Isolation: sql.LevelReadCommitted},
		// Text compares and sorts byte by byte, as SQLite's does, whatever the collation of the database.
		migration: strings.NewReplacer(" TEXT", ` TEXT COLLATE "C"`),
		lostRace: func(err error) bool {
			switch postgresState(err) {
			case "40001", "40P01": // serialization failure, deadlock
				return true
			}
			return false
		},
		constraint: func(err error) bool {
			switch postgresState(err) {
			case "23505", "23503": // unique, foreign key
				return true
			}
			return false
		},
		down: func(err error) bool {
			switch state := postgresState(err); {
			case state == "":
				return connectionLost(err)
			case state == "57014", state == readOnly, state == "55P03": // cancelled, read only (a standby), lock not available
				return true
			default: // connection, resources, operator intervention, system
				return strings.Contains("08 53 57 58", state[:2])
			}
		},
		undecided: func(err error) bool {
			switch state := postgresState(err); {
			case state == "":
				return true
			default: // integrity and rollback are verdicts of the server, before it commits
				return !strings.Contains("23 40", state[:2])
			}
		},
	}
}

func connectionLost(err error) bool {
	var network net.Error
	var refused *pgconn.ConnectError
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &network) ||
		errors.As(err, &refused) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "EOF") || strings.Contains(err.Error(), "conn closed")
}

func sqliteExtended(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

func sqliteCode(err error) int { return sqliteExtended(err) & 0xff }

func postgresState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) && len(e.Code) == 5 {
		return e.Code
	}
	return ""
}

// migrationFiles shows the migrations in a dialect's text.
type migrationFiles struct {
	fs.FS
	replacer *strings.Replacer
}

// Open implements fs.FS.
func (m migrationFiles) Open(name string) (fs.File, error) {
	f, err := m.FS.Open(name)
	if err != nil || path.Ext(name) != ".sql" {
		return f, err
	}
	neutral, err := io.ReadAll(f)
	return migrationFile{f, strings.NewReader(m.replacer.Replace(string(neutral)))}, err
}

// migrationFile is a file with other contents.
type migrationFile struct {
	fs.File
	contents io.Reader
}

// Read implements fs.File.
func (f migrationFile) Read(b []byte) (int, error) { return f.contents.Read(b) }
