package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// statements keeps queries prepared for as long as the database is open, where the driver would parse them anew each
// time. Their texts must be few and never change.
type statements struct {
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
}

func (s *statements) of(ctx context.Context, db *sql.DB, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	kept := s.prepared[query]
	s.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	made, err := db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.prepared[query]; kept != nil {
		return kept, made.Close() // another was faster
	}
	if s.prepared == nil {
		s.prepared = map[string]*sql.Stmt{}
	}
	s.prepared[query] = made
	return made, nil
}

func (s *statements) close() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, made := range s.prepared {
		err = errors.Join(err, made.Close())
	}
	s.prepared = nil
	return err
}

// lookup runs a statement outside a transaction, which is one snapshot by itself, and hands its rows to scan.
func (s *Store) lookup(ctx context.Context, doing string, scan func(row) error, query string, args ...any) error {
	fail := func(err error) error { return s.classify(ctx, fmt.Errorf("%s: %w", doing, err)) }
	rows, err := s.ask(ctx, query, args)
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fail(err)
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	return nil
}

func (s *Store) ask(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	if s.dialect.remembers {
		return s.read.QueryContext(ctx, query, args...)
	}
	kept, err := s.lookups.of(ctx, s.read, query)
	if err != nil {
		return nil, err
	}
	return kept.QueryContext(ctx, args...)
}
