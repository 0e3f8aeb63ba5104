package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

// ticking is a scene whose clock moves on by a second each time it is read.
func ticking(t testing.TB, db *store.Store) scene {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	return newSceneAt(t, db, "production", func() time.Time { at = at.Add(time.Second); return at })
}

func (s scene) permissions(slugs ...string) {
	for _, slug := range slugs {
		must(s.rules.CreatePermission(context.Background(), s.c, authz.NewPermission{Slug: slug, Name: slug}))
	}
}

// told lists the events of some types, oldest first.
func (s scene) told(types ...event.Type) []event.Event {
	var names []string
	for _, t := range types {
		names = append(names, string(t))
	}
	return must(s.rules.ListEvents(context.Background(), s.c, authz.EventFilter{Types: names}, page.Request{Limit: page.MaxLimit, Order: page.Asc})).Items
}

// A revision applies everything at once, with one event that has the former values.
func TestRevisionOfARole(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := ticking(t, db)
		ctx := context.Background()
		s.permissions("a", "b", "c")
		org := s.organization("Acme")
		for owner, types := range map[id.Organization][2]event.Type{
			"": {event.RoleCreated, event.RoleUpdated}, org: {event.OrganizationRoleCreated, event.OrganizationRoleUpdated},
		} {
			slug := slugIn(owner, "editor")
			made := must(s.rules.CreateRole(ctx, s.c, owner, authz.NewRole{Slug: authz.Some(slug), Name: "Editor", Permissions: authz.Some([]string{"b", "a"})}))
			if created := s.told(types[0]); len(created) != 1 || !holds(created[0], "a", "b") {
				t.Errorf("%q: a role made with permissions told %v", owner, created)
			}
			text := "Edits"
			from := authz.RoleContent{Name: "Editor", Permissions: []string{"b", "a"}}
			to := authz.RoleContent{Name: "Writer", Description: &text, Permissions: []string{"c", "a", "c"}}
			if same := must(s.rules.ReviseRole(ctx, s.c, owner, slug, from, from)); !same.UpdatedAt.Equal(made.UpdatedAt) || len(s.told(types[1])) > 0 {
				t.Errorf("%q: a revision that changes nothing made %+v", owner, same)
			}
			revised := must(s.rules.ReviseRole(ctx, s.c, owner, slug, from, to))
			if revised.Name != "Writer" || *revised.Description != text || !slices.Equal(revised.Permissions, []string{"a", "c"}) {
				t.Errorf("%q: revised to %+v", owner, revised)
			}
			if kept := must(s.rules.Role(ctx, s.c, owner, slug)); kept.Name != "Writer" || !slices.Equal(kept.Permissions, []string{"a", "c"}) {
				t.Errorf("%q: kept as %+v", owner, kept)
			}
			again := must(s.rules.ReviseRole(ctx, s.c, owner, slug, from, to)) // the same form, sent twice
			if !again.UpdatedAt.Equal(revised.UpdatedAt) {
				t.Errorf("%q: the same revision again changed %v to %v", owner, revised.UpdatedAt, again.UpdatedAt)
			}
			updated := s.told(types[1])
			if len(updated) != 1 || !holds(updated[0], "a", "c") {
				t.Fatalf("%q: told %v", owner, updated)
			}
			var around struct {
				Previous struct {
					Permissions []string `json:"permissions"`
				} `json:"previous_attributes"`
			}
			if err := json.Unmarshal(updated[0].Context, &around); err != nil || !slices.Equal(around.Previous.Permissions, []string{"a", "b"}) {
				t.Errorf("%q: told the former values %s", owner, updated[0].Context)
			}
		}
		s.sound()
	})
}

// slugIn is a slug that the owner may give: the environment's and custom ones are available side by side.
func slugIn(owner id.Organization, slug string) string {
	if owner != "" {
		return "org-" + slug
	}
	return slug
}

func holds(e event.Event, permissions ...string) bool {
	var told struct{ Permissions []string }
	return json.Unmarshal(e.Data, &told) == nil && slices.Equal(told.Permissions, permissions)
}

