// Package fresh owns the agreement between what a process remembers and what the database holds: which parts of the
// data decisions depend on (regions), while which of them are being changed (holds), and in which spans of time a process
// may answer from memory at all (terms). What is remembered is said elsewhere, and how processes tell each other too.
//
// The agreement, which makes every answer from memory one that the database would have given at some instant while it
// was asked for:
//
//   - Whoever changes a region holds it from before the commit until the outcome is known, in every process with a term.
//   - While a region is held nothing of it is answered from memory, and nothing read meanwhile is remembered.
//   - An answer from memory counts only if, after all of it was read, everything that it was made of was still
//     remembered and its term lasted; otherwise the database is asked.
package fresh

import "fmt"

// Kind says what part of the data a region is.
type Kind byte

// The kinds, with what the ID of a region of that kind names.
const (
	// Keys is the API keys of an environment and what they are restricted to.
	Keys Kind = 'k'
	// Catalogue is which permissions an environment has, and which of them its environment roles hold.
	Catalogue Kind = 'c'
	// Environment is everything of an environment: its roles, default, order and mode, and all that lies below, but for
	// its keys.
	Environment Kind = 'e'
	// Holdings is which permissions the custom roles of an organization hold.
	Holdings Kind = 'h'
	// Organization is everything of an organization: its name, roles, default and order, what its groups were assigned,
	// and all that lies below.
	Organization Kind = 'o'
	// Resources is the resources of an organization, without what is assigned on them.
	Resources Kind = 'r'
	// Member is one membership: its status, its groups and what it was assigned itself.
	Member Kind = 'm'
)

// Region is a part of the data that changes together as far as memory is concerned. ID names the environment, the
// organization or the membership, by Kind.
type Region struct {
	Kind Kind
	ID   string
}

// String is the region as processes tell each other of it.
func (r Region) String() string { return string(rune(r.Kind)) + r.ID }

// ParseRegion reads what String wrote.
func ParseRegion(s string) (Region, error) {
	if len(s) < 2 {
		return Region{}, fmt.Errorf("%q names no region", s)
	}
	switch k := Kind(s[0]); k {
	case Keys, Catalogue, Environment, Holdings, Organization, Resources, Member:
		return Region{k, s[1:]}, nil
	}
	return Region{}, fmt.Errorf("%q names no region", s)
}
