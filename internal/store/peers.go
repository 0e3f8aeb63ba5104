package store

import (
	"context"

	"github.com/rolecall/rolecall/internal/fresh"
)

// peers is the other processes on the same database, as far as they and this one remember what it holds.
type peers interface {
	// announce returns when every other process that may answer from memory has stopped answering about the regions, and
	// will go on only when the transaction has ended, which is told by ended: known says that it is over, either way.
	// What keeps another process from hearing delays this by no more than its lease.
	announce(ctx context.Context, t *tx, regions []fresh.Region) (ended func(known bool), err error)
	// keep has terms begin and end in the book until the context ends.
	keep(ctx context.Context)
	// standing is how this process stands with the others.
	standing() Circle
	// close gives up what peers hold of the database.
	close() error
}
