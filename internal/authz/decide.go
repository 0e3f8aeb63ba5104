package authz

import (
	"github.com/rolecall/rolecall/internal/id"
)

// This file is the reference evaluator: the rules for effective roles and permissions, once, as plain functions over
// plain data. Whatever serves traffic must answer exactly as these do.

// Facts is everything that a decision about one membership depends on.
type Facts struct {
	Membership  Membership
	Assignments []Assignment // those of the membership, in any order
	Policy      Policy       // of the membership's organization
}

// Held is a role that is in effect, and why. Assignment is empty for the default that a membership left with nothing
// falls back to.
type Held struct {
	Role       Role
	Source     Source
	Assignment id.Assignment
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
	Held       []Held // for CauseRole the one role that allowed it; for CauseNoRole all that did not
}

// Decision is the answer of a check, with its reason.
type Decision struct {
	Authorized bool
	Reason     Reason
}

// EffectiveRoles returns the roles in effect, highest priority first: never none in a sound database (I6).
//
// With one role for each membership, every other source outranks the default given at creation (R24), among the rest
// the highest priority wins (R35), and where no assignment is left the current default of the organization applies at
// read time. Assignments of roles that are not available there are without effect (I5).
func EffectiveRoles(f Facts) []Held {
	var best *Held
	for _, r := range f.Policy.Roles { // highest priority first
		for _, a := range f.Assignments {
			if a.Role != r.ID {
				continue
			}
			if best == nil || best.Source == SourceDefault && a.Source != SourceDefault {
				best = &Held{Role: r, Source: a.Source, Assignment: a.ID}
			}
		}
	}
	if best == nil {
		r, ok := f.Policy.DefaultRole()
		if !ok {
			return nil
		}
		best = &Held{Role: r, Source: SourceDefault}
	}
	return []Held{*best}
}

// Decide says whether the membership holds a permission on its organization, and why.
func Decide(f Facts, permission string) Decision {
	reason := Reason{Permission: permission, Status: f.Membership.Status}
	if f.Membership.Status != StatusActive {
		reason.Cause = CauseNotActive
		return Decision{Reason: reason}
	}
	held := EffectiveRoles(f)
	for _, h := range held {
		for _, p := range h.Role.Permissions {
			if p == permission {
				reason.Cause, reason.Held = CauseRole, []Held{h}
				return Decision{Authorized: true, Reason: reason}
			}
		}
	}
	reason.Cause, reason.Held = CauseNoRole, held
	return Decision{Reason: reason}
}
