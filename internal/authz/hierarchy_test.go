package authz

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/fault"
)

// typesOf makes a hierarchy of lines such as "task: project workspace", each type after its parents.
func typesOf(t *testing.T, lines ...string) hierarchy {
	t.Helper()
	h := hierarchy{}
	for _, line := range lines {
		var err error
		if h, err = h.with(typeOf(line)); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return h
}

func typeOf(line string) ResourceType {
	slug, parents, _ := strings.Cut(line, ": ")
	return ResourceType{Slug: slug, Parents: slices.Sorted(slices.Values(strings.Fields(parents)))}
}

func TestUnder(t *testing.T) {
	h := typesOf(t, "workspace: organization", "folder: organization", "project: workspace folder", "task: project organization")
	for _, c := range []struct {
		slug, root string
		want       bool
	}{
		{"task", "task", true}, {"task", "project", true}, {"task", "workspace", true}, {"task", "folder", true}, {"task", "organization", true},
		{"project", "task", false}, {"workspace", "folder", false}, {"organization", "workspace", false}, {"organization", "organization", true},
		{"unknown", "workspace", false},
	} {
		if got := h.under(c.slug, c.root); got != c.want {
			t.Errorf("%s under %s: %v", c.slug, c.root, got)
		}
	}
}

// Each limit is reached and not passed (R200), whether a type is made or moved.
func TestHierarchyLimits(t *testing.T) {
	h := typesOf(t, "a: organization", "b: a", "c: b", "d: c", "e: d", "other: organization")
	for i := range MaxChildTypes {
		var err error
		if h, err = h.with(typeOf(fmt.Sprintf("child%d: a", i))); (err == nil) != (i < MaxChildTypes-1) {
			t.Errorf("child %d of a, which has b: %v", i, err)
		}
		if err != nil {
			break
		}
	}
	h = typesOf(t, "a: organization", "b: a", "c: b", "d: c", "e: d", "other: organization", "leaf: other")
	for line, want := range map[string]string{
		"f: e":              "6 levels below the organization",
		"f: organization e": "6 levels below the organization",
		"a: other":          "6 levels below the organization",
		"f: f":              "must not name the type itself",
		"a: e":              "must not name 'e', which lies below 'a'",
		"b: c organization": "must not name 'c', which lies below 'b'",
		"other: leaf":       "must not name 'leaf', which lies below 'other'",
		"f: nothing":        "Resource type 'nothing' not found",
		"f: d":              "",
		"e: organization":   "",
		"leaf: d":           "",
		"b: a other":        "",
		"c: a b":            "",
	} {
		before := len(h)
		moved, err := h.with(typeOf(line))
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", line, err)
		case want == "" && !slices.Equal(moved[strings.Split(line, ":")[0]].Parents, typeOf(line).Parents):
			t.Errorf("%s: not placed", line)
		case want != "" && (err == nil || !strings.Contains(fault.Of(err).Message, want)):
			t.Errorf("%s: %v, want %q", line, err, want)
		}
		if len(h) != before || h["a"].Parents[0] != OrganizationType {
			t.Fatalf("%s altered the hierarchy it was asked of", line)
		}
	}
}

// Many ways between the same types are no more work than one.
func TestHierarchyWithManyWays(t *testing.T) {
	h := hierarchy{}
	above := []string{OrganizationType}
	for level := range MaxTypeDepth {
		var row []string
		for i := range MaxChildTypes {
			slug := fmt.Sprintf("l%d-%d", level, i)
			row = append(row, slug)
			var err error
			if h, err = h.with(ResourceType{Slug: slug, Parents: slices.Clone(above)}); err != nil {
				t.Fatal(err)
			}
		}
		above = row
	}
	if slug, n := h.deepest(); n != MaxTypeDepth || slug != "l4-0" {
		t.Errorf("deepest is %s at %d", slug, n)
	}
	for range 1000 {
		if h.under("l4-9", "l0-x") || !h.under("l4-9", "l0-0") {
			t.Fatal("under is wrong")
		}
	}
}
