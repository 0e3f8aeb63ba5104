package api_test

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/web"
)

// This file makes a right request for any route out of the table of routes, so that tests can do one thing wrong in it.

// noun is what a parameter or field identifies.
type noun string

const (
	text           noun = "text" // nothing: it is plain data
	organization   noun = "organization"
	user           noun = "user"
	membership     noun = "membership"
	resource       noun = "resource"
	permissionSlug noun = "permission slug"
	roleSlug       noun = "role slug"
	customSlug     noun = "custom role slug"
	externalID     noun = "external id"
	stripeID       noun = "stripe customer id"
	domain         noun = "domain"
	email          noun = "email"
	permissionID   noun = "permission id"
	eventID        noun = "event id"
	newcomer       noun = "user without memberships"
	siblingSlug    noun = "custom role slug of a sibling"
	group          noun = "group"
	assignment     noun = "role assignment"
	groupRole      noun = "group role assignment"
	jobID          noun = "job id"
	endpoint       noun = "webhook endpoint"
	endpointURL    noun = "URL of a webhook endpoint"
	delivery       noun = "webhook delivery"
	typeSlug       noun = "resource type slug"
)

// nouns says what names identify, whatever the route; nounOf knows the names whose meaning depends on it.
var nouns = map[string]noun{
	"organizationId": organization, "organization_id": organization, "organization": organization,
	"user_id": user, "organization_membership_id": membership, "resource_id": resource,
	"permissionSlug": permissionSlug, "permission_slug": permissionSlug, "permissions": permissionSlug,
	"external_id": externalID, "resource_external_id": externalID, "stripe_customer_id": stripeID,
	"parent_resource_id": resource, "parent_resource_external_id": externalID, "parent_external_id": externalID,
	"resource_type_slug": typeSlug, "parent_resource_type_slug": typeSlug, "parent_resource_type_slugs": typeSlug,
	"domains": domain, "domain_data": domain, "email": email,
	"limit": text, "order": text, "statuses": text, "events": text, "range_start": text, "range_end": text, "search": text,
	"name": text, "description": text, "metadata": text, "first_name": text, "last_name": text, "locale": text,
	"email_verified": text, "password": text, "password_hash": text, "allow_profiles_outside_organization": text,
	"groupId": group, "group_id": group, "omId": membership, "role_assignments": text, "starts_at": text, "expires_at": text,
	"assignment": text, "explain": text, "format": text, "checks": membership,
	"preview": text, "by": text, "multiple_roles": text, "replacement_role_slug": text, "default_role_slug": text, "default_roles": organization,
	"status": text, "event": text,
	"endpoint_url": endpointURL, "deliveryId": delivery, "after_event_id": eventID,
	"cascade_delete": text,
}

func nounOf(r api.Route, in, name string) (noun, bool) {
	under := func(prefix string) bool { return r.Path == prefix || strings.HasPrefix(r.Path, prefix+"/") }
	inOrganization := strings.Contains(r.Path, "{organizationId}")
	ofGroup, assignments := under("/authorization/groups"), strings.Contains(r.Path, "/role_assignments")
	switch name {
	case "role_assignment_id":
		if ofGroup {
			return groupRole, true
		}
		return assignment, true
	case "id", "before", "after":
		switch {
		case ofGroup:
			return groupRole, true
		case assignments:
			return assignment, true
		case strings.HasSuffix(r.Path, "/groups"):
			return group, true
		case strings.HasSuffix(r.Path, "/organization-memberships"):
			return membership, true
		}
		if strings.HasPrefix(r.Path, "/authorization/jobs") {
			return jobID, true
		}
		if in == "query" && previews(r) {
			return membership, true
		}
		if name != "id" && strings.HasSuffix(r.Path, "/deliveries") {
			return delivery, true
		}
		for suffix, n := range map[string]noun{"/permissions": permissionID, "/resources": resource, "/organization_memberships": membership, "/access": membership} {
			if name != "id" && strings.HasSuffix(r.Path, suffix) { // what a list under another noun is of
				return n, true
			}
		}
		for path, n := range map[string]noun{organizations: organization, users: user, memberships: membership, permissions: permissionID, "/events": eventID, endpoints: endpoint, resources: resource} {
			if under(path) {
				return n, true
			}
		}
		return "", false
	case "slug":
		if under(resourceTypes) {
			return typeSlug, true
		}
		if under(permissions) || in == "body" && strings.HasSuffix(r.Path, "/permissions") {
			return permissionSlug, true
		}
		fallthrough
	case "role_slug", "role_slugs":
		if inOrganization || assignments || under(memberships) {
			return customSlug, true
		}
		return roleSlug, true
	}
	n, known := nouns[name]
	return n, known
}

// previews says whether a route can say what it would do.
func previews(r api.Route) bool {
	return slices.ContainsFunc(r.Parameters, func(p api.Parameter) bool { return p.Name == "preview" })
}

