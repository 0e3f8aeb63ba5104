package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// defaultForm is the choice of a default role.
type defaultForm struct {
	Owner        id.Organization
	Organization string
	Slug         string
	Present      authz.Role
	Roles        []authz.Role
	Foresight    foresight
}

func chooseDefault(v *visit) error {
	org := v.organization()
	above, name, err := v.above(org)
	if err != nil {
		return err
	}
	policy, err := v.door.rules.Order(v.Context(), v.caller, org)
	if err != nil {
		return err
	}
	form := defaultForm{Owner: org, Organization: name, Slug: v.query.Get("role_slug")}
	form.Present, _ = policy.DefaultRole()
	for _, r := range policy.Roles {
		if r.ResourceType == authz.OrganizationType {
			form.Roles = append(form.Roles, r)
		}
	}
	if v.posted() {
		form.Slug = v.typed("role_slug")
	}
	if v.decided() {
		_, err := v.door.rules.SetDefault(v.Context(), v.caller, org, form.Slug)
		if err == nil {
			return v.doneUndoably(v.In(org, "roles"), "New members get “"+form.Slug+"” from now on.",
				&undo{Action: v.In(org, "default"), Fields: map[string][]string{"role_slug": {form.Present.Slug}}})
		}
		if !v.blame(err) {
			return err
		}
	} else if form.Slug != "" {
		if form.Foresight, err = v.foreseeing(authz.SupposeDefault(org, form.Slug), byOrganization); err != nil {
			return err
		}
	}
	v.example(Call{What: "Choose the default role", Method: "PUT", Path: authorizationPath(org) + "/default_role", Body: map[string]any{"role_slug": form.Slug}})
	return v.show("role_default.html", "Default role", above, form)
}
