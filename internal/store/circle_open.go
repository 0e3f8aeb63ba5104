package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall/rolecall/internal/fresh"
)

// postgresPeers is the peers of a process on PostgreSQL. A test of several processes builds the program without it, to show
// what it is there for.
func postgresPeers(book *fresh.Book, dial func(context.Context) (*pgx.Conn, error)) peers {
	return newCircle(book, dial)
}
