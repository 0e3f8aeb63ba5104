package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/id"
)

var _ decision.Loader = (*Store)(nil)

// Every text here is one statement, and so one snapshot without a transaction. It reads rows of different kinds, which
// the first column tells; the others mean what they are called in the first part, or what the part's scan says.

const (
	// roleSet is the roles, order and pinned defaults of an owner, which is the environment itself where $2 is empty.
	roleSet = `
		SELECT 'role', id, slug, name, description, resource_type, ordinal, retired_at, replacement_id, created_at, updated_at
		FROM roles WHERE organization_id = $2 AND environment_id = $1
		UNION ALL
		SELECT 'place', role_id, '', '', NULL, '', place, NULL, NULL, NULL, NULL
		FROM role_order WHERE organization_id = $2 AND environment_id = $1
		UNION ALL
		SELECT 'pinned', retired_id, role_id, '', NULL, '', 0, NULL, NULL, NULL, NULL
		FROM pinned_defaults WHERE organization_id = $2 AND environment_id = $1`

	selectShared = roleSet + `
		UNION ALL
		SELECT 'owner', d.role_id, '', '', NULL, '', e.multiple_roles, NULL, NULL, NULL, NULL
		FROM environments e JOIN default_roles d ON d.environment_id = e.id AND d.organization_id = $2 WHERE e.id = $1`

	selectOwn = roleSet + `
		UNION ALL
		SELECT 'owner', coalesce(d.role_id, ''), '', o.name, o.external_id, '', 0, NULL, NULL, NULL, NULL
		FROM organizations o LEFT JOIN default_roles d ON d.organization_id = o.id AND d.environment_id = o.environment_id
		WHERE o.id = $2 AND o.environment_id = $1
		UNION ALL
		SELECT 'held', role_id, permission_id, '', NULL, '', 0, NULL, NULL, NULL, NULL
		FROM role_permissions WHERE organization_id = $2`

	selectCatalogue = `
		SELECT 'permission', id, environment_id, slug, name, description, system, resource_type, created_at, updated_at
		FROM permissions WHERE environment_id = $1
		UNION ALL
		SELECT 'held', h.permission_id, h.role_id, '', '', NULL, 0, '', NULL, NULL
		FROM roles r JOIN role_permissions h ON h.organization_id = r.organization_id AND h.role_id = r.id
		WHERE r.organization_id = '' AND r.environment_id = $1`

	selectHoldings = `SELECT role_id, permission_id FROM role_permissions WHERE organization_id = $1`

	heldColumns = `'assignment', a.id, a.subject_id, a.role_id, a.resource_id, a.source, a.explicit, a.starts_at, a.expires_at, a.created_at, a.updated_at`

	selectMember = `
		SELECT 'member', id, organization_id, user_id, '', status, 0, NULL, NULL, created_at, updated_at
		FROM memberships WHERE id = $2 AND environment_id = $1
		UNION ALL
		SELECT ` + heldColumns + ` FROM (
			SELECT ` + assignmentColumns + ` FROM assignments
			WHERE organization_id = (SELECT organization_id FROM memberships WHERE id = $2 AND environment_id = $1) AND subject_id = $2
			LIMIT $3) AS a
		UNION ALL
		SELECT ` + heldColumns + ` FROM (
			SELECT ` + assignmentColumns + ` FROM assignments
			WHERE organization_id = (SELECT organization_id FROM memberships WHERE id = $2 AND environment_id = $1)
				AND subject_id IN (
					SELECT g.group_id FROM memberships m
					JOIN group_members g ON g.organization_id = m.organization_id AND g.membership_id = m.id
					WHERE m.id = $2 AND m.environment_id = $1)
			LIMIT $3) AS a`

	// pathFrom and pathUp enclose the condition by which a path begins. $1 is the environment, $2 the organization and
	// $3 how many resources can lie above one.
	pathFrom = `
		WITH RECURSIVE path (` + resourceColumns + `, above) AS (
			SELECT ` + resourceColumns + `, 0 FROM resources WHERE environment_id = $1 AND organization_id = $2 AND `
	pathUp = `
			UNION ALL
			SELECT r.organization_id, r.id, r.environment_id, r.resource_type, r.external_id, r.name, r.description, r.parent_id,
				r.created_at, r.updated_at, path.above + 1
			FROM path JOIN resources r ON r.organization_id = path.organization_id AND r.id = path.parent_id WHERE path.above < $3
		)
		SELECT ` + resourceColumns + ` FROM path ORDER BY above`
	selectPathOfID       = pathFrom + `id = $4` + pathUp
	selectPathOfExternal = pathFrom + `resource_type = $4 AND external_id = $5` + pathUp
)

// lookup runs a statement outside a transaction and hands its rows to scan.
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

// ownerSet is the rows of selectShared and selectOwn.
type ownerSet struct {
	env    id.Environment
	org    id.Organization
	roles  authz.RoleSet
	places []place
	held   map[id.Role][]id.Permission
	owner  *authz.Role // the row of the owner itself, as it was scanned; nil where there is none
}

type place struct {
	role id.Role
	at   int64
}

func (o *ownerSet) scan(from row) error {
	var kind string
	var replacement *id.Role
	r := authz.Role{Environment: o.env, Organization: o.org, Permissions: []string{}}
	err := from.Scan(&kind, &r.ID, &r.Slug, &r.Name, &r.Description, &r.ResourceType, &r.Ordinal, (*stamp)(&r.RetiredAt), &replacement,
		(*stamp)(&r.CreatedAt), (*stamp)(&r.UpdatedAt))
	if err != nil {
		return err
	}
	switch kind {
	case "role":
		if replacement != nil {
			r.Replacement = *replacement
		}
		o.roles.Roles = append(o.roles.Roles, r)
	case "place":
		o.places = append(o.places, place{r.ID, r.Ordinal})
	case "pinned":
		if o.roles.Pinned == nil {
			o.roles.Pinned = map[id.Role]id.Role{}
		}
		o.roles.Pinned[r.ID] = id.Role(r.Slug)
	case "held":
		o.held[r.ID] = append(o.held[r.ID], id.Permission(r.Slug))
	case "owner":
		o.owner = &r
	default:
		return fmt.Errorf("a row of the unknown kind %q", kind)
	}
	return nil
}

