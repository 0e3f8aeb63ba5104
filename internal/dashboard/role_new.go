package dashboard

import (
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// customPrefix begins the slug of a custom role that is chosen and not generated (R5).
const customPrefix = "org-"

// roleForm is the form of a role.
type roleForm struct {
	Owner                   id.Organization
	Organization            string // its name
	First                   bool   // whether it would be the organization's first custom role
	Name, Slug, Description string
	Type                    string
	Types                   []authz.ResourceType
	Chosen                  []string
	Catalogue               []permissionGroup
	Like                    string // the role or template that the form began with
	Roles                   []authz.Role
	Templates               []roleTemplate
	Taken                   string // the slugs that roles here have already, as they are typed
}

func newRole(v *visit) error {
	org := v.organization()
	above, name, err := v.above(org)
	if err != nil {
		return err
	}
	form, err := v.roleForm(org, name)
	if err != nil {
		return err
	}
	if v.posted() {
		in := authz.NewRole{
			Slug: authz.Some(form.Slug), Name: form.Name, Description: v.optional("description"), Permissions: authz.Some(form.Chosen),
			ResourceType: authz.Opt[string]{Set: form.Type != "", Value: form.Type},
		}
		if org != "" {
			in.Slug = authz.Opt[string]{Set: form.Slug != "", Value: customPrefix + form.Slug}
		}
		role, err := v.door.rules.CreateRole(v.Context(), v.caller, org, in)
		if err == nil {
			return v.done(v.RolePath(role), "Role “"+role.Name+"” was created, at the bottom of the order.")
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(form.example())
	return v.show("role_new.html", "Create role", above, form)
}

// roleForm is the form with what was typed, or with what another role has.
func (v *visit) roleForm(org id.Organization, name string) (roleForm, error) {
	form := roleForm{Owner: org, Organization: name, Like: v.query.Get("like")}
	policy, err := v.door.rules.Policy(v.Context(), v.caller, org)
	if err != nil {
		return form, err
	}
	form.First, form.Roles = !policy.Own, policy.Roles
	if form.Types, err = v.door.rules.ListResourceTypes(v.Context(), v.caller); err != nil {
		return form, err
	}
	all, err := v.catalogue(v.Context())
	if err != nil {
		return form, err
	}
	form.Catalogue, form.Templates = grouped(all), templatesFor(all)
	for _, r := range policy.Roles {
		if r.Organization == org {
			form.Taken += strings.TrimPrefix(r.Slug, prefixOf(org)) + " "
		}
	}
	if v.posted() {
		form.Name, form.Slug, form.Description = v.typed("name"), strings.TrimPrefix(v.typed("slug"), customPrefix), v.typed("description")
		form.Type, form.Chosen = v.typed("resource_type_slug"), append([]string{}, v.form["permissions"]...)
		if org == "" {
			form.Slug = v.typed("slug")
		}
		return form, nil
	}
	for _, r := range policy.Roles {
		if r.Slug == form.Like {
			form.Name, form.Description, form.Type, form.Chosen = "Copy of "+r.Name, textOf(r.Description), r.ResourceType, r.Permissions
		}
	}
	for _, t := range form.Templates {
		if t.Like() == form.Like {
			form.Name, form.Description, form.Chosen = t.Name, t.Description, t.Permissions
		}
	}
	return form, nil
}

// prefixOf is what slugs of an owner's roles begin with, without being typed.
func prefixOf(org id.Organization) string {
	if org == "" {
		return ""
	}
	return customPrefix
}

func (f roleForm) example() Call {
	body := map[string]any{"name": f.Name, "slug": f.Slug, "permissions": append([]string{}, f.Chosen...)}
	if f.Name == "" {
		body["name"], body["slug"] = "Billing", "billing"
	}
	if f.Description != "" {
		body["description"] = f.Description
	}
	what := "Create an environment role"
	if f.Owner != "" {
		what, body["slug"] = "Create a custom role", customPrefix+body["slug"].(string)
	}
	return Call{What: what, Method: "POST", Path: authorizationPath(f.Owner) + "/roles", Body: body}
}
