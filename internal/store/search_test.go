package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

// person makes a user; a name given as nil is not known.
func (s scene) person(email string, first, last, name *string) id.User {
	return must(s.rules.CreateUser(context.Background(), s.c, authz.UserInput{
		Email: authz.Some(email), FirstName: authz.Some(first), LastName: authz.Some(last), Name: authz.Some(name),
	})).ID
}

// foundUsers reads all pages of a search, one user at a time, and back again.
func (s scene) foundUsers(org id.Organization, text string) []string {
	s.Helper()
	f := authz.UserFilter{Organization: org, Search: text}
	return s.walked(func(r page.Request) (emails []string, before, after string) {
		p := must(s.rules.ListUsers(context.Background(), s.c, f, r))
		for _, u := range p.Items {
			emails = append(emails, u.Email)
		}
		return emails, p.Before, p.After
	})
}

// foundMembers is the same for members of an organization.
func (s scene) foundMembers(f authz.MembershipFilter) []string {
	s.Helper()
	return s.walked(func(r page.Request) (emails []string, before, after string) {
		p := must(s.rules.ListMembers(context.Background(), s.c, f, r))
		for _, m := range p.Items {
			emails = append(emails, m.Person.Email)
		}
		return emails, p.Before, p.After
	})
}

func (s scene) walked(read func(page.Request) (emails []string, before, after string)) (all []string) {
	s.Helper()
	var back string
	for r := (page.Request{Limit: 1, Order: page.Asc}); ; {
		emails, before, after := read(r)
		all = append(all, emails...)
		if after == "" {
			back = before
			break
		}
		r.After = after
	}
	returned := []string{}
	for back != "" {
		var emails []string
		emails, back, _ = read(page.Request{Limit: 1, Order: page.Asc, Before: back})
		returned = append(emails, returned...)
	}
	if len(all) > 0 && !slices.Equal(returned, all[:len(all)-1]) {
		s.Errorf("forwards %v, and backwards %v", all, returned)
	}
	for i := range all {
		all[i], _, _ = strings.Cut(all[i], "@")
	}
	return all
}

// People are found by how their e-mail address, name or last name begins, whatever its case, and only in one's own
// environment and organization.
func TestSearchOfPeople(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		staging := newSceneAt(t, db, "staging", time.Now)
		staging.person("ada@other.example", nil, nil, nil)
		s := newScene(t, db)
		some := func(text string) *string { return &text }
		acme, globex := s.organization("Acme"), s.organization("Globex")
		people := []id.User{
			s.person("Ada@x.example", some("Augusta"), some("King"), some("Ada Lovelace")),
			s.person("grace@x.example", some("Grace"), some("Hopper"), nil),
			s.person("edsger@x.example", nil, nil, some("Edsger W. Dijkstra")),
			s.person("emilie@x.example", some("Émilie"), some("du Châtelet"), nil),
			s.person("100%@x.example", nil, some("Under_score"), nil),
			s.person("plain@x.example", nil, nil, nil),
		}
		for text, want := range map[string][]string{
			"ada":                         {"Ada"},
			"ADA@X.example":               {"Ada"},
			" ada l":                      {"Ada"},
			"king":                        {"Ada"},
			"augusta":                     {}, // a name was given
			"lovelace":                    {}, // a last name was given
			"grace h":                     {"grace"},
			"hop":                         {"grace"},
			"opper":                       {},
			"dijk":                        {"edsger"},
			"e":                           {"edsger", "emilie"},
			"éMILIE":                      {"emilie"},
			"e\u0301milie":                {"emilie"},
			"du ch":                       {"emilie"},
			"%":                           {},
			"100%":                        {"100%"},
			"under_":                      {"100%"},
			"underx":                      {},
			"x.example":                   {},
			"'":                           {},
			"plain":                       {"plain"},
			strings.Repeat("\u00e9", 100): {},
		} {
			if found := s.foundUsers("", text); !slices.Equal(found, want) && len(found)+len(want) > 0 {
				t.Errorf("%q finds %v, want %v", text, found, want)
			}
		}
		for _, u := range people[:3] {
			must(s.rules.CreateMembership(context.Background(), s.c, u, acme, authz.RolesInput{}))
		}
		for _, u := range people[2:] {
			must(s.rules.CreateMembership(context.Background(), s.c, u, globex, authz.RolesInput{}))
		}
		if found := s.foundUsers(globex, "e"); !slices.Equal(found, []string{"edsger", "emilie"}) {
			t.Errorf("of globex: %v", found)
		}
		if found := s.foundMembers(authz.MembershipFilter{Organization: acme, Search: "E"}); !slices.Equal(found, []string{"edsger"}) {
			t.Errorf("members of acme: %v", found)
		}
		if found := s.foundMembers(authz.MembershipFilter{Organization: acme, Search: "grace", Role: "member"}); !slices.Equal(found, []string{"grace"}) {
			t.Errorf("members of acme with a role: %v", found)
		}
		must(s.rules.UpdateUser(context.Background(), s.c, people[1], authz.UserInput{LastName: authz.Some(some("Murray"))}))
		if old, renamed := s.foundUsers("", "hopper"), s.foundUsers("", "murray"); len(old) > 0 || len(renamed) != 1 {
			t.Errorf("after a change of name: %v, %v", old, renamed)
		}
		for what, err := range map[string]error{
			"too long a search of users": done(s.rules.ListUsers(context.Background(), s.c, authz.UserFilter{Search: strings.Repeat("a", 101)}, page.Request{Limit: 1, Order: page.Asc})),
			"one that no database holds": done(s.rules.ListUsers(context.Background(), s.c, authz.UserFilter{Search: "a\x00"}, page.Request{Limit: 1, Order: page.Asc})),
			"memberships of one user":    done(s.rules.ListMembers(context.Background(), s.c, authz.MembershipFilter{User: people[0], Search: "a"}, page.Request{Limit: 1, Order: page.Asc})),
			"organizations":              done(s.rules.ListOrganizations(context.Background(), s.c, authz.OrganizationFilter{Search: "\xff"}, page.Request{Limit: 1, Order: page.Asc})),
		} {
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "search") {
				t.Errorf("%s: %v", what, err)
			}
		}
		s.sound()
	})
}

