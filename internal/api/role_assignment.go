package api

import (
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// RoleAssignment is a role that a membership was given on a resource.
type RoleAssignment struct {
	Object                   string               `json:"object" const:"role_assignment"`
	ID                       id.Assignment        `json:"id"`
	OrganizationMembershipID id.Membership        `json:"organization_membership_id"`
	Role                     event.Slim           `json:"role"`
	Resource                 AssignmentResource   `json:"resource"`
	Source                   RoleAssignmentSource `json:"source"`
	StartsAt                 *event.Time          `json:"starts_at,omitempty" doc:"Extension: without effect before."`
	ExpiresAt                *event.Time          `json:"expires_at,omitempty" doc:"Extension: without effect from then on."`
	CreatedAt                event.Time           `json:"created_at"`
	UpdatedAt                event.Time           `json:"updated_at"`
}

// AssignmentResource is what a role was given on.
type AssignmentResource struct {
	ID               id.Resource `json:"id"`
	ExternalID       string      `json:"external_id"`
	ResourceTypeSlug string      `json:"resource_type_slug"`
}

// RoleAssignmentSource is whether a membership was given a role itself or has it through a group.
type RoleAssignmentSource struct {
	Type                  string              `json:"type" enum:"direct,group"`
	GroupRoleAssignmentID *id.GroupAssignment `json:"group_role_assignment_id"`
}

// GroupRoleAssignment is a role that a group was given on a resource.
type GroupRoleAssignment struct {
	Object    string             `json:"object" const:"group_role_assignment"`
	ID        id.GroupAssignment `json:"id"`
	GroupID   id.Group           `json:"group_id"`
	Role      event.Slim         `json:"role"`
	Resource  AssignmentResource `json:"resource"`
	StartsAt  *event.Time        `json:"starts_at,omitempty" doc:"Extension: without effect before."`
	ExpiresAt *event.Time        `json:"expires_at,omitempty" doc:"Extension: without effect from then on."`
	CreatedAt event.Time         `json:"created_at"`
	UpdatedAt event.Time         `json:"updated_at"`
}

// NewRoleAssignment is the body that gives a role, and an entry of the body that replaces those of a group.
type NewRoleAssignment struct {
	RoleSlug           web.Field[string] `json:"role_slug" required:"true" example:"member"`
	ResourceID         web.Field[string] `json:"resource_id" doc:"Excludes the other two. Without any of them the organization itself is meant."`
	ResourceExternalID web.Field[string] `json:"resource_external_id" doc:"Goes with resource_type_slug."`
	ResourceTypeSlug   web.Field[string] `json:"resource_type_slug" example:"organization"`
	StartsAt           web.Field[string] `json:"starts_at" nullable:"true" format:"date-time" doc:"Extension: RFC 3339; without effect before."`
	ExpiresAt          web.Field[string] `json:"expires_at" nullable:"true" format:"date-time" doc:"Extension: RFC 3339; without effect from then on."`
}

// RoleAssignmentCriteria is the body that takes a role away.
type RoleAssignmentCriteria struct {
	RoleSlug           web.Field[string] `json:"role_slug" required:"true" example:"member"`
	ResourceID         web.Field[string] `json:"resource_id" doc:"Excludes the other two. Without any of them the organization itself is meant."`
	ResourceExternalID web.Field[string] `json:"resource_external_id" doc:"Goes with resource_type_slug."`
	ResourceTypeSlug   web.Field[string] `json:"resource_type_slug" example:"organization"`
}

// GroupRoleAssignments is the body that replaces the roles of a group.
type GroupRoleAssignments struct {
	RoleAssignments web.Field[[]web.Item[NewRoleAssignment]] `json:"role_assignments" required:"true" maxItems:"100" doc:"All that the group shall have."`
}

func showRoleAssignment(a authz.RoleAssignment) any { return roleAssignmentBody(a) }

func roleAssignmentBody(a authz.RoleAssignment) RoleAssignment {
	b := RoleAssignment{
		Object: "role_assignment", ID: a.ID, OrganizationMembershipID: a.Membership, Role: event.Slim{Slug: a.Slug},
		Resource: assignmentResource(a.On), Source: RoleAssignmentSource{Type: "direct"},
		StartsAt: optionalTime(a.StartsAt), ExpiresAt: optionalTime(a.ExpiresAt),
		CreatedAt: event.Time(a.CreatedAt), UpdatedAt: event.Time(a.UpdatedAt),
	}
	if a.Through != "" {
		through := id.Retype[id.GroupAssignment](a.Through)
		b.Source = RoleAssignmentSource{Type: "group", GroupRoleAssignmentID: &through}
	}
	return b
}

func showGroupRoleAssignment(a authz.RoleAssignment) any { return groupRoleAssignmentBody(a) }

func groupRoleAssignmentBody(a authz.RoleAssignment) GroupRoleAssignment {
	return GroupRoleAssignment{
		Object: "group_role_assignment", ID: id.Retype[id.GroupAssignment](a.ID), GroupID: a.Group, Role: event.Slim{Slug: a.Slug},
		Resource: assignmentResource(a.On), StartsAt: optionalTime(a.StartsAt), ExpiresAt: optionalTime(a.ExpiresAt),
		CreatedAt: event.Time(a.CreatedAt), UpdatedAt: event.Time(a.UpdatedAt),
	}
}

func assignmentResource(on authz.NamedResource) AssignmentResource {
	return AssignmentResource{ID: on.ID, ExternalID: on.ExternalID, ResourceTypeSlug: on.Type}
}

func optionalTime(t time.Time) *event.Time {
	if t.IsZero() {
		return nil
	}
	shown := event.Time(t)
	return &shown
}

// given reads what a body wants to be given.
func (n NewRoleAssignment) given() (authz.NewAssignment, error) {
	ref, err := resourceRef(n.ResourceID, n.ResourceExternalID, n.ResourceTypeSlug)
	if err != nil {
		return authz.NewAssignment{}, err
	}
	starts, err := instantIn(n.StartsAt, "starts_at")
	if err != nil {
		return authz.NewAssignment{}, err
	}
	expires, err := instantIn(n.ExpiresAt, "expires_at")
	return authz.NewAssignment{Role: n.RoleSlug.Value, Resource: ref, StartsAt: starts, ExpiresAt: expires}, err
}

// instantIn reads an instant of a body, to the millisecond; absent and null are none. Years that the spelling of the
// contract cannot hold are refused.
func instantIn(f web.Field[string], name string) (time.Time, error) {
	if !f.Set || f.Null {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, f.Value)
	if t = t.UTC().Truncate(time.Millisecond); err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, fault.BadField(name, "must be an instant of RFC 3339, such as 2026-01-31T12:00:00Z")
	}
	return t, nil
}

