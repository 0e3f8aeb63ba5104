package authz

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Restriction is what a caller is held to; a caller without one may do everything in its environment.
type Restriction struct {
	// Organization is the only one that the caller sees and changes; empty for all of the environment.
	Organization id.Organization
	// Permissions are the only ones that the caller may cause anybody to hold. They mean nothing while Everything.
	Permissions []string
	Everything  bool
	// ReadOnly says that the caller may change nothing at all.
	ReadOnly bool
}

// MayCause decides whether an actor may cause somebody in an organization to hold permissions, wherever and however:
// by an assignment, an edit of a role, a group, a default, a replacement. Every change asks it exactly here, also one
// that gives nobody anything, for which it decides whether the actor may touch the organization; an empty org is the
// environment at large. It is the one place where that is decided (user-pains D16).
func MayCause(actor *Restriction, org id.Organization, gains []string) error {
	if actor == nil {
		return nil
	}
	if actor.ReadOnly {
		return fault.New(fault.Forbidden, "read_only", "You may look at everything here, but change nothing.")
	}
	if err := actor.within(org); err != nil || actor.Everything {
		return err
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
		"You may not let anybody hold permissions beyond your own: %s%s.", strings.Join(lacking, ", "), more)
}

// MayRead decides whether an actor may read what concerns a whole organization or, where org is empty, all of the
// environment.
func MayRead(actor *Restriction, org id.Organization) error {
	if actor == nil {
		return nil
	}
	return actor.within(org)
}

// within refuses what lies outside the organization that the actor is limited to.
func (actor *Restriction) within(org id.Organization) error {
	if actor.Organization == "" || actor.Organization == org {
		return nil
	}
	return fault.New(fault.Forbidden, "organization_restricted",
		"You are limited to organization '%s': what concerns others is not yours to see or change.", actor.Organization)
}

// Sees says whether what belongs to an organization exists for the caller.
func (c Caller) Sees(org id.Organization) bool {
	return org == "" || c.bound() == "" || c.bound() == org
}

// limited says whether the caller's permissions are, so that what a change would give must be worked out.
func (c Caller) limited() bool { return c.Only != nil && !c.Only.Everything && !c.Only.ReadOnly }

// permit asks whether the caller may cause this, and marks the change as having asked. A change that did not ask is
// not committed.
func (ch *change) permit(org id.Organization, gains ...string) error {
	ch.asked = true
	return MayCause(ch.caller.Only, org, gains)
}

// permitRoles is permit for the permissions of roles that are available in the organization.
func (ch *change) permitRoles(org id.Organization, roles ...id.Role) error {
	if !ch.caller.limited() || len(roles) == 0 {
		return ch.permit(org)
	}
	held, err := ch.RolePermissions(ch.caller.Environment, org, roles)
	if err != nil {
		return err
	}
	return ch.permit(org, union(held, roles)...)
}

// permitAltered is permit for what a change of one membership and of its assignments, of which it had some before, makes
// it hold that it did not hold before: now, and whenever one of them begins or ends. What becomes active holds all of it
// anew; of what stays inactive that is what it would hold.
func (ch *change) permitAltered(p Policy, before Member, had []Assignment, after Member) error {
	if !ch.caller.limited() {
		return ch.permit(after.Organization)
	}
	all, err := ch.AssignmentsOf(after.Organization, []id.Membership{after.ID}, nil)
	if err != nil {
		return err
	}
	has := all[after.ID]
	held, err := ch.RolePermissions(p.Environment, p.Organization, p.ids())
	if err != nil {
		return err
	}
	wakes := after.Status == StatusActive && before.Status != StatusActive
	var gains []string
	for _, at := range moments(ch.now, had, has) {
		will := effectivePermissions(Facts{At: at, Membership: after.Membership, Assignments: has, Policy: p}, held)
		if !wakes {
			was := effectivePermissions(Facts{At: at, Membership: after.Membership, Assignments: had, Policy: p}, held)
			will = added(will, was)
		}
		gains = append(gains, will...)
	}
	if wakes {
		for _, a := range has {
			if a, ok := p.stand(a); ok && !a.Ended(ch.now) {
				gains = append(gains, held[a.Role]...)
			}
		}
	}
	return ch.permit(after.Organization, gains...)
}

// effectivePermissions lists what the roles in effect on the organization hold.
func effectivePermissions(f Facts, held map[id.Role][]string) (all []string) {
	for _, h := range EffectiveRoles(f) {
		all = append(all, held[h.Role.ID]...)
	}
	return all
}

// moments lists an instant and every later one at which any of the assignments begins or ends.
func moments(now time.Time, assignments ...[]Assignment) []time.Time {
	all := []time.Time{now}
	for _, some := range assignments {
		for _, a := range some {
			for _, at := range []time.Time{a.StartsAt, a.ExpiresAt} {
				if at.After(now) {
					all = append(all, at)
				}
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// permitHeldBy asks for everything that a user holds or would hold anywhere: who changes by what applications recognize
// a user hands it over to somebody else.
func (ch *change) permitHeldBy(u id.User) error {
	if !ch.caller.limited() {
		return ch.permit("")
	}
	var gains []string
	known := policies{}
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		found, err := ch.Memberships(ch.caller.Environment, MembershipFilter{User: u}, r)
		if err != nil {
			return err
		}
		if err := known.readFull(ch, ch.caller, found.Items); err != nil {
			return err
		}
		for _, m := range found.Items {
			of, err := ch.AssignmentsOf(m.Organization, []id.Membership{m.ID}, nil)
			if err != nil {
				return err
			}
			m.Status = StatusActive
			f := Facts{At: ch.now, Membership: m, Assignments: of[m.ID], Policy: known[m.Organization]}
			gains = append(append(gains, named(f)...), EffectivePermissions(f)...)
		}
		if r.After = found.After; r.After == "" {
			return ch.permit("", gains...)
		}
	}
}

// guard is the net below the rules: a change that asked nobody is a defect and not committed, and neither is one that
// tells of something outside the organization that its caller is limited to.
func (ch *change) guard() error {
	if !ch.asked {
		return errors.New("a change that nobody was asked about: its rule does not call permit")
	}
	only := ch.caller.bound()
	for _, e := range ch.events {
		if only != "" && e.Organization != only {
			return fmt.Errorf("a change of a caller that is limited to %s tells of %q: %s", only, e.Organization, e.Type)
		}
	}
	return nil
}

// union lists the permissions of roles.
func union(of map[id.Role][]string, roles []id.Role) (all []string) {
	for _, r := range roles {
		all = append(all, of[r]...)
	}
	return all
}
