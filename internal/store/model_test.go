package store_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/rolecall/rolecall/internal/store/storetest"
)

// naive is a model of the rules that shares no code with them and no cleverness either: orders are kept written out in
// full for everybody, and the world is told from scratch each time. Roles are named e:slug and c:slug.
type naive struct {
	permissions map[string]bool
	roles       map[string][]string // environment roles, by name, with their permissions
	order       []string
	fallback    string
	orgs        map[string]*naiveOrganization
	users       map[string]bool
}

type naiveOrganization struct {
	own      bool
	order    []string // kept up to date for own ones only
	fallback string
	custom   map[string][]string
	members  map[string]*naiveMember
}

type naiveMember struct{ status, role, source string }

func newNaive() *naive {
	return &naive{
		permissions: map[string]bool{}, roles: map[string][]string{"e:member": nil}, order: []string{"e:member"}, fallback: "e:member",
		orgs: map[string]*naiveOrganization{}, users: map[string]bool{},
	}
}

// refusals a naive operation can answer with; "" is success.
const (
	fine      = ""
	notFound  = "not found"
	conflict  = "conflict"
	invalid   = "invalid"
	badOne    = "bad request"
	forbidden = "forbidden"
)

func (n *naive) orderOf(org string) []string {
	if org == "" || !n.orgs[org].own {
		return n.order
	}
	return n.orgs[org].order
}

func (n *naive) fallbackOf(org string) string {
	if org == "" || !n.orgs[org].own {
		return n.fallback
	}
	return n.orgs[org].fallback
}

func (n *naive) permissionsOf(org, role string) []string {
	if strings.HasPrefix(role, "e:") {
		return n.roles[role]
	}
	return n.orgs[org].custom[role]
}

func (n *naive) setPermissionsOf(org, role string, to []string) {
	if strings.HasPrefix(role, "e:") {
		n.roles[role] = to
	} else {
		n.orgs[org].custom[role] = to
	}
}

// own finds a role that the owner may change.
func (n *naive) own(org, slug string) (string, bool) {
	if org == "" {
		_, ok := n.roles["e:"+slug]
		return "e:" + slug, ok
	}
	_, ok := n.orgs[org].custom["c:"+slug]
	return "c:" + slug, ok
}

// available finds a role that can be given there, the custom one first.
func (n *naive) available(org, slug string) (string, bool) {
	for _, name := range []string{"c:" + slug, "e:" + slug} {
		if slices.Contains(n.orderOf(org), name) {
			return name, true
		}
	}
	return "", false
}

func (n *naive) createPermission(slug string) string {
	if n.permissions[slug] {
		return conflict
	}
	n.permissions[slug] = true
	return fine
}

func drop(list []string, what string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == what })
}

func (n *naive) deletePermission(slug string) string {
	if !n.permissions[slug] {
		return notFound
	}
	delete(n.permissions, slug)
	for role := range n.roles {
		n.roles[role] = drop(n.roles[role], slug)
	}
	for _, o := range n.orgs {
		for role := range o.custom {
			o.custom[role] = drop(o.custom[role], slug)
		}
	}
	return fine
}

func (n *naive) createRole(org, slug string) string {
	if org == "" {
		if _, ok := n.roles["e:"+slug]; ok {
			return conflict
		}
		n.roles["e:"+slug] = nil
		n.order = append(n.order, "e:"+slug)
		for _, o := range n.orgs {
			if o.own {
				o.order = append(o.order, "e:"+slug)
			}
		}
		return fine
	}
	if _, ok := n.available(org, slug); ok {
		return conflict
	}
	o := n.orgs[org]
	if !o.own {
		o.own, o.order, o.fallback = true, slices.Clone(n.order), n.fallback
	}
	o.custom["c:"+slug] = nil
	o.order = append(o.order, "c:"+slug)
	return fine
}

func (n *naive) deleteRole(org, slug string) string {
	name, ok := n.own(org, slug)
	if !ok {
		return notFound
	}
	if name == "e:member" {
		return forbidden
	}
	for other, o := range n.orgs {
		for _, m := range o.members {
			if m.role == name && (org == "" || org == other) {
				return conflict
			}
		}
	}
	if org != "" {
		o := n.orgs[org]
		if o.fallback == name {
			return badOne
		}
		o.order = drop(o.order, name)
		delete(o.custom, name)
		return fine
	}
	if n.fallback == name {
		return conflict
	}
	for _, o := range n.orgs {
		if o.own && o.fallback == name {
			return conflict
		}
	}
	delete(n.roles, name)
	n.order = drop(n.order, name)
	for _, o := range n.orgs {
		o.order = drop(o.order, name)
	}
	return fine
}