func (r *request) newAssignment() (authz.NewAssignment, error) {
	in, err := web.Decode[NewRoleAssignment](r.body)
	if err != nil {
		return authz.NewAssignment{}, err
	}
	return in.given()
}

func (r *request) criteria() (authz.RoleCriteria, error) {
	in, err := web.Decode[RoleAssignmentCriteria](r.body)
	if err != nil {
		return authz.RoleCriteria{}, err
	}
	ref, err := resourceRef(in.ResourceID, in.ResourceExternalID, in.ResourceTypeSlug)
	return authz.RoleCriteria{Role: in.RoleSlug.Value, Resource: ref}, err
}

// named is a parameter of the query as a field of a body would be.
func (r *request) named(name string) web.Field[string] {
	v := r.query.Get(name)
	return web.Field[string]{Set: v != "", Value: v}
}

// narrowedTo reads the resources that a list is about: one, or all of a type or with an external id, or simply all.
func (r *request) narrowedTo() (authz.ResourceRef, error) {
	byID, externalID, kind := r.named("resource_id"), r.named("resource_external_id"), r.named("resource_type_slug")
	if byID.Set {
		return resourceRef(byID, externalID, kind)
	}
	return authz.ResourceRef{ExternalID: externalID.Value, ResourceType: kind.Value}, nil
}

func listRoleAssignments(r *request) (page.Page[authz.RoleAssignment], error) {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	p, err := pageOf[id.Assignment](r, page.Desc)
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	on, err := r.narrowedTo()
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	return r.api.rules.ListRoleAssignments(r.Context(), r.caller, m, on, p)
}

func assignRole(r *request) (authz.RoleAssignment, error) {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return authz.RoleAssignment{}, err
	}
	in, err := r.newAssignment()
	if err != nil {
		return authz.RoleAssignment{}, err
	}
	return r.api.rules.AssignRole(r.Context(), r.caller, m, in)
}

func unassignRole(r *request) error {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return err
	}
	which, err := r.criteria()
	if err != nil {
		return err
	}
	return r.api.rules.UnassignRole(r.Context(), r.caller, m, which)
}

func removeRoleAssignment(r *request) error {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return err
	}
	a, err := pathID[id.Assignment](r, "role_assignment_id", "Role assignment")
	if err != nil {
		return err
	}
	return r.api.rules.RemoveRoleAssignment(r.Context(), r.caller, m, a)
}

func listResourceAssignments(r *request) (page.Page[authz.RoleAssignment], error) {
	ref, err := r.resourcePath()
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	p, err := pageOf[id.Assignment](r, page.Desc)
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	return r.api.rules.ListResourceAssignments(r.Context(), r.caller, r.org, ref, r.query.Get("role_slug"), p)
}
