package main

import (
	"fmt"
	"io"
)

// OrderRow is the creation of an environment role beside a bare commit, one after the other. Times are medians.
type OrderRow struct {
	Database      string  `json:"database"`
	Organizations int     `json:"organizations_with_an_order"`
	Creations     int     `json:"creations"`
	Median        float64 `json:"median_ms"`
	Highest       float64 `json:"highest_ms"`
	Floor         float64 `json:"bare_commit_ms"`
	Ratio         float64 `json:"ratio"` // of the two times
}

// RemoveRow is the deletion of a role that all of some memberships hold.
type RemoveRow struct {
	Database           string  `json:"database"`
	Memberships        int     `json:"memberships"`
	Organizations      int     `json:"organizations"`
	Preview            float64 `json:"preview_ms"` // of the deletion: totals and a first page
	PreviewNext        float64 `json:"preview_next_page_ms"`
	PreviewPermissions float64 `json:"preview_permissions_ms"` // of other permissions for the role
	Answer             float64 `json:"answer_ms"`              // until the deletion holds
	Seconds            float64 `json:"job_seconds"`            // from then on until everybody was moved and told of
	Moved              float64 `json:"moved_per_second"`
	Plain              float64 `json:"plain_update_per_second"`
	Ratio              float64 `json:"ratio"`
	IdleMemory         float64 `json:"memory_before_mb"`
	Memory             float64 `json:"memory_most_mb"`
	Checks             int     `json:"checks_meanwhile"`
	AloneP99           float64 `json:"check_p99_before_ms"`
	AloneSlowest       float64 `json:"check_slowest_before_ms"`
	P99                float64 `json:"check_p99_meanwhile_ms"`
	Slowest            float64 `json:"check_slowest_meanwhile_ms"`
}

func orderText(t io.Writer, rows []OrderRow) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(t, "\nEnvironment roles created\torganizations with an order\tmedian ms\thighest\tbare commit ms\tratio\ttimes\n")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%d\n", r.Database, r.Organizations, r.Median, r.Highest, r.Floor, r.Ratio, r.Creations)
	}
}

func removeText(t io.Writer, rows []RemoveRow) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(t, "\nPreviews, ms\tmemberships\torganizations\tdeletion of the role\tnext page\tother permissions\n")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.0f\t%.1f\t%.0f\n", r.Database, r.Memberships, r.Organizations, r.Preview, r.PreviewNext, r.PreviewPermissions)
	}
	fmt.Fprintf(t, "\nDeletion of a role in use\tmemberships\tanswer ms\tmoved per second\tplain update\tratio\tjob s\tmemory MB\tbefore MB\n")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%.0f\t%.0f\t%.3f\t%.1f\t%.0f\t%.0f\n",
			r.Database, r.Memberships, r.Answer, r.Moved, r.Plain, r.Ratio, r.Seconds, r.Memory, r.IdleMemory)
	}
	fmt.Fprintf(t, "\nChecks beside it, ms\tchecks\tp99\tslowest\tp99 before\tslowest before\n")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\n", r.Database, r.Checks, r.P99, r.Slowest, r.AloneP99, r.AloneSlowest)
	}
}
