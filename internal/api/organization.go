package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// DomainData is a domain as given.
type DomainData struct {
	Domain web.Field[string] `json:"domain" required:"true" example:"acme.example"`
	State  web.Field[string] `json:"state" required:"true" enum:"pending,verified"`
}

// UnmarshalJSON reads a domain as strictly as a body is read.
func (d *DomainData) UnmarshalJSON(raw []byte) (err error) {
	*d, err = web.Decode[DomainData](raw)
	return err
}

// NewOrganization is the body that creates an organization.
type NewOrganization struct {
	Name                             web.Field[string]             `json:"name" required:"true" maxLength:"256" example:"Acme"`
	AllowProfilesOutsideOrganization web.Field[bool]               `json:"allow_profiles_outside_organization" example:"false"`
	Domains                          web.Field[[]string]           `json:"domains" doc:"Deprecated: domain_data says the state too. These are taken as verified." example:"acme.example"`
	DomainData                       web.Field[[]DomainData]       `json:"domain_data"`
	Metadata                         web.Field[map[string]*string] `json:"metadata" nullable:"true"`
	ExternalID                       web.Field[string]             `json:"external_id" nullable:"true" maxLength:"128" pattern:"^[\\x01-\\x7F]+$" doc:"Your own id, unique in the environment." example:"cus_42"`
}

// OrganizationChange is the body that changes an organization. Absent keys leave things as they are.
type OrganizationChange struct {
	Name                             web.Field[string]             `json:"name" maxLength:"256" example:"Acme"`
	AllowProfilesOutsideOrganization web.Field[bool]               `json:"allow_profiles_outside_organization" example:"false"`
	Domains                          web.Field[[]string]           `json:"domains" doc:"Deprecated: domain_data says the state too. These are taken as verified." example:"acme.example"`
	DomainData                       web.Field[[]DomainData]       `json:"domain_data" doc:"Replaces the whole list."`
	StripeCustomerID                 web.Field[string]             `json:"stripe_customer_id" nullable:"true" maxLength:"256" example:"cus_stripe"`
	Metadata                         web.Field[map[string]*string] `json:"metadata" nullable:"true" doc:"Merged into what is there: a key with null is removed, null for the whole removes all."`
	ExternalID                       web.Field[string]             `json:"external_id" nullable:"true" maxLength:"128" pattern:"^[\\x01-\\x7F]+$" doc:"null clears it." example:"cus_42"`
}

func organizationBody(o authz.Organization) event.Organization { return o.Payload() }

func showOrganization(o authz.Organization) any { return o.Payload() }

// domains joins the two spellings of the contract.
func domains(names web.Field[[]string], data web.Field[[]DomainData]) (authz.Opt[[]authz.DomainInput], error) {
	if names.Set && data.Set {
		return authz.Opt[[]authz.DomainInput]{}, fault.BadField("domains", "cannot be combined with domain_data")
	}
	var all []authz.DomainInput
	for _, n := range names.Value {
		all = append(all, authz.DomainInput{Name: n, State: authz.DomainVerified, Field: "domains"})
	}
	for _, d := range data.Value {
		all = append(all, authz.DomainInput{Name: d.Domain.Value, State: d.State.Value, Field: "domain_data"})
	}
	return authz.Opt[[]authz.DomainInput]{Set: names.Set || data.Set, Value: all}, nil
}

func createOrganization(r *request) (authz.Organization, error) {
	in, err := web.Decode[NewOrganization](r.body)
	if err != nil {
		return authz.Organization{}, err
	}
	all, err := domains(in.Domains, in.DomainData)
	if err != nil {
		return authz.Organization{}, err
	}
	return r.api.rules.CreateOrganization(r.Context(), r.caller, authz.OrganizationInput{
		Name: in.Name.Opt(), AllowProfilesOutside: in.AllowProfilesOutsideOrganization.Opt(), Domains: all,
		Metadata: in.Metadata.Opt(), ExternalID: web.Text(in.ExternalID),
	})
}

func updateOrganization(r *request) (authz.Organization, error) {
	org, err := pathID[id.Organization](r, "id", "Organization")
	if err != nil {
		return authz.Organization{}, err
	}
	in, err := web.Decode[OrganizationChange](r.body)
	if err != nil {
		return authz.Organization{}, err
	}
	all, err := domains(in.Domains, in.DomainData)
	if err != nil {
		return authz.Organization{}, err
	}
	return r.api.rules.UpdateOrganization(r.Context(), r.caller, org, authz.OrganizationInput{
		Name: in.Name.Opt(), AllowProfilesOutside: in.AllowProfilesOutsideOrganization.Opt(), Domains: all,
		Metadata: in.Metadata.Opt(), ExternalID: web.Text(in.ExternalID), StripeCustomerID: web.Text(in.StripeCustomerID),
	})
}

func getOrganization(r *request) (authz.Organization, error) {
	org, err := pathID[id.Organization](r, "id", "Organization")
	if err != nil {
		return authz.Organization{}, err
	}
	return r.api.rules.Organization(r.Context(), r.caller, org)
}

func getOrganizationByExternalID(r *request) (authz.Organization, error) {
	return r.api.rules.OrganizationByExternalID(r.Context(), r.caller, r.PathValue("external_id"))
}

func listOrganizations(r *request) (page.Page[authz.Organization], error) {
	p, err := pageOf[id.Organization](r, page.Desc)
	if err != nil {
		return page.Page[authz.Organization]{}, err
	}
	f := authz.OrganizationFilter{Domains: r.query.List("domains"), Search: r.query.Get("search")}
	return r.api.rules.ListOrganizations(r.Context(), r.caller, f, p)
}

func deleteOrganization(r *request) error {
	org, err := pathID[id.Organization](r, "id", "Organization")
	if err != nil {
		return err
	}
	return r.api.rules.DeleteOrganization(r.Context(), r.caller, org)
}
