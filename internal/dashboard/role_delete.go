package dashboard

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// roleDeletion is the dialog that deletes a role: what is asked for, what was chosen, and what would happen.
type roleDeletion struct {
	Role        authz.Role
	Use         authz.RoleUse
	Candidates  []authz.Role // what can take its place
	Replacement string       // a slug, or onlyRemove
	Shared      bool         // whether it is the owner's own default
	Default     string
	Affected    []authz.OrganizationName // organizations with the role as their own default: the first hundred, and the exceptions
	AffectedAll int
	Each        map[string]string // their new default, by organization, where it is not the one for all
	Excepting   bool              // whether somebody is at it
	Confirm     string
	Planned     bool // whether everything that is needed was given
	Foresight   foresight
}

// onlyRemove is the choice that puts nothing in the place of the role.
const onlyRemove = "-"

func removeRole(v *visit) error {
	org := v.organization()
	above, _, err := v.above(org)
	if err != nil {
		return err
	}
	role, err := v.door.rules.Role(v.Context(), v.caller, org, v.PathValue("slug"))
	if err != nil {
		return err
	}
	if role.Organization != org {
		return v.leave(v.RolePath(role, "delete"))
	}
	d, err := v.deletion(role)
	if err != nil {
		return err
	}
	if v.decided() && d.confirmed(v) && d.chosen(v) {
		job, err := v.door.rules.RemoveRole(v.Context(), v.caller, org, role.Slug, d.order())
		if err == nil {
			return v.done(v.Path("jobs", string(job.ID)), "“"+role.Name+"” is gone. Every check sees it from now on; the members are being moved.")
		}
		if !v.blame(err) {
			return err
		}
	}
	if err := v.plan(&d); err != nil {
		return err
	}
	v.example(Call{What: "Delete the role with a replacement", Method: "POST", Path: rolePath(role) + "/deletion", Body: d.body()})
	return v.show("role_delete.html", "Delete "+role.Name, append(above, crumb{role.Name, v.RolePath(role)}), d)
}

// deletion reads what concerns the role and what was chosen so far.
func (v *visit) deletion(role authz.Role) (roleDeletion, error) {
	d := roleDeletion{Role: role, Each: map[string]string{}}
	policy, err := v.door.rules.Order(v.Context(), v.caller, role.Organization)
	if err != nil {
		return d, err
	}
	d.Shared = policy.Default == role.ID
	for _, r := range policy.Roles {
		if r.ID != role.ID && r.ResourceType == role.ResourceType {
			d.Candidates = append(d.Candidates, r)
		}
	}
	if d.Use, err = v.door.rules.UseOfRole(v.Context(), v.caller, role.Organization, role.ID); err != nil {
		return d, err
	}
	d.Replacement, d.Default, d.Confirm = v.typed("replacement_role_slug"), v.typed("default_role_slug"), v.typed("confirm")
	for name, values := range v.form {
		if org, ok := strings.CutPrefix(name, "default_of_"); ok && strings.TrimSpace(values[0]) != "" {
			d.Each[org] = strings.TrimSpace(values[0])
		}
	}
	return d, v.affected(&d)
}

// affected finds the organizations whose own default the role is: the first hundred, and one that was asked for. They
// are what a deletion without a new default is refused with, which takes no look at the members.
func (v *visit) affected(d *roleDeletion) error {
	if d.Use.Defaults.N > 0 {
		_, err := v.foresee(authz.SupposeRemoveRole(d.Role.Organization, d.Role.Slug, authz.RoleDeletion{}), authz.ImpactRequest{Limit: 1})
		if err != nil && !fault.HasCode(err, "replacement_default_required") {
			return err
		}
		if err != nil {
			details := fault.Of(err).Details
			d.AffectedAll, _ = details["organizations_total"].(int)
			d.Affected, _ = details["organizations"].([]authz.OrganizationName)
		}
	}
	asked := v.typed("exception")
	d.Excepting = asked != "" || len(d.Each) > 0
	listed := func(org string) bool {
		return slices.ContainsFunc(d.Affected, func(o authz.OrganizationName) bool { return string(o.ID) == org })
	}
	for _, org := range append(v.form["listed"], asked) { // beyond the hundred, as long as the form is open
		if org == "" || listed(org) {
			continue
		}
		found, err := v.organizationNamed(org)
		if err != nil {
			v.complain("exception", "is no organization here")
			continue
		}
		if !listed(string(found.ID)) {
			d.Affected = append([]authz.OrganizationName{{ID: found.ID, Name: found.Name}}, d.Affected...)
		}
	}
	return nil
}

