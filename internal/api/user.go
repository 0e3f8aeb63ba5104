package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// NewUser is the body that creates a user.
type NewUser struct {
	Email         web.Field[string]             `json:"email" required:"true" format:"email" maxLength:"254" doc:"Unique in the environment, whatever its case." example:"ada@acme.example"`
	FirstName     web.Field[string]             `json:"first_name" nullable:"true" maxLength:"256" example:"Ada"`
	LastName      web.Field[string]             `json:"last_name" nullable:"true" maxLength:"256" example:"Lovelace"`
	Name          web.Field[string]             `json:"name" nullable:"true" maxLength:"256" example:"Ada Lovelace"`
	EmailVerified web.Field[bool]               `json:"email_verified" nullable:"true" example:"true"`
	Metadata      web.Field[map[string]*string] `json:"metadata" nullable:"true"`
	ExternalID    web.Field[string]             `json:"external_id" nullable:"true" maxLength:"128" pattern:"^[\\x01-\\x7F]+$" example:"u_42"`
	Password      web.Field[string]             `json:"password" nullable:"true" doc:"Refused unless null: Rolecall keeps no passwords of users."`
	PasswordHash  web.Field[string]             `json:"password_hash" nullable:"true" doc:"Refused unless null: Rolecall keeps no passwords of users."`
}

// UserChange is the body that changes a user. Absent keys leave things as they are.
type UserChange struct {
	Email         web.Field[string]             `json:"email" format:"email" maxLength:"254" example:"ada@acme.example"`
	FirstName     web.Field[string]             `json:"first_name" nullable:"true" maxLength:"256" example:"Ada"`
	LastName      web.Field[string]             `json:"last_name" nullable:"true" maxLength:"256" example:"Lovelace"`
	Name          web.Field[string]             `json:"name" nullable:"true" maxLength:"256" example:"Ada Lovelace"`
	EmailVerified web.Field[bool]               `json:"email_verified" nullable:"true" example:"true"`
	Metadata      web.Field[map[string]*string] `json:"metadata" nullable:"true" doc:"Merged into what is there: a key with null is removed, null for the whole removes all."`
	ExternalID    web.Field[string]             `json:"external_id" nullable:"true" maxLength:"128" pattern:"^[\\x01-\\x7F]+$" doc:"null clears it." example:"u_42"`
	Locale        web.Field[string]             `json:"locale" nullable:"true" maxLength:"48" example:"en"`
	Password      web.Field[string]             `json:"password" nullable:"true" doc:"Refused unless null: Rolecall keeps no passwords of users."`
	PasswordHash  web.Field[string]             `json:"password_hash" nullable:"true" doc:"Refused unless null: Rolecall keeps no passwords of users."`
}

func userBody(u authz.User) event.User { return u.Payload() }

func showUser(u authz.User) any { return u.Payload() }

// noPassword refuses what would otherwise be dropped in silence.
func noPassword(password, hash web.Field[string]) error {
	for _, f := range []struct {
		web.Field[string]
		name string
	}{{password, "password"}, {hash, "password_hash"}} {
		if f.Set && !f.Null {
			return fault.BadField(f.name, "cannot be stored: Rolecall keeps no passwords of users")
		}
	}
	return nil
}

// knownBool is a present boolean; null says nothing.
func knownBool(f web.Field[bool]) authz.Opt[bool] {
	return authz.Opt[bool]{Set: f.Set && !f.Null, Value: f.Value}
}

func createUser(r *request) (authz.User, error) {
	in, err := web.Decode[NewUser](r.body)
	if err != nil {
		return authz.User{}, err
	}
	if err := noPassword(in.Password, in.PasswordHash); err != nil {
		return authz.User{}, err
	}
	return r.api.rules.CreateUser(r.Context(), r.caller, authz.UserInput{
		Email: in.Email.Opt(), EmailVerified: knownBool(in.EmailVerified), FirstName: web.Text(in.FirstName),
		LastName: web.Text(in.LastName), Name: web.Text(in.Name), ExternalID: web.Text(in.ExternalID), Metadata: in.Metadata.Opt(),
	})
}

func updateUser(r *request) (authz.User, error) {
	u, err := pathID[id.User](r, "id", "User")
	if err != nil {
		return authz.User{}, err
	}
	in, err := web.Decode[UserChange](r.body)
	if err != nil {
		return authz.User{}, err
	}
	if err := noPassword(in.Password, in.PasswordHash); err != nil {
		return authz.User{}, err
	}
	return r.api.rules.UpdateUser(r.Context(), r.caller, u, authz.UserInput{
		Email: in.Email.Opt(), EmailVerified: knownBool(in.EmailVerified), FirstName: web.Text(in.FirstName),
		LastName: web.Text(in.LastName), Name: web.Text(in.Name), ExternalID: web.Text(in.ExternalID),
		Metadata: in.Metadata.Opt(), Locale: web.Text(in.Locale),
	})
}

func getUser(r *request) (authz.User, error) {
	u, err := pathID[id.User](r, "id", "User")
	if err != nil {
		return authz.User{}, err
	}
	return r.api.rules.User(r.Context(), r.caller, u)
}

func getUserByExternalID(r *request) (authz.User, error) {
	return r.api.rules.UserByExternalID(r.Context(), r.caller, r.PathValue("external_id"))
}

func listUsers(r *request) (page.Page[authz.User], error) {
	p, err := pageOf[id.User](r, page.Desc)
	if err != nil {
		return page.Page[authz.User]{}, err
	}
	org := r.query.Get("organization_id")
	if org == "" {
		org = r.query.Get("organization")
	}
	return r.api.rules.ListUsers(r.Context(), r.caller, authz.UserFilter{Organization: id.Organization(org), Email: r.query.Get("email"), Search: r.query.Get("search")}, p)
}

func deleteUser(r *request) error {
	u, err := pathID[id.User](r, "id", "User")
	if err != nil {
		return err
	}
	return r.api.rules.DeleteUser(r.Context(), r.caller, u)
}
