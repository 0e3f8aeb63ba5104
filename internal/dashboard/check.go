package dashboard

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// accessCheck is a question as its address asks it, and the answer as far as the question is complete.
type accessCheck struct {
	Search, Membership, Permission string
	Type, Resource                 string // an external id of the type, or an id
	Within                         *namedLink
	Organization                   id.Organization // that the search is limited to, or the member's
	Who                            *somebody
	At                             namedLink // the member's organization
	Found                          []candidate
	More, Searched                 bool
	Another                        string // the address of the same question without its member
	Anywhere                       string // and of the search in all organizations
	Catalogue                      []authz.Permission
	Types                          []authz.ResourceType
	Answer                         *answer
	Can                            []allowed
	Place                          *namedLink // the resource asked about
	Pages                          pager
}

// candidate is a membership that the search found.
type candidate struct {
	somebody
	Organization string
	Pick         string // the address of the question about this one
}

// allowed is a permission that the member holds, with the address of the reason.
type allowed struct {
	authz.Permission
	Why string
}

func checkAccess(v *visit) error {
	c, err := v.askedCheck()
	if err != nil {
		return err
	}
	if c.Membership != "" {
		if err := v.aboutMember(&c); err != nil && !v.unknown(err, "membership") {
			return err
		}
	}
	if c.Who == nil {
		if err := v.searchAnyone(&c); err != nil {
			return err
		}
		v.example(checkCalls(accessCheck{Who: &somebody{ID: "om_…"}, Permission: or(c.Permission, "invoices:pay")}, "")[0])
		if len(c.Found) == 1 && !c.More && c.Permission != "" && v.Header.Get("HX-Request") == "" {
			return v.leave(c.Found[0].Pick) // nobody else can be meant
		}
	} else if err := v.answerCheck(&c); err != nil {
		return err
	}
	return v.show("check.html", "Check access", nil, c)
}

// askedCheck reads the question from the address.
func (v *visit) askedCheck() (c accessCheck, err error) {
	c = accessCheck{Search: v.query.Get("search"), Membership: v.query.Get("membership"), Permission: v.query.Get("permission"),
		Type: v.query.Get("type"), Resource: v.query.Get("resource"), Organization: id.Organization(v.query.Get("organization"))}
	c.Another = v.askAgain("membership", "", "search", "")
	c.Anywhere = v.askAgain("organization", "")
	if c.Catalogue, err = v.catalogue(v.Context()); err != nil {
		return c, err
	}
	c.Types, err = v.door.rules.ListResourceTypes(v.Context(), v.caller)
	return c, err
}

// askAgain is the address of the same question with some of it changed: names and values by turns.
func (v *visit) askAgain(changes ...string) string {
	q := maps.Clone(v.query)
	q.Del("before")
	q.Del("after")
	for i := 0; i+1 < len(changes); i += 2 {
		q.Del(changes[i])
		if changes[i+1] != "" {
			q.Set(changes[i], changes[i+1])
		}
	}
	if len(q) == 0 {
		return v.Path("check")
	}
	return v.Path("check") + "?" + q.Encode()
}

// unknown takes a question about something that there is not: its field is shown as wrong, and the rest stays.
func (v *visit) unknown(err error, field string) bool {
	if !v.blameNaming(err, field) {
		return false
	}
	if fault.Is(err, fault.NotFound) {
		v.status = http.StatusNotFound
	}
	return true
}

func (v *visit) aboutMember(c *accessCheck) error {
	m, err := v.door.rules.Member(v.Context(), v.caller, id.Membership(c.Membership))
	if err != nil {
		return err
	}
	who := v.somebody(m)
	c.Who, c.Organization = &who, m.Organization
	c.At = namedLink{Name: m.OrganizationName, Kind: "organization", Path: v.In(m.Organization)}
	return nil
}

// searchAnyone finds members: of one organization, or of all whose user matches.
func (v *visit) searchAnyone(c *accessCheck) error {
	c.Searched = c.Search != "" || c.Organization != ""
	if !c.Searched {
		return nil
	}
	if c.Organization != "" {
		o, err := v.door.rules.Organization(v.Context(), v.caller, c.Organization)
		if err != nil {
			return err
		}
		c.Within = &namedLink{Name: o.Name, Path: v.In(o.ID)}
		return v.addCandidates(c, authz.MembershipFilter{Organization: o.ID, Search: c.Search})
	}
	users, err := v.door.rules.ListUsers(v.Context(), v.caller, authz.UserFilter{Search: c.Search}, firstOf(someFound))
	if err != nil {
		return err
	}
	c.More = users.After != ""
	for _, u := range users.Items {
		if err := v.addCandidates(c, authz.MembershipFilter{User: u.ID}); err != nil {
			return err
		}
	}
	return nil
}

