package store

import "time"

// otherRow is a row of replicas as it is listed.
type otherRow struct {
	ID       string
	Renewals int64
	LeaseMS  int64
}

// sighting is since when, by the clock of this process, a row was seen with the same number of renewals. Whoever has the
// row sent its last renewal before that.
type sighting struct {
	renewals int64
	since    time.Time
	lease    time.Duration
}

// look compares the rows with how they were seen before. It returns those of other processes, and has those removed
// whose lease is over.
func (w *wire) look(rows []otherRow) (there map[string]bool) {
	now := time.Now()
	there = map[string]bool{}
	for _, r := range rows {
		if w.c.self.mine[r.ID] {
			continue
		}
		there[r.ID] = true
		lease := time.Duration(r.LeaseMS) * time.Millisecond
		s, known := w.seen[r.ID]
		switch {
		case !known || s.renewals != r.Renewals || s.lease != lease:
			w.seen[r.ID] = sighting{r.Renewals, now, lease}
			delete(w.lapsed, r.ID)
		case now.Sub(s.since) >= lease:
			w.lapsed[r.ID] = r.Renewals
		}
	}
	for row := range w.seen {
		if !there[row] {
			delete(w.seen, row)
			delete(w.lapsed, row)
		}
	}
	return there
}

// removed takes note of what came of removing a lapsed row: one that had renewed its lease after all is still there. It
// is not gone before the exchange has ended.
func (w *wire) removed(row string, done bool) {
	delete(w.lapsed, row)
	delete(w.seen, row)
	if done {
		w.dead = append(w.dead, row)
	}
}
