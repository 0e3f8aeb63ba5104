package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/web"
)

// DefaultRole is the role that a membership gets when none is asked for, and whose choice that is (extension).
type DefaultRole struct {
	Object string `json:"object" const:"default_role"`
	Role   Role   `json:"role"`
	Source string `json:"source" enum:"environment,organization" doc:"environment while an organization has no custom role yet and follows the environment."`
}

// RolePriority is the priority order of roles, highest first, and whose order it is (extension).
type RolePriority struct {
	Object    string   `json:"object" const:"role_priority"`
	RoleSlugs []string `json:"role_slugs"`
	Source    string   `json:"source" enum:"environment,organization" doc:"environment while an organization has no custom role yet and follows the environment."`
}

// NewDefaultRole is the body that changes the default role.
type NewDefaultRole struct {
	RoleSlug web.Field[string] `json:"role_slug" required:"true" example:"member"`
}

// NewRolePriority is the body that changes the priority order.
type NewRolePriority struct {
	RoleSlugs web.Field[[]string] `json:"role_slugs" required:"true" doc:"Every role available, each once, highest priority first." example:"member"`
}

func policySource(p authz.Policy) string {
	if p.Own && p.Organization != "" {
		return "organization"
	}
	return "environment"
}

func showDefault(p authz.Policy) any {
	role, _ := p.DefaultRole()
	return DefaultRole{Object: "default_role", Role: roleBody(role), Source: policySource(p)}
}

func showPriority(p authz.Policy) any {
	slugs := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		slugs[i] = r.Slug
	}
	return RolePriority{Object: "role_priority", RoleSlugs: slugs, Source: policySource(p)}
}

func getPolicy(r *request) (authz.Policy, error) {
	return r.api.decisions.Policy(r.Context(), r.caller, r.org)
}

func setDefault(r *request) (authz.Policy, error) {
	in, err := web.Decode[NewDefaultRole](r.body)
	if err != nil {
		return authz.Policy{}, err
	}
	return r.api.rules.SetDefault(r.Context(), r.caller, r.org, in.RoleSlug.Value)
}

func setPriority(r *request) (authz.Policy, error) {
	in, err := web.Decode[NewRolePriority](r.body)
	if err != nil {
		return authz.Policy{}, err
	}
	return r.api.rules.SetPriority(r.Context(), r.caller, r.org, in.RoleSlugs.Value)
}

func supposeDefault(r *request) (authz.Supposition, error) {
	in, err := web.Decode[NewDefaultRole](r.body)
	return authz.SupposeDefault(r.org, in.RoleSlug.Value), err
}

func supposePriority(r *request) (authz.Supposition, error) {
	in, err := web.Decode[NewRolePriority](r.body)
	return authz.SupposePriority(r.org, in.RoleSlugs.Value), err
}
