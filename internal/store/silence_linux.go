package store

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// giveUpSilence has the system give a connection up when what was sent is not acknowledged in time.
func giveUpSilence(network, _ string, raw syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	var set error
	err := raw.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silenceTime.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return set
}
