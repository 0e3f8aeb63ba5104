package store

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const userColumns = `id, environment_id, email, email_key, email_verified, first_name, last_name, name, profile_picture_url,
	external_id, metadata, locale, last_sign_in_at, created_at, updated_at, name_key, last_name_key`

func scanUser(r row) (u authz.User, err error) {
	err = r.Scan(&u.ID, &u.Environment, &u.Email, &u.EmailKey, (*flag)(&u.EmailVerified), &u.FirstName, &u.LastName, &u.Name,
		&u.ProfilePictureURL, &u.ExternalID, (*dictionary)(&u.Metadata), &u.Locale, (*stamp)(&u.LastSignInAt),
		(*stamp)(&u.CreatedAt), (*stamp)(&u.UpdatedAt), &u.NameKey, &u.LastNameKey)
	return u, err
}

const selectUser = `SELECT ` + userColumns + ` FROM users WHERE environment_id = $1 AND `

// User implements authz.UserReader.
func (t *tx) User(env id.Environment, u id.User) (authz.User, bool, error) {
	return one(t, "reading a user", scanUser, selectUser+`id = $2`, env, u)
}

// UsersByID implements authz.UserReader.
func (t *tx) UsersByID(env id.Environment, ids []id.User) (map[id.User]authz.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var c condition
	c.add("environment_id = ?", env)
	in(&c, "id", ids)
	found, err := all(t, "reading users", scanUser, `SELECT `+userColumns+` FROM users WHERE `+c.String(), c.args...)
	users := make(map[id.User]authz.User, len(found))
	for _, u := range found {
		users[u.ID] = u
	}
	return users, err
}

// UserByEmailKey implements authz.UserReader.
func (t *tx) UserByEmailKey(env id.Environment, key string) (authz.User, bool, error) {
	return one(t, "reading a user", scanUser, selectUser+`email_key = $2`, env, key)
}

// UserByExternalID implements authz.UserReader.
func (t *tx) UserByExternalID(env id.Environment, externalID string) (authz.User, bool, error) {
	return one(t, "reading a user", scanUser, selectUser+`external_id = $2`, env, externalID)
}

var userList = list[authz.User]{
	doing: "listing users", columns: userColumns, from: "users", key: "id",
	scan: scanUser, cursor: func(u authz.User) string { return string(u.ID) },
}

// Users implements authz.UserReader.
func (t *tx) Users(env id.Environment, f authz.UserFilter, r page.Request) (page.Page[authz.User], error) {
	var c condition
	if f.Search == "" {
		c.add("environment_id = ?", env)
	} else {
		c.add("(environment_id || '') = ?", env) // by value: those who are found are few
	}
	if f.Email != "" {
		c.add("email_key = ?", f.Email)
	}
	switch {
	case f.Search != "":
		if err := t.search(&c, searchable{column: "id"}, env, f.Search, authz.MembershipFilter{Organization: f.Organization}); err != nil {
			return page.Page[authz.User]{}, err
		}
	case f.Organization != "":
		c.add("id IN (SELECT m.user_id FROM memberships m WHERE m.organization_id = ?)", f.Organization)
	}
	return userList.page(t, c, r, r.Walk().Cursor)
}

// InsertUser implements authz.UserWriter.
func (t *tx) InsertUser(u authz.User) error {
	return t.execOne("inserting a user", `
		INSERT INTO users (`+userColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		u.ID, u.Environment, u.Email, u.EmailKey, flag(u.EmailVerified), u.FirstName, u.LastName, u.Name, u.ProfilePictureURL,
		u.ExternalID, dictionary(u.Metadata), u.Locale, stamp(u.LastSignInAt), stamp(u.CreatedAt), stamp(u.UpdatedAt),
		u.NameKey, u.LastNameKey)
}

// UpdateUser implements authz.UserWriter.
func (t *tx) UpdateUser(u authz.User) error {
	return t.execOne("updating a user", `
		UPDATE users SET email = $1, email_key = $2, email_verified = $3, first_name = $4, last_name = $5, name = $6,
			profile_picture_url = $7, external_id = $8, metadata = $9, locale = $10, last_sign_in_at = $11, updated_at = $12,
			name_key = $13, last_name_key = $14
		WHERE id = $15`,
		u.Email, u.EmailKey, flag(u.EmailVerified), u.FirstName, u.LastName, u.Name, u.ProfilePictureURL, u.ExternalID,
		dictionary(u.Metadata), u.Locale, stamp(u.LastSignInAt), stamp(u.UpdatedAt), u.NameKey, u.LastNameKey, u.ID)
}

// DeleteUser implements authz.UserWriter.
func (t *tx) DeleteUser(u authz.User) error {
	return t.execOne("deleting a user", `DELETE FROM users WHERE id = $1`, u.ID)
}
