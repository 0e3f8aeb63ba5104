package pgtest

import (
	"os/exec"
	"runtime"
)

// A process is a program that was started and is waited for.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone
	err   error         // how it ended; read after ended is closed
}

// launch starts a program that dies with the test process, where the system
// has a way to ask for that (see attributes).
//
// Linux ties the program's life to the thread that started it, not to the
// whole process, and Go ends threads as it likes. So the thread is held by a
// goroutine that lives as long as the program.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}
