package operator

import "github.com/rolecall/rolecall/internal/id"

// CheapPasswords makes passwords of a service cost next to nothing, for tests that are not about what they cost.
func CheapPasswords(s *Service) { s.cost = cost{memory: 8, passes: 1, lanes: 1} }

// Turns lets a test give the turns in which passwords are worked on: it receives one who wants to begin, and sends to
// let him end.
func Turns(s *Service) chan struct{} {
	s.hashers = make(chan struct{})
	return s.hashers
}

// MostRemembered is how many keys a generation holds.
const MostRemembered = mostRemembered

// Remember has a service remember n more keys of an environment, as if they had been used.
func Remember(s *Service, env id.Environment, n int) {
	for range n {
		value := string(id.New[id.APIKey](s.ids))
		s.keys.keep(s.book.Term(), s.keys.reading(), digest(value), &kept{Bearer: Bearer{Key: Key{Environment: env}}})
	}
}

// Remembered is how many keys a service remembers.
func Remembered(s *Service) int { return len(s.keys.young) + len(s.keys.old) }

// Found is a key that was found in memory by one who has not gone on yet. The function lets him.
func Found(s *Service, value string) (goOn func()) {
	term, sum := s.book.Term(), digest(value)
	k, young := s.keys.look(term, sum)
	if k == nil || young {
		panic("the key is not in the old generation")
	}
	return func() { s.keys.renew(term, sum, k) }
}
