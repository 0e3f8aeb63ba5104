package operator_test

import (
	"reflect"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	ranked := []operator.Role{operator.Viewer, operator.Editor, operator.Owner}
	for i, has := range ranked {
		for j, needed := range ranked {
			if got := has.Allows(needed); got != (i >= j) {
				t.Errorf("%s allows what needs %s: %v", has, needed, got)
			}
		}
		for _, none := range []operator.Role{"", "admin", "OWNER"} {
			if none.Allows(has) || has.Allows(none) {
				t.Errorf("%q is a role", none)
			}
		}
	}
	readOnly := &authz.Restriction{ReadOnly: true}
	for role, want := range map[operator.Role]*authz.Restriction{
		operator.Viewer: readOnly, operator.Editor: nil, operator.Owner: nil, "": readOnly, "admin": readOnly,
	} {
		if got := (operator.Person{Role: role}).Restriction(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is restricted to %+v, want %+v", role, got, want)
		}
	}
}

// decisions is everything that needs an owner, done to somebody.
func (h *house) decisions(by operator.Person, to id.Operator, link id.Invitation) map[string]func() error {
	ctx := h.t.Context()
	return map[string]func() error{
		"inviting": func() error {
			_, _, err := h.Invite(ctx, by, operator.NewInvitation{Role: operator.Owner})
			return err
		},
		"revoking":        func() error { return h.RevokeInvitation(ctx, by, link) },
		"a link":          func() error { _, _, err := h.ResetPassword(ctx, by, to); return err },
		"ending sessions": func() error { return h.EndSessions(ctx, by, to) },
		"another role":    func() error { _, err := h.ChangeRole(ctx, by, to, operator.Viewer); return err },
		"removing":        func() error { return h.RemovePerson(ctx, by, to) },
	}
}

// Only owners decide about people: not others, not who was an owner when he was read, not who was never there.
func TestOnlyOwnersDecide(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, _ := h.person("ada", operator.Owner)
		former, _ := h.person("former", operator.Owner)
		removed, _ := h.person("removed", operator.Owner)
		editor, _ := h.person("editor", operator.Editor)
		viewer, _ := h.person("viewer", operator.Viewer)
		if _, err := h.ChangeRole(ctx, ada, former.ID, operator.Editor); err != nil {
			h.t.Fatal(err)
		}
		if err := h.RemovePerson(ctx, ada, removed.ID); err != nil {
			h.t.Fatal(err)
		}
		link, token, err := h.Invite(ctx, ada, operator.NewInvitation{Role: operator.Viewer})
		if err != nil {
			h.t.Fatal(err)
		}
		bob, session := h.person("bob", operator.Editor)
		liar := viewer
		liar.Role = operator.Owner
		for who, by := range map[string]operator.Person{
			"an editor": editor, "a viewer": viewer, "a former owner": former, "a removed owner": removed, "a viewer who says he is an owner": liar,
			"somebody without an id": {Name: "x", Role: operator.Owner},
		} {
			for what, decide := range h.decisions(by, bob.ID, link.ID) {
				wantCode(h.t, who+" "+what, decide(), fault.Forbidden, operator.CodeRoleRequired)
			}
			for what, decide := range h.decisions(by, "operator_01ARZ3NDEKTSV4RRFFQ69G5FAV", "invitation_01ARZ3NDEKTSV4RRFFQ69G5FAV") {
				wantCode(h.t, who+" "+what+", to nobody", decide(), fault.Forbidden, operator.CodeRoleRequired)
			}
		}
		if s := h.in("bob", session, bob); s.Person.Role != operator.Editor {
			h.t.Errorf("bob is %s", s.Person.Role)
		}
		if _, err := h.OpenInvitation(ctx, token); err != nil {
			h.t.Errorf("the link: %v", err)
		}
		people, err := h.ListPeople(ctx)
		if err != nil || len(people) != 5 {
			h.t.Errorf("%d people, %v", len(people), err)
		}
		for _, nobody := range []id.Operator{removed.ID, "", "nonsense", "operator_\x00\xff"} {
			for what, decide := range h.decisions(ada, nobody, link.ID) {
				if what != "inviting" && what != "revoking" {
					wantCode(h.t, what+" of nobody", decide(), fault.NotFound, fault.CodeNotFound)
				}
			}
		}
		for what, decide := range h.decisions(ada, bob.ID, link.ID) {
			if what == "removing" {
				continue
			}
			if err := decide(); err != nil {
				h.t.Errorf("an owner, %s: %v", what, err)
			}
		}
		h.out("bob, whose sessions were ended", session)
	})
}

