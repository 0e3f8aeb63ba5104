package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

var _ operator.Store = (*Store)(nil)

const (
	keyColumns = `id, environment_id, name, hash, hint, permissions, organization_id, created_at, revoked_at`
	// selectKeys says beside the columns whether the organization that a key is limited to is gone.
	selectKeys = `SELECT ` + keyColumns + `, CASE WHEN organization_id = '' THEN 0 ELSE 1 - (
		SELECT count(*) FROM organizations o WHERE o.id = api_keys.organization_id AND o.environment_id = api_keys.environment_id) END
		FROM api_keys WHERE `
)

// scanKey reads a key without the slugs of its permissions.
func scanKey(r row) (k operator.Key, err error) {
	var granting sql.NullString
	err = r.Scan(&k.ID, &k.Environment, &k.Name, &k.Hash, &k.Hint, &granting, &k.Organization, (*stamp)(&k.CreatedAt), (*stamp)(&k.RevokedAt),
		(*flag)(&k.OrganizationGone))
	if err != nil {
		return k, err
	}
	if k.Everything = !granting.Valid; granting.String != "" {
		err = json.Unmarshal([]byte(granting.String), &k.Granting)
	}
	if len(k.Granting) == 0 {
		k.Granting = nil
	}
	return k, err
}

// granting is the permissions of a key as they are kept: NULL for everything, else their ids as JSON.
func granting(k operator.Key) (*string, error) {
	if k.Everything {
		return nil, nil
	}
	encoded, err := json.Marshal(append([]id.Permission{}, k.Granting...))
	text := string(encoded)
	return &text, err
}

// InsertKey implements operator.Store. A key that was not found is not remembered.
func (s *Store) InsertKey(ctx context.Context, k operator.Key) (inserted bool, err error) {
	permissions, err := granting(k)
	if err != nil {
		return false, err
	}
	err = s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error {
		n, err := t.alter(nil, "inserting an API key", `
			INSERT INTO api_keys (`+keyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (hash) DO NOTHING`,
			k.ID, k.Environment, k.Name, k.Hash, k.Hint, permissions, k.Organization, stamp(k.CreatedAt), stamp(k.RevokedAt))
		inserted = n == 1
		return err
	})
	return inserted, err
}

// KeyByHash implements operator.Store.
func (s *Store) KeyByHash(ctx context.Context, hash string) (k operator.Key, found bool, err error) {
	k, err = scanKey(s.read.QueryRowContext(ctx, selectKeys+`hash = $1`, hash)) // one statement is a snapshot by itself
	if errors.Is(err, sql.ErrNoRows) {
		return operator.Key{}, false, nil
	}
	if err != nil {
		return operator.Key{}, false, s.classify(ctx, fmt.Errorf("reading an API key: %w", err))
	}
	if len(k.Granting) == 0 { // most keys; a list never changes, so a later snapshot does for its slugs
		return k, true, nil
	}
	err = s.inTx(ctx, s.read, s.dialect.viewOptions, func(t *tx) error { return t.nameGranted(&k) })
	return k, err == nil, err
}

// nameGranted adds the slugs of the permissions of a key that still exist.
func (t *tx) nameGranted(k *operator.Key) error {
	k.Permissions = nil
	err := inBatches(k.Granting, func(some []id.Permission) error {
		var c condition
		c.add("environment_id = ?", k.Environment)
		in(&c, "id", some)
		slugs, err := all(t, "reading the permissions of an API key", scanValue[string],
			`SELECT slug FROM permissions WHERE `+c.String(), c.args...)
		k.Permissions = append(k.Permissions, slugs...)
		return err
	})
	slices.Sort(k.Permissions) // by bytes, on every database
	return err
}

// Keys implements operator.Store.
func (s *Store) Keys(ctx context.Context, env id.Environment) (keys []operator.Key, err error) {
	err = s.inTx(ctx, s.read, s.dialect.viewOptions, func(t *tx) error {
		keys, err = all(t, "listing API keys", scanKey, selectKeys+`environment_id = $1 OR $1 = '' ORDER BY id`, env)
		for i := range keys {
			if err == nil {
				err = t.nameGranted(&keys[i])
			}
		}
		return err
	})
	return keys, err
}

// RevokeKey implements operator.Store.
func (s *Store) RevokeKey(ctx context.Context, env id.Environment, k id.APIKey, at time.Time) (found bool, err error) {
	err = s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error {
		of, known, err := one(t, "finding the environment of an API key", scanValue[id.Environment],
			`SELECT environment_id FROM api_keys WHERE id = $1 AND (environment_id = $2 OR $2 = '')`, k, env)
		if err != nil || !known {
			return err
		}
		n, err := t.alter(region(fresh.Keys, of), "revoking an API key",
			`UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL`, stamp(at), k)
		found = n == 1
		return err
	})
	return found, err
}
