// Command bench measures Rolecall: the binary as it is shipped, in a process of its own, over loopback, on real
// databases, always beside the least that the same machine could do for the same request. README.md says how to read
// the figures.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// options is the command line.
type options struct {
	Only   []string `placeholder:"NAME" enum:"create,check,curve,order,remove,replicas,scale,screens,webhook,size,start" help:"Measure only this: create, check, curve, order, remove, replicas, scale, screens, webhook, size or start. May be given several times."`
	On     []string `placeholder:"DATABASE" enum:"SQLite,PostgreSQL" help:"Measure only on this: SQLite or PostgreSQL. May be given twice. Default: both."`
	Worlds []int    `placeholder:"N" help:"Of check, only the worlds of so many organizations. Default: 1000 and 10000, with --quick 50."`
	Screen string   `placeholder:"TEXT" help:"Of the screens, only those whose address in the table of routes contains this, such as /members."`
	Quick  bool     `help:"Small worlds and short rounds, in under a minute: to see that it works, not to compare with."`
	Rounds int      `placeholder:"N" help:"Measured rounds, of which the median counts. Default: 5, with --quick 2."`
	Dir    string   `placeholder:"FOLDER" type:"existingdir" help:"Where databases are made. Commits are as fast as this folder's disk, and too fast to be true on a tmpfs. Default: the system's folder for temporary files."`
	Plot   string   `placeholder:"FOLDER" type:"existingdir" help:"Draw what curve and scale measured as SVG files into this folder."`
	JSON   bool     `name:"json" help:"Write JSON, for programs."`
}

// Help is the long help of the command.
func (options) Help() string {
	return `Figures go to standard output, progress to standard error. PostgreSQL is started from the installed binaries, and left out where there are none.

Examples:
  go run ./bench
  go run ./bench --quick
  go run ./bench --only check --rounds 9 --json > check.json`
}

// wants says whether a figure is to be measured.
func (o options) wants(name string) bool { return len(o.Only) == 0 || slices.Contains(o.Only, name) }

// bareArgument makes this program the bare handler that checks are compared with.
const bareArgument = "bare-handler"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 2 && os.Args[1] == bareArgument {
		fatal(serveBare(ctx, os.Stdout))
		return
	}
	var o options
	kong.Parse(&o, kong.Name("bench"), kong.Description("Measure Rolecall on this machine."), kong.ShortUsageOnError())
	if o.Rounds <= 0 {
		o.Rounds = 5
		if o.Quick {
			o.Rounds = 2
		}
	}
	fatal(run(ctx, o, os.Stdout, os.Stderr))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what is asked for and writes the report. What it started is ended, and what it made is removed, also
// when the context ends.
func run(ctx context.Context, o options, out, progress io.Writer) (err error) {
	b, err := prepare(ctx, o, progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	report := Report{Machine: b.machine(ctx), Notes: b.notes}
	for _, figure := range []struct {
		name    string
		measure func(context.Context, *Report) error
	}{{"size", b.size}, {"start", b.start}, {"create", b.create}, {"check", b.check}, {"curve", b.curve}, {"scale", b.scale}, {"order", b.order}, {"remove", b.remove}, {"replicas", b.replicas}, {"screens", b.screens}, {"webhook", b.webhook}} {
		if !o.wants(figure.name) {
			continue
		}
		if err := figure.measure(ctx, &report); err != nil {
			return fmt.Errorf("%s: %w", figure.name, err)
		}
	}
	report.Seconds = time.Since(b.began).Round(time.Second).Seconds()
	if o.Plot != "" {
		if err := report.plots(o.Plot); err != nil {
			return err
		}
	}
	if o.JSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return report.text(out)
}

// bench is one run.
type bench struct {
	options
	began    time.Time
	progress io.Writer
	folder   string // for everything this run makes
	binary   string
	postgres *cluster // nil where there is none
	notes    []string
}

func prepare(ctx context.Context, o options, progress io.Writer) (*bench, error) {
	if o.Dir != "" { // also for PostgreSQL
		if err := os.Setenv("TMPDIR", o.Dir); err != nil {
			return nil, err
		}
	}
	folder, err := os.MkdirTemp("", "rolecall-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, began: time.Now(), progress: progress, folder: folder}
	if err := b.build(ctx); err != nil {
		return nil, errors.Join(err, b.close())
	}
	if slices.ContainsFunc([]string{"create", "check", "curve", "scale", "order", "remove", "replicas", "screens", "webhook", "start"}, o.wants) {
		b.say("starting PostgreSQL")
		if b.postgres, err = startCluster(); err != nil {
			b.notes = append(b.notes, "PostgreSQL was not measured: "+err.Error())
			b.say("%v", err)
		}
	}
	return b, nil
}

func (b *bench) close() error {
	var err error
	if b.postgres != nil {
		err = b.postgres.remove()
	}
	return errors.Join(err, os.RemoveAll(b.folder))
}

// say tells of progress.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "%4.0fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// pick chooses between a value for real and one for --quick.
func pick[T any](b *bench, real, quick T) T {
	if b.Quick {
		return quick
	}
	return real
}
