package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

var _ operator.Store = (*Store)(nil)

const keyColumns = `id, environment_id, name, hash, hint, created_at, revoked_at`

func scanKey(r row) (k operator.Key, err error) {
	err = r.Scan(&k.ID, &k.Environment, &k.Name, &k.Hash, &k.Hint, (*stamp)(&k.CreatedAt), (*stamp)(&k.RevokedAt))
	return k, err
}

// InsertKey implements operator.Store.
func (s *Store) InsertKey(ctx context.Context, k operator.Key) (inserted bool, err error) {
	err = s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error {
		n, err := t.exec("inserting an API key", `
			INSERT INTO api_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO NOTHING`,
			k.ID, k.Environment, k.Name, k.Hash, k.Hint, stamp(k.CreatedAt), stamp(k.RevokedAt))
		inserted = n == 1
		return err
	})
	return inserted, err
}

// KeyByHash implements operator.Store.
func (s *Store) KeyByHash(ctx context.Context, hash string) (k operator.Key, found bool, err error) {
	k, err = scanKey(s.read.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE hash = $1`, hash)) // one statement is a snapshot by itself
	if errors.Is(err, sql.ErrNoRows) {
		return operator.Key{}, false, nil
	}
	if err != nil {
		return operator.Key{}, false, s.classify(ctx, fmt.Errorf("reading an API key: %w", err))
	}
	return k, true, nil
}

// Keys implements operator.Store.
func (s *Store) Keys(ctx context.Context, env id.Environment) (keys []operator.Key, err error) {
	err = s.inTx(ctx, s.read, s.dialect.viewOptions, func(t *tx) error {
		keys, err = all(t, "listing API keys", scanKey,
			`SELECT `+keyColumns+` FROM api_keys WHERE environment_id = $1 OR $1 = '' ORDER BY id`, env)
		return err
	})
	return keys, err
}

// RevokeKey implements operator.Store.
func (s *Store) RevokeKey(ctx context.Context, k id.APIKey, at time.Time) (found bool, err error) {
	err = s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error {
		n, err := t.exec("revoking an API key", `UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL`, stamp(at), k)
		found = n == 1
		return err
	})
	return found, err
}
