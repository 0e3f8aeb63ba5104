package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// searchedKeys are the columns that a search of people is compared with, each with an index of its own.
var searchedKeys = []string{"u.email_key", "u.name_key", "u.last_name_key"}

// aboveAll sorts behind every text that begins as another does, when it is put behind that.
const aboveAll = "\U0010FFFF"

// largestGoneThrough is the size of an organization whose members are compared one by one when a search is so broad that
// going through all whom it finds, wherever they are members, could take longer.
const largestGoneThrough = 20_000

// searchable is a list that a search narrows, by what column holds: ids of memberships or, else, of users.
type searchable struct {
	column      string
	memberships bool
}

// search narrows a list to the users whom a search finds or, where the filter has an organization, to its members.
func (t *tx) search(c *condition, l searchable, env id.Environment, search string, f authz.MembershipFilter) error {
	if f.Organization != "" {
		broad, err := t.findsMany(env, search)
		if err != nil {
			return err
		}
		if broad {
			size, err := t.OrganizationSize(f.Organization, largestGoneThrough)
			if err != nil {
				return err
			}
			if !size.Members.More {
				l.searchMembers(c, search, f.Organization)
				return nil
			}
		}
	}
	l.searchUsers(c, env, search, f)
	return nil
}

// findsMany says whether more users of the environment are found than are counted.
func (t *tx) findsMany(env id.Environment, search string) (bool, error) {
	counts := make([]authz.Count, len(searchedKeys))
	var into []*authz.Count
	var each []string
	for i, key := range searchedKeys {
		into = append(into, &counts[i])
		each = append(each, upTo(authz.MaxCount, "users u WHERE u.environment_id = $1 AND "+key+" >= $2 AND "+key+" < $3"))
	}
	err := t.sizes(authz.MaxCount, "SELECT "+strings.Join(each, ", "), []any{env, search, search + aboveAll}, into...)
	return slices.ContainsFunc(counts, func(n authz.Count) bool { return n.More }), err
}

// searchMembers goes through the members of an organization. It looks each of them up, as searchUsers does: a
// join would be begun at the wrong end by a database that has no statistics yet.
func (l searchable) searchMembers(c *condition, search string, org id.Organization) {
	text, args := "", []any{org}
	for i, key := range searchedKeys {
		if i > 0 {
			text += " OR "
		}
		text += key + " >= ? AND " + key + " < ?"
		args = append(args, search, search+aboveAll)
	}
	of := "m.user_id"
	if l.memberships {
		of = "m.id"
	}
	c.add(l.column+` IN (
		SELECT `+of+` FROM memberships m
		WHERE m.organization_id = ? AND (SELECT 1 FROM users u WHERE u.id = m.user_id AND (`+text+`)) = 1)`, args...)
}

// searchUsers goes through the users whose keys begin so.
func (l searchable) searchUsers(c *condition, env id.Environment, search string, f authz.MembershipFilter) {
	member := condition{args: c.args} // numbering goes on
	of := "u.id"
	if f.Organization != "" {
		// By value: a user has few memberships, an organization may have a million.
		member.add("m.user_id = u.id AND (m.organization_id || '') = ?", f.Organization)
		in(&member, "m.status", f.Statuses)
		c.args = member.args
	}
	membership := "(SELECT m.id FROM memberships m WHERE " + member.String() + ")"
	if l.memberships {
		of = membership
	}
	var each []string
	for _, key := range searchedKeys {
		found := condition{args: c.args}
		found.add("u.environment_id = ? AND "+key+" >= ? AND "+key+" < ?", env, search, search+aboveAll)
		if f.Organization != "" {
			found.add(membership + " IS NOT NULL")
		}
		c.args = found.args
		each = append(each, "SELECT found_id FROM (SELECT "+of+" AS found_id FROM users u WHERE "+found.String()+" ORDER BY "+key+
			" LIMIT "+strconv.Itoa(authz.MaxFound)+") AS found")
	}
	c.parts = append(c.parts, l.column+" IN ("+strings.Join(each, " UNION ALL ")+")")
}
