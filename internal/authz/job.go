package authz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// JobKind is what a job does.
type JobKind string

// The kinds. For decisions a change holds from its commit; jobs do what follows from it for many memberships.
const (
	JobAnnounce   JobKind = "announce"    // tell of every membership whose effective roles are others now
	JobDeleteRole JobKind = "delete_role" // move the assignments of a role that is gone, then forget the role
	JobSingleRole JobKind = "single_role" // take off what members no longer hold since multiple roles were switched off
)

// Job is work that follows a change, done in batches by any server. It is a row written with the change, so that
// nothing is forgotten by a crash.
type Job struct {
	ID           id.Job
	Environment  id.Environment
	Organization id.Organization // only its memberships; empty for the environment's
	Kind         JobKind
	Subject      string // the role of JobDeleteRole; the group of a JobAnnounce about its members
	Slug         string // of the role, to be shown
	FallbackOnly bool   // JobAnnounce: only memberships that fall back to the default
	Actor        event.Actor
	At           Position // how far it came
	Total        int      // what there is to do, as far as that is known; 0 otherwise
	Done         int      // assignments moved or memberships looked at
	HeldBy       string   // the worker that has it
	HeldUntil    time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
	FinishedAt   time.Time
}

// Position is a place in the memberships of an environment, by organization.
type Position struct {
	Organization id.Organization
	Membership   id.Membership
}

// JobReader finds jobs.
type JobReader interface {
	Job(env id.Environment, j id.Job) (found Job, ok bool, err error)
	Jobs(env id.Environment, org id.Organization, r page.Request) (page.Page[Job], error)
	// UnfinishedJobs lists at most max jobs that are not finished, oldest first.
	UnfinishedJobs(max int) ([]Job, error)
	// JobRunning says whether an unfinished job of that kind exists in an environment.
	JobRunning(env id.Environment, k JobKind) (bool, error)
}

// JobWriter stores jobs.
type JobWriter interface {
	InsertJob(Job) error
	// UpdateJob stores progress, holder and the end.
	UpdateJob(Job) error
	// DeleteJobs removes up to max jobs that finished before the given instant and says how many.
	DeleteJobs(before time.Time, max int) (int, error)
}

// Limits of the work in the background.
const (
	JobLife   = 30 * 24 * time.Hour // how long a finished job can be read
	jobLease  = 15 * time.Second    // after which another worker takes over
	jobBatch  = 500                 // memberships or assignments in one transaction
	dueBatch  = 100
	openQueue = 20 // jobs looked at to find one that nobody has
)

// Job finds a job.
func (s *Service) Job(ctx context.Context, c Caller, j id.Job) (Job, error) {
	return read(ctx, s, func(r Reader) (Job, error) {
		found, ok, err := r.Job(c.Environment, j)
		if only := c.bound(); err == nil && (!ok || only != "" && found.Organization != only) {
			err = fault.Missing("Job", string(j))
		}
		return found, err
	})
}

// ListJobs lists the jobs of the caller's environment, finished ones for JobLife.
func (s *Service) ListJobs(ctx context.Context, c Caller, r page.Request) (page.Page[Job], error) {
	return read(ctx, s, func(tx Reader) (page.Page[Job], error) { return tx.Jobs(c.Environment, c.bound(), r) })
}

// startJob writes a job down.
func (ch *change) startJob(j Job) (Job, error) {
	j.ID, j.Environment, j.Actor = id.New[id.Job](ch.ids), ch.caller.Environment, ch.caller.Actor
	j.CreatedAt, j.UpdatedAt = ch.now, ch.now
	return j, ch.InsertJob(j)
}

// announceLater lets a job tell of the memberships that a change shows other roles of.
func (ch *change) announceLater(j Job) error {
	_, err := ch.startJob(j)
	return err
}

// Work does a little background work and says whether it did any: it tells of assignments whose time came or went, and
// moves on the job that waited longest of those that no other worker has, so that a large one does not hold up small
// ones. What fails is left for another time and holds up nothing else. worker names the process; a job whose worker is
// silent for a while is taken over.
func (s *Service) Work(ctx context.Context, worker string) (worked bool, err error) {
	worked, err = s.passTime(ctx)
	jobs, failed := read(ctx, s, func(r Reader) ([]Job, error) { return r.UnfinishedJobs(openQueue) })
	if failed != nil {
		return worked, errors.Join(err, failed)
	}
	slices.SortStableFunc(jobs, func(a, b Job) int { return a.UpdatedAt.Compare(b.UpdatedAt) })
	for _, j := range jobs {
		if !s.free(j, worker) {
			continue
		}
		failed := s.step(ctx, j, worker)
		if failed == nil {
			return true, err
		}
		err = errors.Join(err, fmt.Errorf("job %s: %w", j.ID, failed))
	}
	return worked, err
}

func (s *Service) free(j Job, worker string) bool {
	return j.HeldBy == "" || j.HeldBy == worker || !s.now().Before(j.HeldUntil)
}

