package operator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// Bearer is a key that works, and who its requests come from. It is shared and must not be changed.
type Bearer struct {
	Key
	Caller authz.Caller
}

// Authenticate finds the key with that value. A wrong key, a revoked one and one whose organization was deleted are the
// same refusal. A revocation or deletion holds from the moment it was acknowledged.
func (s *Service) Authenticate(ctx context.Context, value string) (*Bearer, error) {
	sum := digest(value)
	term := s.book.Term()
	if b := s.keys.find(term, sum); b != nil {
		return b, nil
	}
	since := s.keys.reading()
	held := s.book.HeldOf(fresh.Keys) // of which environment the key is, only the reading tells
	k, found, err := s.store.KeyByHash(ctx, hex.EncodeToString(sum[:]))
	if err != nil {
		return nil, err
	}
	if !found || !k.RevokedAt.IsZero() || k.OrganizationGone {
		return nil, fault.New(fault.Unauthorized, "unauthorized", "The API key is missing, unknown or revoked.")
	}
	read := &kept{Bearer: Bearer{k, authz.Caller{Environment: k.Environment, Actor: k.Actor(), Only: k.Restriction()}}}
	if term != nil && !slices.Contains(held, fresh.Region{Kind: fresh.Keys, ID: string(k.Environment)}) {
		s.keys.keep(term, since, sum, read)
	}
	return &read.Bearer, nil
}

// mostRemembered bounds the keys that are remembered, in each of two generations.
const mostRemembered = 5000

// remembered is keys that work, by the hash of their value. What was asked for lately is in the young generation; when
// that is full it becomes the old one, and what nobody asked for since is dropped. It implements fresh.Memory.
type remembered struct {
	mu         sync.RWMutex
	term       *fresh.Term // that the keys belong to
	young, old map[[sha256.Size]byte]*kept
	forgotten  uint64 // how often keys were forgotten, of whichever environment
}

// kept is a key that may be remembered.
type kept struct {
	Bearer
	dead atomic.Bool // forgotten
}

// find returns a key that works at some moment during the call, or nil where the database has to be asked.
func (r *remembered) find(term *fresh.Term, sum [sha256.Size]byte) *Bearer {
	if term == nil {
		return nil
	}
	k, young := r.look(term, sum)
	if k == nil {
		return nil
	}
	if !young {
		r.renew(term, sum, k)
	}
	if k.dead.Load() || !term.Lasts() {
		return nil
	}
	return &k.Bearer
}

func (r *remembered) look(term *fresh.Term, sum [sha256.Size]byte) (k *kept, young bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.term != term {
		return nil, false
	}
	if k, young = r.young[sum]; !young {
		k = r.old[sum]
	}
	return k, young
}

// renew moves a key that was found in the old generation to the young one. One that is not there any more may have been
// changed since, and nobody would have found it to say so: a generation is dropped without a word.
func (r *remembered) renew(term *fresh.Term, sum [sha256.Size]byte, k *kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.term == term && r.old[sum] == k {
		r.place(term, sum, k)
	}
}

// reading makes known that a key is about to be read. What it returns goes to keep.
func (r *remembered) reading() (since uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.forgotten
}

// keep remembers a key that was read in a term, unless keys were forgotten since the reading began.
func (r *remembered) keep(term *fresh.Term, since uint64, sum [sha256.Size]byte, k *kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.forgotten == since {
		r.place(term, sum, k)
	}
}

func (r *remembered) place(term *fresh.Term, sum [sha256.Size]byte, k *kept) {
	if k.dead.Load() || !term.Lasts() {
		return
	}
	if r.term != term {
		r.term, r.young, r.old = term, nil, nil
	}
	if len(r.young) >= mostRemembered {
		r.old, r.young = r.young, nil
	}
	if r.young == nil {
		r.young = map[[sha256.Size]byte]*kept{}
	}
	r.young[sum] = k
}

// Forget implements fresh.Memory.
func (r *remembered) Forget(regions []fresh.Region) {
	for _, region := range regions {
		if region.Kind == fresh.Keys {
			r.forget(id.Environment(region.ID))
		}
	}
}

func (r *remembered) forget(env id.Environment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forgotten++
	for _, generation := range []map[[sha256.Size]byte]*kept{r.young, r.old} {
		for sum, k := range generation {
			if k.Key.Environment == env {
				k.dead.Store(true)
				delete(generation, sum)
			}
		}
	}
}
