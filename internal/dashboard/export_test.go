package dashboard

import "time"

// HurryUp makes the pages of the door wait for nothing that they foresee, as if there were very many members.
func HurryUp(d *Door) { d.patience = -time.Second }

// GiveUp makes them give up at once when they do wait.
func GiveUp(d *Door) { d.limit = -time.Second }
