package authz

import (
	"context"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// User is a person of an environment, in any number of its organizations.
type User struct {
	ID                id.User
	Environment       id.Environment
	Email             string // as given
	EmailKey          string // as compared, unique in the environment; kept by the rules
	EmailVerified     bool
	FirstName         *string
	LastName          *string
	Name              *string
	NameKey           string // the name, or first and last name, as they are searched; kept by the rules
	LastNameKey       string // the last name, or the last word of the name, likewise
	ProfilePictureURL *string
	ExternalID        *string // unique in the environment
	Metadata          map[string]string
	Locale            *string
	LastSignInAt      time.Time // zero until the first sign-in
	CreatedAt         time.Time
	UpdatedAt         time.Time
}

// Payload is the user as events and answers show it.
func (u User) Payload() event.User {
	p := event.User{
		Object: "user", ID: u.ID, Email: u.Email, EmailVerified: u.EmailVerified, FirstName: u.FirstName,
		LastName: u.LastName, Name: u.Name, ProfilePictureURL: u.ProfilePictureURL, ExternalID: u.ExternalID,
		Metadata: u.Metadata, Locale: u.Locale, CreatedAt: event.Time(u.CreatedAt), UpdatedAt: event.Time(u.UpdatedAt),
	}
	if !u.LastSignInAt.IsZero() {
		t := event.Time(u.LastSignInAt)
		p.LastSignInAt = &t
	}
	return p
}

// UserFilter narrows a list of users. Zero values do not narrow.
type UserFilter struct {
	Organization id.Organization // has a membership of any status there
	Email        string          // storage gets it as it is compared
	// Search is the beginning of an e-mail address, a name or a last name, in any case; see MaxFound.
	Search string
}

// MaxFound is how many a search of people finds by each of e-mail address, name and last name, in their order, so that it
// takes a short time however many match.
const MaxFound = 1000

// MaxSearch is how many characters a search of people can have.
const MaxSearch = 100

// UserReader finds users.
type UserReader interface {
	User(env id.Environment, u id.User) (user User, found bool, err error)
	// UsersByID finds at most page.MaxLimit users.
	UsersByID(env id.Environment, ids []id.User) (map[id.User]User, error)
	UserByEmailKey(env id.Environment, key string) (user User, found bool, err error)
	UserByExternalID(env id.Environment, externalID string) (user User, found bool, err error)
	Users(env id.Environment, f UserFilter, r page.Request) (page.Page[User], error)
}

// UserWriter stores users.
type UserWriter interface {
	InsertUser(User) error
	UpdateUser(User) error
	// DeleteUser removes a user that has no memberships left.
	DeleteUser(User) error
}

// UserInput is what can be said about a user. Absent inputs leave things as they are; on creation Email must be
// present.
type UserInput struct {
	Email         Opt[string]
	EmailVerified Opt[bool]
	FirstName     Opt[*string]
	LastName      Opt[*string]
	Name          Opt[*string]
	ExternalID    Opt[*string]
	Metadata      Opt[map[string]*string] // merged into what is there; nil removes all
	Locale        Opt[*string]
}

func (in UserInput) check(creating bool) error {
	var bad complaints
	if in.Email.Set || creating {
		if _, ok := normalEmail(in.Email.Value); !ok {
			bad.add("email", "must be an e-mail address")
		}
	}
	bad.optionalText("first_name", in.FirstName.Value, MaxLongName)
	bad.optionalText("last_name", in.LastName.Value, MaxLongName)
	bad.optionalText("name", in.Name.Value, MaxLongName)
	bad.externalID("external_id", in.ExternalID.Value)
	bad.optionalText("locale", in.Locale.Value, MaxName)
	return bad.err()
}

func (in UserInput) apply(u *User) (changed bool) {
	changed = apply(in.Email, &u.Email)
	u.EmailKey, _ = normalEmail(u.Email)
	changed = apply(in.EmailVerified, &u.EmailVerified) || changed
	changed = applyText(in.FirstName, &u.FirstName) || changed
	changed = applyText(in.LastName, &u.LastName) || changed
	changed = applyText(in.Name, &u.Name) || changed
	changed = applyText(in.ExternalID, &u.ExternalID) || changed
	changed = applyText(in.Locale, &u.Locale) || changed
	changed = applyMetadata(in.Metadata, &u.Metadata) || changed
	u.NameKey, u.LastNameKey = u.nameKeys()
	return changed
}

// nameKeys are the names of the user as they are searched, cut to what an index can hold.
func (u User) nameKeys() (name, last string) {
	if u.Name != nil {
		name = *u.Name
	}
	if u.LastName != nil {
		last = *u.LastName
	}
	if strings.TrimSpace(name) == "" {
		name = last
		if u.FirstName != nil {
			name = *u.FirstName + " " + last
		}
	}
	name = strings.TrimSpace(name)
	if i := strings.LastIndexByte(name, ' '); i >= 0 && last == "" {
		last = name[i+1:]
	}
	return cut(searchKey(name)), cut(searchKey(strings.TrimSpace(last)))
}

// cut is as much of a key as can be searched for.
func cut(key string) string {
	if runes := []rune(key); len(runes) > MaxSearch {
		return string(runes[:MaxSearch])
	}
	return key
}

// same says whether two states of a user name the same person, by what applications recognize people by.
func (u User) same(other User) bool {
	return u.Email == other.Email && u.EmailVerified == other.EmailVerified && sameText(u.ExternalID, other.ExternalID)
}

// userFree refuses metadata over its limits and an e-mail or external id that another user of the environment already has.
func (ch *change) userFree(u User, creating bool) error {
	if err := checkMetadata(u.Metadata); err != nil {
		return err
	}
	other, found, err := ch.UserByEmailKey(u.Environment, u.EmailKey)
	if err != nil {
		return err
	}
	if found && other.ID != u.ID {
		if !creating {
			return fault.New(fault.BadRequest, "email_not_available", "The email '%s' is already used by another user.", u.Email)
		}
		e := fault.New(fault.BadRequest, "user_creation_error", "Could not create user: the email '%s' is already used by another user.", u.Email)
		e.Fields = []fault.Field{{Name: "email", Message: "is already used by another user", Code: "email_not_available"}}
		return e
	}
	if u.ExternalID == nil {
		return nil
	}
	other, found, err = ch.UserByExternalID(u.Environment, *u.ExternalID)
	if err != nil {
		return err
	}
	if found && other.ID != u.ID {
		return externalIDUsed("user", *u.ExternalID)
	}
	return nil
}

// CreateUser makes a user. An e-mail or external id that was used before by somebody deleted starts from nothing (I12).
func (s *Service) CreateUser(ctx context.Context, c Caller, in UserInput) (User, error) {
	if err := in.check(true); err != nil {
		return User{}, err
	}
	return write(ctx, s, c, func(ch *change) (User, error) {
		if err := ch.permit(""); err != nil {
			return User{}, err
		}
		u := User{ID: id.New[id.User](s.ids), Environment: c.Environment, CreatedAt: ch.now, UpdatedAt: ch.now}
		in.apply(&u)
		if err := ch.userFree(u, true); err != nil {
			return User{}, err
		}
		if err := ch.InsertUser(u); err != nil {
			return User{}, err
		}
		return u, ch.emit(event.UserCreated, "", u.Payload(), nil)
	})
}

func user(r Reader, c Caller, u id.User) (User, error) {
	found, ok, err := r.User(c.Environment, u)
	if err == nil && ok {
		ok, err = seesUser(r, c, u)
	}
	if err == nil && !ok {
		err = fault.Missing("User", string(u))
	}
	return found, err
}

// seesUser says whether a user exists for the caller: one that is limited to an organization sees its members.
func seesUser(r Reader, c Caller, u id.User) (bool, error) {
	if c.bound() == "" {
		return true, nil
	}
	_, member, err := r.MembershipOf(c.bound(), u)
	return member, err
}

// User finds a user by id.
func (s *Service) User(ctx context.Context, c Caller, u id.User) (User, error) {
	return read(ctx, s, func(r Reader) (User, error) { return user(r, c, u) })
}

// UserByExternalID finds a user by the caller's own id for him.
func (s *Service) UserByExternalID(ctx context.Context, c Caller, externalID string) (User, error) {
	return read(ctx, s, func(r Reader) (User, error) {
		u, found, err := r.UserByExternalID(c.Environment, externalID)
		if err == nil && found {
			found, err = seesUser(r, c, u.ID)
		}
		if err == nil && !found {
			err = fault.Missing("User", externalID)
		}
		return u, err
	})
}

// ListUsers lists the users of the caller's environment.
func (s *Service) ListUsers(ctx context.Context, c Caller, f UserFilter, r page.Request) (page.Page[User], error) {
	f.Organization = c.within(f.Organization)
	if f.Email != "" {
		key, ok := normalEmail(f.Email)
		if !ok {
			return page.Page[User]{}, fault.BadField("email", "must be an e-mail address")
		}
		f.Email = key
	}
	var err error
	if f.Search, err = searched(f.Search, MaxSearch); err != nil {
		return page.Page[User]{}, err
	}
	return read(ctx, s, func(tx Reader) (page.Page[User], error) { return tx.Users(c.Environment, f, r) })
}

// UpdateUser changes what is present in the input. Nothing changed means nothing written and no event.
func (s *Service) UpdateUser(ctx context.Context, c Caller, u id.User, in UserInput) (User, error) {
	if err := in.check(false); err != nil {
		return User{}, err
	}
	return write(ctx, s, c, func(ch *change) (User, error) {
		if err := ch.permit(""); err != nil {
			return User{}, err
		}
		found, err := user(ch, c, u)
		if err != nil {
			return User{}, err
		}
		before := found
		if !in.apply(&found) {
			return found, nil
		}
		if !found.same(before) {
			if err := ch.permitHeldBy(u); err != nil {
				return User{}, err
			}
		}
		found.UpdatedAt = ch.now
		if err := ch.userFree(found, false); err != nil {
			return User{}, err
		}
		if err := ch.Tx.UpdateUser(found); err != nil {
			return User{}, err
		}
		return found, ch.emit(event.UserUpdated, "", found.Payload(), before.Payload())
	})
}

// DeleteUser removes a user and all memberships of his, each with its event, the user's own last.
func (s *Service) DeleteUser(ctx context.Context, c Caller, u id.User) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		if err := ch.permit(""); err != nil {
			return struct{}{}, err
		}
		found, err := user(ch, c, u)
		if err != nil {
			return struct{}{}, err
		}
		if err := ch.deleteMemberships(MembershipFilter{User: u}); err != nil {
			return struct{}{}, err
		}
		if err := ch.Tx.DeleteUser(found); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, ch.emit(event.UserDeleted, "", found.Payload(), nil)
	})
	return err
}
