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
		e, err := switchable(ch, c, on)
		if err != nil {
			return Environment{}, err
		}
		if e.MultipleRoles == on {
			return e, ch.permit("")
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
	running, err := r.JobRunning(c.Environment, JobSingleRole)
	if err == nil && running {
		err = fault.New(fault.Conflict, "mode_change_in_progress",
			"Multiple roles were switched off a moment ago and members are still being moved to one role. Try again when that job is finished.")
	}
	return e, err
}

// keepOneRole removes from memberships what was assigned directly and for good beside the role with the highest
// priority, and tells of those who show another role now. Assignments with an interval stay: they end by themselves,
// and one role can stand above another for a time.
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
	var obsolete []id.Assignment
	for _, m := range ms {
		var direct []Assignment
		for _, a := range of[m.ID] {
			if a.lasting() && a.Source == SourceManual {
				if a, ok := p.stand(a); ok && a.Source == SourceManual {
					direct = append(direct, a)
				}
			}
		}
		held := p.held(direct)
		if len(held) < 2 {
			continue
		}
		for _, h := range held[1:] {
			obsolete = append(obsolete, h.Assignment)
		}
		if err := ch.speakFor(of[m.ID], held[0].Assignment, latest(direct)); err != nil {
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
	return ch.UpdateAssignment(a, time.Time{})
}

// lasting says that an assignment has no interval.
func (a Assignment) lasting() bool { return a.StartsAt.IsZero() && a.ExpiresAt.IsZero() }

func membershipIDs(ms []Membership) []id.Membership {
	ids := make([]id.Membership, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	return ids
}
