package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// Job is work that follows a change and goes on in the background (extension). For decisions the change holds already.
type Job struct {
	Object         string           `json:"object" const:"job"`
	ID             id.Job           `json:"id"`
	Kind           string           `json:"kind" enum:"announce,delete_role,single_role"`
	State          string           `json:"state" enum:"running,finished"`
	OrganizationID *id.Organization `json:"organization_id" doc:"null for a job about the whole environment."`
	RoleSlug       *string          `json:"role_slug" doc:"The role that is deleted, if one is."`
	Progress       Progress         `json:"progress"`
	CreatedAt      event.Time       `json:"created_at"`
	UpdatedAt      event.Time       `json:"updated_at"`
	FinishedAt     *event.Time      `json:"finished_at"`
}

// Progress is how far a job came.
type Progress struct {
	Done  int  `json:"done"`
	Total *int `json:"total" doc:"What there is to do, which grows when members join meanwhile; null where that is not counted."`
}

// Settings is how roles work in the environment (extension).
type Settings struct {
	Object        string `json:"object" const:"authorization_settings"`
	MultipleRoles bool   `json:"multiple_roles" doc:"Whether a member may hold several roles at once; their permissions add up."`
}

// NewSettings is the body that changes the settings.
type NewSettings struct {
	MultipleRoles web.Field[bool] `json:"multiple_roles" required:"true" doc:"Switched off, each member keeps the role with the highest priority." example:"true"`
}

// RoleDeletion is the body that deletes a role which may be in use.
type RoleDeletion struct {
	ReplacementRoleSlug web.Field[string]                `json:"replacement_role_slug" doc:"The role that its holders get instead. Without it they keep their other roles, and who has none gets the default."`
	DefaultRoleSlug     web.Field[string]                `json:"default_role_slug" doc:"The new default of everybody whose default the role is and who is not in default_roles."`
	DefaultRoles        web.Field[[]OrganizationDefault] `json:"default_roles" doc:"The new default of single organizations."`
}

// OrganizationDefault is the default role of one organization.
type OrganizationDefault struct {
	OrganizationID web.Field[string] `json:"organization_id" required:"true" example:"org_01JZ0000000000000000000000"`
	RoleSlug       web.Field[string] `json:"role_slug" required:"true" example:"member"`
}

// UnmarshalJSON reads an entry as strictly as a body is read.
func (d *OrganizationDefault) UnmarshalJSON(raw []byte) (err error) {
	*d, err = web.Decode[OrganizationDefault](raw)
	return err
}

func jobBody(j authz.Job) Job {
	b := Job{
		Object: "job", ID: j.ID, Kind: string(j.Kind), State: "running", RoleSlug: optional(j.Slug),
		Progress: Progress{Done: j.Done}, CreatedAt: event.Time(j.CreatedAt), UpdatedAt: event.Time(j.UpdatedAt),
	}
	if j.Organization != "" {
		b.OrganizationID = &j.Organization
	}
	if j.Total > 0 || j.Kind == authz.JobDeleteRole {
		b.Progress.Total = &j.Total
	}
	if !j.FinishedAt.IsZero() {
		b.State, b.FinishedAt = "finished", (*event.Time)(&j.FinishedAt)
	}
	return b
}

func showJob(j authz.Job) any { return jobBody(j) }

func getJob(r *request) (authz.Job, error) {
	j, err := pathID[id.Job](r, "id", "Job")
	if err != nil {
		return authz.Job{}, err
	}
	return r.api.rules.Job(r.Context(), r.caller, j)
}

func listJobs(r *request) (page.Page[authz.Job], error) {
	p, err := pageOf[id.Job](r, page.Desc)
	if err != nil {
		return page.Page[authz.Job]{}, err
	}
	return r.api.rules.ListJobs(r.Context(), r.caller, p)
}

func showSettings(e authz.Environment) any {
	return Settings{Object: "authorization_settings", MultipleRoles: e.MultipleRoles}
}

func getSettings(r *request) (authz.Environment, error) {
	return r.api.rules.Environment(r.Context(), r.caller)
}

func setSettings(r *request) (authz.Environment, error) {
	in, err := web.Decode[NewSettings](r.body)
	if err != nil {
		return authz.Environment{}, err
	}
	return r.api.rules.SetMultipleRoles(r.Context(), r.caller, in.MultipleRoles.Value)
}

func supposeSettings(r *request) (authz.Supposition, error) {
	in, err := web.Decode[NewSettings](r.body)
	return authz.SupposeMultipleRoles(in.MultipleRoles.Value), err
}

func roleDeletion(r *request) (authz.RoleDeletion, error) {
	in, err := web.DecodeExactly[RoleDeletion](r.body)
	if err != nil {
		return authz.RoleDeletion{}, err
	}
	d := authz.RoleDeletion{Replacement: in.ReplacementRoleSlug.Opt(), Default: in.DefaultRoleSlug.Opt()}
	for _, given := range in.DefaultRoles.Value {
		org, ok := id.Parse[id.Organization](given.OrganizationID.Value)
		if !ok {
			return authz.RoleDeletion{}, fault.Missing("Organization", given.OrganizationID.Value)
		}
		d.Defaults = append(d.Defaults, authz.OrganizationDefault{Organization: org, Slug: given.RoleSlug.Value})
	}
	return d, nil
}

func removeRole(r *request) (authz.Job, error) {
	in, err := roleDeletion(r)
	if err != nil {
		return authz.Job{}, err
	}
	return r.api.rules.RemoveRole(r.Context(), r.caller, r.org, r.PathValue("slug"), in)
}

func supposeRemoveRole(r *request) (authz.Supposition, error) {
	in, err := roleDeletion(r)
	return authz.SupposeRemoveRole(r.org, r.PathValue("slug"), in), err
}
