package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/web"
)

// Check is the body of a question: may this membership do that, on its organization when no resource is named.
type Check struct {
	PermissionSlug     web.Field[string] `json:"permission_slug" required:"true" example:"invoices:read"`
	ResourceID         web.Field[string] `json:"resource_id" doc:"Excludes the other two."`
	ResourceExternalID web.Field[string] `json:"resource_external_id" doc:"Goes with resource_type_slug."`
	ResourceTypeSlug   web.Field[string] `json:"resource_type_slug" example:"organization"`
}

// Checked is the answer to a question.
type Checked struct {
	Authorized bool `json:"authorized"`
}

func showDecision(d authz.Decision) any { return Checked{Authorized: d.Authorized} }

// resource reads which resource a question is about.
func (c Check) resource() (authz.ResourceRef, error) {
	switch {
	case c.ResourceID.Set && (c.ResourceExternalID.Set || c.ResourceTypeSlug.Set):
		return authz.ResourceRef{}, fault.BadField("resource_id", "cannot be combined with resource_external_id and resource_type_slug")
	case c.ResourceExternalID.Set != c.ResourceTypeSlug.Set:
		return authz.ResourceRef{}, fault.BadField("resource_external_id", "and resource_type_slug must be given together")
	case c.ResourceID.Set:
		resource, ok := id.Parse[id.Resource](c.ResourceID.Value)
		if !ok {
			return authz.ResourceRef{}, fault.Missing("Resource", c.ResourceID.Value)
		}
		return authz.ResourceRef{ID: resource}, nil
	case c.ResourceExternalID.Set && (c.ResourceExternalID.Value == "" || c.ResourceTypeSlug.Value == ""):
		return authz.ResourceRef{}, fault.BadField("resource_external_id", "and resource_type_slug must not be empty")
	}
	return authz.ResourceRef{ExternalID: c.ResourceExternalID.Value, ResourceType: c.ResourceTypeSlug.Value}, nil
}

func check(r *request) (authz.Decision, error) {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return authz.Decision{}, err
	}
	in, err := web.Decode[Check](r.body)
	if err != nil {
		return authz.Decision{}, err
	}
	ref, err := in.resource()
	if err != nil {
		return authz.Decision{}, err
	}
	return r.api.rules.Check(r.Context(), r.caller, authz.Question{Membership: m, Permission: in.PermissionSlug.Value, Resource: ref})
}
