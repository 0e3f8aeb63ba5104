package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// remembered says whether decisions or the answers to API keys are made of what a table holds, so that whoever writes it
// names the regions that it changes. Those of users, resource types, domains, events, jobs, receipts, webhooks and
// operators are not: they are read when they are needed.
func remembered(table string) bool {
	switch table {
	case "environments", "permissions", "roles", "role_permissions", "role_order", "default_roles", "pinned_defaults",
		"organizations", "memberships", "assignments", "organization_groups", "group_members", "resources", "api_keys":
		return true
	}
	return false
}

// written is the table that a statement writes, empty for one that only reads. What cannot be told is an error: a
// statement must not get past remembered by the way it is written.
func written(query string) (table string, err error) {
	query = strings.TrimSpace(query)
	verbs := []string{"INSERT INTO ", "UPDATE ", "DELETE FROM "}
	if strings.HasPrefix(query, "SELECT") ||
		strings.HasPrefix(query, "WITH ") && !slices.ContainsFunc(verbs, func(verb string) bool { return strings.Contains(query, verb) }) {
		return "", nil
	}
	for _, verb := range verbs {
		if rest, ok := strings.CutPrefix(query, verb); ok {
			end := strings.IndexFunc(rest, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
			if end < 0 {
				end = len(rest)
			}
			if end > 0 && (end == len(rest) || strings.IndexByte(" \n\t(", rest[end]) >= 0) {
				return rest[:end], nil
			}
		}
	}
	return "", fmt.Errorf("it cannot be told which table is written by %q", query[:min(len(query), 40)])
}

// harmless refuses a statement that writes a remembered table: it belongs into alter.
func harmless(query string) error {
	table, err := written(query)
	if err == nil && remembered(table) {
		err = fmt.Errorf("%s is written without a word of the regions that change", table)
	}
	return err
}

// alter is exec for a statement that writes a remembered table, and all that it changes lies in the regions. None means
// that nothing of it can be remembered, for a reason that the caller gives.
func (t *tx) alter(in []fresh.Region, doing, query string, args ...any) (affected int, err error) {
	table, err := written(query)
	if err == nil && !remembered(table) {
		err = fmt.Errorf("%s has no regions", table)
	}
	for _, r := range in {
		if err == nil && r.ID == "" {
			err = fmt.Errorf("%s is written in the region %q, which is none", table, r)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	n, err := t.write(doing, query, args)
	if n > 0 {
		t.change(in...)
	}
	return n, err
}

// alterOne is alter for a statement that must touch exactly one row.
func (t *tx) alterOne(in []fresh.Region, doing, query string, args ...any) error {
	return exactlyOne(doing)(t.alter(in, doing, query, args...))
}

// change notes that the transaction writes what decisions in the regions depend on.
func (t *tx) change(regions ...fresh.Region) {
	if t.changed == nil {
		t.changed = map[fresh.Region]bool{}
	}
	for _, r := range regions {
		if !t.made[r] {
			t.changed[r] = true
		}
	}
}

// makes notes that the transaction makes what regions are of. Nobody finds that before the commit, and what was not
// found is never remembered, so further changes of it concern nobody.
func (t *tx) makes(regions ...fresh.Region) {
	if t.made == nil {
		t.made = map[fresh.Region]bool{}
	}
	for _, r := range regions {
		t.made[r] = true
		delete(t.changed, r)
	}
}

func region[T ~string](k fresh.Kind, of T) []fresh.Region {
	return []fresh.Region{{Kind: k, ID: string(of)}}
}

// whole is everything of an owner of roles: of an organization or, where that is empty, of the environment.
func whole(env id.Environment, org id.Organization) []fresh.Region {
	if org == "" {
		return region(fresh.Environment, env)
	}
	return region(fresh.Organization, org)
}

// mostMembers bounds how many memberships are named one by one where naming their organization does too.
const mostMembers = 64

// heldBy is where assignments of one organization are remembered: with the memberships that have them or, of groups and
// of very many memberships, with the organization.
func heldBy(org id.Organization, as ...authz.Assignment) (in []fresh.Region) {
	for _, a := range as {
		if a.Membership == "" || len(as) > mostMembers {
			return region(fresh.Organization, org)
		}
		in = append(in, region(fresh.Member, a.Membership)...)
	}
	return in
}
