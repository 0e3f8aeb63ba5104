package authz

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Status is where a membership stands. Checks see only active ones as authorized.
type Status string

// The statuses. Pending is invited and not yet accepted.
const (
	StatusActive   Status = "active"
	StatusInactive Status = "inactive"
	StatusPending  Status = "pending"
)

// Membership is one user in one organization.
type Membership struct {
	ID               id.Membership
	Environment      id.Environment
	Organization     id.Organization
	User             id.User
	Status           Status
	DirectoryManaged bool
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Member is a membership with what its answers show beside it.
type Member struct {
	Membership
	OrganizationName string
	Person           User
	Held             []Held // effective roles, highest priority first
}

// payload is the membership as its events show it.
func (m Membership) payload(held []Held) event.Membership {
	p := event.Membership{
		Object: "organization_membership", ID: m.ID, UserID: m.User, OrganizationID: m.Organization,
		Status: string(m.Status), DirectoryManaged: m.DirectoryManaged, CustomAttributes: map[string]any{},
		Roles: make([]event.Slim, len(held)), CreatedAt: event.Time(m.CreatedAt), UpdatedAt: event.Time(m.UpdatedAt),
	}
	for i, h := range held {
		p.Roles[i] = event.Slim{Slug: h.Role.Slug}
	}
	if len(held) > 0 {
		p.Role = p.Roles[0]
	}
	return p
}

// MembershipFilter narrows a list of memberships. Zero values do not narrow.
type MembershipFilter struct {
	Organization id.Organization
	User         id.User
	Statuses     []Status
}

// MembershipReader finds memberships.
type MembershipReader interface {
	Membership(env id.Environment, m id.Membership) (found Membership, ok bool, err error)
	MembershipOf(org id.Organization, u id.User) (found Membership, ok bool, err error)
	Memberships(env id.Environment, f MembershipFilter, r page.Request) (page.Page[Membership], error)
}

// MembershipWriter stores memberships.
type MembershipWriter interface {
	InsertMembership(Membership) error
	// UpdateMembership stores status, directory_managed and updated_at.
	UpdateMembership(Membership) error
	// DeleteMemberships removes the memberships of an organization, of a user, or of one in the other, with their
	// assignments. Statuses do not narrow it.
	DeleteMemberships(MembershipFilter) error
}

// membership finds a membership of the caller's environment.
func membership(r Reader, c Caller, m id.Membership) (Membership, error) {
	found, ok, err := r.Membership(c.Environment, m)
	if err == nil && !ok {
		err = fault.Missing("Organization membership", string(m))
	}
	return found, err
}

// CreateMembership puts a user into an organization, with the role asked for or, as an assignment of its own source,
// the default of that moment (R24, R62). An inactive membership of the same pair is reactivated with those roles
// (R61).
func (s *Service) CreateMembership(ctx context.Context, c Caller, u id.User, org id.Organization, roles RolesInput) (Member, error) {
	if _, _, err := roles.slug(); err != nil {
		return Member{}, err
	}
	return write(ctx, s, c, func(ch *change) (Member, error) {
		if _, err := user(ch, c, u); err != nil {
			return Member{}, err
		}
		policy, err := ch.policy(org)
		if err != nil {
			return Member{}, err
		}
		m, exists, err := ch.MembershipOf(org, u)
		if err != nil {
			return Member{}, err
		}
		if exists {
			return ch.returning(m, policy, roles)
		}
		m = Membership{
			ID: id.New[id.Membership](s.ids), Environment: c.Environment, Organization: org, User: u,
			Status: StatusActive, CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		if err := ch.InsertMembership(m); err != nil {
			return Member{}, err
		}
		if err := ch.assign(m, policy, roles, true); err != nil {
			return Member{}, err
		}
		member, err := loadMember(ch, c, m, policies{org: policy})
		if err != nil {
			return Member{}, err
		}
		return member, ch.emit(event.MembershipCreated, org, m.payload(member.Held), nil)
	})
}

// returning handles the creation of a membership that exists already.
func (ch *change) returning(m Membership, policy Policy, roles RolesInput) (Member, error) {
	switch m.Status {
	case StatusPending:
		return Member{}, pendingRefusal("reactivate")
	case StatusActive:
		return Member{}, fault.New(fault.Conflict, "organization_membership_already_exists",
			"User '%s' already has an active membership in organization '%s'.", m.User, m.Organization)
	}
	return ch.alterMember(m, policy, func(m *Membership) error {
		m.Status = StatusActive
		return ch.assign(*m, policy, roles, true)
	})
}

func pendingRefusal(verb string) error {
	return fault.New(fault.BadRequest, "cannot_"+verb+"_pending_organization_membership",
		"A pending organization membership cannot be %sd.", verb)
}

// alterMember lets alter change a membership or its assignments, stores it and says so, if it shows another then.
func (ch *change) alterMember(m Membership, policy Policy, alter func(*Membership) error) (Member, error) {
	known := policies{m.Organization: policy}
	before, err := loadMember(ch, ch.caller, m, known)
	if err != nil {
		return Member{}, err
	}
	if err := alter(&m); err != nil {
		return Member{}, err
	}
	held, err := heldBy(ch, []Membership{m}, known)
	if err != nil {
		return Member{}, err
	}
	after := before
	after.Membership, after.Held = m, held[m.ID]
	was := before.payload(before.Held)
	if changed, err := event.Changed(was, after.payload(after.Held)); err != nil || changed == nil {
		return after, err
	}
	m.UpdatedAt, after.UpdatedAt = ch.now, ch.now
	if err := ch.UpdateMembership(m); err != nil {
		return Member{}, err
	}
	return after, ch.emit(event.MembershipUpdated, m.Organization, after.payload(after.Held), was)
}

// policies keeps what was read of the organizations of memberships.
type policies map[id.Organization]Policy

// read reads the policies of the organizations of memberships that are not known yet.
func (known policies) read(r Reader, c Caller, ms []Membership) error {
	for _, m := range ms {
		if _, done := known[m.Organization]; done {
			continue
		}
		p, err := loadPolicy(r, c, m.Organization)
		if err != nil {
			return err
		}
		known[m.Organization] = p
	}
	return nil
}

// loadMembers adds to memberships what their answers show, with one look-up of each kind for all of them.
func loadMembers(r Reader, c Caller, ms []Membership, known policies) ([]Member, error) {
	people, err := r.UsersByID(c.Environment, column(ms, func(m Membership) id.User { return m.User }))
	if err != nil {
		return nil, err
	}
	orgs := column(ms, func(m Membership) id.Organization { return m.Organization })
	names, err := r.OrganizationNames(c.Environment, orgs)
	if err != nil {
		return nil, err
	}
	if err := known.read(r, c, ms); err != nil {
		return nil, err
	}
	held, err := heldBy(r, ms, known)
	if err != nil {
		return nil, err
	}
	members := make([]Member, len(ms))
	for i, m := range ms {
		members[i] = Member{Membership: m, OrganizationName: names[m.Organization], Person: people[m.User], Held: held[m.ID]}
	}
	return members, nil
}

// heldBy computes the effective roles of memberships.
func heldBy(r Reader, ms []Membership, known policies) (map[id.Membership][]Held, error) {
	orgs := column(ms, func(m Membership) id.Organization { return m.Organization })
	assignments, err := r.AssignmentsOf(orgs, column(ms, func(m Membership) id.Membership { return m.ID }))
	if err != nil {
		return nil, err
	}
	held := make(map[id.Membership][]Held, len(ms))
	for _, m := range ms {
		held[m.ID] = EffectiveRoles(Facts{Membership: m, Assignments: assignments[m.ID], Policy: known[m.Organization]})
	}
	return held, nil
}

// column lists the different values of one attribute.
func column[T any, V cmp.Ordered](rows []T, of func(T) V) []V {
	values := make([]V, len(rows))
	for i, row := range rows {
		values[i] = of(row)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

func loadMember(r Reader, c Caller, m Membership, known policies) (Member, error) {
	members, err := loadMembers(r, c, []Membership{m}, known)
	if err != nil {
		return Member{}, err
	}
	return members[0], nil
}

// Member finds a membership by id.
func (s *Service) Member(ctx context.Context, c Caller, m id.Membership) (Member, error) {
	return read(ctx, s, func(r Reader) (Member, error) {
		found, err := membership(r, c, m)
		if err != nil {
			return Member{}, err
		}
		return loadMember(r, c, found, policies{})
	})
}

// ListMembers lists memberships of an organization, of a user, or of one in the other; one of them must be said (R69).
// Without statuses only active ones are listed (R68).
func (s *Service) ListMembers(ctx context.Context, c Caller, f MembershipFilter, r page.Request) (page.Page[Member], error) {
	if f.Organization == "" && f.User == "" {
		return page.Page[Member]{}, fault.New(fault.BadRequest, "missing_user_id_or_organization_id",
			"At least one of user_id and organization_id is required.")
	}
	if len(f.Statuses) == 0 {
		f.Statuses = []Status{StatusActive}
	}
	slices.Sort(f.Statuses)
	f.Statuses = slices.Compact(f.Statuses)
	for _, st := range f.Statuses {
		if st != StatusActive && st != StatusInactive && st != StatusPending {
			return page.Page[Member]{}, fault.BadField("statuses", "must be any of active, inactive, pending")
		}
	}
	return read(ctx, s, func(tx Reader) (page.Page[Member], error) {
		found, err := tx.Memberships(c.Environment, f, r)
		if err != nil {
			return page.Page[Member]{}, err
		}
		members, err := loadMembers(tx, c, found.Items, policies{})
		return page.Page[Member]{Items: members, Before: found.Before, After: found.After}, err
	})
}

// changeMember finds a membership and alters it inside one transaction.
func (s *Service) changeMember(ctx context.Context, c Caller, m id.Membership, alter func(*change, Policy, *Membership) error) (Member, error) {
	return write(ctx, s, c, func(ch *change) (Member, error) {
		found, err := membership(ch, c, m)
		if err != nil {
			return Member{}, err
		}
		policy, err := ch.policy(found.Organization)
		if err != nil {
			return Member{}, err
		}
		return ch.alterMember(found, policy, func(m *Membership) error { return alter(ch, policy, m) })
	})
}

// UpdateMember replaces the roles of a membership; asking for none changes nothing (R62, R64).
func (s *Service) UpdateMember(ctx context.Context, c Caller, m id.Membership, roles RolesInput) (Member, error) {
	if _, _, err := roles.slug(); err != nil {
		return Member{}, err
	}
	return s.changeMember(ctx, c, m, func(ch *change, p Policy, m *Membership) error {
		return ch.assign(*m, p, roles, false)
	})
}

// DeactivateMember makes a membership inactive; its roles are kept and have no effect meanwhile (R65).
func (s *Service) DeactivateMember(ctx context.Context, c Caller, m id.Membership) (Member, error) {
	return s.setStatus(ctx, c, m, StatusInactive, "deactivate")
}

// ReactivateMember makes a membership active again, with the roles it had (R66).
func (s *Service) ReactivateMember(ctx context.Context, c Caller, m id.Membership) (Member, error) {
	return s.setStatus(ctx, c, m, StatusActive, "reactivate")
}

func (s *Service) setStatus(ctx context.Context, c Caller, m id.Membership, status Status, verb string) (Member, error) {
	return s.changeMember(ctx, c, m, func(_ *change, _ Policy, m *Membership) error {
		if m.Status == StatusPending {
			return pendingRefusal(verb)
		}
		m.Status = status
		return nil
	})
}

// DeleteMember removes a membership and its assignments (R67).
func (s *Service) DeleteMember(ctx context.Context, c Caller, m id.Membership) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		found, err := membership(ch, c, m)
		if err != nil {
			return struct{}{}, err
		}
		if err := ch.emitDeleted([]Membership{found}, policies{}); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, ch.DeleteMemberships(MembershipFilter{Organization: found.Organization, User: found.User})
	})
	return err
}

// deleteMemberships removes all memberships of an organization or of a user, each with its event.
func (ch *change) deleteMemberships(f MembershipFilter) error {
	known := policies{}
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		found, err := ch.Memberships(ch.caller.Environment, f, r)
		if err != nil {
			return err
		}
		if err := ch.emitDeleted(found.Items, known); err != nil {
			return err
		}
		if r.After = found.After; r.After == "" {
			return ch.DeleteMemberships(f)
		}
	}
}

// emitDeleted says of memberships that they go, with the roles they had.
func (ch *change) emitDeleted(ms []Membership, known policies) error {
	if err := known.read(ch, ch.caller, ms); err != nil {
		return err
	}
	held, err := heldBy(ch, ms, known)
	if err != nil {
		return err
	}
	for _, m := range ms {
		if err := ch.emit(event.MembershipDeleted, m.Organization, m.payload(held[m.ID]), nil); err != nil {
			return err
		}
	}
	return nil
}
