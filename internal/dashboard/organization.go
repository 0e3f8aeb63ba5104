package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// underOrganization is the way to a screen below an organization.
func (v *visit) underOrganization(o authz.Organization, more ...crumb) []crumb {
	return append([]crumb{{"Organizations", v.Path("organizations")}, {o.Name, v.In(o.ID)}}, more...)
}

// theOrganization is the one that the address names.
func (v *visit) theOrganization() (authz.Organization, error) {
	return v.door.rules.Organization(v.Context(), v.caller, v.organization())
}

// organizationList is a page of the organizations of the environment.
type organizationList struct {
	Found  []authz.Organization
	Search string
	Pages  pager
}

func listOrganizations(v *visit) error {
	r, err := v.part(page.Desc, isCursor[id.Organization])
	if err != nil {
		return err
	}
	list := organizationList{Search: strings.TrimSpace(v.query.Get("search"))}
	found, err := v.door.rules.ListOrganizations(v.Context(), v.caller, authz.OrganizationFilter{Search: list.Search}, r)
	if err != nil {
		return err
	}
	list.Found, list.Pages = found.Items, v.pages(found.Before, found.After)
	call := Call{What: "List organizations", Method: "GET", Path: "/organizations?limit=25", Node: sdk("organizations.listOrganizations", map[string]any{"limit": rows})}
	if list.Search != "" {
		call.Path += "&search=" + url.QueryEscape(list.Search)
		call.Node = sdk("organizations.listOrganizations", map[string]any{"limit": rows, "search": list.Search})
	}
	v.example(call)
	return v.show("organizations.html", "Organizations", nil, list)
}

// organizationPage is what there is to know of an organization.
type organizationPage struct {
	authz.Organization
	Size     authz.OrganizationSize
	Own      bool // whether it has an order and a default of its own
	Multiple bool
	Default  authz.Role
}

func showOrganization(v *visit) error {
	o, err := v.theOrganization()
	if err != nil {
		return err
	}
	shown := organizationPage{Organization: o}
	if shown.Size, err = v.door.rules.OrganizationSize(v.Context(), v.caller, o.ID); err != nil {
		return err
	}
	policy, err := v.door.rules.Order(v.Context(), v.caller, o.ID)
	if err != nil {
		return err
	}
	shown.Own, shown.Multiple = policy.Own, policy.Multiple
	shown.Default, _ = policy.DefaultRole()
	v.example(Call{What: "Get the organization", Method: "GET", Path: "/organizations/" + string(o.ID), Node: "organizations.getOrganization(" + encode(o.ID, "") + ")"})
	if o.ExternalID != nil {
		v.example(Call{What: "Get it by your own id", Method: "GET", Path: "/organizations/external_id/" + url.PathEscape(*o.ExternalID), Node: "organizations.getOrganizationByExternalId(" + encode(*o.ExternalID, "") + ")"})
	}
	return v.show("organization.html", o.Name, v.underOrganization(o)[:1], shown)
}

// organizationForm is the form of an organization, and what it is now where somebody changed it meanwhile.
type organizationForm struct {
	ID                                  id.Organization
	Name, Domains, ExternalID, Metadata string
	Seen                                string
	Now                                 *organizationForm
}

func organizationFormOf(o authz.Organization) organizationForm {
	var domains []string
	for _, d := range o.Domains {
		line := d.Name
		if d.State == authz.DomainPending {
			line += " " + authz.DomainPending
		}
		domains = append(domains, line)
	}
	return organizationForm{
		ID: o.ID, Name: o.Name, Domains: strings.Join(domains, "\n"), ExternalID: textOf(o.ExternalID),
		Metadata: metadataLines(o.Metadata), Seen: stamp(o.UpdatedAt),
	}
}

// stamp is a state's time, by which a form tells whether it was changed since.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// typedOrganization reads the form, and says whether it makes sense so far. had is the metadata that there is.
func (v *visit) typedOrganization(had map[string]string) (form organizationForm, in authz.OrganizationInput, ok bool) {
	form = organizationForm{Name: v.typed("name"), Domains: v.form.Get("domains"), ExternalID: v.typed("external_id"), Metadata: v.form.Get("metadata")}
	metadata, complaint := typedMetadata(form.Metadata)
	if complaint != "" {
		v.complain("metadata", complaint)
	}
	in = authz.OrganizationInput{
		Name: authz.Some(form.Name), Domains: authz.Some(typedDomains(form.Domains)),
		ExternalID: authz.Some(v.optional("external_id")), Metadata: authz.Some(metadataChange(had, metadata)),
	}
	return form, in, complaint == ""
}

// typedDomains reads one domain in each line, the word pending after one that is not verified.
func typedDomains(text string) []authz.DomainInput {
	domains := []authz.DomainInput{}
	for line := range strings.Lines(text) {
		name, state, said := strings.Cut(strings.TrimSpace(line), " ")
		if !said {
			state = authz.DomainVerified
		}
		if name != "" {
			domains = append(domains, authz.DomainInput{Name: name, State: strings.TrimSpace(state), Field: "domains"})
		}
	}
	return domains
}

