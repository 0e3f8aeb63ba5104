package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/server"
)

const createPath = "/authorization/organizations/%s/roles"

// creating is one way of creating custom roles. Every round has organizations of its own, with one custom role each,
// so that the last round does the same work as the first.
type creating struct {
	connections   int
	organizations int
	most          int // bounds the roles of a round where they all fall upon one organization
}

var creatings = []creating{
	{connections: 1, organizations: 200},
	{connections: 16, organizations: 200},
	{connections: 64, organizations: 200},
	{connections: 16, organizations: 1, most: 250},
}

// create measures the creation of custom roles beside bare commits of as many rows, into plain tables and into tables as
// the product has them.
func (b *bench) create(ctx context.Context, report *Report) error {
	databases, err := b.databases(ctx, "create")
	if err != nil {
		return err
	}
	for _, d := range databases {
		rows, err := b.createOn(ctx, d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		report.Create = append(report.Create, rows...)
	}
	return nil
}

func (b *bench) createOn(ctx context.Context, d database) (rows []CreateRow, err error) {
	perRound := 0
	for _, c := range creatings {
		perRound += c.organizations
	}
	w, err := b.settle(ctx, d, plan{organizations: perRound * (b.Rounds + 1), customRoles: 1})
	if err != nil {
		return nil, err
	}
	plain, err := b.floor(ctx, d, "floor-plain", true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plain.close()) }()
	keyed, err := b.floor(ctx, d, "floor-keyed", false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, keyed.close()) }()
	s, err := b.serve(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	found := make([]CreateRow, len(creatings))
	unused, acknowledged := slices.Clone(w.organizations), 0
	// Organizations that are busy at the same time were not all made one after the other.
	rand.Shuffle(len(unused), func(i, j int) { unused[i], unused[j] = unused[j], unused[i] })
	for round := range b.Rounds + 1 { // the first only warms up
		b.say("create: %s, round %d of %d", d.Name, round, b.Rounds)
		for i, c := range creatings {
			found[i].Database, found[i].Connections, found[i].Organizations = d.Name, c.connections, c.organizations
			span := pick(b, 1500*time.Millisecond, 300*time.Millisecond)
			bare, err := measure(ctx, c.connections, span, plain.commit)
			if err != nil {
				return nil, fmt.Errorf("bare commits: %w", err)
			}
			bareKeyed, err := measure(ctx, c.connections, span, keyed.commit)
			if err != nil {
				return nil, fmt.Errorf("bare commits into the product's tables: %w", err)
			}
			l := load{connections: c.connections, span: span, most: c.most}
			o, err := l.run(ctx, s, w.creations(unused[:c.organizations]))
			if err = errors.Join(err, ctx.Err()); err != nil {
				return nil, err
			}
			unused, acknowledged = unused[c.organizations:], acknowledged+o.answered
			if round > 0 {
				found[i].add(o, bare, bareKeyed)
			}
		}
	}
	for _, row := range found {
		rows = append(rows, row.finish())
	}
	return rows, b.verify(ctx, d, w, acknowledged)
}

// creations makes requests that go around organizations.
func (w *world) creations(organizations []id.Organization) func(int) exchange {
	return func(n int) exchange {
		path := fmt.Sprintf(createPath, organizations[n%len(organizations)])
		return exchange{
			request: post(path, w.key, fmt.Sprintf(`{"name":"Release manager %d","description":"Ships"}`, n)),
			status:  http.StatusCreated,
		}
	}
}

// verify counts the custom roles: there must be as many as were acknowledged, and the one that each organization had.
func (b *bench) verify(ctx context.Context, d database, w *world, acknowledged int) error {
	return server.Visit(ctx, d.location, func(s server.Services) error {
		env, err := s.Rules.EnvironmentByName(ctx, server.FirstEnvironment)
		if err != nil {
			return err
		}
		count := -len(w.organizations)
		for _, org := range w.organizations {
			roles, err := s.Rules.ListRoles(ctx, authz.Caller{Environment: env.ID}, org)
			if err != nil {
				return err
			}
			count += len(roles) - environmentRoles
		}
		if count != acknowledged {
			return fmt.Errorf("%d custom roles were acknowledged and %d are there", acknowledged, count)
		}
		return nil
	})
}
