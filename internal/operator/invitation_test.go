package operator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

const day = 24 * time.Hour

// The first owner comes in by the link of the last start, and by no other; with him there are no such links.
func TestInviteFirst(t *testing.T) {
	houses(t, func(h *house) {
		if has, err := h.HasPeople(h.t.Context()); has || err != nil {
			h.t.Errorf("has people: %v, %v", has, err)
		}
		_, first, err := h.InviteFirst(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		i, second, err := h.InviteFirst(h.t.Context())
		if err != nil || len(second) < 40 || second == first || i.Role != operator.Owner || i.CreatedBy != operator.FirstStart || i.ExpiresAt.Sub(i.CreatedAt) != day {
			h.t.Errorf("%+v, %q, %v", i, second, err)
		}
		_, err = h.OpenInvitation(h.t.Context(), first)
		wantCode(h.t, "the link of an earlier start", err, fault.NotFound, operator.CodeInvitationInvalid)
		p, session, err := h.Accept(h.t.Context(), second, operator.NewPerson{Name: " Ada ", Email: " Ada@Acme.Example ", Password: password})
		if err != nil || p.Role != operator.Owner || p.Email != "ada@acme.example" || p.Name != "Ada" {
			h.t.Fatalf("%+v, %v", p, err)
		}
		h.in("the first owner", session, p)
		if a := p.Actor(); a.ID != string(p.ID) || a.Source != "dashboard" || a.Name != "Ada" {
			h.t.Errorf("the actor is %+v", a)
		}
		if i, token, err := h.InviteFirst(h.t.Context()); err != nil || token != "" || i.ID != "" {
			h.t.Errorf("a first owner is invited again: %+v, %v", i, err)
		}
		if has, err := h.HasPeople(h.t.Context()); !has || err != nil {
			h.t.Errorf("has people: %v, %v", has, err)
		}
	})
}

// A link of the first start that lies around is worth nothing once there is an owner.
func TestFirstLinkEndsWithTheFirstOwner(t *testing.T) {
	houses(t, func(h *house) {
		_, first, err := h.InviteFirst(h.t.Context())
		if err != nil {
			h.t.Fatal(err)
		}
		h.person("ada", operator.Owner)
		_, err = h.OpenInvitation(h.t.Context(), first)
		wantCode(h.t, "the first link", err, fault.NotFound, operator.CodeInvitationInvalid)
	})
}

// A link is good until it is used, revoked or old, and opening it does not use it.
func TestLifeOfALink(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		owner, _ := h.person("ada", operator.Owner)
		i, token, err := h.Invite(ctx, owner, operator.NewInvitation{Email: "Bob@acme.example", Role: operator.Editor})
		if err != nil || i.CreatedBy != string(owner.ID) || i.Email != "bob@acme.example" || i.ExpiresAt.Sub(i.CreatedAt) != 7*day {
			h.t.Fatalf("%+v, %v", i, err)
		}
		for range 2 {
			if found, err := h.OpenInvitation(ctx, token); err != nil || found != i {
				h.t.Errorf("opened %+v, %v, want %+v", found, err, i)
			}
		}
		if open, err := h.ListInvitations(ctx); err != nil || len(open) != 1 || open[0] != i {
			h.t.Errorf("listed %+v, %v", open, err)
		}
		h.pass(7*day - time.Millisecond)
		if _, err := h.OpenInvitation(ctx, token); err != nil {
			h.t.Errorf("at its end: %v", err)
		}
		h.pass(time.Millisecond)
		revoked, revokedToken, err := h.Invite(ctx, owner, operator.NewInvitation{Role: operator.Editor})
		if err != nil {
			h.t.Fatal(err)
		}
		if err := h.RevokeInvitation(ctx, owner, revoked.ID); err != nil {
			h.t.Fatal(err)
		}
		used := h.invited("", operator.Viewer)
		if _, _, err := h.Accept(ctx, used, operator.NewPerson{Name: "Eve", Email: "eve@acme.example", Password: password}); err != nil {
			h.t.Fatal(err)
		}
		_, unknown := h.OpenInvitation(ctx, "nonsense")
		for what, token := range map[string]string{"expired": token, "revoked": revokedToken, "used": used, "none": "", "hostile": "\x00\xff", "long": strings.Repeat("x", 1<<20)} {
			_, err := h.OpenInvitation(ctx, token)
			wantCode(h.t, what, err, fault.NotFound, operator.CodeInvitationInvalid)
			if err != nil && err.Error() != unknown.Error() {
				h.t.Errorf("%s is told from unknown: %v", what, err)
			}
			_, _, err = h.Accept(ctx, token, operator.NewPerson{Name: "Mallory", Email: "m@acme.example", Password: password})
			wantCode(h.t, what, err, fault.NotFound, operator.CodeInvitationInvalid)
		}
		if open, err := h.ListInvitations(ctx); err != nil || len(open) != 0 {
			h.t.Errorf("listed %+v, %v", open, err)
		}
		for _, unknown := range []id.Invitation{revoked.ID, "invitation_\x00\xff", ""} {
			if err := h.RevokeInvitation(ctx, owner, unknown); !fault.Is(err, fault.NotFound) {
				h.t.Errorf("revoking %q: %v", unknown, err)
			}
		}
	})
}

