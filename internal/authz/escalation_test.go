package authz

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

func TestMayCause(t *testing.T) {
	const here, there = id.Organization("org_here"), id.Organization("org_there")
	everything := &Restriction{Organization: here, Everything: true}
	some := &Restriction{Permissions: []string{"a", "b"}}
	both := &Restriction{Organization: here, Permissions: []string{"a"}}
	none := &Restriction{}
	for name, c := range map[string]struct {
		actor *Restriction
		org   id.Organization
		gains []string
		want  string
	}{
		"no restriction":                             {nil, here, []string{"a", "z"}, ""},
		"no restriction, the environment":            {nil, "", []string{"a"}, ""},
		"its organization":                           {everything, here, []string{"a"}, ""},
		"another organization":                       {everything, there, nil, "organization_restricted"},
		"the environment":                            {everything, "", nil, "organization_restricted"},
		"its permissions":                            {some, here, []string{"b", "a", "a"}, ""},
		"its permissions in the environment":         {some, "", []string{"a"}, ""},
		"one more":                                   {some, here, []string{"a", "c"}, "permission_escalation"},
		"matched to the letter":                      {some, here, []string{"A"}, "permission_escalation"},
		"nothing gained":                             {none, "", nil, ""},
		"anything":                                   {none, here, []string{"a"}, "permission_escalation"},
		"both restrictions, the organization first":  {both, there, []string{"z"}, "organization_restricted"},
		"read only":                                  {&Restriction{ReadOnly: true, Everything: true}, here, nil, "read_only"},
		"read only, the environment":                 {&Restriction{ReadOnly: true, Everything: true}, "", nil, "read_only"},
		"read only, elsewhere":                       {&Restriction{ReadOnly: true, Organization: here}, there, nil, "read_only"},
		"both restrictions, in its own organization": {both, here, []string{"z"}, "permission_escalation"},
	} {
		err := MayCause(c.actor, c.org, c.gains)
		if c.want == "" && err != nil || c.want != "" && !(fault.HasCode(err, c.want) && fault.Is(err, fault.Forbidden)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// A refusal names what is lacking, each once, sorted, and stays small.
func TestMayCauseNamesWhatIsLacking(t *testing.T) {
	err := MayCause(&Restriction{Permissions: []string{"a"}}, "", []string{"c", "a", "b", "c"})
	if err == nil || !strings.HasSuffix(fault.Of(err).Message, ": b, c.") {
		t.Errorf("said %v", err)
	}
	var many []string
	for i := range 1000 {
		many = append(many, fmt.Sprint("p", i))
	}
	if err := MayCause(&Restriction{}, "", many); len(fault.Of(err).Message) > 200 || !strings.Contains(err.Error(), "and others") {
		t.Errorf("said %v", err)
	}
}

// memory runs changes on nothing: these here end before they write.
type memory struct{ DB }

func (memory) Update(_ context.Context, fn func(Tx) error) error { return fn(written{}) }

// written takes events.
type written struct{ Tx }

func (written) InsertEvents([]event.Event) error { return nil }

// A rule that forgets to ask does not commit, for whomever it runs; nor does one that tells a caller of one organization
// of something elsewhere. Both are defects, not refusals.
func TestGuard(t *testing.T) {
	s := New(memory{}, time.Now, id.NewSource(time.Now, nil))
	limited := Caller{Only: &Restriction{Organization: "org_here", Everything: true}}
	tell := func(ch *change, org id.Organization) error {
		return ch.emit(event.OrganizationUpdated, org, map[string]string{}, nil)
	}
	for name, c := range map[string]struct {
		caller Caller
		rule   func(*change) error
		fine   bool
	}{
		"asked":                      {Caller{}, func(ch *change) error { return ch.permit("") }, true},
		"did not ask":                {Caller{}, func(ch *change) error { return tell(ch, "") }, false},
		"did not ask and is limited": {limited, func(ch *change) error { return tell(ch, "org_here") }, false},
		"asked for one organization and changed it": {limited, func(ch *change) error {
			if err := ch.permit("org_here"); err != nil {
				return err
			}
			return tell(ch, "org_here")
		}, true},
		"asked for one organization and changed another": {limited, func(ch *change) error {
			if err := ch.permit("org_here"); err != nil {
				return err
			}
			return tell(ch, "org_there")
		}, false},
		"asked for one organization and changed the environment": {limited, func(ch *change) error {
			if err := ch.permit("org_here"); err != nil {
				return err
			}
			return tell(ch, "")
		}, false},
	} {
		_, err := write(t.Context(), s, c.caller, func(ch *change) (struct{}, error) { return struct{}{}, c.rule(ch) })
		if c.fine != (err == nil) || err != nil && fault.Of(err).Kind != fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever may only look is refused before a rule does anything, and may read what he sees.
func TestReadOnly(t *testing.T) {
	s := New(memory{}, time.Now, id.NewSource(time.Now, nil))
	for name, only := range map[string]*Restriction{
		"everywhere":         {ReadOnly: true, Everything: true},
		"in an organization": {ReadOnly: true, Everything: true, Organization: "org_here"},
		"and nothing more":   {ReadOnly: true},
	} {
		_, err := write(t.Context(), s, Caller{Only: only}, func(*change) (struct{}, error) {
			t.Errorf("%s: a rule was run", name)
			return struct{}{}, nil
		})
		if !fault.Is(err, fault.Forbidden) || !fault.HasCode(err, "read_only") {
			t.Errorf("%s: %v", name, err)
		}
		if err := MayRead(only, "org_here"); err != nil {
			t.Errorf("%s: reading an organization: %v", name, err)
		}
		if err := MayRead(only, ""); (err == nil) != (only.Organization == "") {
			t.Errorf("%s: reading the environment: %v", name, err)
		}
	}
}
