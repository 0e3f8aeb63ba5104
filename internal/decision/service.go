package decision

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Service answers from memory what it can, and by the rules what it cannot. It is safe for concurrent use.
type Service struct {
	rules *authz.Service
	loads Loader
	book  *fresh.Book
	now   func() time.Time
}

// Options is what an operator may choose.
type Options struct{}

// New returns decisions by rules, over what loads reads, as long as book has a term. It must be called before the book's
// first term begins.
func New(rules *authz.Service, loads Loader, book *fresh.Book, now func() time.Time, o Options) *Service {
	return &Service{rules: rules, loads: loads, book: book, now: now}
}

// Verdict is the answer of a check. It carries its reason, which Reason spells out.
type Verdict struct {
	Authorized bool
	spelt      *authz.Reason
}

// Reason says why the verdict is what it is.
func (v Verdict) Reason() authz.Reason { return *v.spelt }

// Answer is what one question of a batch got: a verdict, or the refusal that the question alone would have got.
type Answer struct {
	Question authz.Question
	Verdict  Verdict
	Refusal  *fault.Error
}

// Check is authz.Service.Check.
func (s *Service) Check(ctx context.Context, c authz.Caller, q authz.Question) (Verdict, error) {
	d, err := s.rules.Check(ctx, c, q)
	return Verdict{Authorized: d.Authorized, spelt: &d.Reason}, err
}

// CheckAll is authz.Service.CheckAll: every answer holds at one instant.
func (s *Service) CheckAll(ctx context.Context, c authz.Caller, qs []authz.Question) ([]Answer, error) {
	found, err := s.rules.CheckAll(ctx, c, qs)
	answers := make([]Answer, len(found))
	for i, a := range found {
		answers[i] = Answer{Question: a.Question, Verdict: Verdict{Authorized: a.Decision.Authorized, spelt: &a.Decision.Reason}, Refusal: a.Refusal}
	}
	return answers, err
}

// Policy is authz.Service.Policy.
func (s *Service) Policy(ctx context.Context, c authz.Caller, org id.Organization) (authz.Policy, error) {
	return s.rules.Policy(ctx, c, org)
}

// PermissionsOn is authz.Service.PermissionsOn.
func (s *Service) PermissionsOn(ctx context.Context, c authz.Caller, m id.Membership, ref authz.ResourceRef, r page.Request) (page.Page[authz.Permission], error) {
	return s.rules.PermissionsOn(ctx, c, m, ref, r)
}
