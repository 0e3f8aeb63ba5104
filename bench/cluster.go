package main

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall/rolecall/internal/pgtest"
)

// A database is one that a figure is measured on.
type database struct {
	Name     string
	location string // as rolecall serve takes it
}

// databases makes an empty database of each kind.
func (b *bench) databases(ctx context.Context, name string) ([]database, error) {
	all := []database{{"SQLite", "sqlite:" + filepath.Join(b.folder, name+".db")}}
	if b.postgres != nil {
		location, err := b.postgres.create(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, database{"PostgreSQL", location})
	}
	return all, nil
}

// cluster is a private PostgreSQL server with the settings it has when nobody sets any: it waits for the disk at every
// commit.
type cluster struct{ server *pgtest.Cluster }

// startCluster starts the server that tests use too.
func startCluster() (*cluster, error) {
	server, err := pgtest.New()
	if err != nil {
		return nil, err
	}
	return &cluster{server}, nil
}

func (c *cluster) remove() error { return c.server.Remove() }

// create makes a database and returns its address.
func (c *cluster) create(ctx context.Context, name string) (string, error) {
	if err := execute(ctx, c.server.URL(), "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", err
	}
	u, err := url.Parse(c.server.URL())
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// execute runs one statement over a connection of its own.
func execute(ctx context.Context, location, statement string) error {
	conn, err := pgx.Connect(ctx, location)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
}
