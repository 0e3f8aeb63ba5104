package decision

import "github.com/rolecall/rolecall/internal/id"

// MostUnused is how many numbers may be of what is gone.
const MostUnused = mostUnused

// Numbered is how many permissions and roles of an environment have a number.
func (s *Service) Numbered(env id.Environment) (permissions, roles int) {
	e := s.state.Load().environment(env)
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.permissions), len(e.roles)
}
