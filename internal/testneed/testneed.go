// Package testneed is what a test calls when something outside of Go that it
// needs is not there: a PostgreSQL server, Node, root rights.
//
// It owns how such a gap is told. A developer's run skips the test and lists
// the gap by name at its end; a run with CI=true fails, because there a gap
// would mean that something goes untested without anyone noticing.
//
// What is tested, and how a need is met, it leaves to the tests and to
// scripts/test-deps.
package testneed

import (
	"os"
	"strings"
	"testing"
)

// Shared is the name of the reference material that lies beside some
// checkouts. It is never part of the repository, so its absence is a skip
// everywhere.
const Shared = "shared"

// Missing ends the test because the outside part called name is not there.
//
// Where ROLECALL_TEST_MISSING names a file, the line "name: why" is appended
// to it first. Reading that variable has a second effect that is wanted: its
// value differs from run to run, so "go test" never answers from its cache for
// a package that could not run everything.
func Missing(tb testing.TB, name, why string) {
	tb.Helper()
	why = strings.Join(strings.Fields(why), " ")
	if file := os.Getenv("ROLECALL_TEST_MISSING"); file != "" {
		if err := appendLine(file, name+": "+why+"\n"); err != nil {
			tb.Errorf("cannot record what is missing: %v", err)
		}
	}
	if os.Getenv("CI") == "true" && name != Shared {
		tb.Fatalf("missing: %s: %s", name, why)
	}
	tb.Skipf("missing: %s: %s", name, why)
}

// appendLine writes the line in one call: the test processes of several
// packages append to the same file at the same time.
func appendLine(file, line string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
