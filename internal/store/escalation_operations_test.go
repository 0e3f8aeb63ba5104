package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// bearing names the operations that bear most on each other.
var bearing = []string{
	"let low of environment be b", "let low of environment be abc", "let admin of environment be b", "let admin of environment be abc",
	"delete low of environment", "delete heir of environment", "remove low of environment for ", "remove low of environment for admin", "remove admin of environment for low",
	"default of environment admin", "default of environment low", "put admin of environment last or first: 1", "put low of environment last or first: 0",
	"create org-new of first", "let org-new of first be abc", "remove org-x of first for ", "remove org-x of first for admin",
	"default of first admin", "default of first org-x", "put admin of first last or first: 1", "put low of first last or first: 0",
	"create org-new of second", "default of second org-new", "remove org-new of second, default admin", "deactivate boss", "reactivate boss", "reactivate retired boss", "reactivate sleeper",
	"give low admin", "give sleeper admin", "give grouped org-x", "give boss low", "give shielded admin", "give new here admin",
	"give low low for an hour", "give new here low for an hour", "take low off low", "take low off its group", "take shielded out of the group low",
	"put low into the group admin", "give the group idle admin", "let the group be low and low for an hour, which was low",
	"remove spare of environment for ", "remove idle of environment for admin", "remove low of environment, default admin", "join newcomer to 0 as ", "join newcomer to 1 as admin",
	"several roles: true", "several roles: false", "work",
}

// delegated lists what the caller tries, and the work in the background.
func (w *smallWorld) delegated() (all []operation) {
	add := func(name string, do func(context.Context) error) { all = append(all, operation{name, do}) }
	defer func() { slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.name, b.name) }) }()
	owner := func(org id.Organization) string {
		if org == "" {
			return "environment"
		}
		return w.names[id.User(org)]
	}
	c, r := w.caller, w.rules
	for org, slugs := range map[id.Organization][]string{"": {"low", "admin", "spare", "idle", "heir", "new"}, w.orgs[0]: {"org-x", "org-new"}, w.orgs[1]: {"org-new"}} {
		slug := slugs[len(slugs)-1]
		add("create "+slug+" of "+owner(org), func(ctx context.Context) error {
			_, err := r.CreateRole(ctx, c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug})
			return err
		})
		for _, slug := range slugs {
			for _, permissions := range []string{"b", "abc"} {
				add("let "+slug+" of "+owner(org)+" be "+permissions, func(context.Context) error {
					return w.edit(c, org, slug, strings.Split(permissions, "")...)
				})
			}
			add("delete "+slug+" of "+owner(org), func(ctx context.Context) error { return r.DeleteRole(ctx, c, org, slug) })
			add("remove "+slug+" of "+owner(org)+", default admin", func(ctx context.Context) error {
				_, err := r.RemoveRole(ctx, c, org, slug, authz.RoleDeletion{Default: authz.Some("admin")})
				return err
			})
			for _, instead := range []string{"", "low", "admin"} {
				if instead == slug {
					continue
				}
				in := authz.RoleDeletion{Default: authz.Some("member"), Replacement: authz.Opt[string]{Set: instead != "", Value: instead}}
				add("remove "+slug+" of "+owner(org)+" for "+instead, func(ctx context.Context) error {
					_, err := r.RemoveRole(ctx, c, org, slug, in)
					return err
				})
			}
		}
		for _, slug := range slices.Compact([]string{"admin", "member", "low", slugs[0]}) {
			add("default of "+owner(org)+" "+slug, func(ctx context.Context) error { _, err := r.SetDefault(ctx, c, org, slug); return err })
			for first := range 2 {
				add(fmt.Sprint("put ", slug, " of ", owner(org), " last or first: ", first), func(ctx context.Context) error { return w.move(ctx, org, slug, first == 1) })
			}
		}
	}
	w.delegatedMembers(add)
	w.delegatedGroups(add)
	for _, on := range []bool{true, false} {
		add(fmt.Sprint("several roles: ", on), func(ctx context.Context) error { _, err := r.SetMultipleRoles(ctx, c, on); return err })
	}
	add("work", w.work)
	return all
}

func (w *smallWorld) delegatedMembers(add func(string, func(context.Context) error)) {
	c, r := w.caller, w.rules
	for _, user := range []string{"boss", "low", "plain", "sleeper", "retired boss", "grouped", "shielded", "new here"} {
		add("deactivate "+user, func(ctx context.Context) error { _, err := r.DeactivateMember(ctx, c, w.member(user, 0)); return err })
		add("reactivate "+user, func(ctx context.Context) error { _, err := r.ReactivateMember(ctx, c, w.member(user, 0)); return err })
		for _, roles := range [][]string{{"admin"}, {"low"}, {"org-x"}, {"low", "admin"}} {
			add("give "+user+" "+strings.Join(roles, " and "), func(ctx context.Context) error {
				_, err := r.UpdateMember(ctx, c, w.member(user, 0), authz.RolesInput{Slugs: authz.Some(roles)})
				return err
			})
		}
	}
	for _, user := range []string{"newcomer", "sleeper", "boss"} {
		for org := range w.orgs {
			for _, role := range []string{"", "admin", "low"} {
				in := authz.RolesInput{}
				if role != "" {
					in = asked(role)
				}
				add(fmt.Sprint("join ", user, " to ", org, " as ", role), func(ctx context.Context) error {
					_, err := r.CreateMembership(ctx, c, w.users[user], w.orgs[org], in)
					return err
				})
			}
		}
	}
	add("remove boss", func(ctx context.Context) error { return r.DeleteMember(ctx, c, w.member("boss", 0)) })
}

