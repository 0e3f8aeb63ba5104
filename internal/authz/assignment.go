package authz

import (
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Source is why an assignment exists.
type Source string

// The sources. Nothing writes the last two yet; how they rank is decided (R90-R100).
const (
	SourceDefault   Source = "default"   // given at creation because nothing else was said
	SourceManual    Source = "manual"    // asked for by a person or the API
	SourceGroup     Source = "group"     // held by a group of the member
	SourceSSO       Source = "sso"       // what a connection said at the last sign-in
	SourceDirectory Source = "directory" // what a directory said last
)

// Assignment is one role given to one subject, a membership or a group, on one resource, from one source.
type Assignment struct {
	ID           id.Assignment // of a group's too, which the contract shows under another prefix
	Environment  id.Environment
	Organization id.Organization
	Membership   id.Membership // the subject: this
	Group        id.Group      // or this
	Role         id.Role
	Resource     id.Resource
	Source       Source
	Explicit     bool      // false for the result of an identity provider that only stands for "no group was mapped"
	StartsAt     time.Time // in force from then on; zero: from the beginning
	ExpiresAt    time.Time // and until before then; zero: for ever
	CreatedAt    time.Time
	UpdatedAt    time.Time // when its source said it last, by which it ranks (R92, R96); nothing else touches it
}

// Begun and Ended say where an instant lies in the interval of an assignment.
func (a Assignment) Begun(at time.Time) bool { return a.StartsAt.IsZero() || !at.Before(a.StartsAt) }

// Ended says whether an assignment is past its interval.
func (a Assignment) Ended(at time.Time) bool { return !a.ExpiresAt.IsZero() && !at.Before(a.ExpiresAt) }

// due is when the passing of time changes next what an assignment is worth; zero when it never does.
func (a Assignment) due(at time.Time) time.Time {
	if !a.Begun(at) {
		return a.StartsAt
	}
	return a.ExpiresAt
}

// AssignmentFilter narrows assignments. Zero values do not narrow; one of the first four must be set.
type AssignmentFilter struct {
	Membership id.Membership
	Group      id.Group
	Resources  []id.Resource
	Roles      []id.Role
	Source     Source
}

// AssignmentReader finds assignments, those included that are not yet or no longer in force.
type AssignmentReader interface {
	// AssignmentsOf finds the assignments of memberships of an organization and those of their groups, the latter
	// once for each membership that has the group, on any of the resources, or on all when none is named.
	AssignmentsOf(org id.Organization, ms []id.Membership, on []id.Resource) (map[id.Membership][]Assignment, error)
	// AssignmentsThrough finds the assignments of the groups of a membership, on any of the resources, or on all when
	// none is named.
	AssignmentsThrough(org id.Organization, m id.Membership, on []id.Resource) ([]Assignment, error)
	Assignment(org id.Organization, a id.Assignment) (found Assignment, ok bool, err error)
	Assignments(org id.Organization, f AssignmentFilter, r page.Request) (page.Page[Assignment], error)
	// AssignmentsBetween is AssignmentsOf for all memberships of an organization from one to another, by id.
	AssignmentsBetween(org id.Organization, first, last id.Membership, on []id.Resource) (map[id.Membership][]Assignment, error)
	// AssignmentsNaming lists at most max assignments that name a role, by organization, from one on.
	AssignmentsNaming(r id.Role, from id.Organization, max int) ([]Assignment, error)
	// CountNaming counts the assignments that name a role.
	CountNaming(r id.Role) (int, error)
	// AssignmentsDue lists at most max assignments whose due instant has come, the longest due first.
	AssignmentsDue(at time.Time, max int) ([]Assignment, error)
}

// AssignmentWriter stores assignments.
type AssignmentWriter interface {
	// InsertAssignment stores an assignment, and due as the instant at which it needs attention, zero for never.
	InsertAssignment(a Assignment, due time.Time) error
	// UpdateAssignment stores role, source, explicit, interval, updated_at and due.
	UpdateAssignment(a Assignment, due time.Time) error
	// DeleteAssignments removes some of an organization, which are told by their ids and have the subjects that they say.
	DeleteAssignments(org id.Organization, as []Assignment) error
	// DeleteAssignmentsOf removes those of a subject or on resources.
	DeleteAssignmentsOf(org id.Organization, f AssignmentFilter) error
	// MoveAssignments gives assignments of one organization another role and source. Nobody said them anew, so their
	// updated_at stays.
	MoveAssignments(org id.Organization, as []id.Assignment, to id.Role, source Source) error
}

// RolesInput is the roles asked for: by the one slug, by the list, or by neither. They exclude each other (R62).
type RolesInput struct {
	Slug  Opt[string]
	Slugs Opt[[]string]
}

// slugs returns the roles asked for, each once, if any.
func (in RolesInput) slugs() (slugs []string, given bool, err error) {
	switch {
	case in.Slug.Set && in.Slugs.Set:
		return nil, false, fault.BadField("role_slugs", "cannot be combined with role_slug")
	case in.Slug.Set:
		return []string{in.Slug.Value}, true, nil
	case !in.Slugs.Set:
		return nil, false, nil
	case len(in.Slugs.Value) == 0:
		return nil, false, fault.BadField("role_slugs", "must name at least one role")
	}
	for _, s := range in.Slugs.Value {
		if !slices.Contains(slugs, s) {
			slugs = append(slugs, s)
		}
	}
	return slugs, true, nil
}

// wanted finds the roles asked for. More than one needs multiple roles (R63).
func (in RolesInput) wanted(p Policy) (roles []Role, given bool, err error) {
	slugs, given, err := in.slugs()
	if err != nil || !given {
		return nil, given, err
	}
	if len(slugs) > 1 && !p.Multiple {
		return nil, false, fault.New(fault.Invalid, "multiple_roles_not_enabled",
			"Multiple roles are not enabled for this environment; role_slugs must name one role.")
	}
	for _, slug := range slugs {
		r, err := p.organizationRole(slug)
		if err != nil {
			return nil, false, err
		}
		roles = append(roles, r)
	}
	return roles, true, nil
}

// organizationRole finds a role that can be held on the organization itself.
func (p Policy) organizationRole(slug string) (Role, error) {
	r, ok := p.bySlug(slug)
	if !ok {
		return Role{}, invalidRole(slug)
	}
	return r, assignable(r)
}

// assign gives a membership the roles asked for on its organization, in place of the ones that were given directly
// before (R64). Asking for none means the default when fallback is set, and no change otherwise.
func (ch *change) assign(m Membership, policy Policy, in RolesInput, fallback bool) error {
	roles, given, err := in.wanted(policy)
	if err != nil || !given && !fallback {
		return err
	}
	source := SourceManual
	if !given {
		r, _ := policy.DefaultRole()
		roles, source = []Role{r}, SourceDefault
	}
	return ch.replaceDirect(m, source, roles)
}

// replaceDirect makes roles the only ones that a membership was given directly on its organization. What stays as it
// was is not written, but for its time beside results of identity providers: said again, it overrides them again (R92,
// R96). What is written is asked for in full.
func (ch *change) replaceDirect(m Membership, source Source, roles []Role) error {
	home := OrganizationResource(m.Organization)
	had, err := ch.AssignmentsOf(m.Organization, []id.Membership{m.ID}, []id.Resource{home})
	if err != nil {
		return err
	}
	overriding := slices.ContainsFunc(had[m.ID], func(a Assignment) bool { return a.Source == SourceDirectory || a.Source == SourceSSO })
	missing := slices.Clone(roles)
	var obsolete []Assignment
	for _, a := range had[m.ID] {
		if a.Group != "" || a.Source != SourceDefault && a.Source != SourceManual {
			continue
		}
		at := slices.IndexFunc(missing, func(r Role) bool { return r.ID == a.Role })
		if at < 0 || a.Source != source || a.Ended(ch.now) || !a.due(ch.now).IsZero() {
			obsolete = append(obsolete, a)
			continue
		}
		missing = slices.Delete(missing, at, at+1)
		if overriding {
			a.UpdatedAt = ch.now
			if err := ch.UpdateAssignment(a, time.Time{}); err != nil {
				return err
			}
		}
	}
	given := make([]id.Role, len(missing))
	for i, r := range missing {
		given[i] = r.ID
	}
	if err := ch.permitRoles(m.Organization, given...); err != nil { // also where others outrank them for now
		return err
	}
	if err := ch.DeleteAssignments(m.Organization, obsolete); err != nil {
		return err
	}
	for _, r := range missing {
		a := ch.newAssignment(m.Organization, r, home, source)
		a.Membership = m.ID
		if err := ch.InsertAssignment(a, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// newAssignment lacks its subject.
func (ch *change) newAssignment(org id.Organization, r Role, on id.Resource, source Source) Assignment {
	return Assignment{
		ID: id.New[id.Assignment](ch.ids), Environment: ch.caller.Environment, Organization: org, Role: r.ID, Resource: on,
		Source: source, Explicit: true, CreatedAt: ch.now, UpdatedAt: ch.now,
	}
}
