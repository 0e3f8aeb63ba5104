package operator_test

import (
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// What is kept of a password is what ADR 19 says, salted, and goes on working when its cost changes.
func TestPasswordsAsTheyAreKept(t *testing.T) {
	houses(t, func(h *house) {
		ctx := h.t.Context()
		full := operator.New(h.db, h.db.Fresh(), h.now, id.NewSource(h.now, nil))
		for _, name := range []string{"ada", "eve"} {
			in := operator.NewPerson{Name: name, Email: name + "@acme.example", Password: password}
			if _, _, err := full.Accept(ctx, h.invited("", operator.Owner), in); err != nil {
				h.t.Fatal(err)
			}
		}
		hashes := map[string]bool{}
		h.eachKept(func(p *operator.Person) {
			if !strings.HasPrefix(string(p.PasswordHash), "$argon2id$v=19$m=65536,t=3,p=1$") {
				h.t.Errorf("the cost is another one: %.40s", string(p.PasswordHash))
			}
			hashes[string(p.PasswordHash)] = true
		})
		if len(hashes) != 2 {
			h.t.Error("two people with one password have one hash")
		}
		if _, _, err := h.SignIn(ctx, "ada@acme.example", password, ""); err != nil {
			h.t.Errorf("with another cost than it was made with: %v", err)
		}
		_, _, err := h.SignIn(ctx, "ada@acme.example", password+"x", "")
		wantCode(h.t, "a wrong one", err, fault.Unauthorized, operator.CodeSignInFailed)
	})
}

// A hash that cannot be read lets nobody in, and is not repeated in the error.
func TestDamagedHash(t *testing.T) {
	houses(t, func(h *house) {
		ada, _ := h.person("ada", operator.Owner)
		for _, damaged := range []string{
			"canary", "$argon2id$v=19$canary", "$argon2i$v=19$m=8,t=1,p=1$canary$canary", "$argon2id$v=16$m=8,t=1,p=1$canary$canary",
			"$argon2id$v=19$m=8,t=1,p=1$canary!$canary!", "$argon2id$v=19$m=8,t=0,p=1$canary$canary", "$argon2id$v=19$m=8,t=1,p=1$canary$canary",
			"$argon2id$v=19$m=8,t=1,p=1$$", "$argon2id$v=19$canary$canary$canary",
		} {
			h.eachKept(func(p *operator.Person) { p.PasswordHash = operator.PasswordHash(damaged) })
			_, token, err := h.fresh().SignIn(h.t.Context(), ada.Email, password, "")
			if err == nil || token != "" || !fault.Is(fault.Of(err), fault.Internal) || strings.Contains(err.Error(), "canary") {
				h.t.Errorf("%s: %v", damaged, err)
			}
		}
	})
}

// eachKept shows everybody as he is stored, and stores what is made of him.
func (h *house) eachKept(do func(*operator.Person)) {
	h.t.Helper()
	err := h.db.UpdateOperators(h.t.Context(), func(t operator.PeopleTx) error {
		people, err := t.People()
		for _, p := range people {
			do(&p)
			if err == nil {
				err = t.UpdatePerson(p)
			}
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
