package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// orderCreations is how many roles are created on each world.
const orderCreations = 50

// order measures the creation of an environment role where few and where many organizations have an order of their own,
// into which the role must find its way.
func (b *bench) order(ctx context.Context, report *Report) error {
	for _, organizations := range []int{10, pick(b, 100_000, 2_000)} {
		databases, err := b.databases(ctx, fmt.Sprint("order-", organizations))
		if err != nil {
			return err
		}
		for _, d := range databases {
			row, err := b.orderOn(ctx, d, organizations)
			if err != nil {
				return fmt.Errorf("%s: %w", d.Name, err)
			}
			report.Order = append(report.Order, row)
		}
	}
	return nil
}

func (b *bench) orderOn(ctx context.Context, d database, organizations int) (row OrderRow, err error) {
	key, err := b.gather(ctx, d, crowd{organizations: organizations, ownEvery: 1, role: environmentSlug(0)})
	if err != nil {
		return row, err
	}
	f, err := b.floor(ctx, d, fmt.Sprint("order-floor-", organizations), true)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	s, err := b.serve(ctx, d)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	b.say("order: %s, %d organizations", d.Name, organizations)
	var creations, commits, ratios []float64
	for n := range orderCreations + 5 { // the first only warm up
		began := time.Now()
		if err := f.commit(ctx, 0); err != nil {
			return row, err
		}
		commit := milliseconds(time.Since(began))
		body := encoded(map[string]string{"slug": fmt.Sprint("later-", n), "name": "Later"})
		took, err := call(ctx, s, key, http.MethodPost, "/authorization/roles", body, http.StatusCreated, nil)
		if err != nil {
			return row, err
		}
		if n >= 5 {
			creations, commits = append(creations, milliseconds(took)), append(commits, commit)
			ratios = append(ratios, milliseconds(took)/commit)
		}
	}
	return OrderRow{
		Database: d.Name, Organizations: organizations, Creations: len(creations), Median: median(creations),
		Highest: highest(creations), Floor: median(commits), Ratio: median(ratios),
	}, nil
}
