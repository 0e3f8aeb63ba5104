package operator_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// catalogue is the rules of the production environment of a room, with permissions a, b and c and an organization.
func (r room) catalogue(t *testing.T) (*authz.Service, authz.Caller, id.Organization) {
	t.Helper()
	rules := authz.New(r.db, time.Now, id.NewSource(time.Now, nil))
	c := authz.Caller{Environment: r.production}
	for _, slug := range []string{"a", "b", "c"} {
		if _, err := rules.CreatePermission(t.Context(), c, authz.NewPermission{Slug: slug, Name: slug}); err != nil {
			t.Fatal(err)
		}
	}
	org, err := rules.CreateOrganization(t.Context(), c, authz.OrganizationInput{Name: authz.Some("Acme")})
	if err != nil {
		t.Fatal(err)
	}
	return rules, c, org.ID
}

// A key is found with the restriction that it was made with.
func TestRestrictedKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		_, _, org := r.catalogue(t)
		for name, c := range map[string]struct {
			in   operator.NewKey
			want *authz.Restriction
		}{
			"nothing said":    {operator.NewKey{}, nil},
			"two permissions": {operator.NewKey{Permissions: authz.Some([]string{"c", "a", "c"})}, &authz.Restriction{Permissions: []string{"a", "c"}}},
			"no permissions":  {operator.NewKey{Permissions: authz.Some([]string{})}, &authz.Restriction{}},
			"an organization": {operator.NewKey{Organization: org}, &authz.Restriction{Organization: org, Everything: true}},
			"both":            {operator.NewKey{Organization: org, Permissions: authz.Some([]string{"b"})}, &authz.Restriction{Organization: org, Permissions: []string{"b"}}},
		} {
			c.in.Environment, c.in.Name = r.production, name
			made, value, err := r.CreateKey(t.Context(), c.in)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			found, err := r.Authenticate(t.Context(), value)
			if err != nil || !reflect.DeepEqual(found.Key, made) {
				t.Errorf("%s: found %+v, %v, want %+v", name, found, err, made)
			}
			if got := found.Caller.Only; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s: restricted to %+v, want %+v", name, got, c.want)
			}
			if listed, err := r.ListKeys(t.Context(), r.production); err != nil || !reflect.DeepEqual(listed[len(listed)-1], made) {
				t.Errorf("%s: listed %+v, %v", name, listed, err)
			}
		}
	})
}

// What the environment does not have is named, and no key is made.
func TestUnknownRestrictions(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		_, _, org := r.catalogue(t)
		many := make([]string, 501)
		for i := range many {
			many[i] = fmt.Sprint("p", i)
		}
		for says, in := range map[string]operator.NewKey{
			"'A', 'x:*'":                       {Permissions: authz.Some([]string{"x:*", "a", "A"})},
			"''":                               {Permissions: authz.Some([]string{"a", ""})},
			"'\xff'":                           {Permissions: authz.Some([]string{"\xff"})},
			"at most 500":                      {Permissions: authz.Some(many)},
			"'a'":                              {Environment: r.staging, Permissions: authz.Some([]string{"a"})},
			"'" + string(org):                  {Environment: r.staging, Organization: org},
			"'org_" + nobodys:                  {Organization: "org_" + nobodys},
			"'nonsense'":                       {Organization: "nonsense"},
			"'" + strings.ToLower(string(org)): {Organization: id.Organization(strings.ToLower(string(org)))},
		} {
			if in.Environment == "" {
				in.Environment = r.production
			}
			in.Name = "k"
			if _, value, err := r.CreateKey(t.Context(), in); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) || value != "" {
				t.Errorf("%+v: %v, want a refusal with %q", in, err, says)
			}
		}
		if keys, err := r.ListKeys(t.Context(), ""); err != nil || len(keys) > 0 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
	})
}

const nobodys = "01ARZ3NDEKTSV4RRFFQ69G5FAV"

// A permission that is deleted is on no list any more, also when there is one of its slug again; a key whose
// organization was deleted is refused as one that was revoked (I12).
func TestRestrictionsEndWithWhatTheyName(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		rules, c, org := r.catalogue(t)
		_, value, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: "k", Organization: org, Permissions: authz.Some([]string{"a", "b"})})
		if err != nil {
			t.Fatal(err)
		}
		holds := func(want ...string) {
			t.Helper()
			k, err := r.Authenticate(t.Context(), value)
			if err != nil || fmt.Sprint(k.Permissions) != fmt.Sprint(want) || k.Everything {
				t.Errorf("the key lists %v, %v, want %v", k.Permissions, err, want)
			}
		}
		holds("a", "b")
		for _, slug := range []string{"a", "b"} {
			if err := rules.DeletePermission(t.Context(), c, slug); err != nil {
				t.Fatal(err)
			}
			if _, err := rules.CreatePermission(t.Context(), c, authz.NewPermission{Slug: slug, Name: slug}); err != nil {
				t.Fatal(err)
			}
			holds(map[string][]string{"a": {"b"}, "b": nil}[slug]...)
		}
		if err := rules.DeleteOrganization(t.Context(), c, org); err != nil {
			t.Fatal(err)
		}
		_, gone := r.Authenticate(t.Context(), value)
		_, wrong := r.Authenticate(t.Context(), "sk_wrong")
		if !fault.Is(gone, fault.Unauthorized) || gone.Error() != wrong.Error() {
			t.Errorf("the key of a deleted organization: %v", gone)
		}
		keys, err := r.ListKeys(t.Context(), r.production)
		if err != nil || len(keys) != 1 || !keys[0].OrganizationGone || keys[0].Organization != org {
			t.Errorf("listed %+v, %v", keys, err)
		}
	})
}
