package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// NewGroup is the body that creates a group.
type NewGroup struct {
	Name        web.Field[string] `json:"name" required:"true" maxLength:"256" example:"Engineering"`
	Description web.Field[string] `json:"description" nullable:"true" maxLength:"150" example:"Builds it"`
}

// GroupDetails is the body that changes a group.
type GroupDetails struct {
	Name        web.Field[string] `json:"name" maxLength:"256" example:"Engineering"`
	Description web.Field[string] `json:"description" nullable:"true" maxLength:"150" doc:"null clears it." example:"Builds it"`
}

// GroupMember is the body that puts a membership into a group.
type GroupMember struct {
	OrganizationMembershipID web.Field[string] `json:"organization_membership_id" required:"true" doc:"A membership of the same organization."`
}

// MembershipBase is a membership without its roles and its user.
type MembershipBase struct {
	Object           string          `json:"object" const:"organization_membership"`
	ID               id.Membership   `json:"id"`
	UserID           id.User         `json:"user_id"`
	OrganizationID   id.Organization `json:"organization_id"`
	OrganizationName string          `json:"organization_name"`
	Status           string          `json:"status" enum:"active,inactive,pending"`
	DirectoryManaged bool            `json:"directory_managed"`
	CustomAttributes map[string]any  `json:"custom_attributes"`
	CreatedAt        event.Time      `json:"created_at"`
	UpdatedAt        event.Time      `json:"updated_at"`
}

func membershipBase(m authz.Member) MembershipBase {
	return MembershipBase{
		Object: "organization_membership", ID: m.ID, UserID: m.Membership.User, OrganizationID: m.Organization,
		OrganizationName: m.OrganizationName, Status: string(m.Status), DirectoryManaged: m.DirectoryManaged,
		CustomAttributes: map[string]any{}, CreatedAt: event.Time(m.CreatedAt), UpdatedAt: event.Time(m.UpdatedAt),
	}
}

func groupBody(g authz.Group) event.Group { return g.Payload() }

func showGroup(g authz.Group) any { return g.Payload() }

func (r *request) group(name string) (id.Group, error) { return pathID[id.Group](r, name, "Group") }

func createGroup(r *request) (authz.Group, error) {
	in, err := web.Decode[NewGroup](r.body)
	if err != nil {
		return authz.Group{}, err
	}
	return r.api.rules.CreateGroup(r.Context(), r.caller, r.org, authz.NewGroup{
		Name: in.Name.Value, Description: web.Text(in.Description).Value,
	})
}

func listGroups(r *request) (page.Page[authz.Group], error) {
	p, err := pageOf[id.Group](r, page.Desc)
	if err != nil {
		return page.Page[authz.Group]{}, err
	}
	return r.api.rules.ListGroups(r.Context(), r.caller, r.org, p)
}

func getGroup(r *request) (authz.Group, error) {
	g, err := r.group("groupId")
	if err != nil {
		return authz.Group{}, err
	}
	return r.api.rules.Group(r.Context(), r.caller, r.org, g)
}

func updateGroup(r *request) (authz.Group, error) {
	g, err := r.group("groupId")
	if err != nil {
		return authz.Group{}, err
	}
	in, err := web.Decode[GroupDetails](r.body)
	if err != nil {
		return authz.Group{}, err
	}
	return r.api.rules.UpdateGroup(r.Context(), r.caller, r.org, g, authz.Details{Name: in.Name.Opt(), Description: web.Text(in.Description)})
}

func deleteGroup(r *request) error {
	g, err := r.group("groupId")
	if err != nil {
		return err
	}
	return r.api.rules.DeleteGroup(r.Context(), r.caller, r.org, g)
}

func supposeDeleteGroup(r *request) (authz.Supposition, error) {
	g, err := r.group("groupId")
	return authz.SupposeDeleteGroup(r.org, g), err
}

func addGroupMember(r *request) (authz.Group, error) {
	g, err := r.group("groupId")
	if err != nil {
		return authz.Group{}, err
	}
	in, err := web.Decode[GroupMember](r.body)
	if err != nil {
		return authz.Group{}, err
	}
	m, ok := id.Parse[id.Membership](in.OrganizationMembershipID.Value)
	if !ok {
		return authz.Group{}, fault.Missing("Organization membership", in.OrganizationMembershipID.Value)
	}
	return r.api.rules.AddGroupMember(r.Context(), r.caller, r.org, g, m)
}

func removeGroupMember(r *request) error {
	g, err := r.group("groupId")
	if err != nil {
		return err
	}
	m, err := r.membership("omId")
	if err != nil {
		return err
	}
	return r.api.rules.RemoveGroupMember(r.Context(), r.caller, r.org, g, m)
}

func listGroupMembers(r *request) (page.Page[authz.Member], error) {
	g, err := r.group("groupId")
	if err != nil {
		return page.Page[authz.Member]{}, err
	}
	p, err := pageOf[id.Membership](r, page.Desc)
	if err != nil {
		return page.Page[authz.Member]{}, err
	}
	return r.api.rules.ListGroupMembers(r.Context(), r.caller, r.org, g, p)
}

func listMemberGroups(r *request) (page.Page[authz.Group], error) {
	m, err := r.membership("omId")
	if err != nil {
		return page.Page[authz.Group]{}, err
	}
	p, err := pageOf[id.Group](r, page.Desc)
	if err != nil {
		return page.Page[authz.Group]{}, err
	}
	return r.api.rules.ListMemberGroups(r.Context(), r.caller, m, p)
}
