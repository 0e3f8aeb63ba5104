package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/store"
)

const elsewhere = "192.0.2.7"

// Who knows the password comes in, however he writes his e-mail address.
func TestSignIn(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, _ := h.person("ada", operator.Owner)
		h.pass(time.Hour)
		p, session, err := h.SignIn(ctx, "  ADA@Acme.example\n", password, elsewhere)
		if err != nil || p.ID != ada.ID || p.SeenAt.Sub(ada.SeenAt) != time.Hour || len(session) < 40 {
			h.t.Fatalf("%+v, %q, %v", p, session, err)
		}
		s := h.in("signed in", session, ada)
		if s.Person != p || !s.CreatedAt.Equal(p.SeenAt) || s.ExpiresAt.Sub(s.CreatedAt) != 12*time.Hour {
			h.t.Errorf("%+v, want a session of %+v", s, p)
		}
		_, other, err := h.SignIn(ctx, ada.Email, password, elsewhere)
		if err != nil || other == session {
			h.t.Errorf("a second session: %v", err)
		}
		if err := h.SignOut(ctx, session); err != nil {
			h.t.Fatal(err)
		}
		h.out("signed out", session)
		h.in("the other session", other, ada)
		for _, token := range []string{session, "", "nonsense", "\x00\xff"} {
			h.out("no session", token)
			if err := h.SignOut(ctx, token); err != nil {
				h.t.Errorf("signing out %q: %v", token, err)
			}
		}
	})
}

// A password that was typed in another form of Unicode is the same.
func TestPasswordsOfTwoKeyboards(t *testing.T) {
	houses(t, func(h *house) {
		p, _, err := h.Accept(h.t.Context(), h.invited("", operator.Owner),
			operator.NewPerson{Name: "Ada", Email: "ada@acme.example", Password: "caf\u00e9 caf\u00e9 caf\u00e9"})
		if err != nil {
			h.t.Fatal(err)
		}
		if _, _, err := h.SignIn(h.t.Context(), p.Email, "cafe\u0301 cafe\u0301 cafe\u0301", ""); err != nil {
			h.t.Error(err)
		}
	})
}

// A wrong password and an unknown e-mail address are one refusal, which repeats neither.
func TestSignInFailed(t *testing.T) {
	houses(t, func(h *house) {
		h.person("ada", operator.Owner)
		want := ""
		for i, c := range [][2]string{
			{"ada@acme.example", password + "x"}, {"ada@acme.example", ""}, {"ada@acme.example", strings.ToUpper(password)},
			{"nobody@acme.example", password}, {"", ""}, {"", password}, {"ada", password}, {"ada@acme.example\x00", password},
			{"\xff@\xff", "\xff\x00"}, {"ada@acme.example", strings.Repeat("x", 1<<20)}, {strings.Repeat("a", 1<<20) + "@x", password},
			{"' OR 1=1 --@x", password},
		} {
			p, token, err := h.SignIn(h.t.Context(), c[0], c[1], fmt.Sprint("192.0.2.", i))
			wantCode(h.t, "signing in", err, fault.Unauthorized, operator.CodeSignInFailed)
			if want == "" {
				want = fmt.Sprint(err)
			}
			if fmt.Sprint(err) != want || token != "" || p != (operator.Person{}) {
				h.t.Errorf("%.40q: %v", c, err)
			}
		}
	})
}

// The password of nobody costs as much as the wrong one of somebody: both take their turn.
func TestNobodyCostsAsMuch(t *testing.T) {
	houses(t, func(h *house) {
		h.person("ada", operator.Owner)
		turns := operator.Turns(h.Service)
		for _, email := range []string{"ada@acme.example", "nobody@acme.example", "no address"} {
			answered := make(chan error, 1)
			go func() {
				_, _, err := h.SignIn(h.t.Context(), email, password+"x", elsewhere)
				answered <- err
			}()
			select {
			case <-turns:
				turns <- struct{}{}
			case err := <-answered:
				h.t.Fatalf("%s is answered without work: %v", email, err)
			}
			wantCode(h.t, email, <-answered, fault.Unauthorized, operator.CodeSignInFailed)
		}
	})
}

// Who waits for his turn goes on when his request ends, and is not told that his password is wrong.
func TestWaitingForATurn(t *testing.T) {
	houses(t, func(h *house) {
		token := h.invited("", operator.Owner)
		operator.Turns(h.Service) // of which nobody gets one
		ctx, cancel := context.WithCancel(h.t.Context())
		answered := make(chan error, 1)
		go func() {
			_, _, err := h.Accept(ctx, token, operator.NewPerson{Name: "Ada", Email: "ada@acme.example", Password: password})
			answered <- err
		}()
		cancel()
		if err := <-answered; !fault.Is(err, fault.Unavailable) {
			h.t.Errorf("%v", err)
		}
		if _, err := h.OpenInvitation(h.t.Context(), token); err != nil {
			h.t.Errorf("the link: %v", err)
		}
	})
}

