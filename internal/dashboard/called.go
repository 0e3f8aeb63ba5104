package dashboard

import (
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
)

// anyStatus is all memberships, whatever their status.
var anyStatus = []authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}

// called is the name of a user, or the address where there is none.
func called(u authz.User) string {
	name := textOf(u.Name)
	if name == "" {
		name = strings.TrimSpace(textOf(u.FirstName) + " " + textOf(u.LastName))
	}
	if name == "" {
		return u.Email
	}
	return name
}
