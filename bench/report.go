package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is the figures of one run. Times are in milliseconds, rates in a second, both medians over the rounds.
type Report struct {
	Machine     Machine      `json:"machine"`
	BinaryBytes int64        `json:"binary_bytes,omitempty"`
	Start       []StartRow   `json:"start,omitempty"`
	Create      []CreateRow  `json:"create,omitempty"`
	Check       []CheckRow   `json:"check,omitempty"`
	Webhook     []WebhookRow `json:"webhook,omitempty"`
	Notes       []string     `json:"notes,omitempty"`
	Seconds     float64      `json:"seconds"`
	Order       []OrderRow   `json:"order,omitempty"`
	Remove      []RemoveRow  `json:"remove,omitempty"`
	Screens     []ScreenRow  `json:"screens,omitempty"`
	Heaviest    []LoadRow    `json:"heaviest_page,omitempty"`
	Paint       []PaintRow   `json:"paint,omitempty"`
	Curve       []CurveRow   `json:"curve,omitempty"`
	Scale       []ScaleRow   `json:"scale,omitempty"`

	Replicas    []ReplicasRow `json:"replicas,omitempty"`
	Revocations RevocationRow `json:"revocations,omitzero"`
	Stalls      []StallRow    `json:"stalls,omitempty"`
}

// StartRow is how long a start takes.
type StartRow struct {
	On      string  `json:"on"`
	Times   int     `json:"times"`
	Median  float64 `json:"median_ms"`
	Lowest  float64 `json:"lowest_ms"`
	Highest float64 `json:"highest_ms"`
}

// CreateRow is the creation of custom roles over some connections.
type CreateRow struct {
	Database      string  `json:"database"`
	Connections   int     `json:"connections"`
	Organizations int     `json:"organizations"`
	Product       Rate    `json:"creations_per_second"`
	Floor         Rate    `json:"bare_commits_per_second"`
	Ratio         float64 `json:"ratio"`
	Keyed         Rate    `json:"bare_commits_into_same_tables_per_second"`
	KeyedRatio    float64 `json:"ratio_to_same_tables"`
	P50           float64 `json:"p50_ms"`
	P99           float64 `json:"p99_ms"`
	Refused       int     `json:"refused"` // in all rounds
	rounds        rounds
}

// CheckRow is requests of one kind over some connections.
type CheckRow struct {
	Asked         string  `json:"asked"`
	Database      string  `json:"database"`
	Organizations int     `json:"organizations"`
	Connections   int     `json:"connections"`
	Questions     int     `json:"questions"` // in each request
	Product       Rate    `json:"requests_per_second"`
	Floor         Rate    `json:"bare_requests_per_second"`
	Ratio         float64 `json:"ratio"`
	PerQuestion   float64 `json:"question_ns"` // of the time that passed
	CPU           float64 `json:"cpu_us"`      // of the server's process, for each request
	FloorCPU      float64 `json:"bare_cpu_us"`
	P50           float64 `json:"p50_ms"`
	P99           float64 `json:"p99_ms"`
	FloorP50      float64 `json:"bare_p50_ms"`
	FloorP99      float64 `json:"bare_p99_ms"`
	Refused       int     `json:"refused"` // in all rounds
	rounds        rounds
}

// WebhookRow is deliveries to one receiver.
type WebhookRow struct {
	Database    string  `json:"database"`
	Events      int     `json:"events"` // of a round
	Connections int     `json:"connections"`
	Product     Rate    `json:"deliveries_per_second"`
	Floor       Rate    `json:"bare_requests_per_second"`
	Ratio       float64 `json:"ratio"`
	rounds      rounds
}

// Rate is something in a second: the median over the rounds, the slowest and the fastest round.
type Rate struct {
	Median  float64 `json:"median"`
	Lowest  float64 `json:"lowest"`
	Highest float64 `json:"highest"`
}

// rounds is what every round gave.
type rounds struct{ product, floor, ratio, keyed, keyedRatio, p50, p99, floorP50, floorP99, cpu, floorCPU []float64 }

func (r *rounds) add(o outcome, floor float64) {
	r.product, r.floor = append(r.product, o.perSecond()), append(r.floor, floor)
	r.ratio = append(r.ratio, o.perSecond()/floor)
	r.p50, r.p99 = append(r.p50, milliseconds(o.quantile(0.5))), append(r.p99, milliseconds(o.quantile(0.99)))
}

func (c *CreateRow) add(o outcome, floor, keyed float64) {
	c.rounds.add(o, floor)
	c.rounds.keyed, c.rounds.keyedRatio = append(c.rounds.keyed, keyed), append(c.rounds.keyedRatio, o.perSecond()/keyed)
	c.Refused += o.refusals()
}

func (c CreateRow) finish() CreateRow {
	r := c.rounds
	c.Keyed, c.KeyedRatio = rate(r.keyed), median(r.keyedRatio)
	c.Product, c.Floor, c.Ratio, c.P50, c.P99 = rate(r.product), rate(r.floor), median(r.ratio), median(r.p50), median(r.p99)
	return c
}

