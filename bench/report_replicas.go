package main

import (
	"fmt"
	"io"
)

// ReplicasRow is changes of one membership, one after the other, where a number of servers run. Times are in milliseconds.
type ReplicasRow struct {
	Replicas int     `json:"replicas"`
	Changes  int     `json:"changes"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Highest  float64 `json:"highest_ms"`
	More     float64 `json:"more_than_with_one_ms"` // the median of the differences
	FloorP50 float64 `json:"bare_commit_p50_ms"`
	FloorP99 float64 `json:"bare_commit_p99_ms"`
	Ratio    float64 `json:"ratio"` // of the times, the median
}

// RevocationRow is from the answer of a revocation to the answers of checks that were asked then at every replica.
type RevocationRow struct {
	Revocations int     `json:"revocations"`
	Late        int     `json:"late"` // checks that were still allowed
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Highest     float64 `json:"highest_ms"`
}

// StallRow is the first change after a server vanished, and the next one.
type StallRow struct {
	How     string  `json:"how"`
	Times   int     `json:"times"`
	Median  float64 `json:"median_ms"`
	Highest float64 `json:"highest_ms"`
	Next    float64 `json:"next_ms"`
}

func replicasText(out io.Writer, r Report) {
	if len(r.Replicas) == 0 {
		return
	}
	fmt.Fprintf(out, "\nChanges beside replicas\tp50 ms\tp99 ms\thighest\tmore than with 1\tbare commit p50\tp99\tratio\ttimes\n")
	for _, row := range r.Replicas {
		fmt.Fprintf(out, "PostgreSQL, %d running\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\n",
			row.Replicas, row.P50, row.P99, row.Highest, row.More, row.FloorP50, row.FloorP99, row.Ratio, row.Changes)
	}
	v := r.Revocations
	fmt.Fprintf(out, "\nFrom a revocation's answer to the denial at each of 3\tp50 ms\tp99 ms\thighest\tlate\ttimes\n")
	fmt.Fprintf(out, "asked when it was answered\t%.2f\t%.2f\t%.2f\t%d\t%d\n", v.P50, v.P99, v.Highest, v.Late, v.Revocations)
	fmt.Fprintf(out, "\nA change when one of 3 vanished, lease 2 s\tmedian ms\thighest\tthe next one\ttimes\n")
	for _, row := range r.Stalls {
		fmt.Fprintf(out, "%s\t%.0f\t%.0f\t%.2f\t%d\n", row.How, row.Median, row.Highest, row.Next, row.Times)
	}
}