// A role that was taken away, and a person who was removed, are so with the next request.
func TestRevocationHoldsAtOnce(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, _ := h.person("ada", operator.Owner)
		bob, session := h.person("bob", operator.Owner)
		_, made, err := h.Invite(ctx, bob, operator.NewInvitation{Role: operator.Owner})
		if err != nil {
			h.t.Fatal(err)
		}
		changed, err := h.ChangeRole(ctx, ada, bob.ID, operator.Viewer)
		if err != nil || changed.Role != operator.Viewer || changed.PasswordHash != "" {
			h.t.Errorf("%+v, %v", changed, err)
		}
		s := h.in("demoted", session, bob)
		if r := s.Person.Restriction(); s.Person.Role != operator.Viewer || r == nil || !r.ReadOnly {
			h.t.Errorf("still %+v", s.Person)
		}
		_, err = h.OpenInvitation(ctx, made)
		wantCode(h.t, "the link that the former owner made", err, fault.NotFound, operator.CodeInvitationInvalid)
		_, reset, err := h.ResetPassword(ctx, ada, bob.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := h.RemovePerson(ctx, ada, bob.ID); err != nil {
			h.t.Fatal(err)
		}
		h.out("removed", session)
		_, err = h.OpenInvitation(ctx, reset)
		wantCode(h.t, "his link for a password", err, fault.NotFound, operator.CodeInvitationInvalid)
		_, _, err = h.SignIn(ctx, bob.Email, password, "")
		wantCode(h.t, "his password", err, fault.Unauthorized, operator.CodeSignInFailed)

		// Somebody new under the old address inherits nothing (I12).
		again, _ := h.person("bob", operator.Viewer)
		if again.ID == bob.ID {
			h.t.Error("the id came back")
		}
		h.out("the session of his predecessor", session)
	})
}

// People are found by id and by e-mail address, however that is written.
func TestFindPerson(t *testing.T) {
	houses(t, func(h *house) {
		h.person("eve", operator.Viewer)
		ada, _ := h.person("ada", operator.Owner)
		for _, name := range []string{"ada@acme.example", " ADA@acme.Example", string(ada.ID)} {
			if p, err := h.FindPerson(h.t.Context(), name); err != nil || p != ada {
				h.t.Errorf("%q: %+v, %v", name, p, err)
			}
		}
		for _, name := range []string{"", "ada", "bob@acme.example", "\xff@\x00", "operator_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			if p, err := h.FindPerson(h.t.Context(), name); !fault.Is(err, fault.NotFound) || p != (operator.Person{}) {
				h.t.Errorf("%q: %+v, %v", name, p, err)
			}
		}
	})
}

// Everybody ends his own sessions, and nobody those of others without being an owner.
func TestEndSessions(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		viewer, first := h.person("viewer", operator.Viewer)
		_, second, err := h.SignIn(ctx, viewer.Email, password, "")
		if err != nil {
			h.t.Fatal(err)
		}
		other, untouched := h.person("other", operator.Viewer)
		if err := h.EndSessions(ctx, viewer, viewer.ID); err != nil {
			h.t.Fatal(err)
		}
		h.out("the first", first)
		h.out("the second", second)
		h.in("somebody else", untouched, other)
		if err := h.EndSessions(ctx, commandLine, other.ID); err != nil {
			h.t.Fatal(err)
		}
		h.out("somebody else, from the command line", untouched)
	})
}

// The last owner can be neither removed nor demoted, not even by himself or from the command line.
func TestLastOwner(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		ada, session := h.person("ada", operator.Owner)
		h.person("editor", operator.Editor)
		for _, by := range []operator.Person{ada, commandLine} {
			_, err := h.ChangeRole(ctx, by, ada.ID, operator.Editor)
			wantCode(h.t, "demoting", err, fault.Conflict, operator.CodeLastOwner)
			wantCode(h.t, "removing", h.RemovePerson(ctx, by, ada.ID), fault.Conflict, operator.CodeLastOwner)
		}
		if p, err := h.ChangeRole(ctx, ada, ada.ID, operator.Owner); err != nil || p.Role != operator.Owner {
			h.t.Errorf("what he is already: %+v, %v", p, err)
		}
		if _, err := h.ChangeRole(ctx, ada, ada.ID, "admin"); blamed(err) != "role " {
			h.t.Errorf("no role: %v", err)
		}
		h.in("still there", session, ada)
		bob, _ := h.person("bob", operator.Owner)
		if err := h.RemovePerson(ctx, ada, ada.ID); err != nil {
			h.t.Errorf("with another owner: %v", err)
		}
		wantCode(h.t, "the one who is left", h.RemovePerson(ctx, bob, bob.ID), fault.Conflict, operator.CodeLastOwner)
	})
}

// Owners who demote and remove each other and themselves at the same moment leave one of them.
func TestLastOwnerAtOnce(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		for round := range 5 {
			h.person("owner"+string(rune('a'+round)), operator.Owner)
			h.person("other"+string(rune('a'+round)), operator.Owner)
			people, err := h.ListPeople(ctx)
			if err != nil {
				h.t.Fatal(err)
			}
			var owners []operator.Person
			for _, p := range people {
				if p.Role == operator.Owner {
					owners = append(owners, p)
				}
			}
			errs := together(2*len(owners), func(i int) error {
				at := i / 2
				by, to := owners[at], owners[(at+1)%len(owners)].ID
				switch (i + round) % 3 {
				case 0:
					return h.RemovePerson(ctx, by, to)
				case 1:
					_, err := h.ChangeRole(ctx, by, by.ID, operator.Viewer)
					return err
				}
				_, err := h.ChangeRole(ctx, commandLine, to, operator.Editor)
				return err
			})
			for _, err := range errs {
				if err != nil && !fault.HasCode(err, operator.CodeLastOwner) && !fault.HasCode(err, operator.CodeRoleRequired) && !fault.Is(err, fault.NotFound) {
					h.t.Errorf("round %d: %v", round, err)
				}
			}
			if people, err = h.ListPeople(ctx); err != nil {
				h.t.Fatal(err)
			}
			left := 0
			for _, p := range people {
				if p.Role == operator.Owner {
					left++
				}
			}
			if left < 1 {
				h.t.Fatalf("round %d left nobody: %s", round, tally(errs))
			}
		}
	})
}
