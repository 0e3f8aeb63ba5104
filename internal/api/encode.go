package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/page"
)

// The lists that programs ask for all the time are written without reflection, which costs more than to find them.

// encodeRoles encodes a RoleList.
func encodeRoles(roles []authz.Role) ([]byte, error) {
	const usual = 400 // bytes of a role without what it holds
	likely := usual
	for i := range roles {
		likely += usual
		for _, slug := range roles[i].Permissions {
			likely += len(slug) + len(`"",`)
		}
	}
	return appendList(make([]byte, 0, likely), roles, func(b []byte, r *authz.Role) []byte { return roleBody(*r).appendJSON(b) }, "]}"), nil
}

func (r Role) appendJSON(b []byte) []byte {
	b = event.AppendText(append(b, `{"object":`...), r.Object)
	b = event.AppendText(append(b, `,"id":`...), r.ID)
	b = event.AppendText(append(b, `,"slug":`...), r.Slug)
	b = event.AppendText(append(b, `,"name":`...), r.Name)
	b = event.AppendOptional(append(b, `,"description":`...), r.Description)
	b = event.AppendText(append(b, `,"type":`...), r.Type)
	b = event.AppendText(append(b, `,"resource_type_slug":`...), r.ResourceTypeSlug)
	if b = append(b, `,"permissions":`...); r.Permissions == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '[')
		for i, slug := range r.Permissions {
			if i > 0 {
				b = append(b, ',')
			}
			b = event.AppendText(b, slug)
		}
		b = append(b, ']')
	}
	b = r.CreatedAt.AppendJSON(append(b, `,"created_at":`...))
	b = r.UpdatedAt.AppendJSON(append(b, `,"updated_at":`...))
	return append(b, '}')
}

// encodePermissions encodes a List[event.Permission].
func encodePermissions(p page.Page[authz.Permission]) ([]byte, error) {
	const usual = 300 // bytes of a permission
	b := appendList(make([]byte, 0, usual*(1+len(p.Items))), p.Items, func(b []byte, p *authz.Permission) []byte { return permissionBody(*p).AppendJSON(b) },
		`],"list_metadata":{"before":`)
	b = event.AppendOptional(b, optional(p.Before))
	b = event.AppendOptional(append(b, `,"after":`...), optional(p.After))
	return append(b, "}}"...), nil
}

func appendList[T any](b []byte, items []T, one func([]byte, *T) []byte, end string) []byte {
	b = append(b, `{"object":"list","data":[`...)
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, &items[i])
	}
	return append(b, end...)
}
