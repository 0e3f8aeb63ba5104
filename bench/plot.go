package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// line is one line of a plot.
type line struct {
	name string
	plotter.XYs
	dashed bool
}

// chart is what a plot shows. Both axes are logarithmic.
type chart struct {
	title, x, y string
	ticks       []float64 // of the x axis
	lines       []line
}

// plots draws what the report holds as pictures into a folder.
func (r Report) plots(folder string) error {
	charts := map[string]chart{}
	if len(r.Curve) > 0 {
		rates := chart{title: "Checks per second", x: "connections", y: "checks/s"}
		slow := chart{title: "The slowest check in a hundred", x: "connections", y: "p99, ms"}
		for _, row := range r.Curve {
			x := float64(row.Connections)
			rates.add(row.Server, x, row.PerSecond.Median, row.Server == bareServer)
			slow.add(row.Server, x, row.P99, row.Server == bareServer)
		}
		charts["throughput.svg"], charts["p99.svg"] = rates, slow
	}
	if len(r.Scale) > 0 {
		c := chart{title: "One check, median", x: "memberships in the database", y: "ms"}
		for _, row := range r.Scale {
			x := float64(row.Memberships)
			c.add(row.Database+", cold", x, row.ColdP50, false)
			c.add(row.Database+", warm", x, row.WarmP50, false)
			if row.Database == r.Scale[0].Database {
				c.add(bareServer, x, row.BareP50, true)
			}
		}
		charts["memberships.svg"] = c
	}
	for name, c := range charts {
		if err := c.save(filepath.Join(folder, name)); err != nil {
			return fmt.Errorf("drawing %s: %w", name, err)
		}
	}
	return nil
}

func (c *chart) add(name string, x, y float64, dashed bool) {
	if !slices.Contains(c.ticks, x) {
		c.ticks = append(c.ticks, x)
	}
	i := slices.IndexFunc(c.lines, func(l line) bool { return l.name == name })
	if i < 0 {
		i, c.lines = len(c.lines), append(c.lines, line{name: name, dashed: dashed})
	}
	c.lines[i].XYs = append(c.lines[i].XYs, plotter.XY{X: x, Y: y})
}

func (c chart) save(file string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.title, c.x, c.y
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Y.Tick.Marker = plot.LogTicks{Prec: -1}
	var ticks plot.ConstantTicks
	for _, x := range c.ticks {
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%.0f", x)})
	}
	p.X.Tick.Marker = ticks
	p.Add(plotter.NewGrid())
	p.Legend.Top = true
	for i, l := range c.lines {
		drawn, points, err := plotter.NewLinePoints(l.XYs)
		if err != nil {
			return err
		}
		drawn.Color, points.Color, points.Shape = plotutil.Color(i), plotutil.Color(i), plotutil.Shape(i)
		drawn.Width = vg.Points(1.5)
		if l.dashed {
			drawn.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		}
		p.Add(drawn, points)
		p.Legend.Add(l.name, drawn, points)
	}
	p.Y.Min, p.Y.Max = p.Y.Min/1.5, p.Y.Max*4 // room for the legend
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, file)
}
