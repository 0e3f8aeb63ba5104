package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Every command has help with an example that the command line understands, and every flag and argument says what it
// is. New commands take part by themselves.
func TestHelp(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commands{}, kong.Name("rolecall"), kong.Vars{"database": "sqlite:x"})
	if err != nil {
		t.Fatal(err)
	}
	leaves := 0
	for _, n := range every(parser.Model.Node) {
		if n.Help == "" {
			t.Errorf("%s has no help", n.FullPath())
		}
		for _, f := range n.Flags {
			if f.Help == "" {
				t.Errorf("%s: the flag --%s has no help", n.FullPath(), f.Name)
			}
		}
		for _, p := range n.Positional {
			if p.Help == "" {
				t.Errorf("%s: the argument %s has no help", n.FullPath(), p.Name)
			}
		}
		if !n.Leaf() {
			continue
		}
		leaves++
		checkExamples(t, parser, strings.TrimPrefix(n.FullPath(), "rolecall "))
	}
	if leaves < 8 {
		t.Errorf("walked %d commands", leaves)
	}
}

// every is all commands below a node.
func every(n *kong.Node) []*kong.Node {
	var all []*kong.Node
	for _, child := range n.Children {
		all = append(append(all, child), every(child)...)
	}
	return all
}

func checkExamples(t *testing.T, parser *kong.Kong, command string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := Main(t.Context(), append(strings.Fields(command), "--help"), Streams{Out: &out, Err: &errs}); code != 0 || errs.Len() > 0 {
		t.Errorf("%s --help: exit %d: %s", command, code, errs.String())
	}
	examples := 0
	for line := range strings.Lines(out.String()) {
		_, args, isExample := strings.Cut(strings.TrimSpace(line), "rolecall ")
		if !isExample || !strings.HasPrefix(args, command) || strings.Contains(line, "Usage:") {
			continue
		}
		examples++
		if _, err := parser.Parse(fields(args)); err != nil {
			t.Errorf("the example %q of %s: %v", strings.TrimSpace(line), command, err)
		}
	}
	if examples == 0 {
		t.Errorf("%s has no example:\n%s", command, out.String())
	}
}

// fields splits words as a shell does, as far as examples need it.
func fields(s string) []string {
	var all []string
	for i, part := range strings.Split(s, "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

// The overview names every command.
func TestOverview(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"-h"}} {
		var out, errs bytes.Buffer
		if code := Main(t.Context(), args, Streams{Out: &out, Err: &errs}); code != 0 || errs.Len() > 0 {
			t.Errorf("%q: exit %d: %s", args, code, errs.String())
		}
		for _, command := range []string{"serve", "migrate", "api-key create", "api-key list", "api-key revoke", "environment create", "environment list", "operator invite", "operator list", "operator remove", "operator reset-password", "version"} {
			if !strings.Contains(out.String(), command) {
				t.Errorf("%q does not name %s:\n%s", args, command, out.String())
			}
		}
	}
}

// Help names the default database and shows nothing of what is configured.
func TestHelpNamesTheDefaultDatabase(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", "/somewhere/data")
	t.Setenv("ROLECALL_API_KEY", "canary-key")
	t.Setenv("ROLECALL_DATABASE", "postgres://user:canary-password@host/x")
	var out, errs bytes.Buffer
	if code := Main(t.Context(), []string{"serve", "--help"}, Streams{Out: &out, Err: &errs}); code != 0 {
		t.Errorf("exit %d: %s", code, errs.String())
	}
	if help := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(help, "sqlite:/somewhere/data/rolecall/rolecall.db") || !strings.Contains(help, "ROLECALL_API_KEY") {
		t.Errorf("help:\n%s", out.String())
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("help shows what is configured:\n%s", out.String())
	}
}