// A session ends twelve hours after it was last used and seven days after it began.
func TestSessionsEnd(t *testing.T) {
	houses(t, func(h *house) {
		ada, idle := h.person("ada", operator.Owner)
		h.pass(12*time.Hour - time.Millisecond)
		h.in("just before", idle, ada)
		h.pass(12*time.Hour - time.Millisecond)
		used := h.in("used again", idle, ada)
		if left := used.ExpiresAt.Sub(h.now()); left != 12*time.Hour {
			h.t.Errorf("%v are left", left)
		}
		h.pass(12 * time.Hour)
		h.out("idle", idle)

		_, busy, err := h.SignIn(h.t.Context(), ada.Email, password, "")
		if err != nil {
			h.t.Fatal(err)
		}
		for range 7*24/8 - 1 {
			h.pass(8 * time.Hour)
			h.in("busy", busy, ada)
		}
		h.pass(8*time.Hour - time.Millisecond)
		if s := h.in("on the seventh day", busy, ada); s.ExpiresAt.Sub(s.CreatedAt) != 7*day {
			h.t.Errorf("ends at %v", s.ExpiresAt)
		}
		h.pass(time.Millisecond)
		h.out("after seven days", busy)
	})
}

// Use is written down once a minute, not with each page; nobody is signed out by a moment that was not.
func TestUseIsWrittenDownNowAndThen(t *testing.T) {
	houses(t, func(h *house) {
		ada, session := h.person("ada", operator.Owner)
		began := h.now()
		for _, c := range []struct{ after, seen time.Duration }{
			{59 * time.Second, 0}, {time.Second, time.Minute}, {59 * time.Second, time.Minute}, {time.Second, 2 * time.Minute},
		} {
			h.pass(c.after)
			s := h.in("in use", session, ada)
			if seen := s.Person.SeenAt.Sub(began); seen != c.seen {
				h.t.Errorf("seen after %v, want %v", seen, c.seen)
			}
			people, err := h.ListPeople(h.t.Context())
			if err != nil || people[0].SeenAt.Sub(began) != c.seen {
				h.t.Errorf("listed %+v, %v", people, err)
			}
		}
	})
}

// full is a database on a disk that is full.
type full struct{ *store.Store }

func (full) UpdateOperators(context.Context, func(operator.PeopleTx) error) error {
	return fault.Down(errors.New("the disk is full"))
}

// Who is signed in goes on reading when nothing can be written.
func TestSessionsOnAFullDisk(t *testing.T) {
	houses(t, func(h *house) {
		ada, session := h.person("ada", operator.Owner)
		h.pass(time.Hour)
		h.Service = operator.New(full{h.db}, h.db.Fresh(), h.now, id.NewSource(h.now, nil))
		if s := h.in("an hour later", session, ada); s.ExpiresAt.Sub(h.now()) != 11*time.Hour {
			h.t.Errorf("ends at %v", s.ExpiresAt)
		}
	})
}

// What ended is removed, and nothing else.
func TestSweepSessions(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, session := h.person("ada", operator.Owner)
		old := h.invited("", operator.Viewer)
		h.pass(7 * day)
		_, fresh, err := h.SignIn(ctx, ada.Email, password, "")
		if err != nil {
			h.t.Fatal(err)
		}
		h.invited("", operator.Viewer)
		if err := h.SweepSessions(ctx); err != nil {
			h.t.Fatal(err)
		}
		h.in("after the sweep", fresh, ada)
		// Were they only hidden, they would be back.
		h.pass(-7 * day)
		h.out("a swept session", session)
		_, err = h.OpenInvitation(ctx, old)
		wantCode(h.t, "a swept invitation", err, fault.NotFound, operator.CodeInvitationInvalid)
		if open, err := h.ListInvitations(ctx); err != nil || len(open) != 1 {
			h.t.Errorf("%d links are left, %v", len(open), err)
		}
	})
}

