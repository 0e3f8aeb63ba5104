package dashboard

import (
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// ownedResource is resource for the screens that change it, which the organization's own has not.
func (v *visit) ownedResource() (resourceAt, error) {
	at, err := v.resource()
	if err == nil && at.Top() {
		err = fault.New(fault.NotFound, "route_not_found", "This is the organization itself. It is changed on the organization's own page.")
	}
	return at, err
}

func editResource(v *visit) error {
	at, err := v.ownedResource()
	if err != nil {
		return err
	}
	form := resourceForm{Owner: at.Owner, Organization: at.Organization, ID: at.ID, Type: at.Type, ExternalID: at.ExternalID, Name: at.Name, Description: textOf(at.Description), Back: at.Path}
	if v.posted() {
		before := map[string][]string{"name": {form.Name}, "description": {form.Description}}
		form.Name, form.Description = v.typed("name"), v.typed("description")
		change := authz.ResourceChange{Details: authz.Details{Name: authz.Some(form.Name), Description: authz.Some(v.optional("description"))}}
		_, err := v.door.rules.UpdateResource(v.Context(), v.caller, at.Owner, authz.ResourceRef{ID: at.ID}, change)
		if err == nil {
			return v.doneUndoably(at.Path, "Resource “"+form.Name+"” was saved.", &undo{Action: at.Below("edit"), Fields: before})
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Change name and description", Method: "PATCH", Path: resourceURL(at.ID), Body: map[string]any{"name": form.Name, "description": form.Description},
		Node: sdk("authorization.updateResource", map[string]any{"resourceId": at.ID, "name": form.Name, "description": form.Description})})
	return v.show("resource_edit.html", "Edit "+at.Name, at.above, form)
}

type resourceMove struct {
	resourceAt
	Parent   parentChoice
	Now      namedLink
	Children authz.Count
}

func moveResource(v *visit) error {
	at, err := v.ownedResource()
	if err != nil {
		return err
	}
	form := resourceMove{resourceAt: at, Now: v.namedResource(at.Owner, at.parent)}
	if err := v.parentsOf(&form); err != nil {
		return err
	}
	if at.parent.Type != authz.OrganizationType {
		form.Parent.Type, form.Parent.ExternalID = at.parent.Type, at.parent.ExternalID
	}
	if v.posted() {
		form.Parent.Type, form.Parent.ExternalID = v.typed("parent_resource_type_slug"), v.typed("parent_resource_external_id")
		change := authz.ResourceChange{Parent: authz.Some(v.chosenParent(form.Parent))}
		if len(v.complaints) == 0 {
			_, err := v.door.rules.UpdateResource(v.Context(), v.caller, at.Owner, authz.ResourceRef{ID: at.ID}, change)
			if err == nil {
				return v.doneUndoably(at.Path, "Resource “"+at.Name+"” was moved.", &undo{Action: at.Below("move"), Fields: map[string][]string{"parent_resource_id": {string(at.Parent)}}})
			}
			if !v.blameNaming(err, "parent_resource_id") {
				return err
			}
		}
	}
	v.example(Call{What: "Move the resource", Method: "PATCH", Path: resourceURL(at.ID), Body: map[string]any{"parent_resource_id": "authz_resource_…"},
		Node: sdk("authorization.updateResource", map[string]any{"resourceId": at.ID, "parentResourceId": "authz_resource_…"})})
	return v.show("resource_move.html", "Move "+at.Name, at.above, form)
}

// fewParents is how many resources of one type a form proposes as parents.
const fewParents = 50

// parentsOf finds below what a resource can lie, proposes some, and counts what moves with it.
func (v *visit) parentsOf(form *resourceMove) error {
	types, err := v.door.rules.ListResourceTypes(v.Context(), v.caller)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(types, func(t authz.ResourceType) bool { return t.Slug == form.Type })
	if at < 0 {
		return nil
	}
	for _, kind := range types[at].Parents {
		form.Parent.Top = form.Parent.Top || kind == authz.OrganizationType
		for _, t := range types {
			if t.Slug != kind {
				continue
			}
			form.Parent.Types = append(form.Parent.Types, t)
			some, err := v.door.rules.ListResources(v.Context(), v.caller, authz.ResourceFilter{Organization: form.Owner, Type: kind}, authz.ResourceRef{}, firstOf(fewParents))
			if err != nil {
				return err
			}
			form.Parent.Near = append(form.Parent.Near, some.Items...)
		}
	}
	form.Children, err = v.childrenOf(form.resourceAt)
	return err
}

// childrenOf counts what lies directly below a resource, as far as one page goes.
func (v *visit) childrenOf(at resourceAt) (authz.Count, error) {
	found, err := v.door.rules.ListResources(v.Context(), v.caller, authz.ResourceFilter{Organization: at.Owner}, authz.ResourceRef{ID: at.ID}, firstOf(page.MaxLimit))
	return authz.Count{N: len(found.Items), More: found.After != ""}, err
}

type resourceDeletion struct {
	resourceAt
	Aftermath       aftermath
	Children, Roles authz.Count
	Cascade         bool
}

// Needed says whether the deletion takes something else with it, which must be said.
func (d resourceDeletion) Needed() bool { return d.Children.N+d.Roles.N > 0 }

func deleteResource(v *visit) error {
	at, err := v.ownedResource()
	if err != nil {
		return err
	}
	form := resourceDeletion{resourceAt: at, Cascade: v.typed("cascade_delete") == "true"}
	if v.decided() {
		err := v.door.rules.DeleteResource(v.Context(), v.caller, at.Owner, authz.ResourceRef{ID: at.ID}, form.Cascade)
		switch {
		case err == nil:
			return v.done(v.In(at.Owner, "resources"), "Resource “"+at.Name+"” was deleted.")
		case fault.HasCode(err, "resource_has_dependents") && !form.Cascade:
			v.complain("cascade_delete", "must be ticked: resources lie below this one, or roles are held on it")
		case !v.blame(err):
			return err
		}
	}
	if err := v.foreseeDeletion(&form); err != nil {
		return err
	}
	v.example(previewCall(resourceURL(at.ID)+"?cascade_delete=true&"), deleteResourceCall(at.ID, form.Needed()))
	return v.show("resource_delete.html", "Delete "+at.Name, at.above, form)
}

// foreseeDeletion finds out what a deletion would take with it, and from whom.
func (v *visit) foreseeDeletion(form *resourceDeletion) (err error) {
	at := form.resourceAt
	if form.Children, err = v.childrenOf(at); err != nil {
		return err
	}
	held, err := v.door.rules.ListResourceAssignments(v.Context(), v.caller, at.Owner, authz.ResourceRef{ID: at.ID}, "", firstOf(page.MaxLimit))
	if err != nil {
		return err
	}
	form.Roles = authz.Count{N: len(held.Items), More: held.After != ""}
	form.Aftermath, err = v.aftermath(at.Owner, supposeGone(at), at.Below("impact"))
	return err
}

func supposeGone(at resourceAt) authz.Supposition {
	return authz.SupposeDeleteResource(at.Owner, authz.ResourceRef{ID: at.ID}, true)
}

func deleteResourceCall(r id.Resource, cascade bool) Call {
	path, node := resourceURL(r), map[string]any{"resourceId": r}
	if cascade {
		path += "?cascade_delete=true"
		node["cascadeDelete"] = true
	}
	return Call{What: "Delete the resource", Method: "DELETE", Path: path, Node: sdk("authorization.deleteResource", node)}
}

func resourceImpact(v *visit) error {
	at, err := v.ownedResource()
	if err != nil {
		return err
	}
	v.example(previewCall(resourceURL(at.ID) + "?cascade_delete=true&"))
	return v.showImpact(at.Owner, supposeGone(at), "What deleting "+at.Name+" would do", at.above,
		impactPage{What: at.Type + " “" + at.Name + "”", Back: at.Below("delete")})
}