// untouched refuses a form that was shown before somebody else changed the same: saving it would take that back unseen.
func (v *visit) untouched(now time.Time) bool {
	if seen := v.typed("seen"); seen == "" || seen == stamp(now) {
		return true
	}
	v.status, v.refusal = http.StatusConflict, "Somebody changed this while you had it open. What you typed is still here and not saved yet. Saving once more puts it in the place of what is there now."
	return false
}

func newOrganization(v *visit) error {
	var form organizationForm
	if v.posted() {
		typed, in, ok := v.typedOrganization(nil)
		if form = typed; ok {
			o, err := v.door.rules.CreateOrganization(v.Context(), v.caller, in)
			if err == nil {
				return v.done(v.In(o.ID), o.Name+" is there. It follows the environment’s roles until its first custom role.")
			}
			if !v.blame(err) {
				return err
			}
		}
	}
	v.example(form.call("Create an organization", "POST", "/organizations", "organizations.createOrganization", map[string]any{}))
	return v.show("organization_form.html", "Create organization", []crumb{{"Organizations", v.Path("organizations")}}, form)
}

// call is what the API has for a form.
func (f organizationForm) call(what, method, path, node string, argument map[string]any) Call {
	body := map[string]any{"name": f.Name}
	if f.Name == "" {
		body["name"] = "Acme"
	}
	var data []map[string]string
	for _, d := range typedDomains(f.Domains) {
		data = append(data, map[string]string{"domain": d.Name, "state": d.State})
	}
	if data != nil {
		body["domain_data"], argument["domainData"] = data, data
	}
	if f.ExternalID != "" {
		body["external_id"], argument["externalId"] = f.ExternalID, f.ExternalID
	}
	if m, wrong := typedMetadata(f.Metadata); wrong == "" && len(m) > 0 {
		body["metadata"], argument["metadata"] = m, m
	}
	argument["name"] = body["name"]
	return Call{What: what, Method: method, Path: path, Body: body, Node: sdk(node, argument)}
}

func editOrganization(v *visit) error {
	o, err := v.theOrganization()
	if err != nil {
		return err
	}
	form := organizationFormOf(o)
	if v.posted() {
		typed, in, ok := v.typedOrganization(o.Metadata)
		typed.ID, typed.Seen = o.ID, form.Seen
		if ok && v.untouched(o.UpdatedAt) {
			changed, err := v.door.rules.UpdateOrganization(v.Context(), v.caller, o.ID, in)
			if err == nil {
				return v.doneUndoably(v.In(o.ID), changed.Name+" is saved.", form.undo(v.In(o.ID, "edit"), changed.UpdatedAt))
			}
			if !v.blame(err) {
				return err
			}
		} else if ok {
			now := form
			typed.Now = &now
		}
		form = typed
	}
	v.example(form.call("Change the organization", "PUT", "/organizations/"+string(o.ID), "organizations.updateOrganization", map[string]any{"organization": o.ID}))
	return v.show("organization_form.html", "Edit "+o.Name, v.underOrganization(o), form)
}

// undo is the form that brings back what was, unless somebody changes it again before.
func (f organizationForm) undo(address string, changed time.Time) *undo {
	return &undo{Action: address, Fields: url.Values{
		"name": {f.Name}, "domains": {f.Domains}, "external_id": {f.ExternalID}, "metadata": {f.Metadata}, "seen": {stamp(changed)},
	}}
}

// organizationEnd is what ends with an organization.
type organizationEnd struct {
	authz.Organization
	Size  authz.OrganizationSize
	Typed string
}

func deleteOrganization(v *visit) error {
	o, err := v.theOrganization()
	if err != nil {
		return err
	}
	end := organizationEnd{Organization: o, Typed: v.typed("name")}
	if end.Size, err = v.door.rules.OrganizationSize(v.Context(), v.caller, o.ID); err != nil {
		return err
	}
	if v.posted() && end.Typed != strings.TrimSpace(o.Name) {
		v.complain("name", "must be “"+o.Name+"”, as it is written above")
	} else if v.posted() {
		err := v.door.rules.DeleteOrganization(v.Context(), v.caller, o.ID)
		if err == nil {
			return v.done(v.Path("organizations"), fmt.Sprintf("%s is deleted, with %s.", o.Name, counted(end.Size.Members, "membership")))
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Delete the organization", Method: "DELETE", Path: "/organizations/" + string(o.ID), Node: "organizations.deleteOrganization(" + encode(o.ID, "") + ")"})
	return v.show("organization_delete.html", "Delete "+o.Name, v.underOrganization(o), end)
}

// counted is plural for a number that may have stopped counting.
func counted(c authz.Count, one string, many ...string) string {
	if !c.More {
		return plural(c.N, one, many...)
	}
	return strings.Replace(plural(c.N, one, many...), " ", "+ ", 1)
}
