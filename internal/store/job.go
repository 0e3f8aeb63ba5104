package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const jobColumns = `id, environment_id, organization_id, kind, subject_id, slug, fallback_only, actor, at_organization, at_membership,
	total, done, held_by, held_until, created_at, updated_at, finished_at`

func scanJob(r row) (j authz.Job, err error) {
	var actor string
	err = r.Scan(&j.ID, &j.Environment, &j.Organization, &j.Kind, &j.Subject, &j.Slug, (*flag)(&j.FallbackOnly), &actor,
		&j.At.Organization, &j.At.Membership, &j.Total, &j.Done, &j.HeldBy, (*stamp)(&j.HeldUntil),
		(*stamp)(&j.CreatedAt), (*stamp)(&j.UpdatedAt), (*stamp)(&j.FinishedAt))
	if err != nil {
		return j, err
	}
	if err := json.Unmarshal([]byte(actor), &j.Actor); err != nil {
		return j, fmt.Errorf("reading the actor of a job: %w", err)
	}
	return j, nil
}

// Job implements authz.JobReader.
func (t *tx) Job(env id.Environment, j id.Job) (authz.Job, bool, error) {
	return one(t, "reading a job", scanJob, `SELECT `+jobColumns+` FROM jobs WHERE id = $1 AND environment_id = $2`, j, env)
}

var jobList = list[authz.Job]{
	doing: "listing jobs", columns: jobColumns, from: "jobs", key: "id",
	scan: scanJob, cursor: func(j authz.Job) string { return string(j.ID) },
}

// Jobs implements authz.JobReader.
func (t *tx) Jobs(env id.Environment, org id.Organization, r page.Request) (page.Page[authz.Job], error) {
	var c condition
	c.add("environment_id = ?", env)
	if org != "" {
		c.add("organization_id = ?", org)
	}
	return jobList.page(t, c, r, r.Walk().Cursor)
}

// UnfinishedJobs implements authz.JobReader.
func (t *tx) UnfinishedJobs(max int) ([]authz.Job, error) {
	return all(t, "finding work", scanJob, `SELECT `+jobColumns+` FROM jobs WHERE finished_at IS NULL ORDER BY id LIMIT $1`, max)
}

// JobRunning implements authz.JobReader.
func (t *tx) JobRunning(env id.Environment, k authz.JobKind) (bool, error) {
	_, found, err := one(t, "looking for a job", scanValue[int64],
		`SELECT 1 FROM jobs WHERE finished_at IS NULL AND environment_id = $1 AND kind = $2 LIMIT 1`, env, k)
	return found, err
}

// InsertJob implements authz.JobWriter.
func (t *tx) InsertJob(j authz.Job) error {
	actor, err := json.Marshal(j.Actor)
	if err != nil {
		return fmt.Errorf("writing the actor of a job: %w", err)
	}
	return t.execOne("inserting a job", `
		INSERT INTO jobs (`+jobColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		j.ID, j.Environment, j.Organization, j.Kind, j.Subject, j.Slug, flag(j.FallbackOnly), string(actor),
		j.At.Organization, j.At.Membership, j.Total, j.Done, j.HeldBy, stamp(j.HeldUntil),
		stamp(j.CreatedAt), stamp(j.UpdatedAt), stamp(j.FinishedAt))
}

// UpdateJob implements authz.JobWriter.
func (t *tx) UpdateJob(j authz.Job) error {
	return t.execOne("updating a job", `
		UPDATE jobs SET at_organization = $1, at_membership = $2, total = $3, done = $4, held_by = $5, held_until = $6,
			updated_at = $7, finished_at = $8
		WHERE id = $9`,
		j.At.Organization, j.At.Membership, j.Total, j.Done, j.HeldBy, stamp(j.HeldUntil), stamp(j.UpdatedAt), stamp(j.FinishedAt), j.ID)
}

// DeleteJobs implements authz.JobWriter.
func (t *tx) DeleteJobs(before time.Time, max int) (int, error) {
	return t.exec("deleting old jobs", `
		DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < $1 ORDER BY finished_at LIMIT $2)`, stamp(before), max)
}