// Another password ends all sessions but the one that it was changed in, which gets another token.
func TestChangePassword(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, first := h.person("ada", operator.Owner)
		_, second, err := h.SignIn(ctx, ada.Email, password, "")
		if err != nil {
			h.t.Fatal(err)
		}
		_, link, err := h.ResetPassword(ctx, commandLine, ada.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		const another = "another battery"
		for _, c := range []struct{ old, new, blames string }{
			{password + "x", another, "old_password "}, {"", another, "old_password "},
			{password, "short", "new_password "}, {password, "ada@acme.example", "new_password "}, {password, "", "new_password "},
		} {
			if token, err := h.ChangePassword(ctx, first, c.old, c.new); blamed(err) != c.blames || token != "" {
				h.t.Errorf("%q: %v", c, err)
			}
		}
		next, err := h.ChangePassword(ctx, first, password, another)
		if err != nil {
			h.t.Fatal(err)
		}
		h.in("afterwards", next, ada)
		h.out("the token from before", first)
		h.out("the other session", second)
		_, err = h.OpenInvitation(ctx, link)
		wantCode(h.t, "a link for a password", err, fault.NotFound, operator.CodeInvitationInvalid)
		_, _, err = h.SignIn(ctx, ada.Email, password, "")
		wantCode(h.t, "the old password", err, fault.Unauthorized, operator.CodeSignInFailed)
		if _, _, err := h.SignIn(ctx, ada.Email, another, ""); err != nil {
			h.t.Errorf("the new password: %v", err)
		}
		_, err = h.ChangePassword(ctx, first, another, password)
		wantCode(h.t, "without a session", err, fault.Unauthorized, operator.CodeSignedOut)
	})
}

// Who signs in with the old password while it is changed is either refused or signed out again.
func TestSigningInWhileThePasswordChanges(t *testing.T) {
	houses(t, func(h *house) {
		ada, session := h.person("ada", operator.Owner)
		tokens := make([]string, 9)
		errs := together(len(tokens), func(i int) (err error) {
			if i == 0 {
				_, err = h.ChangePassword(context.Background(), session, password, "another battery")
				return err
			}
			_, tokens[i], err = h.SignIn(context.Background(), ada.Email, password, "")
			return err
		})
		if errs[0] != nil {
			h.t.Fatal(errs[0])
		}
		for i, token := range tokens[1:] {
			if errs[i+1] == nil {
				h.out("a session of the old password", token)
			} else {
				wantCode(h.t, "the old password", errs[i+1], fault.Unauthorized, operator.CodeSignInFailed)
			}
		}
	})
}

// No password, hash or token is in anything that is returned, stored in the open, encoded or printed.
func TestNothingSecretIsShown(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, session := h.person("ada", operator.Owner)
		link := h.invited("bob@acme.example", operator.Viewer)
		signed, other, err := h.SignIn(ctx, ada.Email, password, "")
		if err != nil {
			h.t.Fatal(err)
		}
		people, err := h.ListPeople(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		links, err := h.ListInvitations(ctx)
		if err != nil {
			h.t.Fatal(err)
		}
		var kept []operator.Person
		err = h.db.ViewOperators(ctx, func(r operator.PeopleReader) error {
			kept, err = r.People()
			return err
		})
		if err != nil || !strings.HasPrefix(string(kept[0].PasswordHash), "$argon2id$v=19$m=") {
			h.t.Fatalf("the hash is no argon2id: %v", err)
		}
		hash := string(kept[0].PasswordHash)
		secrets := []string{password, session, other, link, "$argon2", hash, hash[len(hash)-20:]}
		for _, v := range []any{ada, signed, people, links, kept, &kept[0], h.in("ada", session, ada), kept[0].PasswordHash} {
			encoded, err := json.Marshal(map[string]any{"v": v})
			if err != nil {
				h.t.Fatal(err)
			}
			if _, bare := v.(operator.PasswordHash); bare {
				encoded = nil // in a Person it is left out
			}
			var logged strings.Builder
			slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", v)
			for _, text := range []string{fmt.Sprintf("%v %+v %#v %s %q %x", v, v, v, v, v, v), string(encoded), logged.String()} {
				for _, secret := range secrets {
					if strings.Contains(text, secret) {
						h.t.Errorf("%q is shown: %s", secret, text)
					}
				}
			}
		}
		for _, p := range []operator.Person{ada, signed, people[0]} {
			if p.PasswordHash != "" {
				h.t.Errorf("%s is returned with a hash", p.ID)
			}
		}
	})
}

// Without an answer of the database nobody is let in, and nobody is told that his password is wrong.
func TestSignInWithoutDatabase(t *testing.T) {
	houses(t, func(h *house) {
		ada, session := h.person("ada", operator.Owner)
		ended, cancel := context.WithCancel(h.t.Context())
		cancel()
		if _, _, err := h.SignIn(ended, ada.Email, password, ""); !fault.Is(err, fault.Unavailable) {
			h.t.Errorf("signing in: %v", err)
		}
		if _, err := h.Session(ended, session); !fault.Is(err, fault.Unavailable) {
			h.t.Errorf("a session: %v", err)
		}
	})
}
