package authz

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Organization is a tenant: a customer company.
type Organization struct {
	ID                   id.Organization
	Environment          id.Environment
	Name                 string
	AllowProfilesOutside bool
	Domains              []Domain // sorted by name
	Metadata             map[string]string
	ExternalID           *string // unique in the environment
	StripeCustomerID     *string // unique in the environment
	DefaultRole          id.Role // empty while the organization follows the environment (I3)
	SearchKey            string  // name and domains as they are searched; kept by the rules
	CreatedAt            time.Time
	UpdatedAt            time.Time
}

// Domain is a domain of an organization, kept as data: nothing is verified by it yet.
type Domain struct {
	ID        id.Domain
	Name      string // lower case, unique in the environment
	State     string // pending or verified
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Payload is the organization as events and answers show it.
func (o Organization) Payload() event.Organization {
	p := event.Organization{
		Object: "organization", ID: o.ID, Name: o.Name, AllowProfilesOutsideOrganization: o.AllowProfilesOutside,
		Domains: make([]event.Domain, len(o.Domains)), Metadata: o.Metadata, ExternalID: o.ExternalID,
		CreatedAt: event.Time(o.CreatedAt), UpdatedAt: event.Time(o.UpdatedAt),
	}
	if o.StripeCustomerID != nil {
		p.StripeCustomerID = *o.StripeCustomerID
	}
	for i, d := range o.Domains {
		p.Domains[i] = event.Domain{
			Object: "organization_domain", ID: d.ID, OrganizationID: o.ID, Domain: d.Name, State: d.State,
			VerificationStrategy: "manual", CreatedAt: event.Time(d.CreatedAt), UpdatedAt: event.Time(d.UpdatedAt),
		}
	}
	return p
}

// OrganizationFilter narrows a list of organizations. Zero values do not narrow.
type OrganizationFilter struct {
	ID      id.Organization
	Domains []string // any of them, lower case
	Search  string   // part of the search key
}

// OrganizationReader finds organizations.
type OrganizationReader interface {
	Organization(env id.Environment, org id.Organization) (o Organization, found bool, err error)
	// OrganizationNames finds the names of at most page.MaxLimit organizations.
	OrganizationNames(env id.Environment, ids []id.Organization) (map[id.Organization]string, error)
	OrganizationByExternalID(env id.Environment, externalID string) (o Organization, found bool, err error)
	OrganizationByStripeCustomerID(env id.Environment, customer string) (o Organization, found bool, err error)
	OrganizationByDomain(env id.Environment, domain string) (o Organization, found bool, err error)
	Organizations(env id.Environment, f OrganizationFilter, r page.Request) (page.Page[Organization], error)
}

// OrganizationWriter stores organizations with their domains.
type OrganizationWriter interface {
	InsertOrganization(Organization) error
	UpdateOrganization(Organization) error
	// DeleteOrganization removes an organization that has no memberships left, and everything that belongs to it.
	DeleteOrganization(Organization) error
}

// OrganizationInput is what can be said about an organization. Absent inputs leave things as they are; on creation
// Name must be present.
type OrganizationInput struct {
	Name                 Opt[string]
	AllowProfilesOutside Opt[bool]
	Domains              Opt[[]DomainInput]
	Metadata             Opt[map[string]*string] // merged into what is there; nil removes all
	ExternalID           Opt[*string]
	StripeCustomerID     Opt[*string]
}

// DomainInput is a domain as given.
type DomainInput struct {
	Name, State string
	Field       string // the field it was given in, for refusals
}

// The states of a domain that can be given.
const (
	DomainPending  = "pending"
	DomainVerified = "verified"
)

func (in OrganizationInput) check(creating bool) error {
	var bad complaints
	if in.Name.Set || creating {
		bad.name("name", in.Name.Value, MaxLongName)
	}
	bad.externalID("external_id", in.ExternalID.Value)
	bad.optionalText("stripe_customer_id", in.StripeCustomerID.Value, MaxLongName)
	if len(in.Domains.Value) > MaxDomains {
		return fault.BadField(in.Domains.Value[0].Field, "must have at most %d domains", MaxDomains)
	}
	for _, d := range in.Domains.Value {
		name := strings.ToLower(d.Name)
		if len(name) > 253 || !domainName.MatchString(name) {
			bad.add(d.Field, "holds %q, which is not a domain name", fault.Short(d.Name))
		}
		if d.State != DomainPending && d.State != DomainVerified {
			bad.add(d.Field, "holds %q, whose state must be pending or verified", fault.Short(d.Name))
		}
	}
	return bad.err()
}

// apply alters o and says whether anything changed.
func (ch *change) applyOrganization(in OrganizationInput, o *Organization) (changed bool) {
	changed = apply(in.Name, &o.Name)
	changed = apply(in.AllowProfilesOutside, &o.AllowProfilesOutside) || changed
	changed = applyText(in.ExternalID, &o.ExternalID) || changed
	changed = applyText(in.StripeCustomerID, &o.StripeCustomerID) || changed
	changed = applyMetadata(in.Metadata, &o.Metadata) || changed
	if in.Domains.Set {
		domains := ch.mergeDomains(in.Domains.Value, o.Domains)
		changed = !slices.Equal(domains, o.Domains) || changed
		o.Domains = domains
	}
	words := []string{o.Name}
	for _, d := range o.Domains {
		words = append(words, d.Name)
	}
	o.SearchKey = searchKey(strings.Join(words, "\n"))
	return changed
}

// mergeDomains keeps the identity of domains that stay; the last mention of a domain counts.
func (ch *change) mergeDomains(wanted []DomainInput, had []Domain) []Domain {
	byName := make(map[string]Domain, len(wanted))
	for _, w := range wanted {
		name := strings.ToLower(w.Name)
		d := Domain{ID: id.New[id.Domain](ch.ids), Name: name, State: w.State, CreatedAt: ch.now, UpdatedAt: ch.now}
		if i := slices.IndexFunc(had, func(h Domain) bool { return h.Name == name }); i >= 0 {
			d = had[i]
			if d.State != w.State {
				d.State, d.UpdatedAt = w.State, ch.now
			}
		}
		byName[name] = d
	}
	return slices.SortedFunc(maps.Values(byName), func(a, b Domain) int { return strings.Compare(a.Name, b.Name) })
}

// organizationFree refuses metadata over its limits and identifiers that another organization of the environment already has.
func (ch *change) organizationFree(o Organization) error {
	if err := checkMetadata(o.Metadata); err != nil {
		return err
	}
	if o.ExternalID != nil {
		other, found, err := ch.OrganizationByExternalID(o.Environment, *o.ExternalID)
		if err != nil {
			return err
		}
		if found && other.ID != o.ID {
			return externalIDUsed("organization", *o.ExternalID)
		}
	}
	if o.StripeCustomerID != nil {
		other, found, err := ch.OrganizationByStripeCustomerID(o.Environment, *o.StripeCustomerID)
		if err != nil {
			return err
		}
		if found && other.ID != o.ID {
			return fault.New(fault.BadRequest, "stripe_customer_id_already_used",
				"The stripe_customer_id '%s' is already used by another organization.", *o.StripeCustomerID)
		}
	}
	for _, d := range o.Domains {
		other, found, err := ch.OrganizationByDomain(o.Environment, d.Name)
		if err != nil {
			return err
		}
		if found && other.ID != o.ID {
			return fault.New(fault.Conflict, "organization_domain_conflict",
				"The domain '%s' (domain_data) already belongs to another organization.", d.Name)
		}
	}
	return nil
}

func externalIDUsed(noun, externalID string) error {
	return fault.New(fault.BadRequest, "external_id_already_used", "The external_id '%s' is already used by another %s.", externalID, noun)
}

// CreateOrganization makes an organization. It follows the environment's default and order until its first custom
// role (R32).
func (s *Service) CreateOrganization(ctx context.Context, c Caller, in OrganizationInput) (Organization, error) {
	if err := in.check(true); err != nil {
		return Organization{}, err
	}
	return write(ctx, s, c, func(ch *change) (Organization, error) {
		if err := ch.permit(""); err != nil {
			return Organization{}, err
		}
		o := Organization{
			ID: id.New[id.Organization](s.ids), Environment: c.Environment, CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		ch.applyOrganization(in, &o)
		if err := ch.organizationFree(o); err != nil {
			return Organization{}, err
		}
		if err := ch.InsertOrganization(o); err != nil {
			return Organization{}, err
		}
		return o, ch.emit(event.OrganizationCreated, o.ID, o.Payload(), nil)
	})
}

// organization finds an organization of the caller's environment.
func organization(r Reader, c Caller, org id.Organization) (Organization, error) {
	o, found, err := r.Organization(c.Environment, org)
	if err == nil && (!found || !c.Sees(org)) {
		err = fault.Missing("Organization", string(org))
	}
	return o, err
}

// Organization finds an organization by its id.
func (s *Service) Organization(ctx context.Context, c Caller, org id.Organization) (Organization, error) {
	return read(ctx, s, func(r Reader) (Organization, error) { return organization(r, c, org) })
}

// OrganizationByExternalID finds an organization by the caller's own id for it. The two kinds of id never meet: an
// external id that reads like an internal one is still only looked up among external ids.
func (s *Service) OrganizationByExternalID(ctx context.Context, c Caller, externalID string) (Organization, error) {
	return read(ctx, s, func(r Reader) (Organization, error) {
		o, found, err := r.OrganizationByExternalID(c.Environment, externalID)
		if err == nil && (!found || !c.Sees(o.ID)) {
			err = fault.Missing("Organization", externalID)
		}
		return o, err
	})
}

// ListOrganizations lists the organizations of the caller's environment.
func (s *Service) ListOrganizations(ctx context.Context, c Caller, f OrganizationFilter, r page.Request) (page.Page[Organization], error) {
	var err error
	if f.Search, err = searched(f.Search, MaxLongName); err != nil {
		return page.Page[Organization]{}, err
	}
	if len(f.Domains) > MaxDomains {
		return page.Page[Organization]{}, fault.BadField("domains", "must have at most %d domains", MaxDomains)
	}
	for i, d := range f.Domains {
		f.Domains[i] = strings.ToLower(d)
	}
	return read(ctx, s, func(tx Reader) (page.Page[Organization], error) {
		f.ID = c.bound()
		return tx.Organizations(c.Environment, f, r)
	})
}

// UpdateOrganization changes what is present in the input. Nothing changed means nothing written and no event.
func (s *Service) UpdateOrganization(ctx context.Context, c Caller, org id.Organization, in OrganizationInput) (Organization, error) {
	if err := in.check(false); err != nil {
		return Organization{}, err
	}
	return write(ctx, s, c, func(ch *change) (Organization, error) {
		o, err := organization(ch, c, org)
		if err != nil {
			return Organization{}, err
		}
		if err := ch.permit(org); err != nil {
			return Organization{}, err
		}
		before := o.Payload()
		if !ch.applyOrganization(in, &o) {
			return o, nil
		}
		o.UpdatedAt = ch.now
		if err := ch.organizationFree(o); err != nil {
			return Organization{}, err
		}
		if err := ch.Tx.UpdateOrganization(o); err != nil {
			return Organization{}, err
		}
		return o, ch.emit(event.OrganizationUpdated, o.ID, o.Payload(), before)
	})
}

// DeleteOrganization removes an organization with its memberships, groups and custom roles, each with its event, the
// organization's own last.
func (s *Service) DeleteOrganization(ctx context.Context, c Caller, org id.Organization) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		o, err := organization(ch, c, org)
		if err != nil {
			return struct{}{}, err
		}
		if err := ch.permit(""); err != nil {
			return struct{}{}, err
		}
		if err := ch.deleteMemberships(MembershipFilter{Organization: org}); err != nil {
			return struct{}{}, err
		}
		if err := ch.emitGroupsDeleted(org); err != nil {
			return struct{}{}, err
		}
		policy, err := fullPolicy(ch, c, org)
		if err != nil {
			return struct{}{}, err
		}
		for _, r := range policy.Roles {
			if !r.Custom() {
				continue
			}
			if err := ch.emitRoleDeleted(r); err != nil {
				return struct{}{}, err
			}
		}
		if err := ch.Tx.DeleteOrganization(o); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, ch.emit(event.OrganizationDeleted, org, o.Payload(), nil)
	})
	return err
}

// emitGroupsDeleted says of the groups of an organization that they go with it.
func (ch *change) emitGroupsDeleted(org id.Organization) error {
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		found, err := ch.Groups(org, r)
		if err != nil {
			return err
		}
		for _, g := range found.Items {
			if err := ch.emit(event.GroupDeleted, org, g.Payload(), nil); err != nil {
				return err
			}
		}
		if r.After = found.After; r.After == "" {
			return nil
		}
	}
}
