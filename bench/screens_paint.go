package main

import "context"

func (b *bench) paint(ctx context.Context, d database, v *visitor, ids map[string]string, report *Report) error {
	return nil
}
