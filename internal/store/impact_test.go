package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"pgregory.net/rapid"
)

// planned is a change with its preview.
type planned struct {
	name    string
	suppose authz.Supposition
	do      func() error
}

func done[T any](_ T, err error) error { return err }

// plan draws a change of any kind that can be previewed.
func (w *random) plan() planned {
	ctx, c := context.Background(), w.c
	org := rapid.SampledFrom(append([]id.Organization{""}, w.orgs...)).Draw(w.T, "owner")
	slugs := w.slugs(org, authz.OrganizationType)
	slug := w.pick(slugs, "role")
	permission := w.pick(w.permissions, "permission")
	switch kind := rapid.IntRange(0, 8).Draw(w.T, "change"); kind {
	case 0, 1:
		in := authz.RoleDeletion{Default: authz.Some(w.pick(slugs, "new default"))}
		if w.flip("replacement") {
			in.Replacement = authz.Some(w.pick(slugs, "replacement"))
		}
		return planned{fmt.Sprint("remove role ", slug, in), authz.SupposeRemoveRole(org, slug, in),
			func() error { return done(w.rules.RemoveRole(ctx, c, org, slug, in)) }}
	case 2:
		edit := authz.PermissionEdit{Set: authz.Some(w.some(w.permissions, "new permissions"))}
		return planned{fmt.Sprint("edit ", slug, edit), authz.SupposeRolePermissions(org, slug, edit),
			func() error { return done(w.rules.EditRolePermissions(ctx, c, org, slug, edit)) }}
	case 3:
		return planned{"delete permission " + permission, authz.SupposeDeletePermission(permission),
			func() error { return w.rules.DeletePermission(ctx, c, permission) }}
	case 4:
		return planned{"default " + slug, authz.SupposeDefault(org, slug), func() error { return done(w.rules.SetDefault(ctx, c, org, slug)) }}
	case 5:
		all := w.allSlugs(org)
		order := rapid.Permutation(all).Draw(w.T, "order")
		return planned{fmt.Sprint("priority ", order), authz.SupposePriority(org, order), func() error { return done(w.rules.SetPriority(ctx, c, org, order)) }}
	case 6:
		g := rapid.SampledFrom(w.groups).Draw(w.T, "group")
		return planned{"delete group " + g.Name, authz.SupposeDeleteGroup(g.Organization, g.ID),
			func() error { return w.rules.DeleteGroup(ctx, c, g.Organization, g.ID) }}
	case 7:
		r := rapid.SampledFrom(w.resources).Draw(w.T, "resource")
		ref, cascade := authz.ResourceRef{ID: r.ID}, w.flip("cascade")
		return planned{fmt.Sprint("delete resource ", r.Name, cascade), authz.SupposeDeleteResource("", ref, cascade),
			func() error { return w.rules.DeleteResource(ctx, c, "", ref, cascade) }}
	default:
		on := w.flip("on")
		return planned{fmt.Sprint("multiple roles ", on), authz.SupposeMultipleRoles(on), func() error { return done(w.rules.SetMultipleRoles(ctx, c, on)) }}
	}
}

func (w *random) allSlugs(org id.Organization) []string {
	var all []string
	for _, r := range drawn(w.rules.ListRoles(context.Background(), w.c, org)) {
		all = append(all, r.Slug)
	}
	return all
}

// preview reads all pages of an impact.
func (w *random) preview(suppose authz.Supposition, limit int) (totals authz.ImpactTotals, members []authz.MemberImpact, orgs []authz.OrganizationImpact, err error) {
	for _, by := range []bool{false, true} {
		for req := (authz.ImpactRequest{ByOrganization: by, Limit: limit}); ; {
			impact, err := w.rules.Preview(context.Background(), w.c, suppose, req)
			if err != nil {
				return totals, nil, nil, err
			}
			if req.After == "" {
				totals = *impact.Totals
			}
			members, orgs = append(members, impact.Members...), append(orgs, impact.Organizations...)
			if req.After = impact.After; req.After == "" {
				break
			}
		}
	}
	return totals, members, orgs, nil
}

// A preview is the difference of full evaluations before and after, whatever the change: exactly who loses and gains
// what, counted alike in members and in organizations, on pages of any size; and what it shows can be refused only as
// the change is.
func TestPreviewIsTheDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		w := newRandom(t, rt)
		for range 3 {
			w.previewedStep()
		}
		atOnce := w.evaluate()
		w.settle()
		if d := cmp.Diff(atOnce, w.evaluate(), cmp.AllowUnexported(heldState{})); d != "" {
			rt.Fatalf("the work that follows changed a decision:\n%s", d)
		}
		w.announced()
	})
}

