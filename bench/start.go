package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// size weighs the binary.
func (b *bench) size(_ context.Context, report *Report) error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	report.BinaryBytes = info.Size()
	return nil
}

// start measures from the start of the process to the first 200 of /readyz.
func (b *bench) start(ctx context.Context, report *Report) error {
	times := pick(b, 15, 3)
	databases, err := b.databases(ctx, "start")
	if err != nil {
		return err
	}
	small := plan{organizations: pick(b, 200, 20), members: 20, customRoles: 5}
	for i, d := range databases {
		if i == 0 {
			b.say("start: %s, new", d.Name)
			row, err := b.starts(ctx, times, func(n int) database {
				return database{d.Name, fmt.Sprintf("sqlite:%s", filepath.Join(b.folder, fmt.Sprintf("new-%d.db", n)))}
			})
			if err != nil {
				return err
			}
			row.On = "new SQLite file"
			report.Start = append(report.Start, row)
		}
		if _, err := b.settle(ctx, d, small); err != nil {
			return err
		}
		b.say("start: %s, existing", d.Name)
		row, err := b.starts(ctx, times, func(int) database { return d })
		if err != nil {
			return err
		}
		row.On = fmt.Sprintf("existing %s database, %d organizations", d.Name, small.organizations)
		if path, isFile := strings.CutPrefix(d.location, "sqlite:"); isFile {
			if info, err := os.Stat(path); err == nil {
				row.On += fmt.Sprintf(", %.1f MB", float64(info.Size())/1e6)
			}
		}
		report.Start = append(report.Start, row)
	}
	return nil
}

func (b *bench) starts(ctx context.Context, times int, on func(n int) database) (StartRow, error) {
	var took []float64
	for n := range times {
		began := time.Now()
		s, err := b.serve(ctx, on(n))
		if err != nil {
			return StartRow{}, err
		}
		took = append(took, milliseconds(time.Since(began)))
		if err := s.stop(); err != nil {
			return StartRow{}, err
		}
	}
	return StartRow{Times: times, Median: median(took), Lowest: lowest(took), Highest: highest(took)}, nil
}
