package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

func (s scene) resourceType(slug string, parents ...string) {
	in := authz.NewResourceType{Slug: slug, Name: slug, Parents: authz.Opt[[]string]{Set: len(parents) > 0, Value: parents}}
	must(s.rules.CreateResourceType(context.Background(), s.c, in))
}

func (s scene) putResource(org id.Organization, kind, externalID string, parent id.Resource) (authz.Resource, error) {
	in := authz.NewResource{Organization: org, Type: kind, ExternalID: externalID, Name: "n", Parent: authz.ResourceRef{ID: parent}}
	return s.rules.CreateResource(context.Background(), s.c, in)
}

func (s scene) resources(org id.Organization) map[id.Resource]authz.Resource {
	p := must(s.rules.ListResources(context.Background(), s.c, authz.ResourceFilter{Organization: org}, authz.ResourceRef{}, page.Request{Limit: 100, Order: page.Asc}))
	by := map[id.Resource]authz.Resource{}
	for _, r := range p.Items {
		by[r.ID] = r
	}
	return by
}

// I13: whatever is made or moved below a resource while that is deleted, nothing is left without a parent.
func TestResourcesUnderAParentThatGoes(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		ctx := context.Background()
		s.resourceType("workspace")
		s.resourceType("project", "workspace", "organization")
		for round := range 5 {
			org := s.organization(fmt.Sprint("org ", round))
			space := must(s.putResource(org, "workspace", "w", "")).ID
			moving := must(s.putResource(org, "project", "moving", "")).ID
			for i, err := range together(4, func(i int) error {
				switch i {
				case 0:
					return s.rules.DeleteResource(ctx, s.c, "", authz.ResourceRef{ID: space}, true)
				case 1:
					_, err := s.rules.UpdateResource(ctx, s.c, "", authz.ResourceRef{ID: moving},
						authz.ResourceChange{Parent: authz.Some(authz.ResourceRef{ID: space})})
					return err
				}
				_, err := s.putResource(org, "project", fmt.Sprint("p", i), space)
				return err
			}) {
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Errorf("writer %d: %v", i, err)
				}
			}
			left := s.resources(org)
			for _, r := range left {
				if _, there := left[r.Parent]; !there && r.Parent != authz.OrganizationResource(org) {
					t.Errorf("I13: %s lies below %s, which is gone", r.ExternalID, r.Parent)
				}
			}
		}
	})
}

// R204: of equal external ids at once, one is made.
func TestEqualExternalIDsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		org := s.organization("acme")
		s.resourceType("project")
		for round := range 5 {
			conflicts := 0
			for i, err := range together(4, func(int) error {
				_, err := s.putResource(org, "project", fmt.Sprint(round), "")
				return err
			}) {
				if err != nil && !fault.HasCode(err, "authorization_resource_external_id_conflict") {
					t.Errorf("writer %d: %v", i, err)
				} else if err != nil {
					conflicts++
				}
			}
			if conflicts != 3 || len(s.resources(org)) != round+1 {
				t.Errorf("%d conflicts and %d resources in round %d", conflicts, len(s.resources(org)), round)
			}
		}
	})
}

// I13: a type goes or is moved, or something of it is made, never both; and no two moves make a cycle together.
func TestTypesChangedAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		ctx := context.Background()
		org := s.organization("acme")
		for round := range 5 {
			a, b := fmt.Sprint("a", round), fmt.Sprint("b", round)
			s.resourceType(a)
			s.resourceType(b)
			below := func(slug, parent string) error {
				_, err := s.rules.UpdateResourceType(ctx, s.c, slug, authz.ResourceTypeChange{Parents: authz.Some([]string{parent})})
				return err
			}
			refused := 0
			for i, err := range together(2, func(i int) error {
				if i == 0 {
					return below(a, b)
				}
				return below(b, a)
			}) {
				if err != nil && !fault.Is(err, fault.Invalid) {
					t.Errorf("mover %d: %v", i, err)
				} else if err != nil {
					refused++
				}
			}
			if refused != 1 {
				t.Errorf("I13: %d of two moves that make a cycle were refused", refused)
			}
			c := fmt.Sprint("c", round)
			s.resourceType(c)
			errs := together(2, func(i int) error {
				if i == 0 {
					return s.rules.DeleteResourceType(ctx, s.c, c)
				}
				_, err := s.putResource(org, c, "x", "")
				return err
			})
			if (errs[0] == nil) == (errs[1] == nil) {
				t.Errorf("I13: deleting a type gave %v, making a resource of it %v", errs[0], errs[1])
			}
			if errs[0] == nil {
				continue
			}
			for _, r := range s.resources(org) { // the organization has room for ten types directly below it
				must(0, s.rules.DeleteResource(ctx, s.c, "", authz.ResourceRef{ID: r.ID}, false))
			}
			must(0, s.rules.DeleteResourceType(ctx, s.c, c))
		}
	})
}
