package api

import (
	"net/http"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Impact is what a change would do, asked for with preview=true (extension).
type Impact struct {
	Object        string               `json:"object" const:"impact"`
	Totals        *ImpactTotals        `json:"totals" doc:"On the first page only."`
	Members       []MemberImpact       `json:"members" doc:"With by=members, which is the default."`
	Organizations []OrganizationImpact `json:"organizations" doc:"With by=organizations."`
	Metadata      Forward              `json:"list_metadata"`
}

// ImpactTotals counts memberships: those whose roles or rights would be others, and of them those that gain and those
// that lose a right.
type ImpactTotals struct {
	Changed       int `json:"changed"`
	Gaining       int `json:"gaining"`
	Losing        int `json:"losing"`
	Organizations int `json:"organizations"`
}

// MemberImpact is what a change would do to one membership.
type MemberImpact struct {
	MembershipID   id.Membership   `json:"organization_membership_id"`
	OrganizationID id.Organization `json:"organization_id"`
	UserID         id.User         `json:"user_id"`
	Status         string          `json:"status" enum:"active,inactive,pending"`
	RolesBefore    []string        `json:"roles_before"`
	RolesAfter     []string        `json:"roles_after"`
	Gains          []Right         `json:"gains"`
	Loses          []Right         `json:"loses"`
}

// Right is a permission on a resource and everything below it.
type Right struct {
	PermissionSlug string      `json:"permission_slug"`
	ResourceID     id.Resource `json:"resource_id" doc:"The organization's own resource for a right on all of it."`
}

// OrganizationImpact counts the memberships of one organization.
type OrganizationImpact struct {
	OrganizationID   id.Organization `json:"organization_id"`
	OrganizationName string          `json:"organization_name"`
	Changed          int             `json:"changed"`
	Gaining          int             `json:"gaining"`
	Losing           int             `json:"losing"`
}

func impactBody(i authz.Impact) Impact {
	b := Impact{
		Object: "impact", Members: make([]MemberImpact, len(i.Members)), Organizations: make([]OrganizationImpact, len(i.Organizations)),
		Metadata: Forward{After: optional(i.After)},
	}
	if i.Totals != nil {
		b.Totals = (*ImpactTotals)(i.Totals)
	}
	for n, m := range i.Members {
		b.Members[n] = MemberImpact{
			MembershipID: m.ID, OrganizationID: m.Organization, UserID: m.User, Status: string(m.Status),
			RolesBefore: m.Before, RolesAfter: m.After, Gains: rights(m.Gains), Loses: rights(m.Loses),
		}
	}
	for n, o := range i.Organizations {
		b.Organizations[n] = OrganizationImpact{OrganizationID: o.Organization, OrganizationName: o.Name, Changed: o.Changed, Gaining: o.Gaining, Losing: o.Losing}
	}
	return b
}

func rights(all []authz.Right) []Right {
	shown := make([]Right, len(all))
	for i, r := range all {
		shown[i] = Right{PermissionSlug: r.Permission, ResourceID: r.Resource}
	}
	return shown
}

// previewing is the parameters of a route that can say what it would do.
var previewing = []Parameter{
	{Name: "preview", Kind: "boolean", Summary: "Extension: with true nothing is changed, and the answer (200, Impact) says who would gain and lose what."},
	{Name: "by", Kind: "string", Enum: []string{"members", "organizations"}, Summary: "With preview=true: what is listed. Defaults to members."},
	{Name: "limit", Kind: "integer", Summary: "With preview=true: items in a page."},
	{Name: "after", Kind: "string", Summary: "With preview=true: id of the last item of the page before."},
}

// previewed makes a handler that shows the impact of a change when it is asked to, and makes the change otherwise.
func previewed(suppose func(*request) (authz.Supposition, error), do handler) handler {
	return func(r *request) (int, []byte, error) {
		asked, err := r.flag("preview")
		if err != nil {
			return 0, nil, err
		}
		if asked {
			return preview(r, suppose)
		}
		return do(r)
	}
}

func preview(r *request, suppose func(*request) (authz.Supposition, error)) (int, []byte, error) {
	sup, err := suppose(r)
	if err != nil {
		return 0, nil, err
	}
	part, err := page.Parse(page.Raw{Limit: r.query.Get("limit")}, page.Asc, func(string) bool { return true })
	if err != nil {
		return 0, nil, err
	}
	req := authz.ImpactRequest{Limit: part.Limit, After: r.query.Get("after")}
	switch r.query.Get("by") {
	case "", "members":
	case "organizations":
		req.ByOrganization = true
	default:
		return 0, nil, fault.BadField("by", "must be members or organizations")
	}
	impact, err := r.api.rules.Preview(r.Context(), r.caller, sup, req)
	if err != nil {
		return 0, nil, err
	}
	body, err := event.Encode(impactBody(impact))
	return http.StatusOK, body, err
}
