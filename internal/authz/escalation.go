package authz

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Restriction is what a caller is held to; a caller without one may do everything in its environment.
type Restriction struct {
	// Organization is the only one that the caller sees and changes; empty for all of the environment.
	Organization id.Organization
	// Permissions are the only ones that the caller may cause anybody to hold. They mean nothing while Everything.
	Permissions []string
	Everything  bool
}

// MayCause decides whether an actor may cause somebody in an organization to hold permissions, wherever and however:
// by an assignment, an edit of a role, a group, a default, a replacement. Every change asks it exactly here, also one
// that gives nobody anything, for which it decides whether the actor may touch the organization; an empty org is the
// environment at large. It is the one place where that is decided (user-pains D16).
func MayCause(actor *Restriction, org id.Organization, gains []string) error {
	if actor == nil {
		return nil
	}
	if actor.Organization != "" && actor.Organization != org {
		return fault.New(fault.Forbidden, "organization_restricted",
			"This API key is limited to organization '%s' and cannot change what concerns others.", actor.Organization)
	}
	if actor.Everything {
		return nil
	}
	var lacking []string
	for _, p := range gains {
		if !slices.Contains(actor.Permissions, p) && !slices.Contains(lacking, p) {
			lacking = append(lacking, p)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	slices.Sort(lacking)
	more := ""
	if len(lacking) > 10 {
		lacking, more = lacking[:10], " and others"
	}
	return fault.New(fault.Forbidden, "permission_escalation",
		"This API key may not let anybody hold permissions beyond its own: %s%s.", strings.Join(lacking, ", "), more)
}

// sees says whether what belongs to an organization exists for the caller.
func (c Caller) sees(org id.Organization) bool {
	return org == "" || c.Only == nil || c.Only.Organization == "" || c.Only.Organization == org
}

// limited says whether the caller's permissions are, so that what a change would give must be worked out.
func (c Caller) limited() bool { return c.Only != nil && !c.Only.Everything }

// permit asks whether the caller may cause this, and marks the change as having asked. A change that did not ask is
// not committed.
func (ch *change) permit(org id.Organization, gains ...string) error {
	ch.asked = true
	return MayCause(ch.caller.Only, org, gains)
}

// permitRoles is permit for the permissions of roles.
func (ch *change) permitRoles(p Policy, org id.Organization, roles ...id.Role) error {
	if !ch.caller.limited() || len(roles) == 0 {
		return ch.permit(org)
	}
	held, err := ch.RolePermissions(p.Environment, p.Organization, roles)
	if err != nil {
		return err
	}
	var gains []string
	for _, slugs := range held {
		gains = append(gains, slugs...)
	}
	return ch.permit(org, gains...)
}

// permitAltered is permit for what a change of one membership makes it hold that it did not hold before.
func (ch *change) permitAltered(p Policy, before, after Member) error {
	if !ch.caller.limited() || after.Status != StatusActive {
		return ch.permit(after.Organization)
	}
	var had, has []id.Role
	for _, h := range before.Held {
		had = append(had, h.Role.ID)
	}
	for _, h := range after.Held {
		has = append(has, h.Role.ID)
	}
	if before.Status != StatusActive {
		had = nil
		all, err := ch.AssignmentsOf(after.Organization, []id.Membership{after.ID}, nil)
		if err != nil {
			return err
		}
		for _, a := range all[after.ID] {
			if a, ok := p.stand(a); ok {
				has = append(has, a.Role)
			}
		}
	}
	held, err := ch.RolePermissions(p.Environment, p.Organization, append(slices.Clone(had), has...))
	if err != nil {
		return err
	}
	old := map[string]bool{}
	for _, r := range had {
		for _, slug := range held[r] {
			old[slug] = true
		}
	}
	var gains []string
	for _, r := range has {
		for _, slug := range held[r] {
			if !old[slug] {
				gains = append(gains, slug)
			}
		}
	}
	return ch.permit(after.Organization, gains...)
}
