package pgtest

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A missingError says why this machine has no PostgreSQL to run.
type missingError string

func (e missingError) Error() string { return "PostgreSQL is missing: " + string(e) }

// findBinaries returns the folder that holds initdb and postgres.
//
// The folders that packages put them in come first, the newest version before
// the older ones; what PATH has can be a wrapper or a link into one of them,
// and initdb looks for its other files beside itself.
func findBinaries() (string, error) {
	var folders []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"} {
		found, _ := filepath.Glob(pattern) // fails on a bad pattern only
		slices.SortFunc(found, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
		folders = append(folders, found...)
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(path))
		}
	}
	for _, folder := range folders {
		if program(filepath.Join(folder, "initdb")) && program(filepath.Join(folder, "postgres")) {
			return folder, nil
		}
	}
	return "", missingError("no initdb and postgres in PATH or in /usr/lib/postgresql/*/bin")
}

// version reads the number in ".../15/bin" or ".../pgsql-15/bin"; one that has
// none sorts last.
func version(folder string) int {
	name := filepath.Base(filepath.Dir(folder))
	number, _ := strconv.Atoi(strings.TrimPrefix(name, "pgsql-"))
	return number
}

// program tells a real program from a script that wraps one.
func program(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	start := make([]byte, 2)
	_, err = f.Read(start)
	return err == nil && string(start) != "#!"
}
