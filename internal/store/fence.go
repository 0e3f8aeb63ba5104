package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/rolecall/rolecall/internal/fresh"
)

// A server is alone with its SQLite file but for commands that run beside it. They cannot tell it what they change, so
// they count: in a small file beside the database, which the server has in its memory, where it sees a step at once.
//
//   - A command takes the step while it has SQLite's write lock, and before it commits. So whoever can see the change
//     can see the step, and the server's term, which lasts only while the count stands, is over by then.
//   - The server begins a term while it has the write lock itself. So no command is between its step and the end of its
//     commit then, and it matters not how those before it ended: a command that died let go of the lock.
//
// The server makes the file before it first takes the lock. So a command that has the lock and finds no file is one that
// no term begins before the end of.
const (
	fenceSuffix = ".fence"
	fenceSize   = 8 // one counter; what lies behind it is not ours
)

// fencePause is how soon after a step the server tries to answer from memory again.
const fencePause = 20 * time.Millisecond

// openFence opens the file of the count. flag is os.O_CREATE for the one who may make it. What it lacks is written: a hole
// in a file could need a block of a full disk later, when it is looked at in memory.
func openFence(path string, flag int) (*os.File, os.FileInfo, error) {
	f, err := os.OpenFile(path+fenceSuffix, os.O_RDWR|flag, 0o600)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < fenceSize {
		_, err = f.WriteAt(make([]byte, fenceSize-info.Size()), info.Size())
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}

func readCount(f *os.File) (uint64, error) {
	var b [fenceSize]byte
	_, err := f.ReadAt(b[:], 0)
	return binary.NativeEndian.Uint64(b[:]), err
}

// step counts. It is for the one process that has the write lock.
func step(f *os.File) error {
	n, err := readCount(f)
	if err == nil {
		_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, n+1), 0)
	}
	if err != nil {
		return fmt.Errorf("telling a running server: %w", err)
	}
	return nil
}

// watchFence opens the file of the count for a server. count may be called for as long as anybody has it.
func watchFence(path string) (count func() uint64, file os.FileInfo, err error) {
	f, file, err := openFence(path, os.O_CREATE)
	if err == nil {
		count, err = watch(f)
	}
	return count, file, err
}

// host is the peers of the server of an SQLite file.
type host struct {
	path  string
	write *sql.DB
	book  *fresh.Book
	count func() uint64
	file  os.FileInfo // of count
}

func newHost(path string, write *sql.DB, book *fresh.Book) (*host, error) {
	count, file, err := watchFence(path)
	if err != nil {
		return nil, fmt.Errorf("opening the file by which commands tell the server of changes, which must be readable and writable: %w", err)
	}
	return &host{path: path, write: write, book: book, count: count, file: file}, nil
}

// announce has nobody to tell: commands remember nothing.
func (h *host) announce(context.Context, *tx, []fresh.Region) (func(bool), error) {
	return func(bool) {}, nil
}

func (h *host) keep(ctx context.Context) {
	tick := time.NewTicker(fencePause)
	defer tick.Stop()
	for {
		if t := h.book.Term(); !h.inPlace() || t == nil || !t.Lasts() {
			h.begin(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// inPlace says whether commands find the file that the server looks at. Where somebody removed it there is another one
// from then on.
func (h *host) inPlace() bool {
	now, err := os.Stat(h.path + fenceSuffix)
	if err == nil && os.SameFile(now, h.file) && now.Size() >= fenceSize {
		return true
	}
	h.book.Lapse()
	if count, file, err := watchFence(h.path); err == nil {
		h.count, h.file = count, file
	}
	return false
}

// begin begins a term. Where that cannot be now, for a command that has the lock for long or a full disk, the next turn
// tries again, and until then the database is asked.
func (h *host) begin(ctx context.Context) {
	locked, err := h.write.BeginTx(ctx, &sql.TxOptions{}) // BEGIN IMMEDIATE, by the connection's _txlock
	if err != nil {
		return
	}
	t := fresh.NewTerm(h.count)
	if err := locked.Rollback(); err != nil {
		return
	}
	h.book.Begin(t)
}

func (*host) standing() Circle { return Circle{} }

func (h *host) close() error { return nil }

// visitor is the peers of a command that runs on an SQLite file, perhaps beside its server.
type visitor struct{ path string }

func (v visitor) announce(context.Context, *tx, []fresh.Region) (func(bool), error) {
	nothing := func(bool) {}
	f, _, err := openFence(v.path, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nothing, v.alone()
	case err != nil:
		return nil, fmt.Errorf("telling a running server: %w", err)
	}
	return nothing, errors.Join(step(f), f.Close())
}

// alone is nil while no server runs.
func (v visitor) alone() error {
	lock := flock.New(v.path+lockSuffix, flock.SetPermissions(0o600))
	free, err := lock.TryLock()
	if err != nil {
		return fmt.Errorf("looking for a running server: %w", err)
	}
	if !free {
		return fmt.Errorf("%s is gone, by which the running server is told of changes; it makes it anew: try again", v.path+fenceSuffix)
	}
	return lock.Unlock()
}

// keep has nothing to keep: a command asks the database.
func (visitor) keep(ctx context.Context) { <-ctx.Done() }

func (visitor) standing() Circle { return Circle{} }

func (visitor) close() error { return nil }