func (s *Store) loadSet(ctx context.Context, doing, query string, env id.Environment, org id.Organization) (ownerSet, error) {
	o := ownerSet{env: env, org: org, held: map[id.Role][]id.Permission{}}
	if err := s.lookup(ctx, doing, o.scan, query, env, org); err != nil || o.owner == nil {
		return ownerSet{}, err
	}
	o.roles.Default = o.owner.ID
	slices.SortFunc(o.places, func(a, b place) int { return cmp.Compare(a.at, b.at) })
	for _, p := range o.places {
		o.roles.Order = append(o.roles.Order, p.role)
	}
	return o, nil
}

// LoadShared implements decision.Loader.
func (s *Store) LoadShared(ctx context.Context, env id.Environment) (decision.Shared, bool, error) {
	o, err := s.loadSet(ctx, "loading the roles of an environment", selectShared, env, "")
	if err != nil || o.owner == nil {
		return decision.Shared{}, false, err
	}
	return decision.Shared{Multiple: o.owner.Ordinal == 1, Roles: o.roles}, true, nil
}

// LoadOwn implements decision.Loader.
func (s *Store) LoadOwn(ctx context.Context, env id.Environment, org id.Organization) (decision.Own, bool, error) {
	o, err := s.loadSet(ctx, "loading the roles of an organization", selectOwn, env, org)
	if err != nil || o.owner == nil {
		return decision.Own{}, false, err
	}
	return decision.Own{Name: o.owner.Name, ExternalID: o.owner.Description, Roles: o.roles, Held: o.held}, true, nil
}

// LoadCatalogue implements decision.Loader.
func (s *Store) LoadCatalogue(ctx context.Context, env id.Environment) (decision.Catalogue, error) {
	c := decision.Catalogue{Held: map[id.Role][]id.Permission{}}
	err := s.lookup(ctx, "loading a catalogue of permissions", func(r row) error {
		var kind string
		var p authz.Permission
		err := r.Scan(&kind, &p.ID, &p.Environment, &p.Slug, &p.Name, &p.Description, (*flag)(&p.System), &p.ResourceType,
			(*stamp)(&p.CreatedAt), (*stamp)(&p.UpdatedAt))
		if kind == "held" {
			role := id.Role(p.Environment)
			c.Held[role] = append(c.Held[role], p.ID)
		} else {
			c.Permissions = append(c.Permissions, p)
		}
		return err
	}, selectCatalogue, env)
	if err != nil {
		return decision.Catalogue{}, err
	}
	return c, nil
}

// LoadHoldings implements decision.Loader.
func (s *Store) LoadHoldings(ctx context.Context, org id.Organization) (map[id.Role][]id.Permission, error) {
	held := map[id.Role][]id.Permission{}
	err := s.lookup(ctx, "loading what custom roles hold", func(r row) error {
		var role id.Role
		var p id.Permission
		err := r.Scan(&role, &p)
		held[role] = append(held[role], p)
		return err
	}, selectHoldings, org)
	if err != nil {
		return nil, err
	}
	return held, nil
}

// LoadMember implements decision.Loader.
func (s *Store) LoadMember(ctx context.Context, env id.Environment, m id.Membership, most int) (decision.Member, bool, error) {
	var f decision.Member
	err := s.lookup(ctx, "loading a membership", func(r row) error {
		var kind, second string
		a := authz.Assignment{Environment: env}
		err := r.Scan(&kind, &a.ID, &second, &a.Role, &a.Resource, &a.Source, (*flag)(&a.Explicit), (*stamp)(&a.StartsAt),
			(*stamp)(&a.ExpiresAt), (*stamp)(&a.CreatedAt), (*stamp)(&a.UpdatedAt))
		switch {
		case err != nil:
			return err
		case kind == "member":
			f.Membership = authz.Membership{
				ID: m, Environment: env, Organization: id.Organization(second), User: id.User(a.Role), Status: authz.Status(a.Source),
			}
		default:
			err = subject{&a}.Scan(second)
			f.Assignments = append(f.Assignments, a)
		}
		return err
	}, selectMember, env, m, most+1)
	if err != nil || f.ID == "" {
		return decision.Member{}, false, err
	}
	if len(f.Assignments) > most {
		f.Assignments, f.TooMany = nil, true
	}
	for i := range f.Assignments {
		f.Assignments[i].Organization = f.Organization
	}
	return f, true, nil
}

// LoadPath implements decision.Loader.
func (s *Store) LoadPath(ctx context.Context, env id.Environment, org id.Organization, ref authz.ResourceRef) ([]authz.Resource, bool, error) {
	query, args := selectPathOfID, []any{env, org, authz.MaxTypeDepth, ref.ID}
	if ref.ID == "" {
		query, args = selectPathOfExternal, []any{env, org, authz.MaxTypeDepth, ref.ResourceType, ref.ExternalID}
	}
	var path []authz.Resource
	err := s.lookup(ctx, "loading a resource", func(from row) error {
		r, err := scanResource(from)
		path = append(path, r)
		return err
	}, query, args...)
	if err != nil {
		return nil, false, err
	}
	return path, len(path) > 0, nil
}
