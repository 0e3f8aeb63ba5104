package operator

// CheapPasswords makes passwords of a service cost next to nothing, for tests that are not about what they cost.
func CheapPasswords(s *Service) { s.cost = cost{memory: 8, passes: 1, lanes: 1} }

// Turns lets a test give the turns in which passwords are worked on: it receives one who wants to begin, and sends to
// let him end.
func Turns(s *Service) chan struct{} {
	s.hashers = make(chan struct{})
	return s.hashers
}
