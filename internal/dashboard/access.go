package dashboard

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// exportRows is how many rows of a table are read at a time, so that the memory does not grow with the organization.
const exportRows = 500

// exportAccess answers with a table of all members and what they may do, oldest first. What is refused is refused
// before its first byte.
func exportAccess(v *visit) error {
	o, err := v.theOrganization()
	if err != nil {
		return err
	}
	f := authz.AccessFilter{Role: v.query.Get("role_slug"), Permission: v.query.Get("permission_slug"), Statuses: anyStatus}
	if status := v.query.Get("status"); status != "" {
		f.Statuses = []authz.Status{authz.Status(status)}
	}
	p := page.Request{Limit: exportRows, Order: page.Asc}
	read := func() (page.Page[authz.Access], error) {
		return v.door.rules.ListAccess(v.Context(), v.caller, o.ID, f, p)
	}
	found, err := read()
	if err != nil {
		return err
	}
	web.Stream(v.w, v.status, "text/csv", func(w io.Writer) error {
		out := csv.NewWriter(w)
		out.Write([]string{"organization_membership_id", "user_id", "email", "name", "status", "role_slugs", "permission_slugs"})
		for {
			for _, a := range found.Items {
				out.Write(accessRow(a))
			}
			if out.Flush(); out.Error() != nil || found.After == "" {
				return out.Error()
			}
			p.After = found.After
			if found, err = read(); err != nil {
				return err
			}
		}
	})
	return nil
}

func accessRow(a authz.Access) []string {
	slugs := make([]string, len(a.Held))
	for i, h := range a.Held {
		slugs[i] = h.Role.Slug
	}
	name := called(a.Person)
	if name == a.Person.Email { // there is none
		name = ""
	}
	row := []string{string(a.ID), string(a.Membership.User), a.Person.Email, name, string(a.Status), strings.Join(slugs, " "), strings.Join(a.Permissions, " ")}
	for i, cell := range row {
		row[i] = web.Harmless(cell)
	}
	return row
}
