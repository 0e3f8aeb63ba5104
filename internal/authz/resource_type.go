package authz

import (
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// OrganizationType is the built-in resource type, the root of the hierarchy.
const OrganizationType = "organization"

// The limits of the hierarchy (R200).
const (
	MaxResourceTypes = 50 // of an environment, without the built-in one
	MaxTypeDepth     = 5  // levels below the organization
	MaxChildTypes    = 10 // of one type
)

// ResourceType is a kind of resource. The types of an environment form a hierarchy without cycles below the built-in
// organization: a type may have several parent types, a resource has exactly one parent (R200).
type ResourceType struct {
	Environment id.Environment
	Slug        string // as a role's; never changes
	Name        string
	Description *string
	Parents     []string // slugs, sorted; at least one, OrganizationType among them or not
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// hierarchy is the types of an environment by slug, without the built-in one.
type hierarchy map[string]ResourceType

func readTypes(r Reader, c Caller) (hierarchy, error) {
	types, err := r.ResourceTypes(c.Environment)
	h := make(hierarchy, len(types))
	for _, t := range types {
		h[t.Slug] = t
	}
	return h, err
}

// under says whether a type is another or lies below it.
func (h hierarchy) under(slug, root string) bool {
	if slug == root || root == OrganizationType {
		return true
	}
	for _, parent := range h[slug].Parents {
		if h.under(parent, root) {
			return true
		}
	}
	return false
}

// resourceType returns the type a role or permission is made for, or the refusal of an unknown one.
func resourceType(r Reader, c Caller, t Opt[string]) (string, error) {
	if !t.Set || t.Value == OrganizationType {
		return OrganizationType, nil
	}
	types, err := readTypes(r, c)
	if err != nil {
		return "", err
	}
	if _, known := types[t.Value]; !known {
		return "", fault.Missing("Resource type", t.Value)
	}
	return t.Value, nil
}