func (n *naive) setPermissions(org, slug string, to []string) string {
	name, ok := n.own(org, slug)
	if !ok {
		return notFound
	}
	var set []string
	for _, p := range to {
		if !n.permissions[p] {
			return notFound
		}
		if !slices.Contains(set, p) {
			set = append(set, p)
		}
	}
	n.setPermissionsOf(org, name, set)
	return fine
}

func (n *naive) togglePermission(org, slug, permission string, add bool) string {
	name, ok := n.own(org, slug)
	if !ok {
		return notFound
	}
	had := n.permissionsOf(org, name)
	switch {
	case add && !n.permissions[permission], !add && !slices.Contains(had, permission):
		return notFound
	case add:
		n.setPermissionsOf(org, name, append(drop(had, permission), permission))
	default:
		n.setPermissionsOf(org, name, drop(had, permission))
	}
	return fine
}

func (n *naive) setDefault(org, slug string) string {
	if org != "" && !n.orgs[org].own {
		return conflict
	}
	name, ok := n.available(org, slug)
	if !ok {
		return invalid
	}
	if org == "" {
		n.fallback = name
	} else {
		n.orgs[org].fallback = name
	}
	return fine
}

// setPriority takes a permutation by the slugs of the names.
func (n *naive) setPriority(org string, names []string) string {
	if org != "" && !n.orgs[org].own {
		return conflict
	}
	have := slices.Clone(n.orderOf(org))
	want := slices.Clone(names)
	sort.Strings(have)
	sort.Strings(want)
	if !slices.Equal(have, want) {
		return invalid
	}
	if org == "" {
		n.order = names
	} else {
		n.orgs[org].order = names
	}
	return fine
}

func (n *naive) join(org, user, slug string) string {
	o := n.orgs[org]
	role, source := n.fallbackOf(org), "default"
	m, exists := o.members[user]
	if exists && m.status == "active" {
		return conflict
	}
	if slug != "" {
		name, ok := n.available(org, slug)
		if !ok {
			return invalid
		}
		role, source = name, "manual"
	}
	o.members[user] = &naiveMember{status: "active", role: role, source: source}
	return fine
}

func (n *naive) assign(org, user, slug string) string {
	m, ok := n.orgs[org].members[user]
	if !ok {
		return notFound
	}
	name, ok := n.available(org, slug)
	if !ok {
		return invalid
	}
	m.role, m.source = name, "manual"
	return fine
}

func (n *naive) setStatus(org, user, status string) string {
	m, ok := n.orgs[org].members[user]
	if !ok {
		return notFound
	}
	m.status = status
	return fine
}

// world tells what the rules must show.
func (n *naive) world() storetest.World {
	w := storetest.World{"multiple roles": "false"}
	for p := range n.permissions {
		w["permission "+p] = p
	}
	n.tellPolicy(w, "", "environment")
	for u := range n.users {
		w["user "+u] = "map[]"
	}
	for name, o := range n.orgs {
		w["organization "+name] = "map[]"
		n.tellPolicy(w, name, "organization "+name)
		for user, m := range o.members {
			may := []string{}
			if m.status == "active" {
				may = append(may, n.permissionsOf(name, m.role)...)
			}
			sort.Strings(may)
			w["member "+user+" of "+name] = m.status + " holds " + long(m.role) + "=" + m.source
			w["assigned member "+user+" of "+name] = long(m.role) + " on organization, " + m.source
			w["rights of "+user+" of "+name+" on organization"] = strings.Join(may, " ")
		}
	}
	return w
}

func (n *naive) tellPolicy(w storetest.World, org, owner string) {
	var order []string
	for _, name := range n.orderOf(org) {
		order = append(order, long(name))
		permissions := slices.Clone(n.permissionsOf(org, name))
		sort.Strings(permissions)
		title := name[2:]
		if name == "e:member" {
			title = "Member"
		}
		w[owner+" role "+long(name)] = title + " " + strings.Join(permissions, ",")
	}
	w[owner+" order"] = strings.Join(order, " ")
	w[owner+" default"] = n.fallbackOf(org)[2:]
	w[owner+" own"] = fmt.Sprint(org == "" || n.orgs[org].own)
}

// long is the name of a role as the world has it.
func long(name string) string {
	return strings.NewReplacer("e:", "environment:", "c:", "custom:").Replace(name[:2]) + name[2:]
}
