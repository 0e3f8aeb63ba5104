package dashboard

import (
	"net/url"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// resourceList is a page of the resources of an organization.
type resourceList struct {
	Owner                    id.Organization
	Organization             string // its name
	Root                     id.Resource
	Types                    []authz.ResourceType
	Type, Parent, ExternalID string
	Below                    *namedLink // the parent that narrows the list
	Filtered                 bool
	Resources                []resourceRow
	Pages                    pager
}

type resourceRow struct {
	authz.Resource
	Path   string
	Parent namedLink
}

func listResources(v *visit) error {
	org := v.organization()
	above, name, err := v.above(org)
	if err != nil {
		return err
	}
	list := resourceList{Owner: org, Organization: name, Root: authz.OrganizationResource(org),
		Type: v.query.Get("type"), Parent: v.query.Get("parent"), ExternalID: v.query.Get("external_id")}
	list.Filtered = list.Type+list.Parent+list.ExternalID != ""
	if list.Types, err = v.door.rules.ListResourceTypes(v.Context(), v.caller); err != nil {
		return err
	}
	find := v.finder()
	if list.Parent != "" && list.Parent != string(list.Root) {
		below, err := find.resource(org, id.Resource(list.Parent))
		if err != nil {
			return err
		}
		list.Below = &below
	}
	if list.Resources, list.Pages, err = v.resourceRows(find, authz.ResourceFilter{Organization: org, Type: list.Type, ExternalID: list.ExternalID}, id.Resource(list.Parent)); err != nil {
		return err
	}
	v.example(listResourcesCall(org, list.Type, list.Parent), createResourceCall(org, resourceForm{}))
	return v.show("resources.html", "Resources of "+name, above[:2], list)
}

// resourceRows is the page of a list of resources that the address asks for.
func (v *visit) resourceRows(find *finder, f authz.ResourceFilter, parent id.Resource) ([]resourceRow, pager, error) {
	part, err := v.part(page.Desc, isCursor[id.Resource])
	if err != nil {
		return nil, pager{}, err
	}
	found, err := v.door.rules.ListResources(v.Context(), v.caller, f, authz.ResourceRef{ID: parent}, part)
	if err != nil {
		return nil, pager{}, err
	}
	var all []resourceRow
	for _, r := range found.Items {
		row := resourceRow{Resource: r, Path: v.In(f.Organization, "resources", string(r.ID))}
		if row.Parent, err = find.resource(f.Organization, r.Parent); err != nil {
			return nil, pager{}, err
		}
		all = append(all, row)
	}
	return all, v.pages(found.Before, found.After), nil
}

func listResourcesCall(org id.Organization, kind, parent string) Call {
	query, node := url.Values{"organization_id": {string(org)}}, map[string]any{"organizationId": org}
	if kind != "" {
		query.Set("resource_type_slug", kind)
		node["resourceTypeSlug"] = kind
	}
	if parent != "" {
		query.Set("parent_resource_id", parent)
		node["parentResourceId"] = parent
	}
	return Call{What: "List resources", Method: "GET", Path: "/authorization/resources?" + query.Encode(), Node: sdk("authorization.listResources", node)}
}

// resourceForm is the form of a resource, of a new one where ID is empty.
type resourceForm struct {
	Owner                               id.Organization
	Organization                        string
	ID                                  id.Resource
	Types                               []authz.ResourceType
	Type, ExternalID, Name, Description string
	Parent                              parentChoice
	Back                                string
}

// parentChoice is the parent of a resource as it is chosen: by type and external id, or the organization itself.
type parentChoice struct {
	Type, ExternalID string
	Types            []authz.ResourceType // that a parent can have
	Top              bool                 // whether it can be the organization itself
	Near             []authz.Resource     // some that it can be
}

func newResource(v *visit) error {
	org := v.organization()
	above, name, err := v.aboveIn(org, "Resources", "resources")
	if err != nil {
		return err
	}
	form, err := v.newResourceForm(org, name)
	if err != nil {
		return err
	}
	if v.posted() {
		in := authz.NewResource{Organization: org, Type: form.Type, ExternalID: form.ExternalID, Name: form.Name, Description: v.optional("description"), Parent: v.chosenParent(form.Parent)}
		if len(v.complaints) == 0 {
			r, err := v.door.rules.CreateResource(v.Context(), v.caller, in)
			if err == nil {
				return v.done(v.In(org, "resources", string(r.ID)), "Resource “"+r.Name+"” was created.")
			}
			if !v.blameNaming(err, "parent_resource_id") {
				return err
			}
		}
	}
	v.example(createResourceCall(org, form))
	return v.show("resource_new.html", "Create resource", above, form)
}

// newResourceForm is the form with what was typed, or with the type and the parent that the address proposes.
func (v *visit) newResourceForm(org id.Organization, name string) (resourceForm, error) {
	form := resourceForm{Owner: org, Organization: name, Type: v.query.Get("type"), Back: v.In(org, "resources")}
	types, err := v.door.rules.ListResourceTypes(v.Context(), v.caller)
	if err != nil {
		return form, err
	}
	form.Types, form.Parent.Types, form.Parent.Top = types, types, true
	if v.posted() {
		form.Type, form.ExternalID, form.Name, form.Description = v.typed("resource_type_slug"), v.typed("external_id"), v.typed("name"), v.typed("description")
		form.Parent.Type, form.Parent.ExternalID = v.typed("parent_resource_type_slug"), v.typed("parent_resource_external_id")
	} else if parent := id.Resource(v.query.Get("parent")); parent != "" {
		above, err := v.door.rules.Resource(v.Context(), v.caller, org, authz.ResourceRef{ID: parent})
		if err != nil {
			return form, err
		}
		form.Types = slices.DeleteFunc(slices.Clone(types), func(t authz.ResourceType) bool { return !slices.Contains(t.Parents, above.Type) })
		if above.Type != authz.OrganizationType {
			form.Parent.Type, form.Parent.ExternalID = above.Type, above.ExternalID
		}
		form.Back = v.In(org, "resources", string(above.ID))
	}
	return form, nil
}

// chosenParent reads which parent was chosen.
func (v *visit) chosenParent(chosen parentChoice) authz.ResourceRef {
	if given := v.typed("parent_resource_id"); given != "" {
		return authz.ResourceRef{ID: id.Resource(given)}
	}
	switch {
	case chosen.Type == "" && chosen.ExternalID != "":
		v.complain("parent_resource_id", "needs the type of the resource, too")
	case chosen.Type != "" && chosen.ExternalID == "":
		v.complain("parent_resource_id", "needs the external id of the "+chosen.Type+", too")
	}
	return authz.ResourceRef{ExternalID: chosen.ExternalID, ResourceType: chosen.Type}
}

func createResourceCall(org id.Organization, f resourceForm) Call {
	if f.Name == "" {
		f.Type, f.ExternalID, f.Name = "project", "apollo", "Apollo"
	}
	body := map[string]any{"organization_id": org, "resource_type_slug": f.Type, "external_id": f.ExternalID, "name": f.Name}
	node := map[string]any{"organizationId": org, "resourceTypeSlug": f.Type, "externalId": f.ExternalID, "name": f.Name}
	if f.Description != "" {
		body["description"], node["description"] = f.Description, f.Description
	}
	if f.Parent.ExternalID != "" {
		body["parent_resource_type_slug"], body["parent_resource_external_id"] = f.Parent.Type, f.Parent.ExternalID
		node["parentResourceTypeSlug"], node["parentResourceExternalId"] = f.Parent.Type, f.Parent.ExternalID
	}
	return Call{What: "Create a resource", Method: "POST", Path: "/authorization/resources", Body: body, Node: sdk("authorization.createResource", node)}
}
