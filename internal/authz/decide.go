package authz

import (
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

// This file and precedence.go are the reference evaluator: the rules for effective roles and permissions, once, as
// plain functions over plain data. Whatever serves traffic must answer exactly as these do.

// Facts is everything that a decision about one membership depends on.
type Facts struct {
	At          time.Time // the instant of the decision; assignments begin and end by it
	Membership  Membership
	Assignments []Assignment // of the membership and of its groups, in any order; those on other resources do no harm
	Policy      Policy       // of the membership's organization
	Path        []Resource   // the resource asked about and its ancestors, nearest first; empty for the organization itself
}

// Held is a role that is in effect on a resource, and why. Assignment is empty for the default that a membership left
// with nothing falls back to; Group is set when it comes from a group.
type Held struct {
	Role       Role
	Source     Source
	Assignment id.Assignment
	Group      id.Group
	Resource   id.Resource
}

// Cause is why a decision is what it is.
type Cause string

// The causes.
const (
	CauseRole      Cause = "role"       // a role in effect holds the permission
	CauseNoRole    Cause = "no_role"    // no role in effect holds it
	CauseNotActive Cause = "not_active" // the membership is inactive or pending (R212)
)

// Reason explains a decision: the assignment, the role and the permission that allowed it, or what was missing.
type Reason struct {
	Cause      Cause
	Status     Status
	Permission string
	Held       []Held     // for CauseRole the one role that allowed it; for CauseNoRole all that did not
	Path       []Resource // the resource and its ancestors, nearest first, on which roles were looked for
}

// Decision is the answer of a check, with its reason.
type Decision struct {
	Authorized bool
	Reason     Reason
}

// EffectiveRoles returns the roles in effect on the organization, highest priority first, each once: never none in a
// sound database (I6). With multiple roles they are those of all assignments in force (R81), otherwise the one of them
// with the highest priority (R35, R137). Where none is in force the organization's current default applies. Of several
// defaults, as when roles went at different times, the highest alone applies: a member gets the default (R45).
//
// An assignment of a role that is gone, while it waits to be moved, already counts as what it will be moved to: as an
// assignment of the replacement or, where none was named, of the default, from the source default (R45, R46).
// Assignments of roles that are not available in the organization are without effect (I5).
func EffectiveRoles(f Facts) []Held {
	held := f.Policy.held(f.inForce())
	if len(held) == 0 {
		r, ok := f.Policy.DefaultRole()
		if !ok {
			return nil
		}
		return []Held{{Role: r, Source: SourceDefault, Resource: OrganizationResource(f.Membership.Organization)}}
	}
	if !f.Policy.Multiple || held[0].Source == SourceDefault {
		held = held[:1]
	}
	return held
}

// inForce gives the assignments on the organization that are in force, as what they count as.
func (f Facts) inForce() []Assignment {
	home := OrganizationResource(f.Membership.Organization)
	var standing []Assignment
	for _, a := range f.Assignments {
		if a.Resource != home {
			continue
		}
		if a, ok := f.Policy.available(a); ok {
			standing = append(standing, a)
		}
	}
	return InForce(standing, f.At)
}

// RolesOnPath returns the roles in effect on the resource asked about and its ancestors below the organization, nearest
// resource first. They are always many (R84).
func RolesOnPath(f Facts) []Held {
	var held []Held
	for _, r := range f.Path {
		var here []Assignment
		for _, a := range f.Assignments {
			if a.Resource != r.ID || !a.Begun(f.At) || a.Ended(f.At) {
				continue
			}
			if a, ok := f.Policy.stand(a); ok && a.Source != SourceDefault {
				here = append(here, a)
			}
		}
		held = append(held, f.Policy.held(here)...)
	}
	return held
}

// held turns assignments on one resource into the roles they give, highest priority first, each role once. Of several
// assignments of one role it names the oldest direct one, else the oldest.
func (p Policy) held(assignments []Assignment) []Held {
	var held []Held
	for _, r := range p.Roles {
		best := -1
		for i, a := range assignments {
			if a.Role == r.ID && (best < 0 || a.before(assignments[best])) {
				best = i
			}
		}
		if best >= 0 {
			a := assignments[best]
			held = append(held, Held{Role: r, Source: a.Source, Assignment: a.ID, Group: a.Group, Resource: a.Resource})
		}
	}
	return held
}

// before says which of two assignments of one role is named as the reason.
func (a Assignment) before(b Assignment) bool {
	if (a.Group == "") != (b.Group == "") {
		return a.Group == ""
	}
	return a.ID < b.ID
}

// Decide says whether the membership holds a permission on the resource asked about, and why: through a role on the
// organization, on the resource or on one of its ancestors (R208, R210).
func Decide(f Facts, permission string) Decision {
	reason := Reason{Permission: permission, Status: f.Membership.Status, Path: f.Path}
	if f.Membership.Status != StatusActive {
		reason.Cause = CauseNotActive
		return Decision{Reason: reason}
	}
	held := append(EffectiveRoles(f), RolesOnPath(f)...)
	for _, h := range held {
		if slices.Contains(h.Role.Permissions, permission) {
			reason.Cause, reason.Held = CauseRole, []Held{h}
			return Decision{Authorized: true, Reason: reason}
		}
	}
	reason.Cause, reason.Held = CauseNoRole, held
	return Decision{Reason: reason}
}

// EffectivePermissions lists the permissions for which Decide says yes, sorted, each once.
func EffectivePermissions(f Facts) []string {
	if f.Membership.Status != StatusActive {
		return nil
	}
	var all []string
	for _, h := range append(EffectiveRoles(f), RolesOnPath(f)...) {
		all = append(all, h.Role.Permissions...)
	}
	return distinct(all)
}