// A revision of what is not there any more is refused and changes nothing, whichever part was changed meanwhile.
func TestRevisionOfAnotherState(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := ticking(t, db)
		ctx := context.Background()
		s.permissions("a", "b")
		text, empty := "Edits", ""
		made := must(s.rules.CreateRole(ctx, s.c, "", authz.NewRole{Slug: authz.Some("editor"), Name: "Editor", Description: &text, Permissions: authz.Some([]string{"a"})}))
		to := authz.RoleContent{Name: "Writer"}
		for what, from := range map[string]authz.RoleContent{
			"name":              {Name: "editor", Description: &text, Permissions: []string{"a"}},
			"description":       {Name: "Editor", Description: &empty, Permissions: []string{"a"}},
			"no description":    {Name: "Editor", Permissions: []string{"a"}},
			"permissions":       {Name: "Editor", Description: &text, Permissions: []string{"a", "b"}},
			"other permissions": {Name: "Editor", Description: &text, Permissions: []string{"b"}},
			"no permissions":    {Name: "Editor", Description: &text},
		} {
			if _, err := s.rules.ReviseRole(ctx, s.c, "", "editor", from, to); !fault.Is(err, fault.Conflict) || !fault.HasCode(err, "role_changed") {
				t.Errorf("%s: %v", what, err)
			}
		}
		present := made.Content()
		wrong := present
		for _, unknown := range []string{"unknown", "", "\x00", "\xff"} {
			wrong.Permissions = []string{"a", unknown}
			if _, err := s.rules.ReviseRole(ctx, s.c, "", "editor", present, wrong); !fault.Is(err, fault.NotFound) {
				t.Errorf("the unknown permission %q: %v", unknown, err)
			}
		}
		wrong = present
		wrong.Name = " "
		if _, err := s.rules.ReviseRole(ctx, s.c, "", "editor", present, wrong); !fault.Is(err, fault.Invalid) {
			t.Errorf("a blank name: %v", err)
		}
		limited := s.c
		limited.Only = &authz.Restriction{Permissions: []string{"a"}}
		more := present
		more.Permissions = []string{"a", "b"}
		if _, err := s.rules.ReviseRole(ctx, limited, "", "editor", present, more); !fault.HasCode(err, "permission_escalation") {
			t.Errorf("a permission that the caller may not give: %v", err)
		}
		if _, err := s.rules.CreateRole(ctx, limited, "", authz.NewRole{Slug: authz.Some("strong"), Name: "S", Permissions: authz.Some([]string{"b"})}); !fault.HasCode(err, "permission_escalation") {
			t.Errorf("a new role that the caller may not give: %v", err)
		}
		if kept := must(s.rules.Role(ctx, s.c, "", "editor")); !kept.UpdatedAt.Equal(made.UpdatedAt) || len(s.told(event.RoleUpdated)) > 0 {
			t.Errorf("refusals changed it to %+v", kept)
		}
	})
}

// Of several who saw the same state at once, one revises the role and the others hear of it.
func TestRevisionsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		role := s.role("", "editor")
		wantOne(t, together(6, func(i int) error {
			to := role.Content()
			to.Name = fmt.Sprint("Editor ", i)
			_, err := s.rules.ReviseRole(context.Background(), s.c, "", "editor", role.Content(), to)
			return err
		}), fault.Conflict)
		if n := len(s.told(event.RoleUpdated)); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

// Who comes second sees who changed the role: the latest change or, without any, its creation; nothing of an earlier role
// under that slug or of another one.
func TestLastRoleChange(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := ticking(t, db)
		ctx := context.Background()
		org := s.organization("Acme")
		by := func(name string) authz.Caller {
			c := s.c
			c.Actor = event.Actor{ID: "user_" + name, Source: "dashboard", Name: name}
			return c
		}
		last := func(owner id.Organization, slug, want string) {
			t.Helper()
			e, found, err := s.rules.LastRoleChange(ctx, s.c, owner, slug)
			var around event.Context
			if err != nil || found != (want != "") {
				t.Fatalf("%s of %q: %v, %v", slug, owner, found, err)
			}
			if found {
				if err := json.Unmarshal(e.Context, &around); err != nil || around.Actor == nil || around.Actor.Name != want {
					t.Errorf("%s of %q was changed last by %s (%s), want %s", slug, owner, e.Context, e.Type, want)
				}
			}
		}
		rename := func(owner id.Organization, slug, name string) {
			must(s.rules.UpdateRole(ctx, by(name), owner, slug, authz.Details{Name: authz.Some(name)}))
		}
		for _, owner := range []id.Organization{"", org} {
			editor, other := slugIn(owner, "editor"), slugIn(owner, "other")
			must(s.rules.CreateRole(ctx, by("ada"), owner, authz.NewRole{Slug: authz.Some(editor), Name: "E"}))
			must(s.rules.CreateRole(ctx, by("eve"), owner, authz.NewRole{Slug: authz.Some(other), Name: "O"}))
			last(owner, editor, "ada")
			rename(owner, editor, "bob")
			rename(owner, other, "eve")
			last(owner, editor, "bob")
			if err := s.rules.DeleteRole(ctx, by("mallory"), owner, editor); err != nil {
				t.Fatal(err)
			}
			if _, _, err := s.rules.LastRoleChange(ctx, s.c, owner, editor); !fault.Is(err, fault.NotFound) {
				t.Errorf("a role that is gone: %v", err)
			}
			must(s.rules.CreateRole(ctx, by("zoe"), owner, authz.NewRole{Slug: authz.Some(editor), Name: "E"}))
			last(owner, editor, "zoe")
		}
		rename("", "editor", "zoe the second")
		for n := range page.MaxLimit {
			rename("", "other", fmt.Sprint("eve ", n))
		}
		last("", "editor", "") // too far back
		last(org, "org-editor", "zoe")
		if _, _, err := s.rules.LastRoleChange(ctx, authz.Caller{Environment: "environment_other"}, "", "editor"); !fault.Is(err, fault.NotFound) {
			t.Errorf("from another environment: %v", err)
		}
	})
}
