package authz

import (
	"maps"
	"slices"

	"github.com/rolecall/rolecall/internal/fault"
)

// hierarchy is the types of an environment by slug, without the built-in one (I13).
type hierarchy map[string]ResourceType

func readTypes(r Reader, c Caller) (hierarchy, error) {
	types, err := r.ResourceTypes(c.Environment)
	h := make(hierarchy, len(types))
	for _, t := range types {
		h[t.Slug] = t
	}
	return h, err
}

func (h hierarchy) find(slug string) (ResourceType, error) {
	t, known := h[slug]
	if !known {
		return ResourceType{}, fault.Missing("Resource type", slug)
	}
	return t, nil
}

// under says whether a type is another or lies below it. Each type is looked at once, however many ways lead to it.
func (h hierarchy) under(slug, root string) bool {
	if root == OrganizationType {
		return true
	}
	seen := map[string]bool{slug: true}
	for above := []string{slug}; len(above) > 0; above = above[1:] {
		if above[0] == root {
			return true
		}
		for _, parent := range h[above[0]].Parents {
			if !seen[parent] {
				seen[parent] = true
				above = append(above, parent)
			}
		}
	}
	return false
}

// children lists the types directly below another, sorted.
func (h hierarchy) children(of string) []string {
	var below []string
	for slug, t := range h {
		if slices.Contains(t.Parents, of) {
			below = append(below, slug)
		}
	}
	slices.Sort(below)
	return below
}

// with returns the hierarchy with a type in the place that its parents give it, or says why it does not fit there: its
// parents must exist and not lie below it, no type has more than MaxChildTypes children, and no way down from the
// organization is longer than MaxTypeDepth (R200).
func (h hierarchy) with(t ResourceType) (hierarchy, error) {
	for _, parent := range t.Parents {
		if parent == OrganizationType {
			continue
		}
		if parent == t.Slug {
			return nil, fault.BadField(parentTypesField, "must not name the type itself")
		}
		if _, err := h.find(parent); err != nil {
			return nil, err
		}
		if h.under(parent, t.Slug) {
			return nil, fault.BadField(parentTypesField, "must not name '%s', which lies below '%s'", parent, t.Slug)
		}
	}
	placed := maps.Clone(h)
	placed[t.Slug] = t
	for _, parent := range added(t.Parents, h[t.Slug].Parents) {
		if len(placed.children(parent)) > MaxChildTypes {
			return nil, fault.BadField(parentTypesField, "must not name '%s', which has %d child types, the most it can have", parent, MaxChildTypes)
		}
	}
	if slug, n := placed.deepest(); n > MaxTypeDepth {
		return nil, fault.BadField(parentTypesField, "would put '%s' %d levels below the organization; at most %d are possible", slug, n, MaxTypeDepth)
	}
	return placed, nil
}

// deepest finds a type with the longest way up to the organization, and how many levels that is. There must be no
// cycle.
func (h hierarchy) deepest() (slug string, levels int) {
	known := make(map[string]int, len(h))
	var level func(string) int
	level = func(slug string) int {
		n, done := known[slug]
		if !done && slug != OrganizationType {
			for _, parent := range h[slug].Parents {
				n = max(n, level(parent)+1)
			}
			known[slug] = n
		}
		return n
	}
	for _, s := range slices.Sorted(maps.Keys(h)) {
		if n := level(s); n > levels {
			slug, levels = s, n
		}
	}
	return slug, levels
}
