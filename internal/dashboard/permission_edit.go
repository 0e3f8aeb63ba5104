package dashboard

import (
	"net/url"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
)

// permissionForm is the form of a permission, new or known.
type permissionForm struct {
	Slug, Name, Description string
	Type                    string
	Types                   []authz.ResourceType
	Known                   bool // whether it exists, so that its slug and its type stay
}

func (f permissionForm) body() map[string]any {
	body := map[string]any{"slug": f.Slug, "name": f.Name}
	if f.Name == "" {
		body["slug"], body["name"] = "invoices:read", "Read invoices"
	}
	if f.Description != "" {
		body["description"] = f.Description
	}
	return body
}

func (f permissionForm) creation() Call {
	body := f.body()
	script := "authorization.createPermission(" + encode(body, "") + ")"
	if f.Type != "" && f.Type != authz.OrganizationType {
		node := f.body()
		body["resource_type_slug"], node["resourceTypeSlug"] = f.Type, f.Type
		script = "authorization.createPermission(" + encode(node, "") + ")"
	}
	return Call{What: "Create a permission", Method: "POST", Path: "/authorization/permissions", Body: body, Node: script}
}

func newPermission(v *visit) error {
	form := permissionForm{Slug: v.query.Get("like"), Type: v.query.Get("type")}
	var err error
	if form.Types, err = v.door.rules.ListResourceTypes(v.Context(), v.caller); err != nil {
		return err
	}
	if v.posted() {
		form.Slug, form.Name, form.Description, form.Type = v.typed("slug"), v.typed("name"), v.typed("description"), v.typed("resource_type_slug")
		p, err := v.door.rules.CreatePermission(v.Context(), v.caller, authz.NewPermission{
			Slug: form.Slug, Name: form.Name, Description: v.optional("description"), ResourceType: authz.Opt[string]{Set: form.Type != "", Value: form.Type},
		})
		if err == nil {
			return v.done(v.afterNew(p), "Permission “"+p.Slug+"” was created. No role has it yet.")
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(form.creation())
	return v.show("permission_new.html", "Create permission", v.abovePermission(""), form)
}

// afterNew is where the maker of a permission goes: to another one like it where he asked for that.
func (v *visit) afterNew(p authz.Permission) string {
	if v.typed("again") == "" {
		return v.Path("permissions", p.Slug)
	}
	prefix, _, found := strings.Cut(p.Slug, ":")
	q := url.Values{"type": {p.ResourceType}}
	if found {
		q.Set("like", prefix+":")
	}
	return v.Path("new", "permission") + "?" + q.Encode()
}

// changeablePermission reads the permission that the address names, for its form.
func (v *visit) changeablePermission() (authz.Permission, error) {
	p, err := v.door.rules.Permission(v.Context(), v.caller, v.PathValue("permission"))
	if err == nil && p.System {
		err = fault.New(fault.Forbidden, fault.CodeForbidden, "Permission “%s” is part of the system and cannot be changed or deleted.", p.Slug)
	}
	return p, err
}

func editPermission(v *visit) error {
	p, err := v.changeablePermission()
	if err != nil {
		return err
	}
	form := permissionForm{Slug: p.Slug, Name: p.Name, Description: textOf(p.Description), Type: p.ResourceType, Known: true}
	if v.posted() {
		form.Name, form.Description = v.typed("name"), v.typed("description")
		_, err := v.door.rules.UpdatePermission(v.Context(), v.caller, p.Slug, authz.Details{Name: authz.Some(form.Name), Description: authz.Some(v.optional("description"))})
		if err == nil {
			back := undo{Action: v.Path("permissions", p.Slug, "edit"), Fields: url.Values{"name": {p.Name}, "description": {textOf(p.Description)}}}
			return v.doneUndoably(v.Path("permissions", p.Slug), "Permission “"+p.Slug+"” was saved.", &back)
		}
		if !v.blame(err) {
			return err
		}
	}
	body := map[string]any{"name": form.Name, "description": form.Description}
	v.example(Call{What: "Change the permission", Method: "PATCH", Path: "/authorization/permissions/" + url.PathEscape(p.Slug), Body: body,
		Node: "authorization.updatePermission(" + encode(p.Slug, "") + ", " + encode(body, "") + ")"})
	return v.show("permission_new.html", "Edit permission", v.abovePermission(p.Slug), form)
}

// permissionDeletion is what goes with a permission.
type permissionDeletion struct {
	permissionPage
	Foresight foresight
}

func deletePermission(v *visit) error {
	if _, err := v.changeablePermission(); err != nil {
		return err
	}
	if v.decided() {
		slug := v.PathValue("permission")
		if err := v.door.rules.DeletePermission(v.Context(), v.caller, slug); err != nil {
			return err
		}
		return v.done(v.Path("permissions"), "Permission “"+slug+"” was deleted and taken off every role.")
	}
	p, err := v.permissionPage()
	if err != nil {
		return err
	}
	gone := permissionDeletion{permissionPage: p}
	if gone.Foresight, err = v.foresee(authz.SupposeDeletePermission(p.Slug), byOrganization); err != nil {
		return err
	}
	address := "/authorization/permissions/" + url.PathEscape(p.Slug)
	v.example(
		Call{What: "See who would lose it", Method: "DELETE", Path: address + "?preview=true"},
		Call{What: "Delete the permission", Method: "DELETE", Path: address, Node: sdk("authorization.deletePermission", p.Slug)},
	)
	return v.show("permission_delete.html", "Delete permission", v.abovePermission(p.Slug), gone)
}
