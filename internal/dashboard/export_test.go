package dashboard

import "time"

// HurryUp makes the pages of the door wait for nothing that they foresee, as if there were very many members.
func HurryUp(d *Door) { d.patience = -time.Second }
