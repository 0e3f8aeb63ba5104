package dashboard

import (
	"encoding/json"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// roleEdit is the form that edits a role: what its editor saw first, what he wants now, and what that would do.
type roleEdit struct {
	Role           authz.Role
	Was, Now       authz.RoleContent
	Catalogue      []permissionGroup
	Added, Removed []string // by the editor
	Foresight      foresight
	Other          *otherEdit
}

// otherEdit is what somebody else changed while the form was open.
type otherEdit struct {
	By             string // who, where that is known
	Name           string // the new one, where it is another
	Description    *string
	Added, Removed []string
}

// without is the items of a list that another one lacks.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

func editRole(v *visit) error {
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
		return v.leave(v.RolePath(role, "edit")) // an environment role is edited where it belongs
	}
	edit := roleEdit{Role: role, Was: role.Content(), Now: role.Content()}
	if v.posted() {
		edit.Was, edit.Now = v.content("was_"), v.content("")
	}
	if v.decided() {
		if done, err := v.revise(org, &edit); done || err != nil {
			return err
		}
	}
	if err := v.completeEdit(org, &edit); err != nil {
		return err
	}
	v.example(edit.examples()...)
	return v.show("role_edit.html", "Edit "+role.Name, append(above, crumb{role.Name, v.RolePath(role)}), edit)
}

// content reads the content of a role from a form.
func (v *visit) content(prefix string) authz.RoleContent {
	return authz.RoleContent{
		Name: v.typed(prefix + "name"), Description: v.optional(prefix + "description"), Permissions: append([]string{}, v.form[prefix+"permissions"]...),
	}
}

// revise saves an edit. Where somebody else was faster, the edit is put on top of what he did, to be looked at again.
func (v *visit) revise(org id.Organization, edit *roleEdit) (done bool, err error) {
	_, err = v.door.rules.ReviseRole(v.Context(), v.caller, org, edit.Role.Slug, edit.Was, edit.Now)
	if err == nil {
		back := &undo{Action: v.RolePath(edit.Role, "edit"), Fields: map[string][]string{
			"was_name": {edit.Now.Name}, "was_description": {textOf(edit.Now.Description)}, "was_permissions": edit.Now.Permissions,
			"name": {edit.Was.Name}, "description": {textOf(edit.Was.Description)}, "permissions": edit.Was.Permissions,
		}}
		return true, v.doneUndoably(v.RolePath(edit.Role), "The role was saved.", back)
	}
	if fault.HasCode(err, "role_changed") {
		return false, v.merge(org, edit, err)
	}
	if !v.blame(err) {
		return false, err
	}
	return false, nil
}

func (v *visit) merge(org id.Organization, edit *roleEdit, refusal error) error {
	v.blame(refusal)
	v.refusal = ""
	current, err := v.door.rules.Role(v.Context(), v.caller, org, edit.Role.Slug)
	if err != nil {
		return err
	}
	was, mine, theirs := edit.Was, edit.Now, current.Content()
	other := otherEdit{Added: without(theirs.Permissions, was.Permissions), Removed: without(was.Permissions, theirs.Permissions)}
	if theirs.Name != was.Name {
		other.Name = theirs.Name
	}
	if textOf(theirs.Description) != textOf(was.Description) {
		other.Description = theirs.Description
		if other.Description == nil {
			other.Description = new(string)
		}
	}
	if e, found, err := v.door.rules.LastRoleChange(v.Context(), v.caller, org, current.Slug); err == nil && found {
		other.By = actorOf(e)
	}
	merged := theirs
	if mine.Name != was.Name {
		merged.Name = mine.Name
	}
	if textOf(mine.Description) != textOf(was.Description) {
		merged.Description = mine.Description
	}
	kept := without(theirs.Permissions, without(was.Permissions, mine.Permissions))
	merged.Permissions = append(kept, without(without(mine.Permissions, was.Permissions), kept)...)
	edit.Role, edit.Was, edit.Now, edit.Other = current, theirs, merged, &other
	return nil
}

// actorOf is who caused an event, by name.
func actorOf(e event.Event) string {
	var c event.Context
	if err := json.Unmarshal(e.Context, &c); err != nil || c.Actor == nil {
		return ""
	}
	return c.Actor.Name
}

// completeEdit adds what can be chosen, and what the choice would do.
func (v *visit) completeEdit(org id.Organization, edit *roleEdit) error {
	all, err := v.catalogue(v.Context())
	if err != nil {
		return err
	}
	edit.Catalogue = grouped(all)
	edit.Added, edit.Removed = without(edit.Now.Permissions, edit.Was.Permissions), without(edit.Was.Permissions, edit.Now.Permissions)
	if len(edit.Added)+len(edit.Removed) == 0 {
		return nil
	}
	suppose := authz.SupposeRolePermissions(org, edit.Role.Slug, authz.PermissionEdit{Set: authz.Some(edit.Now.Permissions)})
	edit.Foresight, err = v.foreseeing(suppose, byOrganization)
	return err
}

func (e roleEdit) examples() []Call {
	return []Call{
		{What: "Say what another set of permissions would do", Method: "PUT", Path: rolePath(e.Role) + "/permissions?preview=true", Body: map[string]any{"permissions": e.Now.Permissions}},
		{What: "Set the permissions", Method: "PUT", Path: rolePath(e.Role) + "/permissions", Body: map[string]any{"permissions": e.Now.Permissions}},
		{What: "Change name and description", Method: "PATCH", Path: rolePath(e.Role), Body: map[string]any{"name": e.Now.Name, "description": e.Now.Description}},
	}
}
