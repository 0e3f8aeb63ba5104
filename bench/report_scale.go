package main

import (
	"fmt"
	"io"
)

func curveText(t io.Writer, rows []CurveRow) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(t, "\nChecks by connections\tconnections\tper second\tp50 ms\tp99 ms\n")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%s\t%.2f\t%.2f\n", r.Server, r.Connections, r.PerSecond, r.P50, r.P99)
	}
}

func scaleText(t io.Writer, rows []ScaleRow) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(t, "\nBy memberships\tmemberships\torganizations\tstart ms\tidle MB\tcold p50 ms\tp99\twarm p50 ms\tp99\tbare p50 ms\tp99\tactive\tMB then\n")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%d\t%d\t%.1f\t%.0f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%d\t%.0f\n", r.Database, r.Memberships, r.Organizations,
			r.Start, r.Idle, r.ColdP50, r.ColdP99, r.WarmP50, r.WarmP99, r.BareP50, r.BareP99, r.Active, r.Resident)
	}
}
