package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// ResourceMember is a membership that can do something on a resource; its roles are not part of that answer.
type ResourceMember struct {
	Object           string          `json:"object" const:"organization_membership"`
	ID               id.Membership   `json:"id"`
	UserID           id.User         `json:"user_id"`
	OrganizationID   id.Organization `json:"organization_id"`
	OrganizationName string          `json:"organization_name"`
	Status           string          `json:"status" enum:"active,inactive,pending"`
	DirectoryManaged bool            `json:"directory_managed"`
	CustomAttributes map[string]any  `json:"custom_attributes"`
	User             event.User      `json:"user"`
	CreatedAt        event.Time      `json:"created_at"`
	UpdatedAt        event.Time      `json:"updated_at"`
}

func resourceMemberBody(m authz.Member) ResourceMember {
	return ResourceMember{
		Object: "organization_membership", ID: m.ID, UserID: m.Membership.User, OrganizationID: m.Organization,
		OrganizationName: m.OrganizationName, Status: string(m.Status), DirectoryManaged: m.DirectoryManaged,
		CustomAttributes: map[string]any{}, User: m.Person.Payload(),
		CreatedAt: event.Time(m.CreatedAt), UpdatedAt: event.Time(m.UpdatedAt),
	}
}

// permissionSlug reads the permission that a look-up is about.
func (r *request) permissionSlug() (string, error) {
	slug := r.query.Get("permission_slug")
	if slug == "" {
		return "", fault.BadField("permission_slug", "is required")
	}
	return slug, nil
}

// parent reads what a look-up is to go below. The contract wants another status for this than for other parameters.
func (r *request) parent() (authz.ResourceRef, error) {
	byID, kind, externalID := r.query.Get("parent_resource_id"), r.query.Get("parent_resource_type_slug"), r.query.Get("parent_resource_external_id")
	if (byID != "") == (kind != "" || externalID != "") || (kind == "") != (externalID == "") {
		return authz.ResourceRef{}, fault.New(fault.BadRequest, fault.CodeBadRequest,
			"Name the parent either by parent_resource_id or by parent_resource_type_slug and parent_resource_external_id.")
	}
	if byID == "" {
		return authz.ResourceRef{ResourceType: kind, ExternalID: externalID}, nil
	}
	parent, ok := id.Parse[id.Resource](byID)
	if !ok {
		return authz.ResourceRef{}, fault.Missing("Resource", byID)
	}
	return authz.ResourceRef{ID: parent}, nil
}

func listResourcesForMembership(r *request) (none page.Page[authz.Resource], err error) {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return none, err
	}
	p, err := pageOf[id.Resource](r, page.Desc)
	if err != nil {
		return none, err
	}
	slug, err := r.permissionSlug()
	if err != nil {
		return none, err
	}
	parent, err := r.parent()
	if err != nil {
		return none, err
	}
	return r.api.rules.ResourcesFor(r.Context(), r.caller, m, slug, parent, p)
}

func listMembershipsForResource(r *request) (none page.Page[authz.Member], err error) {
	ref, err := r.resourcePath()
	if err != nil {
		return none, err
	}
	p, err := pageOf[id.Membership](r, page.Desc)
	if err != nil {
		return none, err
	}
	slug, err := r.permissionSlug()
	if err != nil {
		return none, err
	}
	return r.api.rules.MembersWith(r.Context(), r.caller, r.org, ref, slug, authz.Assigned(r.query.Get("assignment")), p)
}

func listEffectivePermissions(r *request) (none page.Page[authz.Permission], err error) {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return none, err
	}
	ref, err := r.resourcePath()
	if err != nil {
		return none, err
	}
	p, err := pageOf[id.Permission](r, page.Desc)
	if err != nil {
		return none, err
	}
	return r.api.decisions.PermissionsOn(r.Context(), r.caller, m, ref, p)
}