// place is where a request holds a value.
type place struct {
	in, name string
	noun     noun
	required bool
	form     reflect.Type // of a body field's value
}

func places(t *testing.T, r api.Route) []place {
	t.Helper()
	var all []place
	add := func(in, name string, required bool, form reflect.Type) {
		n, known := nounOf(r, in, name)
		if !known {
			t.Errorf("%s %s: this test does not know what the %s parameter or field %q identifies: add it to nouns in isolation_test.go, as text when it identifies nothing", r.Method, r.Path, in, name)
			return
		}
		all = append(all, place{in: in, name: name, noun: n, required: required, form: form})
	}
	for _, name := range pathNames(r.Path) {
		add("path", name, true, nil)
	}
	for _, p := range r.Parameters {
		add("query", p.Name, p.Required, nil)
	}
	if r.Body != nil {
		for f := range reflect.TypeOf(r.Body).Fields() {
			value, _ := f.Type.FieldByName("Value")
			add("body", f.Tag.Get("json"), f.Tag.Get("required") != "", value.Type)
		}
	}
	return all
}

// belongings makes one of everything in an environment.
func belongings(c *client, label string) map[noun]string {
	own := map[noun]string{
		permissionSlug: label + ":p1", roleSlug: label + "-role1", customSlug: "org-" + label + "1",
		endpointURL: "https://hooks.example/" + label + "1",
		typeSlug:    label + "-type1", externalID: label + "/x1", stripeID: label + "-s1", domain: label + "1.example", email: label + "1@acme.example",
	}
	for _, old := range c.get(endpoints + "?limit=100").is(200).at("data").([]any) { // there may be only so many
		c.delete(endpoints + "/" + old.(map[string]any)["id"].(string)).is(204)
	}
	own[endpoint] = c.post(endpoints, object{"endpoint_url": own[endpointURL], "events": list{"role.created"}}).is(201).text("id")
	own[permissionID] = c.post(permissions, object{"slug": own[permissionSlug], "name": "n"}).is(201).text("id")
	c.role(own[roleSlug], own[permissionSlug])
	org := c.post(organizations, object{"name": label, "external_id": own[externalID], "domains": list{own[domain]}}).is(201).text("id")
	c.put(organizations+"/"+org, object{"stripe_customer_id": own[stripeID]}).is(200)
	c.custom(org, own[customSlug], own[permissionSlug])
	own[user] = c.post(users, object{"email": own[email], "external_id": own[externalID]}).is(201).text("id")
	own[organization] = org
	c.forgetTypes()
	c.resourceType(own[typeSlug])
	own[resource] = c.resource(org, own[typeSlug], own[externalID], "")
	own[membership] = c.member(own[user], org, own[customSlug])
	own[group] = c.group(org, label)
	c.join(own[group], own[membership])
	own[groupRole] = c.post(groupRoles(own[group]), object{"role_slug": own[roleSlug]}).is(201).text("id")
	own[assignment] = c.get(rolesGiven(own[membership]) + "?order=asc").is(200).text("data.0.id")
	own[newcomer] = c.user(label + "-newcomer@acme.example")
	c.role(label + "-gone")
	own[jobID] = c.post("/authorization/roles/"+label+"-gone/deletion", object{}).is(202).text("id")
	own[eventID] = c.get("/events").text("data.0.id")
	c.fanOut()
	own[delivery] = c.get(endpoints + "/" + own[endpoint] + "/deliveries").text("data.0.id")
	return own
}

// matrix sends requests about things of its own and, where other is set, of another environment. Then it makes all anew
// after each change, so that what a request created is not taken for what was there.
type matrix struct {
	*client
	other       *client
	sibling     string // an organization of the own environment
	made        int
	own, theirs map[noun]string
}

func (c *matrix) prepare() {
	c.made++
	if c.own != nil {
		return
	}
	c.own = belongings(c.client, fmt.Sprintf("own%d", c.made))
	if c.other != nil {
		c.theirs = belongings(c.other, fmt.Sprintf("theirs%d", c.made))
		c.theirs[siblingSlug] = fmt.Sprintf("org-sibling%d-1", c.made)
		c.custom(c.sibling, c.theirs[siblingSlug])
	}
}

// ask sends a request that is right but for one place, which holds a value. A place of the body may hold anything, the
// others text.
func (c *matrix) ask(r api.Route, at place, value any) answer {
	c.tb.Helper()
	c.prepare()
	path, body := c.request(r, at, value)
	send := func() answer {
		if r.Body == nil {
			return c.send(r.Method, path, nil)
		}
		return c.send(r.Method, path, body)
	}
	if c.other == nil {
		return send()
	}
	cursor := c.other.get("/events?order=desc&limit=1").text("data.0.id")
	a := send()
	c.other.get("/events?after=" + cursor).lists("event") // nothing happened there
	if r.Method != "GET" && a.status < 300 {
		c.own = nil
	}
	return a
}

