package operator

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/fault"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// PasswordHash is what is kept of a password: argon2id in the PHC string form. It prints as nothing that helps.
type PasswordHash string

// Format implements fmt.Formatter, so that a hash is in no log and no error.
func (PasswordHash) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[hidden]") }

// The length of passwords, in characters.
const (
	minPassword = 12
	maxPassword = 200
)

// hashesAtOnce bounds how many passwords are worked on beside each other, each with the memory of its cost.
const hashesAtOnce = 2

// cost is what one guess at a password costs.
type cost struct {
	memory, passes uint32 // KiB, times over it
	lanes          uint8
}

// usualCost is the memory-constrained choice of RFC 9106 with one lane, because two guesses share few processors.
var usualCost = cost{memory: 64 << 10, passes: 3, lanes: 1}

const (
	saltSize = 16
	hashSize = 32
)

// hashing does the slow work, after that of others.
func (s *Service) hashing(ctx context.Context, do func()) error {
	select {
	case s.hashers <- struct{}{}:
	case <-ctx.Done():
		return fault.New(fault.Unavailable, "temporarily_unavailable", "Too many sign in at the moment; try again.")
	}
	defer func() { <-s.hashers }()
	do()
	return nil
}

// derive is the slow function. Characters that look alike and are typed in two ways are one (NIST SP 800-63B 3.1.1.2).
func (c cost) derive(password string, salt []byte) []byte {
	return argon2.IDKey(norm.NFKC.Bytes([]byte(password)), salt, c.passes, c.memory, c.lanes, hashSize)
}

// hashPassword makes what is kept of a password.
func (s *Service) hashPassword(ctx context.Context, password string) (h PasswordHash, err error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	err = s.hashing(ctx, func() {
		encode := base64.RawStdEncoding.EncodeToString
		h = PasswordHash(fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
			s.cost.memory, s.cost.passes, s.cost.lanes, encode(salt), encode(s.cost.derive(password, salt))))
	})
	return h, err
}

// isPassword says whether a password is the one that a hash was made of. The empty hash is that of nobody: it takes as
// long, and no password is right.
func (s *Service) isPassword(ctx context.Context, h PasswordHash, password string) (right bool, err error) {
	if utf8.RuneCountInString(password) > maxPassword {
		return false, nil // nobody's, and could be as long as a request
	}
	c, salt, want := s.cost, make([]byte, saltSize), []byte(nil)
	if h != "" {
		if c, salt, want, err = h.parse(); err != nil {
			return false, err
		}
	}
	err = s.hashing(ctx, func() { right = subtle.ConstantTimeCompare(c.derive(password, salt), want) == 1 })
	return right, err
}

func (h PasswordHash) parse() (c cost, salt, want []byte, err error) {
	parts := strings.Split(string(h), "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, errors.New("a stored password hash is of an unknown kind")
	}
	_, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.passes, &c.lanes)
	if err == nil {
		salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	}
	if err == nil {
		want, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || c.passes == 0 || c.lanes == 0 || len(want) != hashSize {
		return c, nil, nil, errors.New("a stored password hash is damaged") // without the cause, which quotes it
	}
	return c, salt, want, nil
}

// badPassword says what is wrong with a new password of somebody, or nothing.
func badPassword(password string, p Person) string {
	n := utf8.RuneCountInString(password)
	local, _, _ := strings.Cut(p.Email, "@")
	switch {
	case !utf8.ValidString(password):
		return "must be text"
	case n < minPassword || n > maxPassword:
		return fmt.Sprintf("must be %d to %d characters", minPassword, maxPassword)
	case bare(password) == "":
		return "must hold letters or digits"
	case bare(password) == bare(p.Email), bare(password) == bare(local), bare(password) == bare(p.Name):
		return "must not be the e-mail address or the name"
	}
	return ""
}

// bare is text without what is changed to make it look like another one: case, blanks and punctuation.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(s))
}

// ChangePassword gives the person of a session another password, ends all his sessions and returns the token of a new
// one. Refusals name old_password and new_password; wrong old ones are limited as attempts to sign in are.
func (s *Service) ChangePassword(ctx context.Context, token, old, new string) (next string, err error) {
	var p Person
	err = s.store.ViewOperators(ctx, func(r PeopleReader) (err error) {
		_, p, err = s.session(r, token)
		return err
	})
	if err != nil {
		return "", err
	}
	if message := badPassword(new, p); message != "" {
		return "", fault.BadField("new_password", "%s", message)
	}
	if err := s.attempts.allow(s.now(), changesBy, string(p.ID)); err != nil {
		return "", err
	}
	right, err := s.isPassword(ctx, p.PasswordHash, old)
	if err == nil && !right {
		err = fault.BadField("old_password", "is wrong")
	}
	if err != nil {
		return "", err
	}
	h, err := s.hashPassword(ctx, new)
	if err != nil {
		return "", err
	}
	proven, next := p.PasswordHash, newToken()
	err = s.store.UpdateOperators(ctx, func(t PeopleTx) (err error) {
		if _, p, err = s.session(t, token); err != nil {
			return err
		}
		if p.PasswordHash != proven { // changed while the old one was worked on
			return signedOut()
		}
		p.PasswordHash, p.UpdatedAt = h, s.moment()
		if err := setPassword(t, p); err != nil {
			return err
		}
		return s.signIn(t, &p, next)
	})
	if err != nil {
		return "", err
	}
	return next, nil
}

// setPassword stores the password of a person and ends what the one before it opened.
func setPassword(t PeopleTx, p Person) error {
	if err := t.UpdatePerson(p); err != nil {
		return err
	}
	if err := t.DeleteSessionsOf(p.ID); err != nil {
		return err
	}
	return t.DeleteInvitationsFor(p.ID)
}