func (v *visit) addCandidates(c *accessCheck, f authz.MembershipFilter) error {
	f.Statuses = anyStatus
	found, err := v.door.rules.ListMembers(v.Context(), v.caller, f, firstOf(someFound))
	if err != nil {
		return err
	}
	c.More = c.More || found.After != ""
	for _, m := range found.Items {
		c.Found = append(c.Found, candidate{v.somebody(m), m.OrganizationName, v.askAgain("membership", string(m.ID), "search", "", "organization", "")})
	}
	return nil
}

// answerCheck answers as much as the address asks: what the member may do there, and whether that permission is in it.
func (v *visit) answerCheck(c *accessCheck) error {
	if c.Resource != "" && c.Type == "" && !isCursor[id.Resource](c.Resource) {
		v.complain("resource", "needs its type, too, unless it is one of our ids")
		return nil
	}
	ref := resourceNamed(c.Resource, c.Type)
	where, err := v.door.rules.Resource(v.Context(), v.caller, c.Organization, v.orOrganization(ref, c.Organization))
	if err != nil {
		if v.unknown(err, "resource") {
			return nil
		}
		return err
	}
	place := v.namedResource(c.Organization, where)
	c.Place = &place
	if err := v.listAllowed(c, ref); err != nil {
		return err
	}
	v.example(checkCalls(*c, where.ID)...)
	if c.Permission == "" {
		return nil
	}
	d, err := v.door.rules.Check(v.Context(), v.caller, authz.Question{Membership: c.Who.ID, Permission: c.Permission, Resource: ref, Explain: true})
	if err != nil {
		if v.unknown(err, "permission") {
			return nil
		}
		return err
	}
	c.Answer, err = v.explain(*c, d)
	return err
}

// orOrganization names the organization's own resource where no other is named.
func (v *visit) orOrganization(ref authz.ResourceRef, org id.Organization) authz.ResourceRef {
	if ref == (authz.ResourceRef{}) {
		ref.ID = authz.OrganizationResource(org)
	}
	return ref
}

// listAllowed lists what the member may do on the resource, a page of it.
func (v *visit) listAllowed(c *accessCheck, ref authz.ResourceRef) error {
	part, err := v.part(page.Asc, isCursor[id.Permission])
	if err != nil {
		return err
	}
	can, err := v.door.rules.PermissionsOn(v.Context(), v.caller, c.Who.ID, ref, part)
	if err != nil {
		return err
	}
	for _, p := range can.Items {
		c.Can = append(c.Can, allowed{p, v.askAgain("permission", p.Slug)})
	}
	c.Pages = v.pages(can.Before, can.After)
	return nil
}

// checkCalls is the question as the API takes it.
func checkCalls(c accessCheck, on id.Resource) []Call {
	base := "/authorization/organization_memberships/" + string(c.Who.ID)
	calls := []Call{{What: "List what the member may do there", Method: "GET", Path: base + "/resources/" + string(on) + "/permissions",
		Node: sdk("authorization.listEffectivePermissions", map[string]any{"organizationMembershipId": c.Who.ID, "resourceId": on})}}
	if c.Permission == "" {
		return calls
	}
	body := map[string]any{"permission_slug": c.Permission, "explain": true}
	switch {
	case isCursor[id.Resource](c.Resource):
		body["resource_id"] = c.Resource
	case c.Resource != "":
		body["resource_external_id"], body["resource_type_slug"] = c.Resource, c.Type
	}
	return append([]Call{{What: "Ask the same, with the reason", Method: "POST", Path: base + "/check", Body: body}}, calls...)
}

// checkPath is the address of a question.
func (v *visit) checkPath(m id.Membership, permission string, on id.Resource) string {
	q := url.Values{"membership": {string(m)}, "permission": {permission}}
	if on != "" {
		q.Set("resource", string(on))
	}
	return v.Path("check") + "?" + q.Encode()
}

// leadsTo says on which resources of a path a role can be held, nearest first.
func leadsTo(r authz.Role, path []authz.Resource) []authz.Resource {
	return slices.DeleteFunc(slices.Clone(path), func(at authz.Resource) bool { return at.Type != r.ResourceType })
}
