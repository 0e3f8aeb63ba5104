package dashboard

import (
	"net/url"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
)

// typeList is the resource types of the environment.
type typeList struct {
	Types    []typeRow
	Filtered bool
	Most     int // that the environment can have
}

type typeRow struct {
	authz.ResourceType
	Permissions, Roles int // of the environment, that are made for it
	Below              []string
}

// typeUse reads all types with what is known to use them.
func (v *visit) typeUse() ([]typeRow, error) {
	types, err := v.door.rules.ListResourceTypes(v.Context(), v.caller)
	if err != nil {
		return nil, err
	}
	permissions, err := v.catalogue(v.Context())
	if err != nil {
		return nil, err
	}
	policy, err := v.door.rules.Order(v.Context(), v.caller, "")
	if err != nil {
		return nil, err
	}
	all := make([]typeRow, len(types))
	for i, t := range types {
		all[i].ResourceType = t
		for _, p := range permissions {
			if p.ResourceType == t.Slug {
				all[i].Permissions++
			}
		}
		for _, r := range policy.Roles {
			if r.ResourceType == t.Slug {
				all[i].Roles++
			}
		}
		for _, other := range types {
			if slices.Contains(other.Parents, t.Slug) {
				all[i].Below = append(all[i].Below, other.Slug)
			}
		}
	}
	return all, nil
}

const typesAddress = "/authorization/resource_types"

func listResourceTypes(v *visit) error {
	all, err := v.typeUse()
	if err != nil {
		return err
	}
	list := typeList{Most: authz.MaxResourceTypes}
	for _, t := range all {
		if matches(v.query.Get("search"), t.Slug, t.Name, textOf(t.Description)) {
			list.Types = append(list.Types, t)
		}
	}
	list.Filtered = len(list.Types) < len(all)
	v.example(Call{What: "List the resource types", Method: "GET", Path: typesAddress}, typeForm{}.creation())
	return v.show("resource_types.html", "Resource types", nil, list)
}

// typeForm is the form of a resource type, new or known.
type typeForm struct {
	Slug, Name, Description string
	Parents                 []string
	Types                   []authz.ResourceType // that can be its parents
	Known                   bool                 // whether it exists, so that its slug stays
}

// typeFields is what a form of a resource type sends.
func typeFields(t authz.ResourceType) url.Values {
	return url.Values{"slug": {t.Slug}, "name": {t.Name}, "description": {textOf(t.Description)}, "parent_resource_type_slugs": t.Parents}
}

func (f typeForm) body() map[string]any {
	body := map[string]any{"name": f.Name, "parent_resource_type_slugs": append([]string{}, f.Parents...)}
	if f.Name == "" {
		body["name"], body["parent_resource_type_slugs"] = "Project", []string{authz.OrganizationType}
	}
	if f.Description != "" {
		body["description"] = f.Description
	}
	return body
}

func (f typeForm) creation() Call {
	body := f.body()
	if body["slug"] = f.Slug; f.Slug == "" {
		body["slug"] = "project"
	}
	return Call{What: "Create a resource type", Method: "POST", Path: typesAddress, Body: body}
}

// read fills the form with what was typed.
func (f *typeForm) read(v *visit) {
	f.Name, f.Description, f.Parents = v.typed("name"), v.typed("description"), v.form["parent_resource_type_slugs"]
	if !f.Known {
		f.Slug = v.typed("slug")
	}
}

func (v *visit) aboveTypes() []crumb { return []crumb{{"Resource types", v.Path("resource-types")}} }

func newResourceType(v *visit) error {
	types, err := v.door.rules.ListResourceTypes(v.Context(), v.caller)
	if err != nil {
		return err
	}
	form := typeForm{Types: types, Parents: []string{authz.OrganizationType}}
	if v.posted() {
		form.read(v)
		t, err := v.door.rules.CreateResourceType(v.Context(), v.caller, authz.NewResourceType{
			Slug: form.Slug, Name: form.Name, Description: v.optional("description"), Parents: authz.Some(form.Parents),
		})
		if err == nil {
			return v.done(v.Path("resource-types"), "Resource type “"+t.Name+"” was created.")
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(form.creation())
	return v.show("resource_type_new.html", "Create resource type", v.aboveTypes(), form)
}

func editResourceType(v *visit) error {
	t, err := v.door.rules.ResourceType(v.Context(), v.caller, v.PathValue("type"))
	if err != nil {
		return err
	}
	form := typeForm{Slug: t.Slug, Name: t.Name, Description: textOf(t.Description), Parents: t.Parents, Known: true}
	if form.Types, err = v.door.rules.ListResourceTypes(v.Context(), v.caller); err != nil {
		return err
	}
	form.Types = slices.DeleteFunc(form.Types, func(other authz.ResourceType) bool { return other.Slug == t.Slug })
	if v.posted() {
		form.read(v)
		_, err := v.door.rules.UpdateResourceType(v.Context(), v.caller, t.Slug, authz.ResourceTypeChange{
			Details: authz.Details{Name: authz.Some(form.Name), Description: authz.Some(v.optional("description"))}, Parents: authz.Some(form.Parents),
		})
		if err == nil {
			return v.doneUndoably(v.Path("resource-types"), "Resource type “"+form.Name+"” was saved.",
				&undo{Action: v.Path("resource-types", t.Slug, "edit"), Fields: typeFields(t)})
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Change the resource type", Method: "PATCH", Path: typesAddress + "/" + t.Slug, Body: form.body()})
	return v.show("resource_type_new.html", "Edit resource type", v.aboveTypes(), form)
}

func deleteResourceType(v *visit) error {
	t, err := v.door.rules.ResourceType(v.Context(), v.caller, v.PathValue("type"))
	if err != nil {
		return err
	}
	if v.posted() {
		err := v.door.rules.DeleteResourceType(v.Context(), v.caller, t.Slug)
		if err == nil {
			return v.doneUndoably(v.Path("resource-types"), "Resource type “"+t.Name+"” was deleted.",
				&undo{Action: v.Path("new", "resource-type"), Fields: typeFields(t)})
		}
		if !v.blame(err) {
			return err
		}
	}
	all, err := v.typeUse()
	if err != nil {
		return err
	}
	gone := typeRow{ResourceType: t}
	for _, row := range all {
		if row.Slug == t.Slug {
			gone = row
		}
	}
	v.example(Call{What: "Delete the resource type", Method: "DELETE", Path: typesAddress + "/" + t.Slug})
	return v.show("resource_type_delete.html", "Delete resource type", v.aboveTypes(), gone)
}