// organizationNamed finds an organization by its id or its name.
func (v *visit) organizationNamed(what string) (authz.Organization, error) {
	if org, ok := id.Parse[id.Organization](what); ok {
		return v.door.rules.Organization(v.Context(), v.caller, org)
	}
	found, err := v.door.rules.ListOrganizations(v.Context(), v.caller, authz.OrganizationFilter{Search: what}, page.Request{Limit: rows, Order: page.Asc})
	if err != nil {
		return authz.Organization{}, err
	}
	for _, o := range found.Items {
		if strings.EqualFold(o.Name, what) {
			return o, nil
		}
	}
	return authz.Organization{}, fault.Missing("Organization", what)
}

// Held says whether anybody holds the role, as far as is known without looking at everybody.
func (d roleDeletion) Held() bool { return d.Use.Members.N+d.Use.Groups.N > 0 }

// NeedsDefault says whether a new default must be chosen.
func (d roleDeletion) NeedsDefault() bool {
	return d.Shared || d.AffectedAll > 0 || d.Use.Defaults.N > 0
}

// NeedsWord says whether the slug must be typed: everybody shares the role, and somebody has it.
func (d roleDeletion) NeedsWord() bool { return !d.Role.Custom() && (d.Held() || d.NeedsDefault()) }

func (d roleDeletion) confirmed(v *visit) bool {
	if !d.NeedsWord() || d.Confirm == d.Role.Slug {
		return true
	}
	v.complain("confirm", "must be "+d.Role.Slug)
	return false
}

// chosen says whether what must be chosen was, and blames what was not.
func (d roleDeletion) chosen(v *visit) bool {
	if d.Held() && d.Replacement == "" {
		v.complain("replacement_role_slug", "must be chosen")
	}
	return len(v.complaints) == 0
}

// order is what was chosen, as the rules take it.
func (d roleDeletion) order() authz.RoleDeletion {
	in := authz.RoleDeletion{
		Replacement: authz.Opt[string]{Set: d.Replacement != "" && d.Replacement != onlyRemove, Value: d.Replacement},
		Default:     authz.Opt[string]{Set: d.Default != "", Value: d.Default},
	}
	for org, slug := range d.Each {
		in.Defaults = append(in.Defaults, authz.OrganizationDefault{Organization: id.Organization(org), Slug: slug})
	}
	slices.SortFunc(in.Defaults, func(a, b authz.OrganizationDefault) int {
		return strings.Compare(string(a.Organization), string(b.Organization))
	})
	return in
}

func (d roleDeletion) body() map[string]any {
	body := map[string]any{}
	in := d.order()
	if in.Replacement.Set {
		body["replacement_role_slug"] = in.Replacement.Value
	}
	if in.Default.Set {
		body["default_role_slug"] = in.Default.Value
	}
	var each []map[string]any
	for _, one := range in.Defaults {
		each = append(each, map[string]any{"organization_id": one.Organization, "role_slug": one.Slug})
	}
	if each != nil {
		body["default_roles"] = each
	}
	return body
}

// plan finds out what would happen, as soon as everything that is needed was chosen.
func (v *visit) plan(d *roleDeletion) error {
	if d.Held() && d.Replacement == "" {
		return nil
	}
	f, err := v.foresee(authz.SupposeRemoveRole(d.Role.Organization, d.Role.Slug, d.order()), byOrganization)
	switch {
	case err == nil:
		d.Foresight, d.Planned = f, true
	case !fault.HasCode(err, "replacement_default_required") && !v.blame(err):
		return err
	}
	return nil
}
