package authz

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Environment reads the caller's environment.
func (s *Service) Environment(ctx context.Context, c Caller) (Environment, error) {
	return read(ctx, s, func(r Reader) (Environment, error) { return environment(r, c) })
}

func environment(r Reader, c Caller) (Environment, error) {
	e, found, err := r.Environment(c.Environment)
	if err == nil && !found {
		err = fault.Missing("Environment", string(c.Environment))
	}
	return e, err
}

// SetMultipleRoles says whether members may hold several roles at once (R80). Switched on, what members were assigned
// counts together (R81). Switched off, each keeps the one with the highest priority (R82): at once for decisions, and
// for good by a job, which must end before the mode can be switched again.
func (s *Service) SetMultipleRoles(ctx context.Context, c Caller, on bool) (Environment, error) {
	return write(ctx, s, c, func(ch *change) (Environment, error) {
		if err := ch.permit(""); err != nil {
			return Environment{}, err
		}
		e, err := switchable(ch, c, on)
		if err != nil || e.MultipleRoles == on {
			return e, err
		}
		if err := ch.permitSupposed("", supposed{policy: func(p *Policy) { p.Multiple = on }}); err != nil {
			return Environment{}, err
		}
		if err := ch.Tx.SetMultipleRoles(c.Environment, on, ch.now); err != nil {
			return Environment{}, err
		}
		e.MultipleRoles, e.UpdatedAt = on, ch.now
		j := Job{Kind: JobAnnounce}
		if !on {
			j.Kind = JobSingleRole
		}
		if j.Total, err = ch.CountMemberships(c.Environment, Scope{}); err != nil {
			return Environment{}, err
		}
		return e, ch.announceLater(j)
	})
}

// switchable refuses another mode while the last change of it is still at work.
func switchable(r Reader, c Caller, on bool) (Environment, error) {
	e, err := environment(r, c)
	if err != nil || e.MultipleRoles == on {
		return e, err
	}
	return e, settledMode(r, c)
}

// settledMode refuses what would change which role of several is the one that members keep, as long as they are being
// moved to it: otherwise it would matter whom the job reached already (I13).
func settledMode(r Reader, c Caller) error {
	running, err := r.JobRunning(c.Environment, JobSingleRole)
	if err == nil && running {
		err = fault.New(fault.Conflict, "mode_change_in_progress",
			"Multiple roles were switched off a moment ago and members are still being moved to one role. Try again when that job is finished.")
	}
	return err
}

// keepOneRoleFirst does for one membership what the job would do later, before anything else is changed about it.
func (ch *change) keepOneRoleFirst(m Membership, p Policy) error {
	if p.Multiple {
		return nil
	}
	running, err := ch.JobRunning(ch.caller.Environment, JobSingleRole)
	if err != nil || !running {
		return err
	}
	return ch.keepOneRoleIn([]Membership{m}, p)
}

// keepOneRole removes from memberships what was assigned directly beside the role with the highest priority, and tells
// of those who show another role now. Where that role ends by itself, the highest of those that do not is kept under it.
// Assignments that have not begun stay.
func (ch *change) keepOneRole(ms []Membership, known policies) error {
	for len(ms) > 0 {
		n := slices.IndexFunc(ms, func(m Membership) bool { return m.Organization != ms[0].Organization })
		if n < 0 {
			n = len(ms)
		}
		if err := ch.keepOneRoleIn(ms[:n], known[ms[0].Organization]); err != nil {
			return err
		}
		if err := ch.announceAll(ms[:n], known); err != nil {
			return err
		}
		ms = ms[n:]
	}
	return nil
}

func (ch *change) keepOneRoleIn(ms []Membership, p Policy) error {
	of, err := ch.AssignmentsOf(p.Organization, membershipIDs(ms), []id.Resource{OrganizationResource(p.Organization)})
	if err != nil {
		return err
	}
	var obsolete []Assignment
	for _, m := range ms {
		var direct, lasting []Assignment
		for _, a := range of[m.ID] {
			a, ok := p.stand(a)
			if !ok || a.Source != SourceManual || !a.Begun(ch.now) || a.Ended(ch.now) {
				continue
			}
			if direct = append(direct, a); a.ExpiresAt.IsZero() {
				lasting = append(lasting, a)
			}
		}
		kept := p.held(direct)
		if len(kept) < 2 {
			continue
		}
		kept = append(kept[:1], p.held(lasting)[:min(1, len(lasting))]...)
		for _, a := range direct {
			if !slices.ContainsFunc(kept, func(h Held) bool { return h.Role.ID == a.Role }) {
				obsolete = append(obsolete, a)
			}
		}
		if err := ch.speakFor(of[m.ID], kept[0].Assignment, latest(direct)); err != nil {
			return err
		}
	}
	return ch.DeleteAssignments(p.Organization, obsolete)
}

// speakFor gives the assignment that is kept the time of the latest of those that go, so that what was set over a
// result of an identity provider stays set over it (R92, R96).
func (ch *change) speakFor(as []Assignment, kept id.Assignment, said time.Time) error {
	a := as[slices.IndexFunc(as, func(a Assignment) bool { return a.ID == kept })]
	if !said.After(a.UpdatedAt) {
		return nil
	}
	a.UpdatedAt = said
	return ch.UpdateAssignment(a, a.due(ch.now))
}

func membershipIDs(ms []Membership) []id.Membership {
	return column(ms, func(m Membership) id.Membership { return m.ID })
}