// Who accepts is told which of his words are wrong, and tries again with the same link.
func TestRefusedWordsLeaveTheLink(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		h.person("ada", operator.Owner)
		open, bound := h.invited("", operator.Viewer), h.invited("bob@acme.example", operator.Viewer)
		h.person("eve", operator.Viewer)
		good := operator.NewPerson{Name: "Bob", Email: "bob@acme.example", Password: password}
		for _, c := range []struct {
			token  string
			change func(*operator.NewPerson)
			blames string
		}{
			{open, func(p *operator.NewPerson) { *p = operator.NewPerson{} }, "email name password "},
			{open, func(p *operator.NewPerson) { p.Email = "bob" }, "email "},
			{open, func(p *operator.NewPerson) { p.Email = "@acme.example" }, "email "},
			{open, func(p *operator.NewPerson) { p.Email = "b@c@acme.example" }, "email "},
			{open, func(p *operator.NewPerson) { p.Email = "b c@acme.example" }, "email "},
			{open, func(p *operator.NewPerson) { p.Email = "b\x00@acme.example" }, "email "},
			{open, func(p *operator.NewPerson) { p.Email = "b\u200b@acme.example" }, "email "},
			{open, func(p *operator.NewPerson) { p.Email = "b\xff@acme.example" }, "email "},
			{open, func(p *operator.NewPerson) { p.Email = strings.Repeat("b", 250) + "@acme.example" }, "email "},
			{bound, func(p *operator.NewPerson) { p.Email = "mallory@acme.example" }, "email "},
			{open, func(p *operator.NewPerson) { p.Name = " \t" }, "name "},
			{open, func(p *operator.NewPerson) { p.Name = "B\x00b" }, "name "},
			{open, func(p *operator.NewPerson) { p.Name = "B\u202eb" }, "name "},
			{open, func(p *operator.NewPerson) { p.Name = "B\xff" }, "name "},
			{open, func(p *operator.NewPerson) { p.Name = "B\nb" }, "name "},
			{open, func(p *operator.NewPerson) { p.Name = strings.Repeat("é", 101) }, "name "},
			{open, func(p *operator.NewPerson) { p.Password = "elevenchars" }, "password "},
			{open, func(p *operator.NewPerson) { p.Password = strings.Repeat("é", 201) }, "password "},
			{open, func(p *operator.NewPerson) { p.Password = strings.Repeat("\xff", 20) }, "password "},
			{open, func(p *operator.NewPerson) { p.Password = strings.Repeat(" ", 20) }, "password "},
			{open, func(p *operator.NewPerson) { p.Password = " BOB@acme.EXAMPLE" }, "password "},
			{open, func(p *operator.NewPerson) { p.Email, p.Password = "bob.the.builder@x", "Bob-The-Builder" }, "password "},
			{open, func(p *operator.NewPerson) { p.Name, p.Password = "Bob the Builder", "bobTHEbuilder" }, "password "},
		} {
			in := good
			c.change(&in)
			p, session, err := h.Accept(ctx, c.token, in)
			if !fault.Is(err, fault.Invalid) || blamed(err) != c.blames || p != (operator.Person{}) || session != "" {
				h.t.Errorf("%+q: %+v, %v, want a refusal of %s", in, p, err, c.blames)
			}
			if err != nil && in.Password != "" && strings.Contains(err.Error(), in.Password) {
				h.t.Errorf("the refusal quotes the password: %v", err)
			}
		}
		in := good
		in.Email = "EVE@acme.example"
		_, _, err := h.Accept(ctx, open, in)
		wantCode(h.t, "somebody's e-mail address", err, fault.Conflict, operator.CodeEmailConflict)
		_, _, err = h.Invite(ctx, commandLine, operator.NewInvitation{Email: "eve@acme.example", Role: operator.Owner})
		wantCode(h.t, "inviting who is there", err, fault.Conflict, operator.CodeEmailConflict)
		in.Email, in.Name, in.Password = "", "بهار\u200cه", strings.Repeat("é", 12)
		if p, _, err := h.Accept(ctx, bound, in); err != nil || p.Email != "bob@acme.example" || p.Role != operator.Viewer {
			h.t.Errorf("%+v, %v", p, err)
		}
		if p, _, err := h.Accept(ctx, open, operator.NewPerson{Name: "Zoë", Email: "ZOË@x", Password: strings.Repeat("é", 200)}); err != nil || p.Email != "zoË@x" {
			h.t.Errorf("%+v, %v", p, err)
		}
	})
}

