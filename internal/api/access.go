package api

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// Access is what one member of an organization may do on it.
type Access struct {
	Object          string        `json:"object" const:"member_access"`
	ID              id.Membership `json:"organization_membership_id"`
	UserID          id.User       `json:"user_id"`
	Email           string        `json:"email"`
	Name            string        `json:"name" doc:"Empty when the user has none."`
	Status          string        `json:"status" enum:"active,inactive,pending"`
	RoleSlugs       []string      `json:"role_slugs" doc:"In effect on the organization, highest priority first."`
	PermissionSlugs []string      `json:"permission_slugs" doc:"On the organization; none unless the membership is active."`
}

func accessBody(a authz.Access) Access {
	b := Access{
		Object: "member_access", ID: a.ID, UserID: a.Membership.User, Email: a.Person.Email, Name: nameOf(a.Person),
		Status: string(a.Status), RoleSlugs: make([]string, len(a.Held)), PermissionSlugs: append([]string{}, a.Permissions...),
	}
	for i, h := range a.Held {
		b.RoleSlugs[i] = h.Role.Slug
	}
	return b
}

// nameOf is the name of a user, or what there is of it.
func nameOf(u authz.User) string {
	if u.Name != nil {
		return *u.Name
	}
	var parts []string
	for _, part := range []*string{u.FirstName, u.LastName} {
		if part != nil && *part != "" {
			parts = append(parts, *part)
		}
	}
	return strings.Join(parts, " ")
}

func (r *request) accessFilter() authz.AccessFilter {
	f := authz.AccessFilter{Permission: r.query.Get("permission_slug"), Role: r.query.Get("role_slug")}
	for _, s := range r.query.List("statuses") {
		f.Statuses = append(f.Statuses, authz.Status(s))
	}
	return f
}

func listAccess(r *request) (int, []byte, error) {
	switch r.query.Get("format") {
	case "", "json":
		return action(accessPage, shown(accessBody))(r)
	case "csv":
		return r.route.Status, nil, r.exportAccess()
	}
	return 0, nil, fault.BadField("format", "must be one of json, csv")
}

func accessPage(r *request) (page.Page[authz.Access], error) {
	p, err := pageOf[id.Membership](r, page.Desc)
	if err != nil {
		return page.Page[authz.Access]{}, err
	}
	return r.api.rules.ListAccess(r.Context(), r.caller, r.org, r.accessFilter(), p)
}

// exportRows is how many rows of a table are read at a time, each time over one state: rows are exact and the memory
// does not grow with the organization.
const exportRows = 500

// exportAccess prepares the table of all members, oldest first. What is refused is refused before its first byte.
func (r *request) exportAccess() error {
	f, p := r.accessFilter(), page.Request{Limit: exportRows, Order: page.Asc}
	read := func() (page.Page[authz.Access], error) {
		return r.api.rules.ListAccess(r.Context(), r.caller, r.org, f, p)
	}
	rows, err := read()
	if err != nil {
		return err
	}
	r.table = func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write([]string{"organization_membership_id", "user_id", "email", "name", "status", "role_slugs", "permission_slugs"})
		for {
			for _, a := range rows.Items {
				b := accessBody(a)
				out.Write([]string{string(b.ID), string(b.UserID), web.Harmless(b.Email), web.Harmless(b.Name), b.Status,
					web.Harmless(strings.Join(b.RoleSlugs, " ")), web.Harmless(strings.Join(b.PermissionSlugs, " "))})
			}
			if out.Flush(); out.Error() != nil || rows.After == "" {
				return out.Error()
			}
			p.After = rows.After
			var err error
			if rows, err = read(); err != nil {
				return err
			}
		}
	}
	return nil
}
