package watch

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/id"
)

// LoadKinds are what is read to be remembered.
var LoadKinds = []string{"shared", "catalogue", "own", "holdings", "member", "path"}

// Loader is a loader whose readings w is told of.
func Loader(from decision.Loader, w Watcher) decision.Loader { return loader{from, w} }

type loader struct {
	from decision.Loader
	w    Watcher
}

func (l loader) told(ctx context.Context, kind string, began time.Time, err error) {
	l.w.Loaded(ctx, Load{Kind: kind, Began: began, Took: time.Since(began), Err: err})
}

// LoadShared implements decision.Loader.
func (l loader) LoadShared(ctx context.Context, env id.Environment) (s decision.Shared, found bool, err error) {
	began := time.Now()
	s, found, err = l.from.LoadShared(ctx, env)
	l.told(ctx, "shared", began, err)
	return s, found, err
}

// LoadCatalogue implements decision.Loader.
func (l loader) LoadCatalogue(ctx context.Context, env id.Environment) (decision.Catalogue, error) {
	began := time.Now()
	c, err := l.from.LoadCatalogue(ctx, env)
	l.told(ctx, "catalogue", began, err)
	return c, err
}

// LoadOwn implements decision.Loader.
func (l loader) LoadOwn(ctx context.Context, env id.Environment, org id.Organization) (o decision.Own, found bool, err error) {
	began := time.Now()
	o, found, err = l.from.LoadOwn(ctx, env, org)
	l.told(ctx, "own", began, err)
	return o, found, err
}

// LoadHoldings implements decision.Loader.
func (l loader) LoadHoldings(ctx context.Context, org id.Organization) (map[id.Role][]id.Permission, error) {
	began := time.Now()
	held, err := l.from.LoadHoldings(ctx, org)
	l.told(ctx, "holdings", began, err)
	return held, err
}

// LoadMember implements decision.Loader.
func (l loader) LoadMember(ctx context.Context, env id.Environment, m id.Membership, most int) (f decision.Member, found bool, err error) {
	began := time.Now()
	f, found, err = l.from.LoadMember(ctx, env, m, most)
	l.told(ctx, "member", began, err)
	return f, found, err
}

// LoadPath implements decision.Loader.
func (l loader) LoadPath(ctx context.Context, env id.Environment, org id.Organization, ref authz.ResourceRef) (path []authz.Resource, found bool, err error) {
	began := time.Now()
	path, found, err = l.from.LoadPath(ctx, env, org, ref)
	l.told(ctx, "path", began, err)
	return path, found, err
}
