package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// The role that is deleted and the new default of the organizations that have it as theirs. The others' members fall
// back to the environment's.
const (
	removedRole     = 1
	replacementRole = 2
)

// remove measures the deletion of a role that everybody holds, its preview and what checks feel of it.
func (b *bench) remove(ctx context.Context, report *Report) error {
	everybody := pick(b, crowd{organizations: 10_000, members: 100}, crowd{organizations: 200, members: 100})
	everybody.ownEvery, everybody.role = 2, environmentSlug(removedRole)
	databases, err := b.databases(ctx, "remove")
	if err != nil {
		return err
	}
	for _, d := range databases {
		row, err := b.removeOn(ctx, d, everybody)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		report.Remove = append(report.Remove, row)
	}
	return nil
}

// removal is one measurement.
type removal struct {
	*bench
	crowd
	server *process
	key    string
	row    RemoveRow
}

func (b *bench) removeOn(ctx context.Context, d database, c crowd) (row RemoveRow, err error) {
	r := removal{bench: b, crowd: c, row: RemoveRow{Database: d.Name, Organizations: c.organizations, Memberships: c.organizations * c.members}}
	if r.key, err = b.gather(ctx, d, c); err != nil {
		return row, err
	}
	b.say("remove: %s, the plain update", d.Name)
	if r.row.Plain, err = b.plainUpdate(ctx, d, c.role, environmentSlug(replacementRole)); err != nil {
		return row, err
	}
	if r.server, err = b.serve(ctx, d); err != nil {
		return row, err
	}
	err = errors.Join(r.measure(ctx, d), r.server.stop())
	if err != nil {
		return row, err
	}
	r.row.Ratio = r.row.Moved / r.row.Plain
	return r.row, r.verify(ctx, d)
}

func (r *removal) measure(ctx context.Context, d database) error {
	r.say("remove: %s, previews", d.Name)
	if err := r.previews(ctx); err != nil {
		return err
	}
	return r.watched(ctx, func(w *watch) error {
		r.say("remove: %s, checks alone", d.Name)
		select {
		case <-time.After(pick(r.bench, 5*time.Second, time.Second)):
		case <-ctx.Done():
			return ctx.Err()
		}
		r.say("remove: %s, the deletion", d.Name)
		return r.delete(ctx, w)
	})
}

// impact is what is read of a preview.
type impact struct {
	Totals *struct {
		Changed, Gaining, Losing, Organizations int
	} `json:"totals"`
	Members  []struct{} `json:"members"`
	Metadata struct {
		After string `json:"after"`
	} `json:"list_metadata"`
}

const rolesPath = "/authorization/roles/"

// deletionBody gives the organizations that had the role as their default another.
var deletionBody = `{"default_role_slug":"` + environmentSlug(replacementRole) + `"}`

// previews asks what the deletion and another set of permissions would do. Both would change everybody.
func (r *removal) previews(ctx context.Context) error {
	path := rolesPath + r.role + "/deletion?preview=true&limit=100"
	first, took, err := r.preview(ctx, http.MethodPost, path, deletionBody)
	if err != nil {
		return err
	}
	r.row.Preview = milliseconds(took)
	second, took, err := r.preview(ctx, http.MethodPost, path+"&after="+first.Metadata.After, deletionBody)
	if err != nil {
		return err
	}
	if second.Totals != nil || len(second.Members) != min(100, r.row.Memberships-100) {
		return fmt.Errorf("the second page of the preview has %d members", len(second.Members))
	}
	r.row.PreviewNext = milliseconds(took)
	slugs := permissionSlugs(removedRole*environmentHolds+1, environmentHolds) // one goes, one comes
	_, took, err = r.preview(ctx, http.MethodPut, rolesPath+r.role+"/permissions?preview=true&limit=100", encoded(map[string]any{"permissions": slugs}))
	r.row.PreviewPermissions = milliseconds(took)
	return err
}

func (r *removal) preview(ctx context.Context, method, path, body string) (found impact, took time.Duration, err error) {
	if took, err = call(ctx, r.server, r.key, method, path, body, http.StatusOK, &found); err != nil {
		return found, took, err
	}
	n := r.row.Memberships
	if t := found.Totals; t != nil && (t.Changed != n || t.Gaining != n || t.Losing != n || t.Organizations != r.organizations) {
		err = fmt.Errorf("the preview counts %+v of %d memberships in %d organizations", *t, n, r.organizations)
	}
	return found, took, err
}

// job is what is read of one.
type job struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Progress struct {
		Done  int `json:"done"`
		Total int `json:"total"`
	} `json:"progress"`
}

// delete orders the deletion and waits until everybody was moved.
func (r *removal) delete(ctx context.Context, w *watch) error {
	w.enter(deleting)
	var j job
	took, err := call(ctx, r.server, r.key, http.MethodPost, rolesPath+r.role+"/deletion", deletionBody, http.StatusAccepted, &j)
	if err != nil {
		return err
	}
	w.enter(deleted)
	r.row.Answer = milliseconds(took)
	began := time.Now()
	for told := began; j.State != "finished"; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pick(r.bench, 200*time.Millisecond, 10*time.Millisecond)):
		}
		if _, err := call(ctx, r.server, r.key, http.MethodGet, "/authorization/jobs/"+j.ID, "", http.StatusOK, &j); err != nil {
			return err
		}
		if time.Since(told) > 10*time.Second {
			told = time.Now()
			r.say("remove: %d of %d moved", j.Progress.Done, j.Progress.Total)
		}
	}
	r.row.Seconds = time.Since(began).Seconds()
	r.row.Moved = float64(r.row.Memberships) / r.row.Seconds
	if j.Progress.Done != r.row.Memberships {
		return fmt.Errorf("the job moved %d assignments of %d", j.Progress.Done, r.row.Memberships)
	}
	return nil
}

// verify reads what the job left: each member was told of once, shows the right role and holds it.
func (r *removal) verify(ctx context.Context, d database) error {
	r.say("remove: %s, verifying", d.Name)
	own := 0
	for n := range r.row.Memberships {
		if !r.follows(n) {
			own++
		}
	}
	given := func(slug string) string {
		return "SELECT count(*) FROM assignments a JOIN roles r ON r.id = a.role_id JOIN memberships m ON m.organization_id = a.organization_id " +
			"AND m.id = a.subject_id WHERE a.source = 'default' AND m.roles = r.slug AND r.slug = '" + slug + "'"
	}
	for _, fact := range []struct {
		what, query string
		want        int
	}{
		{"updates of memberships", "SELECT count(*) FROM events WHERE type = 'organization_membership.updated'", r.row.Memberships},
		{"members told of", "SELECT count(DISTINCT substr(data, 1, 75)) FROM events WHERE type = 'organization_membership.updated'", r.row.Memberships},
		{"members with their organization's default", given(environmentSlug(replacementRole)), own},
		{"members with the environment's default", given(environmentSlug(0)), r.row.Memberships - own},
		{"roles like the one that is gone", "SELECT count(*) FROM roles WHERE retired_at IS NOT NULL OR slug = '" + r.role + "'", 0},
	} {
		n, err := count(ctx, d, fact.query)
		if err == nil && n != fact.want {
			err = fmt.Errorf("%d %s instead of %d", n, fact.what, fact.want)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