// Bad invitations are refused with the field.
func TestBadInvitations(t *testing.T) {
	houses(t, func(h *house) {
		for blames, in := range map[string]operator.NewInvitation{
			"role ":  {Role: "admin"},
			"email ": {Role: operator.Viewer, Email: "no address"},
		} {
			if i, token, err := h.Invite(h.t.Context(), commandLine, in); blamed(err) != blames || token != "" || i != (operator.Invitation{}) {
				h.t.Errorf("%+v: %+v, %v", in, i, err)
			}
		}
		if _, _, err := h.Invite(h.t.Context(), commandLine, operator.NewInvitation{}); blamed(err) != "role " {
			h.t.Errorf("no role: %v", err)
		}
	})
}

// Of a hundred who redeem one link at the same moment exactly one comes in (security case 13).
func TestRedeemingAtOnce(t *testing.T) {
	houses(t, func(h *house) {
		h.person("ada", operator.Owner)
		token := h.invited("", operator.Editor)
		names := "abcdefghij"
		errs := together(100, func(i int) error {
			name := string(names[i/10]) + string(names[i%10])
			_, _, err := h.Accept(h.t.Context(), token, operator.NewPerson{Name: name, Email: name + "@acme.example", Password: password})
			return err
		})
		if got := tally(errs); got != "map[invitation_invalid:99 ok:1]" {
			h.t.Errorf("redeemed at once: %s", got)
		}
		if people, err := h.ListPeople(h.t.Context()); err != nil || len(people) != 2 {
			h.t.Errorf("%d people, %v", len(people), err)
		}
	})
}

// Two links, one e-mail address, at the same moment: one comes in and the other link stays good.
func TestOneAddressAtOnce(t *testing.T) {
	houses(t, func(h *house) {
		h.person("ada", operator.Owner)
		tokens := make([]string, 10)
		for i := range tokens {
			tokens[i] = h.invited("", operator.Editor)
		}
		errs := together(len(tokens), func(i int) error {
			_, _, err := h.Accept(h.t.Context(), tokens[i], operator.NewPerson{Name: "Bob", Email: "bob@acme.example", Password: password})
			return err
		})
		if got := tally(errs); got != "map[ok:1 operator_email_conflict:9]" {
			h.t.Errorf("accepted at once: %s", got)
		}
		if open, err := h.ListInvitations(h.t.Context()); err != nil || len(open) != 9 {
			h.t.Errorf("%d links are left, %v", len(open), err)
		}
	})
}

// A link for another password sets that and nothing else, ends the sessions, and is replaced by the next one.
func TestResetPassword(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		owner, _ := h.person("ada", operator.Owner)
		bob, before := h.person("bob", operator.Editor)
		_, older, err := h.ResetPassword(ctx, owner, bob.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		i, token, err := h.ResetPassword(ctx, commandLine, bob.ID)
		if err != nil || i.Person != bob.ID || i.Email != bob.Email || i.ExpiresAt.Sub(i.CreatedAt) != day {
			h.t.Fatalf("%+v, %v", i, err)
		}
		_, err = h.OpenInvitation(ctx, older)
		wantCode(h.t, "the older link", err, fault.NotFound, operator.CodeInvitationInvalid)
		h.in("until it is used", before, bob)
		if _, _, err := h.Accept(ctx, token, operator.NewPerson{Password: "bob@acme.example"}); blamed(err) != "password " {
			h.t.Errorf("the e-mail address as password: %v", err)
		}
		const another = "another battery"
		p, session, err := h.Accept(ctx, token, operator.NewPerson{Name: "Mallory", Email: "ada@acme.example", Password: another})
		if err != nil || p.ID != bob.ID || p.Name != "bob" || p.Email != bob.Email || p.Role != operator.Editor {
			h.t.Errorf("%+v, %v", p, err)
		}
		h.in("afterwards", session, bob)
		h.out("the session from before", before)
		_, _, err = h.SignIn(ctx, bob.Email, password, "")
		wantCode(h.t, "the old password", err, fault.Unauthorized, operator.CodeSignInFailed)
		if _, _, err := h.SignIn(ctx, bob.Email, another, ""); err != nil {
			h.t.Errorf("the new password: %v", err)
		}
		_, _, err = h.ResetPassword(ctx, owner, "operator_01ARZ3NDEKTSV4RRFFQ69G5FAV")
		wantCode(h.t, "of nobody", err, fault.NotFound, fault.CodeNotFound)
	})
}
