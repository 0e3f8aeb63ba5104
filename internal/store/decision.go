package store

import (
	"context"
	"errors"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/id"
)

var _ decision.Loader = (*Store)(nil)

var errUnwritten = errors.New("not written yet")

// LoadShared implements decision.Loader.
func (s *Store) LoadShared(ctx context.Context, env id.Environment) (decision.Shared, bool, error) {
	return decision.Shared{}, false, errUnwritten
}

// LoadCatalogue implements decision.Loader.
func (s *Store) LoadCatalogue(ctx context.Context, env id.Environment) (decision.Catalogue, error) {
	return decision.Catalogue{}, errUnwritten
}

// LoadOwn implements decision.Loader.
func (s *Store) LoadOwn(ctx context.Context, env id.Environment, org id.Organization) (decision.Own, bool, error) {
	return decision.Own{}, false, errUnwritten
}

// LoadHoldings implements decision.Loader.
func (s *Store) LoadHoldings(ctx context.Context, org id.Organization) (map[id.Role][]id.Permission, error) {
	return nil, errUnwritten
}

// LoadMember implements decision.Loader.
func (s *Store) LoadMember(ctx context.Context, env id.Environment, m id.Membership, most int) (decision.Member, bool, error) {
	return decision.Member{}, false, errUnwritten
}

// LoadPath implements decision.Loader.
func (s *Store) LoadPath(ctx context.Context, env id.Environment, org id.Organization, ref authz.ResourceRef) ([]authz.Resource, bool, error) {
	return nil, false, errUnwritten
}
