package store

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const (
	organizationColumns = `o.id, o.environment_id, o.name, o.allow_profiles_outside, o.metadata, o.external_id,
		o.stripe_customer_id, coalesce(d.role_id, ''), o.search_key, o.created_at, o.updated_at`
	organizationTables = `organizations o LEFT JOIN default_roles d ON d.organization_id = o.id AND d.environment_id = o.environment_id`
	selectOrganization = `SELECT ` + organizationColumns + ` FROM ` + organizationTables
)

func scanOrganization(r row) (o authz.Organization, err error) {
	err = r.Scan(&o.ID, &o.Environment, &o.Name, (*flag)(&o.AllowProfilesOutside), (*dictionary)(&o.Metadata), &o.ExternalID,
		&o.StripeCustomerID, &o.DefaultRole, &o.SearchKey, (*stamp)(&o.CreatedAt), (*stamp)(&o.UpdatedAt))
	o.Domains = []authz.Domain{}
	return o, err
}

// organization reads the one organization that a condition names, with its domains.
func (t *tx) organization(where string, args ...any) (authz.Organization, bool, error) {
	o, found, err := one(t, "reading an organization", scanOrganization, selectOrganization+where, args...)
	if err != nil || !found {
		return o, found, err
	}
	with := []authz.Organization{o}
	err = t.addDomains(with)
	return with[0], err == nil, err
}

// Organization implements authz.OrganizationReader.
func (t *tx) Organization(env id.Environment, org id.Organization) (authz.Organization, bool, error) {
	return t.organization(` WHERE o.environment_id = $1 AND o.id = $2`, env, org)
}

// OrganizationNames implements authz.OrganizationReader.
func (t *tx) OrganizationNames(env id.Environment, ids []id.Organization) (map[id.Organization]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var c condition
	c.add("environment_id = ?", env)
	in(&c, "id", ids)
	found, err := all(t, "reading the names of organizations", scanPair[string],
		`SELECT id, name FROM organizations WHERE `+c.String(), c.args...)
	names := make(map[id.Organization]string, len(found))
	for _, pair := range found {
		names[id.Organization(pair[0])] = pair[1]
	}
	return names, err
}

// OrganizationByExternalID implements authz.OrganizationReader.
func (t *tx) OrganizationByExternalID(env id.Environment, externalID string) (authz.Organization, bool, error) {
	return t.organization(` WHERE o.environment_id = $1 AND o.external_id = $2`, env, externalID)
}

// OrganizationByStripeCustomerID implements authz.OrganizationReader.
func (t *tx) OrganizationByStripeCustomerID(env id.Environment, customer string) (authz.Organization, bool, error) {
	return t.organization(` WHERE o.environment_id = $1 AND o.stripe_customer_id = $2`, env, customer)
}

// OrganizationByDomain implements authz.OrganizationReader.
func (t *tx) OrganizationByDomain(env id.Environment, domain string) (authz.Organization, bool, error) {
	return t.organization(` WHERE o.id = (SELECT organization_id FROM organization_domains WHERE environment_id = $1 AND name = $2)`, env, domain)
}

var organizationList = list[authz.Organization]{
	doing: "listing organizations", columns: organizationColumns, from: organizationTables, key: "o.id",
	scan: scanOrganization, cursor: func(o authz.Organization) string { return string(o.ID) },
}

