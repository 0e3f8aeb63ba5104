package dashboard

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
)

// keyRow is an API key with the name of the organization that it is limited to.
type keyRow struct {
	operator.Key
	OrganizationName string
}

// Revoked says whether the key was ended.
func (k keyRow) Revoked() bool { return !k.RevokedAt.IsZero() }

// keyList is part of the API keys of an environment, the newest first: those that work, or those that were revoked.
type keyList struct {
	Keys    []keyRow
	Revoked bool // which of the two
	Others  int  // how many there are of the other
	Pager   pager
}

func listKeys(v *visit) error {
	part, err := v.part(page.Desc, isCursor[id.APIKey])
	if err != nil {
		return err
	}
	all, err := v.door.people.ListKeys(v.Context(), v.env.ID)
	if err != nil {
		return err
	}
	list := keyList{Revoked: v.query.Get("show") == "revoked"}
	wanted := slices.DeleteFunc(slices.Clone(all), func(k operator.Key) bool { return k.RevokedAt.IsZero() == list.Revoked })
	list.Others = len(all) - len(wanted)
	shown := page.Of(part, wanted, func(k operator.Key) string { return string(k.ID) })
	list.Pager = v.pages(shown.Before, shown.After)
	known := v.finder()
	for _, k := range shown.Items {
		name, err := known.organization(k.Organization)
		if err != nil {
			return err
		}
		list.Keys = append(list.Keys, keyRow{k, name})
	}
	return v.show("keys.html", "API keys", nil, list)
}

// keyForm is the form of a new key.
type keyForm struct {
	Name, Organization string
	Limited            bool
	Chosen             []string
	Catalogue          []permissionGroup
	Found              []authz.Organization // that the organization may mean
}

// organizationsOffered is how many organizations a field suggests while one types.
const organizationsOffered = 20

func newKey(v *visit) error {
	form := keyForm{
		Name: v.typed("name"), Organization: v.typed("organization"),
		Limited: v.form.Get("may") == "some", Chosen: append([]string{}, v.form["permissions"]...),
	}
	if v.posted() {
		made, value, err := v.makeKey(form)
		if err == nil {
			v.secret = true
			// The value is on this answer alone: no address, cookie or log has it, and so it cannot be asked for again.
			return v.show("key_made.html", "API key created", []crumb{{"API keys", v.Path("keys")}}, keyMade{made, value})
		}
		if !v.blame(err) {
			return err
		}
	}
	all, err := v.catalogue(v.Context())
	if err != nil {
		return err
	}
	form.Catalogue = grouped(all)
	if form.Found, err = v.findOrganizations(form.Organization + v.query.Get("organization")); err != nil {
		return err
	}
	return v.show("key_new.html", "Create API key", []crumb{{"API keys", v.Path("keys")}}, form)
}

// keyMade is a new key with its value.
type keyMade struct {
	operator.Key
	Value string
}

func (v *visit) makeKey(form keyForm) (operator.Key, string, error) {
	in := operator.NewKey{Environment: v.env.ID, Name: form.Name}
	if form.Limited {
		in.Permissions = authz.Some(form.Chosen)
	}
	var err error
	if in.Organization, err = v.meantOrganization(form.Organization); err != nil {
		return operator.Key{}, "", err
	}
	return v.door.people.CreateKey(v.Context(), in)
}

// meantOrganization is the organization that somebody typed the id or the whole name of.
func (v *visit) meantOrganization(typed string) (id.Organization, error) {
	if org, ok := id.Parse[id.Organization](typed); ok || typed == "" {
		return org, nil
	}
	found, err := v.findOrganizations(typed)
	if err != nil {
		return "", err
	}
	var meant []id.Organization
	for _, o := range found {
		if strings.EqualFold(o.Name, typed) {
			meant = append(meant, o.ID)
		}
	}
	if len(meant) != 1 {
		return "", fault.BadField("organization", "must be the id, or the whole name, of one organization")
	}
	return meant[0], nil
}

func (v *visit) findOrganizations(search string) ([]authz.Organization, error) {
	found, err := v.door.rules.ListOrganizations(v.Context(), v.caller, authz.OrganizationFilter{Search: search}, page.Request{Limit: organizationsOffered, Order: page.Desc})
	return found.Items, err
}

func revokeKey(v *visit) error {
	key, err := v.key()
	if err != nil {
		return err
	}
	if v.posted() {
		if err := v.door.people.RevokeKey(v.Context(), v.env.ID, key.ID); err != nil {
			return err
		}
		return v.done(v.Path("keys"), "API key "+key.Name+" is revoked. Every request with it is refused from now on.")
	}
	return v.show("key_revoke.html", "Revoke API key", []crumb{{"API keys", v.Path("keys")}}, key)
}

// key is the working API key that the address names.
func (v *visit) key() (keyRow, error) {
	named := v.PathValue("key")
	all, err := v.door.people.ListKeys(v.Context(), v.env.ID)
	if err != nil {
		return keyRow{}, err
	}
	at := slices.IndexFunc(all, func(k operator.Key) bool { return string(k.ID) == named && k.RevokedAt.IsZero() })
	if at < 0 {
		return keyRow{}, fault.Missing("Working API key", named)
	}
	name, err := v.finder().organization(all[at].Organization)
	return keyRow{all[at], name}, err
}
