package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

type resourceRoleForm struct {
	resourceAt
	memberSearch
	Roles        []authz.Role
	Member, Role string
	Replaces     bool // whether members hold one role on the organization, so that another takes its place
	Expires      string
}

func assignOnResource(v *visit) error {
	at, err := v.resource()
	if err != nil {
		return err
	}
	form := resourceRoleForm{resourceAt: at, Member: v.query.Get("membership"), Role: v.query.Get("role_slug"), Replaces: at.Top() && !v.env.MultipleRoles}
	if v.posted() {
		form.Member, form.Role, form.Expires = v.typed("organization_membership_id"), v.typed("role_slug"), v.typed("expires_at")
		done, err := v.assignHere(form)
		if done || err != nil {
			return err
		}
	}
	if form.Roles, err = v.rolesFor(at); err != nil {
		return err
	}
	if form.memberSearch, err = v.findMembers(at.Owner); err != nil {
		return err
	}
	if err := v.keepPicked(&form); err != nil {
		return err
	}
	v.example(assignCall(or(form.Member, "om_…"), or(form.Role, "member"), at.ID))
	return v.show("resource_role.html", "Give a role on "+at.Name, at.above, form)
}

// assignHere gives the role that was chosen and says whether that ended the form.
func (v *visit) assignHere(form resourceRoleForm) (done bool, err error) {
	in := authz.NewAssignment{Role: form.Role, Resource: authz.ResourceRef{ID: form.ID}, StartsAt: v.moment("starts_at"), ExpiresAt: v.moment("expires_at")}
	if form.Member == "" {
		v.complain("organization_membership_id", "must be chosen")
	}
	if form.Role == "" {
		v.complain("role_slug", "must be chosen")
	}
	if len(v.complaints) > 0 {
		return false, nil
	}
	m, err := v.door.rules.Member(v.Context(), v.caller, id.Membership(form.Member))
	if err == nil && m.Organization != form.Owner {
		err = fault.Missing("Organization membership", form.Member)
	}
	var given authz.RoleAssignment
	if err == nil {
		given, err = v.door.rules.AssignRole(v.Context(), v.caller, m.ID, in)
	}
	if err != nil {
		if v.blameNaming(err, "organization_membership_id") {
			return false, nil
		}
		return false, err
	}
	back := &undo{Action: form.Below("remove-role"), Fields: map[string][]string{"organization_membership_id": {form.Member}, "role_assignment_id": {string(given.ID)}}}
	if form.Replaces { // what it took the place of would not come back
		back = nil
	}
	return true, v.doneUndoably(form.Below("roles"), called(m.Person)+" has the role “"+form.Role+"” on "+form.Name+" now.", back)
}

// keepPicked lists who is picked already first, whatever is searched for.
func (v *visit) keepPicked(form *resourceRoleForm) error {
	if form.Member == "" {
		return nil
	}
	for _, s := range form.Found {
		if string(s.ID) == form.Member {
			return nil
		}
	}
	m, err := v.door.rules.Member(v.Context(), v.caller, id.Membership(form.Member))
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && m.Organization != form.Owner:
		form.Member = ""
		return nil
	case err != nil:
		return err
	}
	form.Found = append([]somebody{v.somebody(m)}, form.Found...)
	return nil
}

func unassignOnResource(v *visit) error {
	at, err := v.resource()
	if err != nil {
		return err
	}
	list := at.Below("roles")
	if !v.posted() {
		return v.leave(list)
	}
	m, a := id.Membership(v.typed("organization_membership_id")), id.Assignment(v.typed("role_assignment_id"))
	had, err := v.assignmentOf(at, m, a)
	if err == nil {
		err = v.door.rules.RemoveRoleAssignment(v.Context(), v.caller, m, a)
	}
	if fault.Is(err, fault.NotFound) {
		return v.done(list, "That member did not have the role any more.")
	}
	if err != nil {
		return err
	}
	who, err := v.finder().member(at.Owner, m)
	if err != nil {
		return err
	}
	return v.doneUndoably(list, who.Name+" has the role “"+had.Slug+"” on "+at.Name+" no longer.", &undo{Action: at.Below("add-role"), Fields: assignmentFields(had)})
}

// assignmentOf finds what a member was given on a resource itself.
func (v *visit) assignmentOf(at resourceAt, m id.Membership, a id.Assignment) (authz.RoleAssignment, error) {
	held, err := v.door.rules.ListRoleAssignments(v.Context(), v.caller, m, authz.ResourceRef{ID: at.ID}, firstOf(100))
	if err != nil {
		return authz.RoleAssignment{}, err
	}
	for _, one := range held.Items {
		if one.ID == a && one.Resource == at.ID {
			return one, nil
		}
	}
	return authz.RoleAssignment{}, fault.Missing("Role assignment", string(a))
}

// or is the text or, where it is empty, another.
func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