// step does one batch of a job in one transaction, together with the note of how far it came.
func (s *Service) step(ctx context.Context, job Job, worker string) error {
	c := Caller{Environment: job.Environment, Actor: job.Actor}
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		ch.asked = true // whoever ordered the job was asked then
		j, ok, err := ch.Job(job.Environment, job.ID)
		if err != nil || !ok || !j.FinishedAt.IsZero() || !s.free(j, worker) {
			return struct{}{}, err
		}
		j.HeldBy, j.HeldUntil, j.UpdatedAt = worker, ch.now.Add(jobLease), ch.now
		var done bool
		switch j.Kind {
		case JobDeleteRole:
			done, err = ch.moveAssignments(&j)
		case JobSingleRole:
			done, err = ch.eachMembership(&j, ch.keepOneRole)
		default:
			done, err = ch.eachMembership(&j, ch.announceAll)
		}
		if err != nil {
			return struct{}{}, err
		}
		if done {
			j.FinishedAt, j.HeldBy = ch.now, ""
		}
		return struct{}{}, ch.UpdateJob(j)
	})
	if err != nil {
		return err
	}
	// A million events must not wait for the first reader to be given their places.
	return s.PlaceCommitted(ctx, job.Environment)
}

// eachMembership does one batch of a job that goes through the memberships of a scope.
func (ch *change) eachMembership(j *Job, do func([]Membership, policies) error) (done bool, err error) {
	f := Scope{Organization: j.Organization, FallbackOnly: j.FallbackOnly}
	if j.Kind == JobAnnounce {
		f.Group = id.Group(j.Subject)
	}
	ms, err := ch.MembershipsFrom(j.Environment, f, j.At, jobBatch)
	if err != nil || len(ms) == 0 {
		return true, err
	}
	known := policies{}
	if err := known.read(ch, ch.caller, ms); err != nil {
		return false, err
	}
	if err := do(ms, known); err != nil {
		return false, err
	}
	last := ms[len(ms)-1]
	j.At, j.Done = Position{Organization: last.Organization, Membership: last.ID}, j.Done+len(ms)
	if j.Total > 0 {
		j.Total = max(j.Total, j.Done) // who joined meanwhile is looked at too
	}
	return len(ms) < jobBatch, nil
}

// announceAll stores and tells what memberships show now, where that is not what they showed last.
func (ch *change) announceAll(ms []Membership, known policies) error {
	held, err := heldBy(ch, ms, known, ch.now)
	if err != nil {
		return err
	}
	return ch.show(ms, held)
}

// shown is what memberships show alike.
type shown struct {
	organization id.Organization
	roles        string
	fallback     bool
	visible      bool
}

func (ch *change) show(ms []Membership, held map[id.Membership][]Held) error {
	alike := map[shown][]id.Membership{}
	var order []shown
	contexts := map[[2]string]json.RawMessage{} // by what was shown and is: the payloads differ in nothing else
	for _, before := range ms {
		after := before.showing(held[before.ID])
		if after.same(before) {
			continue
		}
		visible := !slices.Equal(after.Shown, before.Shown)
		if visible {
			after.UpdatedAt = ch.now
			turn := [2]string{joinSlugs(before.Shown), joinSlugs(after.Shown)}
			if contexts[turn] == nil {
				context, err := ch.context(after.payload(), before.payload())
				if err != nil {
					return err
				}
				contexts[turn] = context
			}
			if err := ch.emitIn(contexts[turn], event.MembershipUpdated, after.Organization, after.payload()); err != nil {
				return err
			}
		}
		key := shown{after.Organization, joinSlugs(after.Shown), after.Fallback, visible}
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], after.ID)
	}
	for _, key := range order {
		at := time.Time{}
		if key.visible {
			at = ch.now
		}
		if err := ch.ShowRoles(key.organization, alike[key], splitSlugs(key.roles), key.fallback, at); err != nil {
			return err
		}
	}
	return nil
}

// passTime tells of the memberships that hold other roles since an assignment began or ended, and removes assignments
// that ended. Decisions do not wait for it: they go by the clock.
func (s *Service) passTime(ctx context.Context) (worked bool, err error) {
	due, err := read(ctx, s, func(r Reader) ([]Assignment, error) { return r.AssignmentsDue(s.instant(), dueBatch) })
	if err != nil {
		return false, err
	}
	for _, a := range due {
		c := Caller{Environment: a.Environment, Actor: SystemActor}
		_, failed := write(ctx, s, c, func(ch *change) (struct{}, error) {
			ch.asked = true // nobody acts: time does
			a, ok, err := ch.Assignment(a.Organization, a.ID)
			if err != nil || !ok {
				return struct{}{}, err
			}
			if a.Ended(ch.now) {
				err = ch.DeleteAssignments(a.Organization, []Assignment{a})
			} else {
				err = ch.UpdateAssignment(a, a.due(ch.now))
			}
			if err != nil || a.Resource != OrganizationResource(a.Organization) {
				return struct{}{}, err
			}
			return struct{}{}, ch.announceSubject(a)
		})
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("assignment %s: %w", a.ID, failed))
			continue
		}
		worked = true
	}
	return worked, err
}

// announceSubject tells of the members that an assignment on the organization concerns: of one at once, of a group's by
// a job.
func (ch *change) announceSubject(a Assignment) error {
	if a.Group != "" {
		return ch.announceGroup(a.Organization, a.Group)
	}
	m, found, err := ch.Membership(ch.caller.Environment, a.Membership)
	if err != nil || !found {
		return err
	}
	known := policies{}
	if err := known.read(ch, ch.caller, []Membership{m}); err != nil {
		return err
	}
	return ch.announceAll([]Membership{m}, known)
}
