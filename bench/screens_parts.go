package main

import (
	"context"
	"errors"
	"fmt"
)

// A part is something else of a screen than its first page.
type part struct{ shown, query string }

// parts are the far pages, the filters and the searches of the screens that have them. Where there is none "further
// down" the link to the next page is followed.
var parts = map[string][]part{
	"/env/{env}/organizations": {
		{"further down", "?after={org-far}"}, {"search, many", "?search=organization+9"}, {"search, one", "?search=organization+77"}, {"search, none", "?search=nothing"},
	},
	"/env/{env}/users": {
		{"further down", "?after={user-far}"}, {"search, everybody", "?search=lovelace"}, {"search, some", "?search=member-77"}, {"search, none", "?search=nobody"},
	},
	"/env/{env}/organizations/{org}/members": {
		{"further down", "?after={member-far}"}, {"search, everybody", "?search=lovelace"}, {"search, some", "?search=member-77"},
		{"search, none", "?search=nobody"}, {"of a role", "?role_slug=role-77"}, {"of a role, none", "?role_slug=org-own-role-4"}, {"inactive", "?status=inactive"},
		{"search and role", "?search=lovelace&role_slug=role-77"},
	},
	"/env/{env}/roles":                     {{"search", "?search=role-17"}, {"with a permission", "?permission=things05:read"}},
	"/env/{env}/organizations/{org}/roles": {{"search", "?search=role-17"}, {"custom", "?kind=custom"}},
	"/env/{env}/permissions":               {{"further down", "?after=area60:read"}, {"search", "?search=area17"}, {"not held", "?use=unheld"}},
	"/env/{env}/matrix":                    {{"last window", "?first_role=181&first_permission=401"}, {"search", "?search=area1"}, {"one role", "?roles=role-17"}},
	"/env/{env}/organizations/{org}/matrix": {
		{"last window", "?first_role=181&first_permission=401"}, {"search", "?search=area1"},
	},
	"/env/{env}/events": {{"further down", "?after={event-far}"}, {"of a kind", "?events=role.updated"}, {"of no event", "?events=user.deleted"},
		{"of two days", "?range_start=2020-01-01&range_end=2020-01-02"}},
	"/env/{env}/organizations/{org}/events": {{"further down", "?after={own-event-far}"}, {"of a kind", "?events=group.created"}, {"of no event", "?events=user.deleted"}},
	"/env/{env}/webhooks/{endpoint}":        {{"further down", "?after={delivery-far}"}, {"failed", "?status=failed"}, {"pending, none", "?status=pending"}},
	"/env/{env}/organizations/{org}/resources": {
		{"further down", "?after={resource-far}"}, {"of a type", "?type=workspace"}, {"below one", "?parent={resource}"}, {"by external id", "?external_id=resource-77"},
	},
	"/env/{env}/organizations/{org}/resources/{resource}/access": {{"of a permission", "?permission=things05:read"}},
	"/env/{env}/organizations/{org}/new/member":                  {{"search", "?search=member-77"}, {"search, everybody", "?search=lovelace"}},
	"/env/{env}/organizations/{org}/groups/{group}/add-member":   {{"search", "?search=member-77"}, {"search, everybody", "?search=lovelace"}},
	"/env/{env}/check": {
		{"who, everybody", "?search=lovelace"}, {"who, some", "?search=member-77"}, {"answered", "?membership={member}&permission=things05:read"},
		{"who, in one organization", "?search=lovelace&organization={org}"},
	},
	"/env/{env}/settings/mode": {{"switched", "?multiple_roles=on&impact=yes"}},
}

// knownIDs finds what addresses name: one of each, and of some the one in the middle.
func knownIDs(ctx context.Context, d database) (ids map[string]string, err error) {
	db, err := open(d, asProduct...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	org := "'" + string(largestOrganization) + "'"
	ids = map[string]string{
		"{org}": string(largestOrganization), "{member}": string(firstMember), "{slug}": "org-custom", "{environment-slug}": environmentSlug(10), "{permission}": "things05:read", "{type}": resourceTypes[0],
	}
	middle := func(table, where string) string {
		if where != "" {
			where = " WHERE " + where
		}
		return fmt.Sprintf("SELECT id FROM %s%s ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM %s%s)", table, where, table, where)
	}
	for name, query := range map[string]string{
		"{env}": "SELECT id FROM environments", "{user}": "SELECT min(id) FROM users",
		"{group}":      "SELECT min(id) FROM organization_groups WHERE organization_id = " + org,
		"{resource}":   "SELECT min(id) FROM resources WHERE resource_type = 'workspace' AND external_id = 'resource-0'",
		"{event}":      "SELECT max(id) FROM events WHERE organization_id = " + org,
		"{endpoint}":   "SELECT min(id) FROM webhook_endpoints",
		"{delivery}":   "SELECT min(id) FROM webhook_deliveries",
		"{key}":        "SELECT max(id) FROM api_keys",
		"{job}":        "SELECT max(id) FROM jobs WHERE finished_at IS NOT NULL",
		"{assignment}": "SELECT min(id) FROM assignments WHERE organization_id = " + org + " AND subject_id = '" + string(firstMember) + "'",
		"{org-far}":    middle("organizations", ""), "{user-far}": middle("users", ""),
		"{member-far}":   middle("memberships", "organization_id = "+org),
		"{resource-far}": middle("resources", "organization_id = "+org),
		"{delivery-far}": middle("webhook_deliveries", ""), "{event-far}": "SELECT id FROM events WHERE place = (SELECT max(place) / 2 FROM events)",
		"{own-event-far}": "SELECT id FROM events WHERE place = (SELECT max(place) FROM events WHERE organization_id = " + org +
			" AND place < (SELECT max(place) / 2 FROM events))",
	} {
		var found string
		if err := db.QueryRowContext(ctx, query).Scan(&found); err != nil {
			return nil, fmt.Errorf("finding %s: %w", name, err)
		}
		ids[name] = found
	}
	return ids, nil
}