func (w *smallWorld) delegatedGroups(add func(string, func(context.Context) error)) {
	c, r := w.caller, w.rules
	hour := func() time.Time { return w.now().Add(time.Hour) }
	for _, user := range []string{"low", "new here"} {
		for _, role := range []string{"low", "admin", "member"} {
			add("give "+user+" "+role+" for an hour", func(ctx context.Context) error {
				_, err := r.AssignRole(ctx, c, w.member(user, 0), authz.NewAssignment{Role: role, ExpiresAt: hour()})
				return err
			})
			add("take "+role+" off "+user, func(ctx context.Context) error {
				return r.UnassignRole(ctx, c, w.member(user, 0), authz.RoleCriteria{Role: role})
			})
		}
	}
	for role := range w.groups {
		add("let the group be low and "+role+" for an hour, which was "+role, func(ctx context.Context) error {
			until := hour()
			_, err := r.ReplaceGroupRoleAssignments(ctx, c, w.groups[role], []authz.NewAssignment{{Role: "low", ExpiresAt: until}, {Role: role, ExpiresAt: until}})
			return err
		})
		add("take "+role+" off its group", func(ctx context.Context) error {
			return r.UnassignGroupRole(ctx, c, w.groups[role], authz.RoleCriteria{Role: role})
		})
		add("delete the group "+role, func(ctx context.Context) error { return r.DeleteGroup(ctx, c, w.orgs[0], w.groups[role]) })
		add("give the group "+role+" admin", func(ctx context.Context) error {
			_, err := r.AssignGroupRole(ctx, c, w.groups[role], authz.NewAssignment{Role: "admin"})
			return err
		})
		for _, user := range []string{"low", "shielded", "new here", "grouped"} {
			add("put "+user+" into the group "+role, func(ctx context.Context) error {
				_, err := r.AddGroupMember(ctx, c, w.orgs[0], w.groups[role], w.member(user, 0))
				return err
			})
			add("take "+user+" out of the group "+role, func(ctx context.Context) error {
				return r.RemoveGroupMember(ctx, c, w.orgs[0], w.groups[role], w.member(user, 0))
			})
		}
	}
}

// move puts one role at an end of an order.
func (w *smallWorld) move(ctx context.Context, org id.Organization, slug string, first bool) error {
	p, err := w.rules.Policy(ctx, w.caller, org)
	if err != nil {
		return err
	}
	var order []string
	for _, r := range p.Roles {
		if r.Slug != slug {
			order = append(order, r.Slug)
		}
	}
	if first {
		order = slices.Insert(order, 0, slug)
	} else {
		order = append(order, slug)
	}
	_, err = w.rules.SetPriority(ctx, w.caller, org, order)
	return err
}

func (w *smallWorld) work(ctx context.Context) error {
	for {
		if worked, err := w.rules.Work(ctx, "worker"); err != nil || !worked {
			return err
		}
	}
}

// wake makes every membership active.
func (w *smallWorld) wake(ctx context.Context) error {
	for _, m := range must(w.tx.MembershipsFrom(w.system.Environment, authz.Scope{}, authz.Position{}, 100)) {
		if m.Status == authz.StatusActive {
			continue
		}
		if _, err := w.rules.ReactivateMember(ctx, w.system, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// harmless lists what somebody with all rights may do in good faith before anybody looks.
func (w *smallWorld) harmless() []operation {
	return []operation{
		{"nothing else", func(context.Context) error { return nil }},
		{"everybody's return", w.wake},
		{"new people", func(ctx context.Context) error {
			if m := w.member("plain", 0); m != "" {
				if _, err := w.rules.AddGroupMember(ctx, w.system, w.orgs[0], w.groups["idle"], m); err != nil && fault.Of(err).Kind == fault.Internal {
					return err
				}
			}
			for _, org := range w.orgs {
				_, err := w.rules.CreateMembership(ctx, w.system, w.users["newcomer"], org, authz.RolesInput{})
				if err != nil && fault.Of(err).Kind == fault.Internal {
					return err
				}
			}
			return nil
		}},
		{"two days", func(ctx context.Context) error { w.skipped = 48 * time.Hour; return w.work(ctx) }},
		{"everybody's return and several roles", func(ctx context.Context) error {
			if err := w.wake(ctx); err != nil {
				return err
			}
			_, err := w.rules.SetMultipleRoles(ctx, w.system, true)
			return err
		}},
	}
}