// request is the path, with its query, and the body of what ask sends.
func (c *matrix) request(r api.Route, at place, value any) (string, object) {
	c.tb.Helper()
	path, query, body := r.Path, url.Values{}, object{}
	for _, p := range places(c.tb.(*testing.T), r) {
		v := value
		if p.in != at.in || p.name != at.name {
			if !p.required {
				continue
			}
			v = c.right(r, p)
		}
		switch p.in {
		case "path":
			path = strings.Replace(path, "{"+p.name+"}", segment(v.(string)), 1)
		case "query":
			query.Set(p.name, v.(string))
		case "body":
			if v != absent {
				body[p.name] = v
			}
		}
	}
	complete(r, at, c.own, query, body)
	if encoded := query.Encode(); encoded != "" {
		path += "?" + encoded
	}
	return path, body
}

// absent leaves a place out.
var absent any = new(struct{ nothing int })

// right is a value that a place may hold.
func (c *matrix) right(r api.Route, p place) any {
	v, fresh := c.own[p.noun], fmt.Sprintf("own%dfresh", c.made)
	switch {
	case p.noun == text && p.name == "events" && p.in == "body":
		v = "role.created"
	case p.noun == text:
		v = "n"
	case p.in == "body" && r.Status == 201 && r.Path != memberships && !strings.HasSuffix(r.Path, "/role_assignments"): // what a creation names must not exist yet
		made := map[noun]string{
			permissionSlug: fresh + ":p", roleSlug: fresh, customSlug: "org-" + fresh, email: fresh + "@acme.example", externalID: fresh + "/x",
			endpointURL: "https://hooks.example/" + fresh,
		}
		if p.name == "slug" {
			made[typeSlug] = fresh
		}
		if another, ok := made[p.noun]; ok {
			v = another
		}
	case p.in == "body" && p.name == "role_slugs" && strings.HasSuffix(r.Path, "/role_priority"):
		return c.get(strings.Replace(r.Path, "{organizationId}", c.own[organization], 1)).is(200).at("role_slugs")
	}
	return formed(p, v)
}

// complete adds what a place needs beside it.
func complete(r api.Route, at place, own map[noun]string, query url.Values, body object) {
	switch {
	case at.name == "resource_external_id" && at.in == "query":
		query.Set("resource_type_slug", "organization")
	case at.name == "resource_external_id":
		body["resource_type_slug"] = "organization"
	case at.name == "resource_type_slug" && strings.HasSuffix(r.Path, "/check"):
		body["resource_external_id"] = own[externalID]
	case at.name == "parent_resource_external_id" && at.in == "body":
		body["parent_resource_type_slug"] = own[typeSlug]
	case at.name == "parent_resource_type_slug" && at.in == "body":
		body["parent_resource_external_id"] = own[externalID]
	case strings.HasPrefix(at.name, "parent_") && strings.HasSuffix(at.name, "external_id"):
		query.Set("parent_resource_type_slug", own[typeSlug])
	case at.name == "parent_resource_type_slug" && strings.HasSuffix(r.Path, "{organization_membership_id}/resources"):
		query.Set("parent_resource_external_id", own[externalID])
	case at.name == "parent_resource_type_slug":
		query.Set("parent_external_id", own[externalID])
	}
	if r.Method == "POST" && r.Path == memberships && at.name != "user_id" {
		body["user_id"] = own[newcomer]
	}
	if strings.HasSuffix(r.Path, "{organization_membership_id}/resources") && !strings.HasPrefix(at.name, "parent_") {
		query.Set("parent_resource_id", own[resource])
	}
	if previews(r) && (at.name == "after" || at.name == "by") {
		query.Set("preview", "true")
	}
	if strings.HasSuffix(r.Path, "{id}/replay") && at.in != "body" {
		body["after_event_id"] = own[eventID]
	}
	if (r.Path == memberships || r.Path == resources) && r.Method == "GET" && at.name != "organization_id" && at.name != "user_id" {
		query.Set("organization_id", own[organization])
	}
}

// formed gives text the form that a place wants.
func formed(p place, v string) any {
	switch {
	case p.in != "body" || p.form.Kind() == reflect.String:
		return v
	case p.form == reflect.TypeFor[[]string]():
		return list{v}
	case p.form == reflect.TypeFor[[]web.Item[api.NewRoleAssignment]]():
		return list{object{"role_slug": v}}
	case p.form.Kind() == reflect.Bool:
		return true
	case p.form == reflect.TypeFor[[]api.OrganizationDefault]():
		return list{object{"organization_id": v, "role_slug": "member"}}
	case p.form == reflect.TypeFor[[]api.DomainData]():
		return list{object{"domain": v, "state": "verified"}}
	case p.form == reflect.TypeFor[[]web.Item[api.CheckOf]]():
		return list{object{"organization_membership_id": v, "permission_slug": "n"}}
	}
	panic("the field " + p.name + " is a " + p.form.String() + ": say in formed how it holds text")
}