// likePattern finds text anywhere, with the wildcards of LIKE taken literally.
func likePattern(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// Organizations implements authz.OrganizationReader.
func (t *tx) Organizations(env id.Environment, f authz.OrganizationFilter, r page.Request) (page.Page[authz.Organization], error) {
	var c condition
	c.add("o.environment_id = ?", env)
	if f.ID != "" {
		c.add("o.id = ?", f.ID)
	}
	if f.Search != "" {
		c.add(`o.search_key LIKE ? ESCAPE '\'`, likePattern(f.Search))
	}
	if len(f.Domains) > 0 {
		var d condition
		d.args = c.args // numbering goes on
		in(&d, "m.name", f.Domains)
		c.args = d.args
		c.parts = append(c.parts, "o.id IN (SELECT m.organization_id FROM organization_domains m WHERE m.environment_id = o.environment_id AND "+d.String()+")")
	}
	p, err := organizationList.page(t, c, r, r.Walk().Cursor)
	if err != nil {
		return p, err
	}
	return p, t.addDomains(p.Items)
}

// ownedDomain is a domain and whose it is.
type ownedDomain struct {
	owner  id.Organization
	domain authz.Domain
}

func scanDomain(r row) (d ownedDomain, err error) {
	err = r.Scan(&d.owner, &d.domain.ID, &d.domain.Name, &d.domain.State, (*stamp)(&d.domain.CreatedAt), (*stamp)(&d.domain.UpdatedAt))
	return d, err
}

// addDomains reads the domains of organizations into them.
func (t *tx) addDomains(orgs []authz.Organization) error {
	if len(orgs) == 0 {
		return nil
	}
	ids := make([]id.Organization, len(orgs))
	for i, o := range orgs {
		ids[i] = o.ID
	}
	var c condition
	in(&c, "organization_id", ids)
	found, err := all(t, "reading the domains of organizations", scanDomain, `
		SELECT organization_id, id, name, state, created_at, updated_at FROM organization_domains
		WHERE `+c.String()+` ORDER BY name`, c.args...)
	for _, d := range found {
		o := &orgs[slices.Index(ids, d.owner)]
		o.Domains = append(o.Domains, d.domain)
	}
	return err
}

// InsertOrganization implements authz.OrganizationWriter.
func (t *tx) InsertOrganization(o authz.Organization) error {
	t.makes(region(fresh.Organization, o.ID)...)
	err := t.alterOne(nil, "inserting an organization", `
		INSERT INTO organizations (id, environment_id, name, allow_profiles_outside, metadata, external_id, stripe_customer_id,
			search_key, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		o.ID, o.Environment, o.Name, flag(o.AllowProfilesOutside), dictionary(o.Metadata), o.ExternalID, o.StripeCustomerID,
		o.SearchKey, stamp(o.CreatedAt), stamp(o.UpdatedAt))
	if err != nil {
		return err
	}
	return t.insertDomains(o)
}

func (t *tx) insertDomains(o authz.Organization) error {
	for _, d := range o.Domains {
		err := t.execOne("inserting a domain", `
			INSERT INTO organization_domains (organization_id, id, environment_id, name, state, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			o.ID, d.ID, o.Environment, d.Name, d.State, stamp(d.CreatedAt), stamp(d.UpdatedAt))
		if err != nil {
			return err
		}
	}
	return nil
}

// UpdateOrganization implements authz.OrganizationWriter. Decisions name an organization and know it by its external id;
// the rest of it may change often and is written apart, so that it does not concern them.
func (t *tx) UpdateOrganization(o authz.Organization) error {
	_, err := t.alter(region(fresh.Organization, o.ID), "renaming an organization", `
		UPDATE organizations SET name = $1, external_id = $2 WHERE id = $3 AND (name <> $1 OR external_id IS DISTINCT FROM $2)`,
		o.Name, o.ExternalID, o.ID)
	if err != nil {
		return err
	}
	err = t.alterOne(nil, "updating an organization", `
		UPDATE organizations SET allow_profiles_outside = $1, metadata = $2, stripe_customer_id = $3, search_key = $4, updated_at = $5
		WHERE id = $6`,
		flag(o.AllowProfilesOutside), dictionary(o.Metadata), o.StripeCustomerID, o.SearchKey, stamp(o.UpdatedAt), o.ID)
	if err != nil {
		return err
	}
	had := []authz.Organization{{ID: o.ID}}
	if err := t.addDomains(had); err != nil || slices.Equal(had[0].Domains, o.Domains) {
		return err
	}
	if _, err := t.exec("replacing domains", `DELETE FROM organization_domains WHERE organization_id = $1`, o.ID); err != nil {
		return err
	}
	return t.insertDomains(o)
}

// DeleteOrganization implements authz.OrganizationWriter. Domains, groups and resources go with the row, and keys that are
// limited to it work no more.
func (t *tx) DeleteOrganization(o authz.Organization) error {
	for _, query := range []string{
		`DELETE FROM assignments WHERE organization_id = $1`,
		`DELETE FROM pinned_defaults WHERE organization_id = $1`,
		`DELETE FROM default_roles WHERE organization_id = $1`,
		`DELETE FROM role_order WHERE organization_id = $1`,
		`DELETE FROM roles WHERE organization_id = $1`,
	} {
		if _, err := t.alter(region(fresh.Organization, o.ID), "emptying an organization", query, o.ID); err != nil {
			return err
		}
	}
	regions := append(region(fresh.Organization, o.ID), region(fresh.Keys, o.Environment)...)
	return t.alterOne(regions, "deleting an organization", `DELETE FROM organizations WHERE id = $1`, o.ID)
}
