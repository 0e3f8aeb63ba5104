package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// jobRow is work in the background, in words.
type jobRow struct {
	authz.Job
	In string // the name of its organization
}

// What names the work.
func (j jobRow) What() string {
	switch j.Kind {
	case authz.JobDeleteRole:
		return "Deletion of role " + j.Slug
	case authz.JobSingleRole:
		return "Multiple roles switched off"
	}
	return "Events about changed roles"
}

// Means says what the work does.
func (j jobRow) Means() string {
	switch {
	case j.Kind == authz.JobDeleteRole:
		return "Whoever held the role gets what takes its place, and an event tells of each."
	case j.Kind == authz.JobSingleRole:
		return "Each member keeps the role with the highest priority; the others are taken off, and an event tells of each."
	case j.Subject != "":
		return "The members of a group are looked at. An event tells of each whose roles are others now."
	case j.FallbackOnly:
		return "The members who have the default because nothing else gives them a role are looked at. An event tells of each whose roles are others now."
	}
	return "Memberships are looked at. An event tells of each whose roles are others now."
}

// Unit is what the work is counted in.
func (j jobRow) Unit() string {
	if j.Kind == authz.JobDeleteRole {
		return "assignment"
	}
	return "member"
}

// Counted says whether it is known how much there is to do.
func (j jobRow) Counted() bool { return j.Total > 0 }

// Finished says whether the work is done.
func (j jobRow) Finished() bool { return !j.FinishedAt.IsZero() }

// jobList is part of the work of an environment, the newest first.
type jobList struct {
	Jobs  []jobRow
	Pager pager
}

func listJobs(v *visit) error {
	part, err := v.part(page.Desc, isCursor[id.Job])
	if err != nil {
		return err
	}
	found, err := v.door.rules.ListJobs(v.Context(), v.caller, part)
	if err != nil {
		return err
	}
	list, known := jobList{Pager: v.pages(found.Before, found.After)}, v.finder()
	for _, j := range found.Items {
		name, err := known.organization(j.Organization)
		if err != nil {
			return err
		}
		list.Jobs = append(list.Jobs, jobRow{j, name})
	}
	v.example(Call{What: "List the work that follows changes", Method: "GET", Path: "/authorization/jobs"})
	return v.show("jobs.html", "Background work", nil, list)
}

func showJob(v *visit) error {
	which, ok := id.Parse[id.Job](v.PathValue("job"))
	if !ok {
		return fault.Missing("Job", v.PathValue("job"))
	}
	j, err := v.door.rules.Job(v.Context(), v.caller, which)
	if err != nil {
		return err
	}
	name, err := v.finder().organization(j.Organization)
	if err != nil {
		return err
	}
	v.example(Call{What: "Ask how far it came", Method: "GET", Path: "/authorization/jobs/" + string(j.ID)})
	row := jobRow{j, name}
	return v.show("job.html", row.What(), []crumb{{"Background work", v.Path("jobs")}}, row)
}
