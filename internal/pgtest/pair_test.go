package pgtest

import (
	"testing"
)

// What the primary acknowledged is on the standby, which takes over where the
// primary was killed.
func TestPair(t *testing.T) {
	t.Parallel()
	p := StartPair(t)
	first := open(t, p.Primary.URL())
	run(t, first, "CREATE TABLE thing (id bigint)")
	for range 20 {
		run(t, first, "INSERT INTO thing VALUES (1)")
	}
	p.Primary.Kill(t)
	wantNoProcess(t, p.Primary.folder)
	second := open(t, p.Standby.URL())
	if _, err := second.Exec("INSERT INTO thing VALUES (1)"); err == nil {
		t.Error("the standby takes writes before it is promoted")
	}
	p.Promote(t)
	run(t, second, "INSERT INTO thing VALUES (1)")
	if got := count(t, second, "SELECT count(*) FROM thing"); got != 21 {
		t.Errorf("%d rows after the failover, want 21", got)
	}
}

// While the standby is gone no commit is acknowledged.
func TestPairWaitsForItsStandby(t *testing.T) {
	t.Parallel()
	p := StartPair(t)
	db := open(t, p.Primary.URL())
	run(t, db, "CREATE TABLE thing (id bigint)")
	p.Standby.Stop(t)
	done := make(chan error, 1)
	go func() {
		_, err := db.Exec("INSERT INTO thing VALUES (1)")
		done <- err
	}()
	waiting := "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
	for count(t, db, waiting) == 0 {
		select {
		case err := <-done:
			t.Fatalf("the commit ended without its standby: %v", err)
		default:
		}
	}
	if got := count(t, db, "SELECT count(*) FROM thing"); got != 0 {
		t.Errorf("%d rows are shown that the standby does not have", got)
	}
	p.Standby.Restart(t)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
