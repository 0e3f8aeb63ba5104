package dashboard

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
)

// roleTemplate is a role to begin with, made of the permissions that the environment has.
type roleTemplate struct {
	Value, Name, Description string
	Permissions              []string
}

// Like is how the form of a new role is asked to begin with it. No slug of a role has a colon.
func (t roleTemplate) Like() string { return "template:" + t.Value }

// readings and moneys are the words by which permissions are told apart.
var (
	readings = []string{"read", "view", "list", "get", "show", "see"}
	moneys   = []string{"invoice", "invoices", "billing", "payment", "payments", "plan", "plans", "subscription", "subscriptions"}
)

// templatesFor is the templates that hold something here. Only permissions on the organization count: those for a
// resource type need a role for that type.
func templatesFor(all []authz.Permission) []roleTemplate {
	templates := []roleTemplate{
		{Value: "administrator", Name: "Administrator", Description: "May do everything"},
		{Value: "viewer", Name: "Viewer", Description: "May look at everything and change nothing"},
		{Value: "billing", Name: "Billing", Description: "May do what is about money"},
	}
	for _, p := range all {
		if p.System || p.ResourceType != authz.OrganizationType {
			continue
		}
		about, action, _ := strings.Cut(p.Slug, ":")
		for i, fits := range []bool{true, slices.Contains(readings, action), slices.Contains(moneys, about)} {
			if fits {
				templates[i].Permissions = append(templates[i].Permissions, p.Slug)
			}
		}
	}
	var useful []roleTemplate
	for _, t := range templates {
		if len(t.Permissions) > 0 {
			useful = append(useful, t)
		}
	}
	return useful
}
