package pgtest

import (
	"os"
	"path/filepath"
	"testing"
)

func TestVersionOfAFolder(t *testing.T) {
	for folder, want := range map[string]int{
		"/usr/lib/postgresql/9/bin": 9, "/usr/lib/postgresql/17/bin": 17, "/usr/pgsql-16/bin": 16, "/opt/odd/bin": 0,
	} {
		if got := version(folder); got != want {
			t.Errorf("version(%q) = %d, want %d", folder, got, want)
		}
	}
}

func TestAWrapperIsNoProgram(t *testing.T) {
	folder := t.TempDir()
	script, real := filepath.Join(folder, "script"), filepath.Join(folder, "real")
	for path, content := range map[string]string{script: "#!/bin/sh\nexec postgres\n", real: "\x7fELF"} {
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if program(script) {
		t.Error("a script was taken for the program itself")
	}
	if !program(real) {
		t.Error("a program was not taken for one")
	}
}
