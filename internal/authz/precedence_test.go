package authz

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// saying is one or more assignments in words, oldest first: "sso", "directory", "manual", "group" and "first" for the
// default given at creation; "sso?" and "directory?" are results that only stand for "no group was mapped". Each is said
// an hour after the one before it, or in the same instant where "=" stands before it.
func saying(words string) (as []Assignment) {
	at := -24
	for _, w := range strings.Fields(words) {
		w, together := strings.CutPrefix(w, "=")
		if !together {
			at++
		}
		w, unmapped := strings.CutSuffix(w, "?")
		source := Source(w)
		if w == "first" {
			source = SourceDefault
		}
		a := assigned("viewer", source).at(at)
		a.Explicit = !unmapped
		as = append(as, a)
	}
	return as
}

// sources tells which count, in an order of their own.
func sources(as []Assignment) string {
	var words []string
	for _, a := range as {
		w := strings.Replace(string(a.Source), "default", "first", 1)
		if !a.Explicit {
			w += "?"
		}
		words = append(words, w)
	}
	slices.Sort(words)
	return strings.Join(words, " ")
}

func TestSourcePrecedence(t *testing.T) {
	for _, c := range []struct{ rule, said, want string }{
		{"nothing said", "", ""},
		{"R24", "first", "first"},
		{"R24", "first manual", "manual"},
		{"R24", "manual first", "manual"},
		{"R24", "first group", "group"},
		{"R24", "first sso?", "sso?"},
		{"R24", "sso? first", "sso?"},
		{"R24", "first directory?", "directory?"},

		{"R90", "manual sso", "sso"},
		{"R90: in the same instant", "manual =sso", "sso"},
		{"R91", "manual sso?", "manual"},
		{"R91", "sso? manual", "manual"},
		{"R92", "sso manual", "manual"},
		{"R92: several roles set by the API are one say", "manual sso manual", "manual manual"},

		{"R94", "manual directory", "directory"},
		{"R94", "directory sso", "directory"},
		{"R94", "sso directory", "directory"},
		{"R94: also one that says nothing in particular", "directory sso?", "directory"},
		{"R94", "manual sso directory", "directory"},
		{"R94", "manual directory sso", "directory"},
		{"R95: SSO does not come in where the API overrides the directory", "directory manual sso", "manual"},
		{"R95", "directory sso manual", "manual"},
		{"R95", "sso directory manual", "manual"},
		{"R94: in the same instant", "manual =directory sso", "directory"},
		{"R95: of two that found no group mapped", "sso? directory?", "directory?"},
		{"R95", "directory? sso?", "directory?"},
		{"R96", "directory manual", "manual"},
		{"R97", "manual directory?", "manual"},
		{"R97", "directory? manual", "manual"},
		{"R97", "sso directory?", "sso"},
		{"R97", "directory? sso", "sso"},
		{"R97", "sso manual directory?", "manual"},
		{"R91, R97", "sso? manual directory?", "manual"},

		{"R100: all that a provider said", "directory =directory", "directory directory"},
		{"text of 3.8: the default of an unmapped group only without an explicit one", "sso? =sso", "sso"},
		{"text of 3.8", "directory? =directory", "directory"},

		{"R136", "group manual", "group manual"},
		{"R136", "manual sso group", "group sso"},
		{"R136", "sso manual group", "group manual"},
		{"R136", "directory manual sso group", "group manual"},
		{"R136: two groups", "group group manual", "group group manual"},
		{"R136: no group mapped does not join what a native group gives", "group sso?", "group"},
		{"R136", "group directory? sso?", "group"},
	} {
		as := saying(c.said)
		for range 2 {
			slices.Reverse(as)
			if got := sources(InForce(as, noon)); got != c.want {
				t.Errorf("%s: after %q counts %q, want %q", c.rule, c.said, got, c.want)
			}
		}
	}
}

// What is not in force does not outrank what is, and not by its time either.
func TestSourcesOutsideTheirInterval(t *testing.T) {
	for _, c := range []struct {
		rule string
		as   []Assignment
		want string
	}{
		{"R138: an ended override gives the provider its say back", []Assignment{assigned("viewer", SourceSSO).at(-3), assigned("admin", SourceManual).at(-2).until(0)}, "sso"},
		{"until then it overrides", []Assignment{assigned("viewer", SourceSSO).at(-3), assigned("admin", SourceManual).at(-2).until(1)}, "manual"},
		{"one that begins later does not override yet", []Assignment{assigned("viewer", SourceSSO).at(-3), assigned("admin", SourceManual).at(-2).from(1)}, "sso"},
		{"and overrides from its instant on", []Assignment{assigned("viewer", SourceSSO).at(-3), assigned("admin", SourceManual).at(-2).from(0)}, "manual"},
		{"an ended role among others does not make them later",
			[]Assignment{assigned("member", SourceManual).at(-4), assigned("viewer", SourceSSO).at(-3), assigned("admin", SourceManual).at(-2).until(0)}, "sso"},
		{"a group's interval counts as well", []Assignment{assigned("viewer", SourceGroup).until(0), assigned("member", SourceDefault)}, "first"},
	} {
		if got := sources(InForce(c.as, noon)); got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
}

func TestStand(t *testing.T) {
	p := sceneFacts().gone("owner>admin", "admin>editor", "editor>default>viewer").Policy
	for _, c := range []struct {
		rule string
		a    Assignment
		want string
	}{
		{"a role that exists", assigned("viewer", SourceManual), "viewer manual true"},
		{"R45: the default, as the default", assigned("editor", SourceManual), "viewer default true"},
		{"R45, R46: at the end of a chain", assigned("owner", SourceDirectory), "viewer default true"},
		{"R45: a group has none", assigned("editor", SourceGroup), "editor group false"},
		{"R45: nor at the end of a chain", assigned("owner", SourceGroup), "editor group false"},
		{"R45: nor has a resource", assigned("editor", SourceManual).upon(task), "editor manual false"},
		{"a role that is unknown is somebody else's to judge", assigned("theirs", SourceManual), "theirs manual true"},
	} {
		a, ok := p.stand(c.a)
		if got := fmt.Sprint(a.Role, " ", a.Source, " ", ok); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
		if a.ID != c.a.ID || !a.UpdatedAt.Equal(c.a.UpdatedAt) || a.Resource != c.a.Resource {
			t.Errorf("%s: the assignment became another: %+v", c.rule, a)
		}
	}
}
