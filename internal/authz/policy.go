package authz

import (
	"context"
	"slices"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Policy is the roles available to an organization (or, with Organization empty, the environment's own), highest
// priority first, and which of them is the default.
type Policy struct {
	Environment  id.Environment
	Organization id.Organization
	Roles        []Role
	Default      id.Role
	Multiple     bool                    // whether members may hold several roles at once (R80)
	Retired      map[id.Role]Replacement // roles that are gone and still named by assignments
	Own          bool                    // default and order are its own; always true for an environment (I2, I3)
	listed       int                     // how many of Roles the stored order names; the rest stand below by computation
}

// Replacement is what assignments of a role that is gone count as until they are moved: as assignments of another role
// or, with Default, of the default role, from the source default.
type Replacement struct {
	Role    id.Role
	Default bool
}

// stand returns an assignment as it counts: of a role that exists. ok is false when it counts for nothing: a group and
// a resource have no default to fall back to.
func (p Policy) stand(a Assignment) (standing Assignment, ok bool) {
	for range len(p.Retired) + 1 {
		r, retired := p.Retired[a.Role]
		if !retired {
			return a, true
		}
		if r.Default {
			if a.Group != "" || a.Resource != OrganizationResource(a.Organization) {
				return a, false
			}
			a.Source = SourceDefault
		}
		a.Role = r.Role
	}
	return a, false
}

// available is stand for assignments that have an effect here: of roles that are available in the organization (I5).
func (p Policy) available(a Assignment) (standing Assignment, ok bool) {
	standing, ok = p.stand(a)
	_, known := p.byID(standing.Role)
	return standing, ok && known
}

// loadPolicy reads the policy of an organization, or of the environment when org is empty, without the permissions of
// its roles, which only decisions and answers need.
func loadPolicy(r Reader, c Caller, org id.Organization) (Policy, error) {
	d, found, err := r.Standing(c.Environment, org)
	if err != nil {
		return Policy{}, err
	}
	if !found || !c.Sees(org) {
		return Policy{}, fault.Missing("Organization", string(org))
	}
	owner := id.Organization("")
	if d.Own != "" {
		owner = org
	}
	var pinned map[id.Role]id.Role
	if slices.ContainsFunc(d.Roles, Role.retired) {
		if pinned, err = r.PinnedDefaults(c.Environment, owner); err != nil {
			return Policy{}, err
		}
	}
	shared, own := RoleSet{Default: d.Shared, Roles: d.Roles}, RoleSet{Default: d.Own}
	deciding := &shared
	if d.Own != "" {
		deciding = &own
	}
	deciding.Order, deciding.Pinned = d.Order, pinned
	return NewPolicy(c.Environment, org, d.Multiple, shared, own), nil
}

// RoleSet is what is stored of the roles of one owner: an environment or an organization. Roles need no permissions.
type RoleSet struct {
	Default id.Role             // empty for an organization that follows its environment
	Roles   []Role              // in no order, retired ones among them
	Order   []id.Role           // the stored order, highest first; it may lack environment roles made later (I4)
	Pinned  map[id.Role]id.Role // what retired roles without a replacement stand for, where that is not the default
}

// NewPolicy makes the policy of an organization of what its environment shares and what it has of its own, or, with an
// empty org and an empty own, that of the environment. It is the one place where the two are brought together (I3).
func NewPolicy(env id.Environment, org id.Organization, multiple bool, shared, own RoleSet) Policy {
	p := Policy{Environment: env, Organization: org, Default: shared.Default, Own: org == "", Multiple: multiple}
	order, pinned := shared.Order, shared.Pinned
	if own.Default != "" {
		p.Default, p.Own, order, pinned = own.Default, true, own.Order, own.Pinned
	}
	roles, gone := separate(slices.Concat(shared.Roles, own.Roles))
	p.Roles, p.listed = arrange(roles, order)
	p.addRetired(gone, pinned)
	return p
}

// separate tells the roles that exist from those that are gone.
func separate(roles []Role) (live, gone []Role) {
	for _, r := range roles {
		if !r.retired() {
			live = append(live, r)
		} else {
			gone = append(gone, r)
		}
	}
	return live, gone
}

// addRetired says what assignments of roles that are gone count as. Those without a replacement follow the default as
// it was when the role went: where it was changed since, it was pinned.
func (p *Policy) addRetired(gone []Role, pinned map[id.Role]id.Role) {
	if len(gone) == 0 {
		return
	}
	p.Retired = make(map[id.Role]Replacement, len(gone))
	for _, g := range gone {
		instead := Replacement{Role: g.Replacement}
		if g.Replacement == "" {
			instead = Replacement{Role: p.Default, Default: true}
			if d, ok := pinned[g.ID]; ok {
				instead.Role = d
			}
		}
		p.Retired[g.ID] = instead
	}
}

// setDefault makes a role the default of an owner and keeps what its former one stands in for.
func (ch *change) setDefault(p Policy, to id.Role) error {
	if err := ch.pinDefault(p); err != nil {
		return err
	}
	return ch.SetDefaultRole(p.Environment, p.Organization, to, ch.now)
}

// pinDefault keeps the default that roles which are gone count as, before the owner's default changes.
func (ch *change) pinDefault(p Policy) error {
	if len(p.Retired) == 0 {
		return nil
	}
	pinned, err := ch.PinnedDefaults(p.Environment, p.Organization)
	if err != nil {
		return err
	}
	for gone, r := range p.Retired {
		if _, done := pinned[gone]; done || !r.Default {
			continue
		}
		if err := ch.PinDefault(p.Environment, p.Organization, gone, r.Role); err != nil {
			return err
		}
	}
	return nil
}

// addPermissions reads the permissions of some roles of a policy into it.
func (p Policy) addPermissions(r Reader, roles []id.Role) error {
	held, err := r.RolePermissions(p.Environment, p.Organization, roles)
	if err != nil {
		return err
	}
	for i, role := range p.Roles {
		if slugs, asked := held[role.ID]; asked {
			p.Roles[i].Permissions = slugs
		}
	}
	return nil
}

// fullPolicy is loadPolicy with the permissions of every role.
func fullPolicy(r Reader, c Caller, org id.Organization) (Policy, error) {
	p, err := loadPolicy(r, c, org)
	if err != nil {
		return Policy{}, err
	}
	return p, p.addPermissions(r, p.ids())
}

func (ch *change) policy(org id.Organization) (Policy, error) { return loadPolicy(ch, ch.caller, org) }

// arrange puts roles into their order: those that the stored order names as it names them, then the others as they
// were made (I4). It returns how many the stored order names.
func arrange(roles []Role, order []id.Role) (arranged []Role, listed int) {
	place := make(map[id.Role]int, len(order))
	for i, r := range order {
		place[r] = i + 1
	}
	arranged = slices.Clone(roles)
	slices.SortFunc(arranged, func(a, b Role) int {
		pa, pb := place[a.ID], place[b.ID]
		switch {
		case pa != 0 && pb != 0:
			return pa - pb
		case pa != 0:
			return -1
		case pb != 0:
			return 1
		case a.Ordinal != b.Ordinal:
			return int(a.Ordinal - b.Ordinal)
		case a.ID < b.ID:
			return -1
		}
		return 1
	})
	for _, r := range arranged {
		if place[r.ID] != 0 {
			listed++
		}
	}
	return arranged, listed
}

func (p Policy) ids() []id.Role {
	ids := make([]id.Role, len(p.Roles), len(p.Roles)+1)
	for i, r := range p.Roles {
		ids[i] = r.ID
	}
	return ids
}

func (p Policy) unlisted() []id.Role { return p.ids()[p.listed:] }

// bySlug finds an available role, the organization's own before the environment's (R8).
func (p Policy) bySlug(slug string) (found Role, ok bool) {
	for _, r := range p.Roles {
		if r.Slug == slug && (!ok || r.Custom()) {
			found, ok = r, true
		}
	}
	return found, ok
}

func (p Policy) byID(role id.Role) (Role, bool) {
	i := slices.IndexFunc(p.Roles, func(r Role) bool { return r.ID == role })
	if i < 0 {
		return Role{}, false
	}
	return p.Roles[i], true
}

// Policy reads the roles, the default and the order of an organization, or of the environment when org is empty.
func (s *Service) Policy(ctx context.Context, c Caller, org id.Organization) (Policy, error) {
	return read(ctx, s, func(r Reader) (Policy, error) { return fullPolicy(r, c, org) })
}

// Order is Policy without the permissions of its roles, which can be tens of thousands: for who asks only which roles
// there are, in which order, and which is the default. The roles show none then; that is not to say that they hold none.
func (s *Service) Order(ctx context.Context, c Caller, org id.Organization) (Policy, error) {
	return read(ctx, s, func(r Reader) (Policy, error) { return loadPolicy(r, c, org) })
}

// DefaultRole is the default of a policy as a role. ok is false only for a damaged database (I2, I3).
func (p Policy) DefaultRole() (r Role, ok bool) { return p.byID(p.Default) }

// ownPolicy reads a policy whose default and order are the owner's to change.
func ownPolicy(r Reader, c Caller, org id.Organization) (Policy, error) {
	p, err := loadPolicy(r, c, org)
	if err == nil && !p.Own {
		err = fault.New(fault.Conflict, "organization_has_no_custom_roles",
			"The organization follows the environment's default role and priority until its first custom role is created. Create one first, or change the environment's.")
	}
	return p, err
}

// changePolicy lets alter change default or order of a policy that is the owner's own.
func (s *Service) changePolicy(ctx context.Context, c Caller, org id.Organization, alter func(*change, Policy) error) (Policy, error) {
	return write(ctx, s, c, func(ch *change) (Policy, error) {
		p, err := ownPolicy(ch, c, org)
		if err != nil {
			return Policy{}, err
		}
		if err := alter(ch, p); err != nil {
			return Policy{}, err
		}
		if err := ch.permit(org); err != nil {
			return Policy{}, err
		}
		return fullPolicy(ch, c, org)
	})
}

// SetDefault makes another role the default for memberships made from now on; those that exist keep what they have
// (R22, R24). Only the owner's available roles, scoped to the organization, qualify.
func (s *Service) SetDefault(ctx context.Context, c Caller, org id.Organization, slug string) (Policy, error) {
	return s.changePolicy(ctx, c, org, func(ch *change, p Policy) error {
		role, err := p.organizationRole(slug)
		if err != nil || role.ID == p.Default {
			return err
		}
		if err := ch.permitRoles(org, role.ID); err != nil {
			return err
		}
		if err := ch.setDefault(p, role.ID); err != nil {
			return err
		}
		return ch.announceLater(Job{Kind: JobAnnounce, Organization: org, FallbackOnly: true})
	})
}

// SetPriority replaces the priority order. slugs must name every available role exactly once, highest first (I4).
func (s *Service) SetPriority(ctx context.Context, c Caller, org id.Organization, slugs []string) (Policy, error) {
	return s.changePolicy(ctx, c, org, func(ch *change, p Policy) error {
		order, err := p.reorder(slugs)
		if err != nil {
			return err
		}
		if slices.Equal(order, p.ids()) {
			return nil
		}
		if err := settledMode(ch, c); err != nil {
			return err
		}
		if err := ch.permitRoles(org, p.raised(order)...); err != nil {
			return err
		}
		if err := ch.SetRoleOrder(p.Environment, org, order); err != nil {
			return err
		}
		return ch.announceLater(Job{Kind: JobAnnounce, Organization: org})
	})
}

// raised lists the roles that another order puts above one that stands above them now.
func (p Policy) raised(order []id.Role) []id.Role {
	var raised []id.Role
	for at, role := range order {
		above := p.ids()[:slices.Index(p.ids(), role)]
		if slices.ContainsFunc(order[at+1:], func(below id.Role) bool { return slices.Contains(above, below) }) {
			raised = append(raised, role)
		}
	}
	return raised
}

// reorder finds the roles that slugs name. Where a custom and an environment role share a slug it names the custom
// one first.
func (p Policy) reorder(slugs []string) ([]id.Role, error) {
	const field = "role_slugs"
	left := make(map[string][]Role, len(p.Roles))
	for _, r := range p.Roles {
		if r.Custom() {
			left[r.Slug] = slices.Insert(left[r.Slug], 0, r)
		} else {
			left[r.Slug] = append(left[r.Slug], r)
		}
	}
	order := make([]id.Role, 0, len(p.Roles))
	for _, slug := range slugs {
		roles, known := left[slug]
		if !known {
			return nil, fault.BadField(field, "names '%s', which is not a role available here", fault.Short(slug))
		}
		if len(roles) == 0 {
			return nil, fault.BadField(field, "names '%s' twice", fault.Short(slug))
		}
		order, left[slug] = append(order, roles[0].ID), roles[1:]
	}
	for _, r := range p.Roles {
		if len(left[r.Slug]) > 0 {
			return nil, fault.BadField(field, "must name every role available here; '%s' is missing", r.Slug)
		}
	}
	return order, nil
}

func invalidRole(slug string) error {
	return fault.New(fault.Invalid, "invalid_role", "Role '%s' is not a valid role.", fault.Short(slug))
}

// assignable refuses roles that are not scoped to the organization (R9).
func assignable(r Role) error {
	if r.ResourceType == OrganizationType {
		return nil
	}
	e := fault.New(fault.Invalid, "sub_resource_scoped_role_not_allowed",
		"Role '%s' is scoped to '%s' and cannot be held on the organization.", r.Slug, r.ResourceType)
	e.Details = map[string]any{"role_slug": r.Slug}
	return e
}
