//go:build !linux

package pgtest

import (
	"os"
	"syscall"
)

// attributes asks for nothing: this system cannot tie the life of a program to
// that of the test. Main and Cleanup stop it all the same.
func attributes(*account) *syscall.SysProcAttr { return nil }

// An account is only needed where tests run as root, which is Linux.
type account struct{}

func serverAccount() (*account, error) {
	if os.Geteuid() == 0 {
		return nil, missingError("root may not run it, and on this system the tests do not change the user")
	}
	return nil, nil
}

func (*account) own(string) error { return nil }

func temporaryFolder(*account) string { return os.TempDir() }

// family is the process alone: its children notice that it is gone.
func family(parent int) []int { return []int{parent} }

func (c *Cluster) kernelMemory() (remove func()) { return func() {} }
