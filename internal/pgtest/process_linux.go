package pgtest

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
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

// family is the ids of a process and of its children, itself first: a server
// whose children die before it makes new ones.
func family(parent int) []int {
	ids := []int{parent}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // fails on a bad pattern only
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// "ID (NAME) STATE PARENT ...", and the name may hold anything.
		_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		if id, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// kernelMemory notes the piece of the kernel's memory by which a server tells
// that another has its data. One that is killed leaves it behind, until what
// is returned removes it.
func (c *Cluster) kernelMemory() (remove func()) {
	text, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return func() {}
	}
	for line := range strings.Lines(string(text)) {
		var key, id int
		if n, _ := fmt.Sscanf(line, "%d %d", &key, &id); n == 2 {
			return func() { _, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil) }
		}
	}
	return func() {}
}
