package archtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestLibcFitsSQLite: modernc.org/sqlite is C translated to Go together with
// one version of modernc.org/libc, and may misbehave with any other, a newer
// one too. Go's choice of versions does not know that.
func TestLibcFitsSQLite(t *testing.T) {
	sqlite, libc := chosenModule(t, "modernc.org/sqlite"), chosenModule(t, "modernc.org/libc")
	manifest, err := os.ReadFile(sqlite.GoMod)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(manifest)) {
		words := strings.Fields(strings.TrimPrefix(line, "require"))
		if len(words) >= 2 && words[0] == "modernc.org/libc" && words[1] != libc.Version {
			t.Errorf("go.mod chooses modernc.org/libc %s, modernc.org/sqlite %s was made with %s: require that one",
				libc.Version, sqlite.Version, words[1])
		}
	}
}

type chosen struct{ Version, GoMod string }

// chosenModule is the version of a module that the product is built with.
func chosenModule(t *testing.T, path string) (m chosen) {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-json=Version,GoMod", path).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", path, err)
	}
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