func (w *random) previewedStep() {
	change := w.plan()
	before := w.evaluate()
	totals, members, orgs, err := w.preview(change.suppose, rapid.SampledFrom([]int{1, 2, 100}).Draw(w.T, "page"))
	if again := w.evaluate(); !cmp.Equal(before, again, cmp.AllowUnexported(heldState{})) {
		w.Fatalf("the preview of %s changed something", change.name)
	}
	refused := change.do()
	if (err == nil) != (refused == nil) || err != nil && fault.Of(err).Code != fault.Of(refused).Code {
		w.Fatalf("%s: the preview says %v, the change %v", change.name, err, refused)
	}
	if err != nil {
		return
	}
	atOnce := w.evaluate()
	w.compare(change.name, before, atOnce, members)
	w.count(change.name, totals, members, orgs)
	for range rapid.IntRange(0, 2).Draw(w.T, "batches of work") { // the next change may meet work that is not done
		if !drawn(w.rules.Work(context.Background(), "test")) {
			break
		}
	}
	if settled := w.evaluate(); !cmp.Equal(atOnce, settled, cmp.AllowUnexported(heldState{})) {
		w.Fatalf("%s: the work that follows changed a decision:\n%s", change.name, cmp.Diff(atOnce, settled, cmp.AllowUnexported(heldState{})))
	}
}

// compare checks the impacts against the difference of two evaluations.
func (w *random) compare(name string, before, after map[id.Membership]heldState, impacts []authz.MemberImpact) {
	listed := map[id.Membership]authz.MemberImpact{}
	for _, i := range impacts {
		if _, twice := listed[i.ID]; twice {
			w.Fatalf("%s: %s is listed twice", name, i.ID)
		}
		listed[i.ID] = i
	}
	for _, m := range w.members {
		i, changed := listed[m.ID]
		was, is := before[m.ID], after[m.ID]
		if !changed {
			if !cmp.Equal(was, is, cmp.AllowUnexported(heldState{})) {
				w.Fatalf("%s: %s changed and is not in the preview:\n%s", name, m.ID, cmp.Diff(was, is, cmp.AllowUnexported(heldState{})))
			}
			continue
		}
		if !slices.Equal(i.Before, was.roles) || !slices.Equal(i.After, is.roles) {
			w.Fatalf("%s: %s had %v and has %v, the preview says %v and %v", name, m.ID, was.roles, is.roles, i.Before, i.After)
		}
		anchors := map[id.Resource]bool{}
		for _, r := range append(slices.Clone(i.Gains), i.Loses...) {
			anchors[r.Resource] = true
		}
		for on := range anchors {
			if d := cmp.Diff(rightsOn(i.Gains, on), minus(is.rights[on], was.rights[on])); d != "" {
				w.Fatalf("%s: what %s gains on %s, in the preview (-) and in fact (+):\n%s", name, m.ID, on, d)
			}
			if d := cmp.Diff(rightsOn(i.Loses, on), minus(was.rights[on], is.rights[on])); d != "" {
				w.Fatalf("%s: what %s loses on %s, in the preview (-) and in fact (+):\n%s", name, m.ID, on, d)
			}
		}
		w.nothingElse(name, m, was, is, anchors)
	}
}

// nothingElse checks that a right which changes somewhere changes on that place or on one above it in the preview.
func (w *random) nothingElse(name string, m authz.Membership, was, is heldState, anchors map[id.Resource]bool) {
	parents := map[id.Resource]id.Resource{}
	for _, r := range w.resources {
		parents[r.ID] = r.Parent
	}
	for _, on := range w.places(m.Organization) {
		if slices.Equal(was.rights[on], is.rights[on]) {
			continue
		}
		above := on
		for !anchors[above] && parents[above] != "" {
			above = parents[above]
		}
		if !anchors[above] {
			w.Fatalf("%s: %s holds %v on %s instead of %v, of which the preview says nothing", name, m.ID, is.rights[on], on, was.rights[on])
		}
	}
}

func rightsOn(all []authz.Right, on id.Resource) []string {
	var slugs []string
	for _, r := range all {
		if r.Resource == on {
			slugs = append(slugs, r.Permission)
		}
	}
	return slugs
}

func minus(a, b []string) []string {
	var left []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			left = append(left, s)
		}
	}
	return left
}

// count checks the numbers against the list.
func (w *random) count(name string, totals authz.ImpactTotals, members []authz.MemberImpact, orgs []authz.OrganizationImpact) {
	want := authz.ImpactTotals{}
	of := map[id.Organization]*authz.OrganizationImpact{}
	for _, i := range members {
		o := of[i.Organization]
		if o == nil {
			o = &authz.OrganizationImpact{}
			of[i.Organization] = o
			want.Organizations++
		}
		want.Changed++
		o.Changed++
		if len(i.Gains) > 0 {
			want.Gaining++
			o.Gaining++
		}
		if len(i.Loses) > 0 {
			want.Losing++
			o.Losing++
		}
	}
	if totals != want || len(orgs) != len(of) {
		w.Fatalf("%s: totals %+v of %d organizations, the list has %+v", name, totals, len(orgs), want)
	}
	for _, o := range orgs {
		if l := of[o.Organization]; l == nil || l.Changed != o.Changed || l.Gaining != o.Gaining || l.Losing != o.Losing || o.Name == "" {
			w.Fatalf("%s: organization %+v, the list has %+v", name, o, l)
		}
	}
}

// announced checks that the last event about every membership shows the roles in effect.
func (w *random) announced() {
	for _, m := range w.members {
		member := drawn(w.rules.Member(context.Background(), w.c, m.ID))
		var held []string
		for _, h := range member.Held {
			held = append(held, h.Role.Slug)
		}
		if !slices.Equal(member.Shown, held) {
			w.Fatalf("%s holds %v, its last event shows %v", m.ID, held, member.Shown)
		}
	}
}
