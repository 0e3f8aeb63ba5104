package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// Membership is one user in one organization, as the API shows it.
type Membership struct {
	Object           string          `json:"object" const:"organization_membership"`
	ID               id.Membership   `json:"id"`
	UserID           id.User         `json:"user_id"`
	OrganizationID   id.Organization `json:"organization_id"`
	OrganizationName string          `json:"organization_name"`
	Status           string          `json:"status" enum:"active,inactive,pending"`
	DirectoryManaged bool            `json:"directory_managed"`
	CustomAttributes map[string]any  `json:"custom_attributes"`
	Role             event.Slim      `json:"role"`
	Roles            []event.Slim    `json:"roles"`
	User             event.User      `json:"user"`
	CreatedAt        event.Time      `json:"created_at"`
	UpdatedAt        event.Time      `json:"updated_at"`
}

// NewMembership is the body that puts a user into an organization.
type NewMembership struct {
	UserID         web.Field[string]   `json:"user_id" required:"true" example:"user_01JZ0000000000000000000000"`
	OrganizationID web.Field[string]   `json:"organization_id" required:"true" example:"org_01JZ0000000000000000000000"`
	RoleSlug       web.Field[string]   `json:"role_slug" doc:"The organization's default role when neither this nor role_slugs is given." example:"member"`
	RoleSlugs      web.Field[[]string] `json:"role_slugs" doc:"Excludes role_slug. One role, while multiple roles are not enabled."`
}

// MembershipRoles is the body that replaces the roles of a membership.
type MembershipRoles struct {
	RoleSlug  web.Field[string]   `json:"role_slug" example:"member"`
	RoleSlugs web.Field[[]string] `json:"role_slugs" doc:"Excludes role_slug. One role, while multiple roles are not enabled."`
}

func membershipBody(m authz.Member) Membership {
	roles := make([]event.Slim, len(m.Held))
	for i, h := range m.Held {
		roles[i] = event.Slim{Slug: h.Role.Slug}
	}
	b := Membership{
		Object: "organization_membership", ID: m.ID, UserID: m.Membership.User, OrganizationID: m.Organization,
		OrganizationName: m.OrganizationName, Status: string(m.Status), DirectoryManaged: m.DirectoryManaged,
		CustomAttributes: map[string]any{}, Roles: roles, User: m.Person.Payload(),
		CreatedAt: event.Time(m.CreatedAt), UpdatedAt: event.Time(m.UpdatedAt),
	}
	if len(roles) > 0 {
		b.Role = roles[0]
	}
	return b
}

func showMembership(m authz.Member) any { return membershipBody(m) }

func createMembership(r *request) (authz.Member, error) {
	in, err := web.Decode[NewMembership](r.body)
	if err != nil {
		return authz.Member{}, err
	}
	u, ok := id.Parse[id.User](in.UserID.Value)
	if !ok {
		return authz.Member{}, fault.Missing("User", in.UserID.Value)
	}
	org, ok := id.Parse[id.Organization](in.OrganizationID.Value)
	if !ok {
		return authz.Member{}, fault.Missing("Organization", in.OrganizationID.Value)
	}
	roles := authz.RolesInput{Slug: in.RoleSlug.Opt(), Slugs: in.RoleSlugs.Opt()}
	return r.api.rules.CreateMembership(r.Context(), r.caller, u, org, roles)
}

func listMemberships(r *request) (page.Page[authz.Member], error) {
	p, err := pageOf[id.Membership](r, page.Desc)
	if err != nil {
		return page.Page[authz.Member]{}, err
	}
	f := authz.MembershipFilter{
		Organization: id.Organization(r.query.Get("organization_id")), User: id.User(r.query.Get("user_id")),
		Role: r.query.Get("role_slug"), Search: r.query.Get("search"),
	}
	for _, s := range r.query.List("statuses") {
		f.Statuses = append(f.Statuses, authz.Status(s))
	}
	return r.api.rules.ListMembers(r.Context(), r.caller, f, p)
}

func (r *request) membership(name string) (id.Membership, error) {
	return pathID[id.Membership](r, name, "Organization membership")
}

func getMembership(r *request) (authz.Member, error) {
	m, err := r.membership("id")
	if err != nil {
		return authz.Member{}, err
	}
	return r.api.rules.Member(r.Context(), r.caller, m)
}

func updateMembership(r *request) (authz.Member, error) {
	m, err := r.membership("id")
	if err != nil {
		return authz.Member{}, err
	}
	in, err := web.Decode[MembershipRoles](r.body)
	if err != nil {
		return authz.Member{}, err
	}
	roles := authz.RolesInput{Slug: in.RoleSlug.Opt(), Slugs: in.RoleSlugs.Opt()}
	return r.api.rules.UpdateMember(r.Context(), r.caller, m, roles)
}

func deactivateMembership(r *request) (authz.Member, error) {
	m, err := r.membership("id")
	if err != nil {
		return authz.Member{}, err
	}
	return r.api.rules.DeactivateMember(r.Context(), r.caller, m)
}

func reactivateMembership(r *request) (authz.Member, error) {
	m, err := r.membership("id")
	if err != nil {
		return authz.Member{}, err
	}
	return r.api.rules.ReactivateMember(r.Context(), r.caller, m)
}

func deleteMembership(r *request) error {
	m, err := r.membership("id")
	if err != nil {
		return err
	}
	return r.api.rules.DeleteMember(r.Context(), r.caller, m)
}
