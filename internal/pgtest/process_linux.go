package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// attributes makes a program run as the owner, and end at once when the test
// process dies without having stopped it.
func attributes(owner *account) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if owner != nil {
		attr.Credential = &syscall.Credential{Uid: owner.uid, Gid: owner.gid}
	}
	return attr
}

// An account is the user that PostgreSQL runs as when the test is run by root,
// whom it refuses. Without one (nil) it runs as the user of the test.
type account struct{ uid, gid uint32 }

// serverAccount finds an account without rights.
func serverAccount() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if uidErr != nil || gidErr != nil {
			return nil, fmt.Errorf("account %s has uid %q, gid %q", name, found.Uid, found.Gid)
		}
		return &account{uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, missingError("root may not run it, and there is no user postgres or nobody to run it as")
}

// own gives a file or folder to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

// temporaryFolder is where the cluster's folder is made. Root's own temporary
// folder can be closed to everybody else, then it is the system's.
func temporaryFolder(owner *account) string {
	own := os.TempDir()
	if owner == nil {
		return own
	}
	for folder := filepath.Clean(own); ; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return "/tmp"
		}
		if folder == filepath.Dir(folder) {
			return own
		}
	}
}