// In an organization with more members than are compared one by one, a search finds the same.
func TestSearchOfManyMembers(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		acme, other := s.organization("Acme"), s.organization("Other")
		fillWith(t, db, s.c.Environment, acme, "acme", authz.MaxCount+1)
		fillWith(t, db, s.c.Environment, other, "other", 10)
		f := authz.MembershipFilter{Organization: acme, Search: "ACME-1010"}
		want := []string{"acme-1010"}
		if found := s.foundMembers(f); !slices.Equal(found, want) {
			t.Errorf("found %v, want %v", found, want)
		}
		f.Search = "other"
		if found := s.foundMembers(f); len(found) > 0 {
			t.Errorf("members of another organization: %v", found)
		}
		f.Search, f.Statuses = "acme-1010", []authz.Status{authz.StatusInactive}
		if found := s.foundMembers(f); len(found) > 0 {
			t.Errorf("members with another status: %v", found)
		}
		f.Search, f.Statuses = "acme", nil
		p := must(s.rules.ListMembers(context.Background(), s.c, f, page.Request{Limit: page.MaxLimit, Order: page.Desc}))
		if len(p.Items) != page.MaxLimit || p.After == "" {
			t.Errorf("of very many the first page has %d", len(p.Items))
		}
		if found := s.foundUsers(acme, "acme-1010"); !slices.Equal(found, want) {
			t.Errorf("users: %v", found)
		}
		size := must(s.rules.OrganizationSize(context.Background(), s.c, acme))
		if size.Members != (authz.Count{N: authz.MaxCount, More: true}) {
			t.Errorf("%d members are counted as %+v", authz.MaxCount+1, size.Members)
		}
	})
}

// fillWith puts members into an organization by statements alone: name-1@x.example and so on.
func fillWith(t testing.TB, db *store.Store, env id.Environment, org id.Organization, name string, members int) {
	t.Helper()
	count := fmt.Sprintf(`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)`, members)
	const at = "'2026-01-01T00:00:00.000Z'"
	ids := name + "' || (10000000 + i)"
	for _, statement := range []string{
		`INSERT INTO users (id, environment_id, email, email_key, email_verified, metadata, created_at, updated_at) ` + count +
			` SELECT 'user_` + ids + `, '` + string(env) + `', '` + name + `-' || i || '@x.example', '` + name + `-' || i || '@x.example', 0, '{}', ` + at + `, ` + at + ` FROM c`,
		`INSERT INTO memberships (id, organization_id, environment_id, user_id, status, directory_managed, roles, fallback, created_at, updated_at) ` + count +
			` SELECT 'om_` + ids + `, '` + string(org) + `', '` + string(env) + `', 'user_` + ids + `, 'active', 0, 'member', 1, ` + at + `, ` + at + ` FROM c`,
	} {
		if err := store.Write(t.Context(), db, statement); err != nil {
			t.Fatal(err)
		}
	}
}
