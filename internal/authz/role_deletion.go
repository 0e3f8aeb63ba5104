package authz

import (
	"context"
	"slices"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// RoleDeletion says what takes the place of a role that is deleted while it is in use (R45, R46).
type RoleDeletion struct {
	// Replacement is the role that its holders get instead. Without it they keep their other roles, and those who
	// have none get the default.
	Replacement Opt[string]
	// Default is the new default of everybody whose default the role is and who is not listed.
	Default Opt[string]
	// Defaults is the new default of single organizations.
	Defaults []OrganizationDefault
}

// OrganizationDefault is a default role for one organization.
type OrganizationDefault struct {
	Organization id.Organization
	Slug         string
}

// deletion is a RoleDeletion whose names are resolved and allowed.
type deletion struct {
	role        Role
	replacement id.Role
	fallback    id.Role                     // new default of all that are not listed
	listed      map[id.Organization]id.Role // new defaults of single organizations
	environment bool                        // whether the environment's own default changes
	defaults    int                         // organizations whose own default changes
}

// firstMissing is how many organizations a refusal lists.
const firstMissing = 100

// planDeletion finds out what the deletion of a role needs and refuses it as long as something is missing.
func planDeletion(r Reader, c Caller, org id.Organization, slug string, in RoleDeletion) (deletion, error) {
	p, err := loadPolicy(r, c, org)
	if err != nil {
		return deletion{}, err
	}
	if err := MayCause(c.Only, org, nil); err != nil { // before anything is told of the organizations concerned
		return deletion{}, err
	}
	role, err := ownRole(r, c, org, slug)
	if err != nil {
		return deletion{}, err
	}
	if err := notSeeded(role); err != nil {
		return deletion{}, err
	}
	if err := settledMode(r, c); err != nil {
		return deletion{}, err
	}
	d := deletion{role: role, listed: map[id.Organization]id.Role{}}
	if in.Replacement.Set {
		instead, ok := p.bySlug(in.Replacement.Value)
		if !ok || instead.ID == role.ID {
			return deletion{}, fault.BadField("replacement_role_slug", "must name another role available here, not '%s'", fault.Short(in.Replacement.Value))
		}
		if instead.ResourceType != role.ResourceType {
			return deletion{}, fault.BadField("replacement_role_slug", "must name a role for '%s', not for '%s'", role.ResourceType, instead.ResourceType)
		}
		d.replacement = instead.ID
	}
	if in.Default.Set {
		if d.fallback, err = d.newDefault(p, "default_role_slug", in.Default.Value); err != nil {
			return deletion{}, err
		}
	}
	d.environment = org == "" && p.Default == role.ID
	return d, d.planDefaults(r, c, in)
}

// newDefault finds a role that can be the default in place of the one that goes.
func (d deletion) newDefault(p Policy, field, slug string) (id.Role, error) {
	instead, ok := p.bySlug(slug)
	if !ok || instead.ID == d.role.ID {
		return "", fault.BadField(field, "must name another role available there, not '%s'", fault.Short(slug))
	}
	return instead.ID, assignable(instead)
}

// planDefaults finds a new default for the environment and for every organization that has the role as its own.
func (d *deletion) planDefaults(r Reader, c Caller, in RoleDeletion) error {
	for _, given := range in.Defaults {
		p, err := loadPolicy(r, c, given.Organization)
		if err != nil {
			return err
		}
		if !p.Own || p.Default != d.role.ID {
			return fault.BadField("default_roles", "names organization '%s', whose own default is not this role", given.Organization)
		}
		if d.listed[given.Organization] != "" {
			return fault.BadField("default_roles", "names organization '%s' twice", given.Organization)
		}
		if d.listed[given.Organization], err = d.newDefault(p, "default_roles", given.Slug); err != nil {
			return err
		}
	}
	n, err := r.CountDefaults(d.role.ID)
	if err != nil {
		return err
	}
	d.defaults = n
	if n == len(d.listed) && !d.environment || d.fallback != "" {
		return nil
	}
	orgs, err := r.OrganizationsWithDefault(d.role.ID, firstMissing+len(d.listed))
	if err != nil {
		return err
	}
	orgs = slices.DeleteFunc(orgs, func(o OrganizationName) bool { return d.listed[o.ID] != "" })
	why := "It is the default role of organizations: default_role_slug must name another for all of them, or default_roles one for each."
	if d.environment {
		why = "The role is the default of the environment: default_role_slug must name another."
	}
	return replacementNeeded(d.role, why, orgs[:min(len(orgs), firstMissing)], n-len(d.listed))
}

// OrganizationName is an organization as a list of those concerned shows it.
type OrganizationName struct {
	ID   id.Organization `json:"id"`
	Name string          `json:"name"`
}

func replacementNeeded(role Role, why string, orgs []OrganizationName, total int) error {
	e := fault.New(fault.Conflict, "replacement_default_required", "Role '%s' cannot be deleted yet. %s", role.Slug, why)
	if orgs == nil {
		orgs = []OrganizationName{}
	}
	e.Details = map[string]any{"organizations": orgs, "organizations_total": total}
	return e
}

// newDefaultOf is the default that an owner gets in place of the role, empty when its default is another anyway.
func (d deletion) newDefaultOf(p Policy) id.Role {
	if p.Default != d.role.ID {
		return ""
	}
	if listed := d.listed[p.Organization]; p.Own && listed != "" {
		return listed
	}
	return d.fallback
}

// RemoveRole deletes a role that may be in use. For decisions it is gone when this returns: its holders hold its
// replacement, or what else they have, or the default. The job that is returned moves their assignments and tells of
// each of them.
func (s *Service) RemoveRole(ctx context.Context, c Caller, org id.Organization, slug string, in RoleDeletion) (Job, error) {
	return write(ctx, s, c, func(ch *change) (Job, error) {
		d, err := planDeletion(ch, c, org, slug, in)
		if err != nil {
			return Job{}, err
		}
		if err := ch.permitSupposed(org, d.suppose()); err != nil {
			return Job{}, err
		}
		if err := ch.permitReplacement(d); err != nil {
			return Job{}, err
		}
		if err := ch.permitDefaults(d); err != nil {
			return Job{}, err
		}
		if err := ch.replaceDefaults(d); err != nil {
			return Job{}, err
		}
		return ch.retire(d)
	})
}

// permitReplacement asks for what a replacement holds that the role does not: also groups without members, and others
// who hold the role without effect, keep it.
func (ch *change) permitReplacement(d deletion) error {
	if d.replacement == "" || !ch.caller.limited() {
		return ch.permit(d.role.Organization)
	}
	held, err := ch.RolePermissions(d.role.Environment, d.role.Organization, []id.Role{d.role.ID, d.replacement})
	if err != nil {
		return err
	}
	return ch.permit(d.role.Organization, added(held[d.replacement], held[d.role.ID])...)
}

// permitDefaults asks for the roles that later memberships will get.
func (ch *change) permitDefaults(d deletion) error {
	for org, role := range d.listed {
		if err := ch.permitRoles(org, role); err != nil {
			return err
		}
	}
	if d.fallback == "" {
		return nil
	}
	return ch.permitRoles(d.role.Organization, d.fallback)
}

// replaceDefaults gives everybody whose default the role is the new one.
func (ch *change) replaceDefaults(d deletion) error {
	for org, role := range d.listed {
		if err := ch.changeDefault(org, role); err != nil {
			return err
		}
	}
	if d.environment {
		if err := ch.changeDefault("", d.fallback); err != nil {
			return err
		}
	}
	if d.fallback == "" || d.defaults == len(d.listed) {
		return nil
	}
	if d.role.Custom() {
		return ch.changeDefault(d.role.Organization, d.fallback)
	}
	running, err := ch.JobRunning(d.role.Environment, JobDeleteRole)
	if err != nil {
		return err
	}
	if !running { // nobody has a default to pin, so one statement does for all
		_, err = ch.ReplaceDefaultRole(d.role.Environment, d.role.ID, d.fallback, ch.now)
		return err
	}
	for {
		orgs, err := ch.OrganizationsWithDefault(d.role.ID, page.MaxLimit)
		if err != nil || len(orgs) == 0 {
			return err
		}
		for _, o := range orgs {
			if err := ch.changeDefault(o.ID, d.fallback); err != nil {
				return err
			}
		}
	}
}

// changeDefault is setDefault for an owner whose policy was not read yet.
func (ch *change) changeDefault(org id.Organization, to id.Role) error {
	p, err := loadPolicy(ch, ch.caller.unbound(), org)
	if err != nil {
		return err
	}
	return ch.setDefault(p, to)
}

// retire takes the role away for decisions and starts the job that moves what names it.
func (ch *change) retire(d deletion) (Job, error) {
	total, err := ch.CountNaming(d.role.ID)
	if err != nil {
		return Job{}, err
	}
	gone := d.role
	gone.RetiredAt, gone.Replacement = ch.now, d.replacement
	if err := ch.RetireRole(gone); err != nil {
		return Job{}, err
	}
	if err := ch.emitRoleDeleted(gone); err != nil {
		return Job{}, err
	}
	job, err := ch.startJob(Job{
		Kind: JobDeleteRole, Organization: gone.Organization, Subject: string(gone.ID), Slug: d.role.Slug, Total: total,
	})
	if err != nil || d.defaults == 0 && !d.environment {
		return job, err
	}
	return job, ch.announceLater(Job{Kind: JobAnnounce, Organization: gone.Organization, FallbackOnly: true})
}
