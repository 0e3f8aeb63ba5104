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

// resourceRef reads which resource a request is about: by its id, or by external id and type, or, with none of them,
// the organization itself.
func resourceRef(byID, externalID, kind web.Field[string]) (authz.ResourceRef, error) {
	switch {
	case byID.Set && (externalID.Set || kind.Set):
		return authz.ResourceRef{}, fault.BadField("resource_id", "cannot be combined with resource_external_id and resource_type_slug")
	case externalID.Set != kind.Set:
		return authz.ResourceRef{}, fault.BadField("resource_external_id", "and resource_type_slug must be given together")
	case byID.Set:
		resource, ok := id.Parse[id.Resource](byID.Value)
		if !ok {
			return authz.ResourceRef{}, fault.Missing("Resource", byID.Value)
		}
		return authz.ResourceRef{ID: resource}, nil
	case externalID.Set && (externalID.Value == "" || kind.Value == ""):
		return authz.ResourceRef{}, fault.BadField("resource_external_id", "and resource_type_slug must not be empty")
	}
	return authz.ResourceRef{ExternalID: externalID.Value, ResourceType: kind.Value}, nil
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
	ref, err := resourceRef(in.ResourceID, in.ResourceExternalID, in.ResourceTypeSlug)
	if err != nil {
		return authz.Decision{}, err
	}
	return r.api.rules.Check(r.Context(), r.caller, authz.Question{Membership: m, Permission: in.PermissionSlug.Value, Resource: ref})
}