func (c *CheckRow) add(o, floor outcome) {
	c.rounds.add(o, floor.perSecond())
	c.rounds.floorP50 = append(c.rounds.floorP50, milliseconds(floor.quantile(0.5)))
	c.rounds.floorP99 = append(c.rounds.floorP99, milliseconds(floor.quantile(0.99)))
	c.Refused += o.refusals()
}

func (c CheckRow) finish() CheckRow {
	r := c.rounds
	c.Product, c.Floor, c.Ratio, c.P50, c.P99 = rate(r.product), rate(r.floor), median(r.ratio), median(r.p50), median(r.p99)
	c.FloorP50, c.FloorP99, c.CPU, c.FloorCPU = median(r.floorP50), median(r.floorP99), median(r.cpu), median(r.floorCPU)
	if c.Product.Median > 0 {
		c.PerQuestion = 1e9 / c.Product.Median / float64(c.Questions)
	}
	return c
}

func (o outcome) refusals() (n int) {
	for _, count := range o.refused {
		n += count
	}
	return n
}

func rate(values []float64) Rate {
	return Rate{Median: median(values), Lowest: lowest(values), Highest: highest(values)}
}

// median is the value in the middle, or between the two in the middle; 0 of nothing.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

func lowest(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Min(values)
}

func highest(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Max(values)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// text writes the report for people.
func (r Report) text(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	m := r.Machine
	fmt.Fprintf(t, "Rolecall %s on %s, %d cores, %s %s\n", m.Rolecall, m.CPU, m.Cores, m.System, m.Kernel)
	fmt.Fprintf(t, "%s; databases on %s; SQLite %s (%s)", m.Go, m.FileSystem, m.SQLite, m.SQLiteDurability)
	if m.PostgreSQL != "" {
		fmt.Fprintf(t, "; PostgreSQL %s (%s)", m.PostgreSQL, m.PostgreSQLDurability)
	}
	fmt.Fprintf(t, "\nLoad of the machine before the run: %s\n", m.Load)
	if r.BinaryBytes > 0 {
		fmt.Fprintf(t, "\nSize of the binary: %d bytes (%.1f MB)\n", r.BinaryBytes, float64(r.BinaryBytes)/1e6)
	}
	if len(r.Start) > 0 {
		fmt.Fprintf(t, "\nFrom start of the process to ready, ms\tmedian\tlowest\thighest\ttimes\n")
		for _, s := range r.Start {
			fmt.Fprintf(t, "%s\t%.1f\t%.1f\t%.1f\t%d\n", s.On, s.Median, s.Lowest, s.Highest, s.Times)
		}
	}
	if len(r.Create) > 0 {
		fmt.Fprintf(t, "\nCustom roles created\tconnections\torganizations\tper second\tbare commits\tratio\tinto the same tables\tratio\tp50 ms\tp99 ms\trefused\n")
		for _, c := range r.Create {
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%.2f\t%s\t%.2f\t%.2f\t%.2f\t%d\n",
				c.Database, c.Connections, c.Organizations, c.Product, c.Floor, c.Ratio, c.Keyed, c.KeyedRatio, c.P50, c.P99, c.Refused)
		}
	}
	if len(r.Check) > 0 {
		fmt.Fprintf(t, "\nAsked\tof\torganizations\tconnections\tper second\tbare handler\tratio\tns a question\tCPU us\tbare\tp50 ms\tp99\tbare p50\tp99\trefused\n")
		for _, c := range r.Check {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\t%.3f\t%.0f\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\n", c.Asked, c.Database, c.Organizations, c.Connections,
				c.Product, c.Floor, c.Ratio, c.PerQuestion, c.CPU, c.FloorCPU, c.P50, c.P99, c.FloorP50, c.FloorP99, c.Refused)
		}
	}
	if len(r.Webhook) > 0 {
		fmt.Fprintf(t, "\nWebhooks delivered\tconnections\tevents\tper second\tbare requests\tratio\n")
		for _, w := range r.Webhook {
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%.3f\n", w.Database, w.Connections, w.Events, w.Product, w.Floor, w.Ratio)
		}
	}
	orderText(t, r.Order)
	removeText(t, r.Remove)
	replicasText(t, r)
	screensText(t, r)
	curveText(t, r.Curve)
	scaleText(t, r.Scale)
	fmt.Fprintf(t, "\nMedians over the rounds (slowest-fastest); ratios are medians of the ratios of the rounds. %.0f s in all.\n", r.Seconds)
	if len(r.Notes) > 0 {
		fmt.Fprintln(t, strings.Join(r.Notes, "\n"))
	}
	return t.Flush()
}

// String writes a rate for people.
func (r Rate) String() string { return fmt.Sprintf("%.0f (%.0f-%.0f)", r.Median, r.Lowest, r.Highest) }
