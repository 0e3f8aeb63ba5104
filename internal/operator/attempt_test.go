package operator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/operator"
)

// Ten guesses at a password, then one in half a minute, whoever guesses; the right one is refused too, and says when.
func TestAttemptsAtOnePassword(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		h.person("ada", operator.Owner)
		eve, _ := h.person("eve", operator.Viewer)
		for _, email := range []string{"ada@acme.example", "nobody@acme.example"} {
			for i := range 10 {
				_, _, err := h.SignIn(ctx, email, "wrong", fmt.Sprint("192.0.2.", i))
				wantCode(h.t, "a guess", err, fault.Unauthorized, operator.CodeSignInFailed)
			}
			_, _, err := h.SignIn(ctx, " "+strings.ToUpper(email), password, "192.0.2.99")
			wantCode(h.t, "the eleventh", err, fault.TooMany, operator.CodeTooManyAttempts)
			if f := fault.Of(err); f.Retry != 30*time.Second || strings.Contains(f.Error(), email) {
				h.t.Errorf("%v, to be tried again in %v", f, f.Retry)
			}
		}
		if _, _, err := h.SignIn(ctx, eve.Email, password, "192.0.2.99"); err != nil {
			h.t.Errorf("somebody else: %v", err)
		}
		h.pass(29 * time.Second)
		_, _, err := h.SignIn(ctx, "ada@acme.example", password, "192.0.2.99")
		wantCode(h.t, "too early", err, fault.TooMany, operator.CodeTooManyAttempts)
		h.pass(time.Second)
		if _, _, err := h.SignIn(ctx, "ada@acme.example", password, "192.0.2.99"); err != nil {
			h.t.Errorf("later: %v", err)
		}
	})
}

// Forty attempts from one place, however many names it tries; one place of IPv6 is a /64.
func TestAttemptsFromOnePlace(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, _ := h.person("ada", operator.Owner)
		for _, place := range []func(i int) string{
			func(int) string { return "198.51.100.1" },
			func(i int) string { return fmt.Sprintf("2001:db8::%x", i) },
			func(int) string { return "not an address" },
		} {
			for i := range 40 {
				_, _, err := h.SignIn(ctx, fmt.Sprintf("%s%d@acme.example", place(0), i), "wrong", place(i))
				if fault.Is(err, fault.TooMany) {
					h.t.Fatalf("attempt %d from %s: %v", i, place(i), err)
				}
			}
			_, _, err := h.SignIn(ctx, ada.Email, password, place(77))
			wantCode(h.t, "one more from "+place(77), err, fault.TooMany, operator.CodeTooManyAttempts)
		}
		_, _, err := h.SignIn(ctx, ada.Email, password, "::ffff:198.51.100.1")
		wantCode(h.t, "the same place, written as IPv6", err, fault.TooMany, operator.CodeTooManyAttempts)
		if _, _, err := h.SignIn(ctx, ada.Email, password, "2001:db8:0:1::1"); err != nil {
			h.t.Errorf("from elsewhere: %v", err)
		}
	})
}

// Who has a session and no password cannot guess that either.
func TestAttemptsAtChanging(t *testing.T) {
	houses(t, func(h *house) {
		_, session := h.person("ada", operator.Owner)
		for range 10 {
			if _, err := h.ChangePassword(h.t.Context(), session, "wrong", "another battery"); blamed(err) != "old_password " {
				h.t.Errorf("a guess: %v", err)
			}
		}
		_, err := h.ChangePassword(h.t.Context(), session, password, "another battery")
		wantCode(h.t, "the eleventh", err, fault.TooMany, operator.CodeTooManyAttempts)
	})
}
