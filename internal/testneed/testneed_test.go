package testneed

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// verdict is a testing.TB that remembers how it was ended. Embedding the
// interface is the only way to make one outside of package testing.
type verdict struct {
	testing.TB
	skipped, failed string
}

func (v *verdict) Helper() {}
func (v *verdict) Skipf(format string, args ...any) {
	v.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (v *verdict) Fatalf(format string, args ...any) {
	v.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (v *verdict) Errorf(format string, args ...any) { v.failed = fmt.Sprintf(format, args...) }

func missing(name, why string) *verdict {
	v := new(verdict)
	var done sync.WaitGroup
	done.Go(func() { Missing(v, name, why) })
	done.Wait()
	return v
}

func TestMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "missing")
	t.Setenv("ROLECALL_TEST_MISSING", file)

	t.Setenv("CI", "")
	if v := missing("PostgreSQL", "no initdb\nanywhere"); v.skipped == "" || v.failed != "" {
		t.Errorf("outside of CI a need that is missing must skip, got %+v", v)
	}
	t.Setenv("CI", "true")
	if v := missing("Node", "too old"); v.failed == "" || v.skipped != "" {
		t.Errorf("in CI a need that is missing must fail, got %+v", v)
	}
	if v := missing(Shared, "not beside this checkout"); v.skipped == "" || v.failed != "" {
		t.Errorf("reference material that is absent must skip in CI too, got %+v", v)
	}

	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "PostgreSQL: no initdb anywhere\nNode: too old\nshared: not beside this checkout\n"
	if string(got) != want {
		t.Errorf("recorded %q, want %q", got, want)
	}
}

func TestMissingWithoutRecord(t *testing.T) {
	t.Setenv("ROLECALL_TEST_MISSING", "")
	t.Setenv("CI", "")
	if v := missing("Node", "none"); v.skipped == "" || v.failed != "" {
		t.Errorf("without a file to write to it must still skip, got %+v", v)
	}
}

func TestFindNodeTakesTheFirstUsable(t *testing.T) {
	fake := func(version string) string {
		path := filepath.Join(t.TempDir(), "node")
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho "+version+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if runtime.GOOS == "windows" {
		t.Skip("the fake Node is a shell script")
	}
	old, good, newer := fake("v18.20.4"), fake("v20.1.0"), fake("v22.0.0")
	if got, err := findNode("/nowhere/node", old, good, newer); err != nil || got != good {
		t.Errorf("found %q, %v, want %q", got, err, good)
	}
	if got, err := findNode(old); err == nil || !strings.Contains(err.Error(), "v18.20.4") {
		t.Errorf("found %q, %v, want an error that names the version found", got, err)
	}
}

func TestFindChromiumTakesTheFirstThatRuns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the fake browser is a shell script")
	}
	fake := func(code string) string {
		path := filepath.Join(t.TempDir(), "chromium")
		if err := os.WriteFile(path, []byte("#!/bin/sh\nexit "+code+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stub, good, other := fake("1"), fake("0"), fake("0")
	if got, err := findChromium("/nowhere/chromium", stub, good, other); err != nil || got != good {
		t.Errorf("found %q, %v, want %q", got, err, good)
	}
	if got, err := findChromium(stub); err == nil || !strings.Contains(err.Error(), stub) {
		t.Errorf("found %q, %v, want an error that names what does not run", got, err)
	}
}
