package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// rolesOfType is roles that can be held on resources of one type.
type rolesOfType struct {
	Type  string
	Roles []authz.Role
}

// byType sorts roles by what they can be held on, the organization first, otherwise in their order.
func byType(roles []authz.Role) []rolesOfType {
	sorted := []rolesOfType{{Type: authz.OrganizationType}}
	at := map[string]int{authz.OrganizationType: 0}
	for _, r := range roles {
		i, known := at[r.ResourceType]
		if !known {
			i = len(sorted)
			at[r.ResourceType] = i
			sorted = append(sorted, rolesOfType{Type: r.ResourceType})
		}
		sorted[i].Roles = append(sorted[i].Roles, r)
	}
	return sorted
}

// roleTypeOf is the type that a role is made for; empty for a role that there is not.
func roleTypeOf(roles []authz.Role, slug string) string {
	for _, r := range roles {
		if r.Slug == slug {
			return r.ResourceType
		}
	}
	return ""
}

type groupRoleForm struct {
	groupAt
	Size                    authz.GroupSize
	Types                   []rolesOfType
	OnResources             bool // whether any role is for something else than the organization
	Role, Resource, Expires string
}

func addGroupRole(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	roles, err := v.door.rules.ListRoles(v.Context(), v.caller, at.Owner)
	if err != nil {
		return err
	}
	form := groupRoleForm{groupAt: at, Types: byType(roles), Role: v.query.Get("role_slug"), Resource: v.query.Get("resource_id")}
	form.OnResources = len(form.Types) > 1
	if v.posted() {
		form.Role, form.Resource, form.Expires = v.typed("role_slug"), v.typed("resource_id"), v.typed("expires_at")
		in := authz.NewAssignment{Role: form.Role, StartsAt: v.moment("starts_at"), ExpiresAt: v.moment("expires_at")}
		in.Resource = v.onResource(roles, form.Role, form.Resource)
		if len(v.complaints) == 0 {
			if a, err := v.door.rules.AssignGroupRole(v.Context(), v.caller, at.ID, in); err == nil {
				return v.doneUndoably(at.Path, "Group “"+at.Name+"” has the role “"+form.Role+"” now.",
					&undo{Action: at.Below("remove-role"), Fields: map[string][]string{"role_assignment_id": {string(a.ID)}}})
			} else if !v.blameNaming(err, "resource_id") {
				return err
			}
		}
	}
	if form.Size, err = v.door.rules.GroupSize(v.Context(), v.caller, at.Owner, at.ID); err != nil {
		return err
	}
	v.example(groupCalls(at.Group)[4])
	return v.show("group_role.html", "Give "+at.Name+" a role", at.above, form)
}

// onResource reads on which resource a role is to be held: its type is the role's, so that an external id suffices.
func (v *visit) onResource(roles []authz.Role, slug, name string) authz.ResourceRef {
	kind := roleTypeOf(roles, slug)
	switch {
	case slug == "":
		v.complain("role_slug", "must be chosen")
	case kind == "":
		v.complain("role_slug", "names no role that this organization has")
	case kind != authz.OrganizationType && name == "":
		v.complain("resource_id", "is needed: this role is held on a "+kind)
	}
	return resourceNamed(name, kind)
}

func removeGroupRole(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	if !v.posted() {
		return v.askGroupRole(at)
	}
	a := id.Assignment(v.typed("role_assignment_id"))
	had, err := v.door.rules.GroupRoleAssignment(v.Context(), v.caller, at.ID, a)
	if err == nil {
		err = v.door.rules.RemoveGroupRoleAssignment(v.Context(), v.caller, at.ID, a)
	}
	if fault.Is(err, fault.NotFound) {
		return v.done(at.Path, "The group did not have that role any more.")
	}
	if err != nil {
		return err
	}
	return v.doneUndoably(at.Path, "Group “"+at.Name+"” has the role “"+had.Slug+"” no longer, nor have its members through it.", &undo{Action: at.Below("add-role"), Fields: assignmentFields(had)})
}

// groupRoleRemoval is the question before a role is taken off a group.
type groupRoleRemoval struct {
	groupAt
	Had  authz.RoleAssignment
	Size authz.GroupSize
}

func (v *visit) askGroupRole(at groupAt) error {
	a := id.Assignment(v.query.Get("role_assignment_id"))
	if a == "" {
		return v.leave(at.Path)
	}
	ask := groupRoleRemoval{groupAt: at}
	var err error
	if ask.Had, err = v.door.rules.GroupRoleAssignment(v.Context(), v.caller, at.ID, a); err != nil {
		return err
	}
	if ask.Size, err = v.door.rules.GroupSize(v.Context(), v.caller, at.Owner, at.ID); err != nil {
		return err
	}
	v.example(Call{What: "Take the role off the group", Method: "DELETE", Path: "/authorization/groups/" + string(at.ID) + "/role_assignments/" + string(a)})
	return v.show("group_role_remove.html", "Take "+ask.Had.Slug+" off "+at.Name, at.above, ask)
}

// assignmentFields is an assignment as a form gives it again.
func assignmentFields(a authz.RoleAssignment) map[string][]string {
	fields := map[string][]string{"role_slug": {a.Slug}, "resource_id": {string(a.Resource)}, "starts_at": {instantField(a.StartsAt)}, "expires_at": {instantField(a.ExpiresAt)}}
	if a.Membership != "" {
		fields["organization_membership_id"] = []string{string(a.Membership)}
	}
	return fields
}
