package authz

import (
	"context"
	"slices"
	"strings"
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
	Shown            []string // the effective roles, by slug, that its last event showed
	Fallback         bool     // whether those were the default for want of any assignment in force
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

// showing is the membership as it is with these effective roles.
func (m Membership) showing(held []Held) Membership {
	m.Shown = make([]string, len(held))
	for i, h := range held {
		m.Shown[i] = h.Role.Slug
	}
	m.Fallback = len(held) == 1 && held[0].Assignment == ""
	return m
}

// same says whether two states of one membership differ in nothing that is stored, but for the times.
func (m Membership) same(other Membership) bool {
	return m.Status == other.Status && m.DirectoryManaged == other.DirectoryManaged && m.Fallback == other.Fallback &&
		slices.Equal(m.Shown, other.Shown)
}

func joinSlugs(slugs []string) string { return strings.Join(slugs, ",") }

func splitSlugs(joined string) []string {
	if joined == "" {
		return nil
	}
	return strings.Split(joined, ",")
}

// payload is the membership as its events show it.
func (m Membership) payload() event.Membership {
	p := event.Membership{
		Object: "organization_membership", ID: m.ID, UserID: m.User, OrganizationID: m.Organization,
		Status: string(m.Status), DirectoryManaged: m.DirectoryManaged, CustomAttributes: map[string]any{},
		Roles: make([]event.Slim, len(m.Shown)), CreatedAt: event.Time(m.CreatedAt), UpdatedAt: event.Time(m.UpdatedAt),
	}
	for i, slug := range m.Shown {
		p.Roles[i] = event.Slim{Slug: slug}
	}
	if len(m.Shown) > 0 {
		p.Role = p.Roles[0]
	}
	return p
}

// MembershipFilter narrows a list of memberships. Zero values do not narrow.
type MembershipFilter struct {
	Organization id.Organization
	User         id.User
	Statuses     []Status
	// Search is the beginning of an e-mail address, a name or a last name, in any case; see MaxFound. It needs an organization.
	Search string
	Role   string // slug of a role in effect on the organization; no storage knows it, so the rules sift by it
}

// MembershipReader finds memberships.
type MembershipReader interface {
	Membership(env id.Environment, m id.Membership) (found Membership, ok bool, err error)
	MembershipOf(org id.Organization, u id.User) (found Membership, ok bool, err error)
	Memberships(env id.Environment, f MembershipFilter, r page.Request) (page.Page[Membership], error)
	MembershipsByID(org id.Organization, ms []id.Membership) ([]Membership, error)
	// MembershipsFrom lists at most max memberships of a scope that follow a position, by organization and id.
	MembershipsFrom(env id.Environment, f Scope, after Position, max int) ([]Membership, error)
	CountMemberships(env id.Environment, f Scope) (int, error)
}

// Scope narrows which memberships of an environment are gone through. Zero values do not narrow. A group and a membership
// need their organization.
type Scope struct {
	Organization id.Organization
	Group        id.Group
	Membership   id.Membership
	FallbackOnly bool
}

// MembershipWriter stores memberships.
type MembershipWriter interface {
	InsertMembership(Membership) error
	// UpdateMembership stores status, directory_managed, what it shows and updated_at.
	UpdateMembership(Membership) error
	// ShowRoles stores what memberships of one organization show, and updated_at unless it is zero.
	ShowRoles(org id.Organization, ms []id.Membership, roles []string, fallback bool, at time.Time) error
	// DeleteMemberships removes the memberships of an organization, of a user, or of one in the other, with their
	// assignments. Statuses do not narrow it.
	DeleteMemberships(MembershipFilter) error
}

// membership finds a membership of the caller's environment.
func membership(r Reader, c Caller, m id.Membership) (Membership, error) {
	found, ok, err := r.Membership(c.Environment, m)
	if err == nil && (!ok || !c.Sees(found.Organization)) {
		err = fault.Missing("Organization membership", string(m))
	}
	return found, err
}

// CreateMembership puts a user into an organization, with the role asked for or, as an assignment of its own source,
// the default of that moment (R24, R62). An inactive membership of the same pair is reactivated with those roles
// (R61).
func (s *Service) CreateMembership(ctx context.Context, c Caller, u id.User, org id.Organization, roles RolesInput) (Member, error) {
	if _, _, err := roles.slugs(); err != nil {
		return Member{}, err
	}
	return write(ctx, s, c, func(ch *change) (Member, error) {
		if _, err := user(ch, c.unbound(), u); err != nil {
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
		return ch.join(m, policy, roles)
	})
}

// join stores a new membership with its roles and says so.
func (ch *change) join(m Membership, policy Policy, roles RolesInput) (Member, error) {
	if err := ch.assign(m, policy, roles, true); err != nil {
		return Member{}, err
	}
	member, err := loadMember(ch, ch.caller, m, policies{m.Organization: policy}, ch.now)
	if err != nil {
		return Member{}, err
	}
	if err := ch.permitAltered(policy, Member{}, nil, member); err != nil {
		return Member{}, err
	}
	member.Membership = m.showing(member.Held)
	if err := ch.InsertMembership(member.Membership); err != nil {
		return Member{}, err
	}
	return member, ch.emit(event.MembershipCreated, m.Organization, member.payload(), nil)
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
	if err := ch.keepOneRoleFirst(m, policy); err != nil {
		return Member{}, err
	}
	known := policies{m.Organization: policy}
	before, err := loadMember(ch, ch.caller, m, known, ch.now)
	if err != nil {
		return Member{}, err
	}
	var had map[id.Membership][]Assignment
	if ch.caller.limited() {
		if had, err = ch.AssignmentsOf(m.Organization, []id.Membership{m.ID}, nil); err != nil {
			return Member{}, err
		}
	}
	if err := alter(&m); err != nil {
		return Member{}, err
	}
	held, err := heldBy(ch, []Membership{m}, known, ch.now)
	if err != nil {
		return Member{}, err
	}
	after := before
	after.Membership, after.Held = m.showing(held[m.ID]), held[m.ID]
	if err := ch.permitAltered(policy, before, had[m.ID], after); err != nil || after.same(before.Membership) {
		return after, err
	}
	visible := after.Status != before.Status || !slices.Equal(after.Shown, before.Shown)
	if visible {
		after.UpdatedAt = ch.now
	}
	if err := ch.UpdateMembership(after.Membership); err != nil || !visible {
		return after, err
	}
	return after, ch.emit(event.MembershipUpdated, m.Organization, after.payload(), before.payload())
}

// Member finds a membership by id.
func (s *Service) Member(ctx context.Context, c Caller, m id.Membership) (Member, error) {
	return read(ctx, s, func(r Reader) (Member, error) {
		found, err := membership(r, c, m)
		if err != nil {
			return Member{}, err
		}
		return loadMember(r, c, found, policies{}, s.instant())
	})
}

// ListMembers lists memberships of an organization, of a user, or of one in the other; one of them must be said (R69).
// Without statuses only active ones are listed (R68). By role they are listed in one organization.
func (s *Service) ListMembers(ctx context.Context, c Caller, f MembershipFilter, r page.Request) (page.Page[Member], error) {
	if f.Organization == "" && f.User == "" {
		return page.Page[Member]{}, fault.New(fault.BadRequest, "missing_user_id_or_organization_id",
			"At least one of user_id and organization_id is required.")
	}
	if f.Role != "" && f.Organization == "" {
		return page.Page[Member]{}, fault.BadField("role_slug", "needs organization_id")
	}
	if f.Search != "" && f.Organization == "" {
		return page.Page[Member]{}, fault.BadField("search", "needs organization_id")
	}
	var err error
	if f.Search, err = searched(f.Search, MaxSearch); err != nil {
		return page.Page[Member]{}, err
	}
	if f.Statuses, err = statusesOf(f.Statuses); err != nil {
		return page.Page[Member]{}, err
	}
	f.Organization = c.within(f.Organization)
	return read(ctx, s, func(tx Reader) (page.Page[Member], error) {
		at := s.instant()
		var found page.Page[Membership]
		var err error
		if f.Role == "" {
			found, err = tx.Memberships(c.Environment, f, r)
		} else {
			found, err = membersHolding(tx, c, f, at, r)
		}
		if err != nil {
			return page.Page[Member]{}, err
		}
		members, err := loadMembers(tx, c, found.Items, policies{}, at)
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
	if _, _, err := roles.slugs(); err != nil {
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
		if err := ch.permit(found.Organization); err != nil {
			return struct{}{}, err
		}
		if err := ch.emitDeleted([]Membership{found}); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, ch.DeleteMemberships(MembershipFilter{Organization: found.Organization, User: found.User})
	})
	return err
}

// deleteMemberships removes all memberships of an organization or of a user, each with its event.
func (ch *change) deleteMemberships(f MembershipFilter) error {
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		found, err := ch.Memberships(ch.caller.Environment, f, r)
		if err != nil {
			return err
		}
		if err := ch.emitDeleted(found.Items); err != nil {
			return err
		}
		if r.After = found.After; r.After == "" {
			return ch.DeleteMemberships(f)
		}
	}
}

// emitDeleted says of memberships that they go, with what they showed, and of what groups.
func (ch *change) emitDeleted(ms []Membership) error {
	for _, m := range ms {
		if err := ch.emit(event.MembershipDeleted, m.Organization, m.payload(), nil); err != nil {
			return err
		}
		groups, err := ch.GroupsOf(m.Organization, m.ID)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if err := ch.emit(event.GroupMemberRemoved, m.Organization, event.GroupMember{GroupID: g, MembershipID: m.ID}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
