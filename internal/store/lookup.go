package store

import (
	"context"
	"fmt"
)

// lookup runs a statement outside a transaction, which is one snapshot by itself, and hands its rows to scan.
func (s *Store) lookup(ctx context.Context, doing string, scan func(row) error, query string, args ...any) error {
	fail := func(err error) error { return s.classify(ctx, fmt.Errorf("%s: %w", doing, err)) }
	rows, err := s.read.QueryContext(ctx, query, args...)
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
