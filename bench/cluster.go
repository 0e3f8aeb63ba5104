package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
	if len(b.On) > 0 {
		all = slices.DeleteFunc(all, func(d database) bool { return !slices.Contains(b.On, d.Name) })
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

// copyOf copies a database that nobody uses at the moment. remove drops the copy.
func (b *bench) copyOf(ctx context.Context, d database) (copied database, remove func() error, err error) {
	path, isFile := strings.CutPrefix(d.location, "sqlite:")
	if isFile {
		path, err = copyFile(path)
		remove = func() error {
			return errors.Join(os.Remove(path), os.RemoveAll(path+"-wal"), os.RemoveAll(path+"-shm"))
		}
		return database{d.Name, "sqlite:" + path}, remove, err
	}
	u, err := url.Parse(d.location)
	if err != nil {
		return database{}, nil, err
	}
	source := strings.TrimPrefix(u.Path, "/")
	u.Path += "_copy"
	name := pgx.Identifier{source + "_copy"}.Sanitize()
	err = execute(ctx, b.postgres.server.URL(), "CREATE DATABASE "+name+" TEMPLATE "+pgx.Identifier{source}.Sanitize())
	remove = func() error {
		return execute(context.WithoutCancel(ctx), b.postgres.server.URL(), "DROP DATABASE "+name+" WITH (FORCE)")
	}
	return database{d.Name, u.String()}, remove, err
}

func copyFile(path string) (copied string, err error) {
	from, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.Create(path + ".copy")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(to, from)
	return to.Name(), errors.Join(err, to.Sync(), to.Close())
}
