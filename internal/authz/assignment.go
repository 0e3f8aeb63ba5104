package authz

import (
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Source is why an assignment exists.
type Source string

// The sources so far.
const (
	SourceDefault Source = "default" // given at creation because nothing else was said
	SourceManual  Source = "manual"  // asked for by a person or the API
)

// Assignment is one role given to one membership on its organization, from one source.
type Assignment struct {
	ID           id.Assignment
	Organization id.Organization
	Membership   id.Membership
	Role         id.Role
	Source       Source
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// AssignmentReader finds assignments.
type AssignmentReader interface {
	Assignments(org id.Organization, m id.Membership) ([]Assignment, error)
	// AssignmentsOf finds the assignments of at most page.MaxLimit memberships, which are of the given organizations.
	AssignmentsOf(orgs []id.Organization, ms []id.Membership) (map[id.Membership][]Assignment, error)
}

// AssignmentWriter stores assignments.
type AssignmentWriter interface {
	InsertAssignment(Assignment) error
	DeleteAssignment(Assignment) error
}

// RolesInput is the roles asked for: by the one slug, by the list, or by neither. They exclude each other (R62).
type RolesInput struct {
	Slug  Opt[string]
	Slugs Opt[[]string]
}

// slug returns the one role asked for, if any. More than one needs multiple roles, which the environment lacks (R63).
func (in RolesInput) slug() (slug string, given bool, err error) {
	switch {
	case in.Slug.Set && in.Slugs.Set:
		return "", false, fault.BadField("role_slugs", "cannot be combined with role_slug")
	case in.Slug.Set:
		return in.Slug.Value, true, nil
	case !in.Slugs.Set:
		return "", false, nil
	case len(in.Slugs.Value) == 0:
		return "", false, fault.BadField("role_slugs", "must name at least one role")
	}
	for _, s := range in.Slugs.Value[1:] {
		if s != in.Slugs.Value[0] {
			return "", false, fault.New(fault.Invalid, "multiple_roles_not_enabled", "Multiple roles are not enabled for this environment; role_slugs must name one role.")
		}
	}
	return in.Slugs.Value[0], true, nil
}

// assign gives a membership the role asked for, in place of the ones given directly before. Asking for none means the
// default when fallback is set, and no change otherwise.
func (ch *change) assign(m Membership, policy Policy, roles RolesInput, fallback bool) error {
	slug, given, err := roles.slug()
	if err != nil || !given && !fallback {
		return err
	}
	role, source := policy.Default, SourceDefault
	if given {
		r, ok := policy.bySlug(slug)
		if !ok {
			return invalidRole(slug)
		}
		if err := assignable(r); err != nil {
			return err
		}
		role, source = r.ID, SourceManual
	}
	had, err := ch.Assignments(m.Organization, m.ID)
	if err != nil {
		return err
	}
	if len(had) == 1 && had[0].Role == role && had[0].Source == source {
		return nil
	}
	for _, a := range had {
		if err := ch.DeleteAssignment(a); err != nil {
			return err
		}
	}
	return ch.InsertAssignment(Assignment{
		ID: id.New[id.Assignment](ch.ids), Organization: m.Organization, Membership: m.ID, Role: role, Source: source,
		CreatedAt: ch.now, UpdatedAt: ch.now,
	})
}
