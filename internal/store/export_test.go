package store

// OnExec makes a store call fn before every statement that writes; nil ends that.
func OnExec(s *Store, fn func()) { s.beforeExec = fn }
