package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/web"
)

// Check is the body of a question: may this membership do that, on its organization when no resource is named.
type Check struct {
	PermissionSlug     web.Field[string] `json:"permission_slug" required:"true" example:"invoices:read"`
	ResourceID         web.Field[string] `json:"resource_id" doc:"Excludes the other two."`
	ResourceExternalID web.Field[string] `json:"resource_external_id" doc:"Goes with resource_type_slug."`
	ResourceTypeSlug   web.Field[string] `json:"resource_type_slug" example:"organization"`
	Explain            web.Field[bool]   `json:"explain" doc:"Extension: the answer says why."`
}

// Checks is the body of many questions.
type Checks struct {
	Checks web.Field[[]web.Item[CheckOf]] `json:"checks" required:"true" doc:"1 to 1000 questions."`
}

// CheckOf is one of many questions: Check with the membership that it is about.
type CheckOf struct {
	MembershipID       web.Field[string] `json:"organization_membership_id" required:"true" example:"om_01JZ0000000000000000000000"`
	PermissionSlug     web.Field[string] `json:"permission_slug" required:"true" example:"invoices:read"`
	ResourceID         web.Field[string] `json:"resource_id" doc:"Excludes the other two."`
	ResourceExternalID web.Field[string] `json:"resource_external_id" doc:"Goes with resource_type_slug."`
	ResourceTypeSlug   web.Field[string] `json:"resource_type_slug" example:"organization"`
	Explain            web.Field[bool]   `json:"explain" doc:"The answer says why."`
}

// Bodies that are plain as a rule.
var (
	plainCheck  = web.NewFlat[Check]()
	plainChecks = web.NewFlat[CheckOf]()
)

// resourceRef reads which resource a request is about: by its id, or by external id and type, or, with none of them,
// the organization itself.
func resourceRef(byID, externalID, kind web.Field[string]) (authz.ResourceRef, error) {
	switch {
	case byID.Set && (externalID.Set || kind.Set):
		return authz.ResourceRef{}, fault.BadField("resource_id", "cannot be combined with resource_external_id and resource_type_slug")
	case externalID.Set != kind.Set:
		return authz.ResourceRef{}, fault.BadField("resource_external_id", "and resource_type_slug must be given together")
	case byID.Set:
		resource, ok := id.Parse[id.Resource](byID.Value)
		if !ok {
			return authz.ResourceRef{}, fault.Missing("Resource", byID.Value)
		}
		return authz.ResourceRef{ID: resource}, nil
	case externalID.Set && (externalID.Value == "" || kind.Value == ""):
		return authz.ResourceRef{}, fault.BadField("resource_external_id", "and resource_type_slug must not be empty")
	}
	return authz.ResourceRef{ExternalID: externalID.Value, ResourceType: kind.Value}, nil
}

func check(r *request) (none decision.Answer, err error) {
	m, err := r.membership("organization_membership_id")
	if err != nil {
		return none, err
	}
	in, err := plainCheck.Decode(r.body)
	if err != nil {
		return none, err
	}
	ref, err := resourceRef(in.ResourceID, in.ResourceExternalID, in.ResourceTypeSlug)
	if err != nil {
		return none, err
	}
	q := authz.Question{Membership: m, Permission: in.PermissionSlug.Value, Resource: ref, Explain: in.Explain.Value}
	v, err := r.api.decisions.Check(r.Context(), r.caller, q)
	return decision.Answer{Explain: q.Explain, Verdict: v}, err
}

// question reads a question as check does, so that what is not found alone is not found here.
func (c *CheckOf) question(q *authz.Question) (err error) {
	q.Resource, err = resourceRef(c.ResourceID, c.ResourceExternalID, c.ResourceTypeSlug)
	m, ok := id.Parse[id.Membership](c.MembershipID.Value)
	if !ok && (err == nil || fault.Is(err, fault.NotFound)) {
		err = fault.Missing("Organization membership", c.MembershipID.Value)
	}
	q.Membership, q.Permission, q.Explain = m, c.PermissionSlug.Value, c.Explain.Value
	return err
}

// batch is many questions, as far as they were read.
type batch struct {
	read    int
	ask     []authz.Question
	refused map[int]*fault.Error // what names nothing is the answer of its question alone, and is not asked
	bad     []fault.Field        // malformed questions refuse all, each by its index
}

func (b *batch) add(e *CheckOf) (more bool) {
	n := len(b.ask)
	b.ask = append(b.ask, authz.Question{})
	if err := e.question(&b.ask[n]); err != nil {
		b.refuse(fault.Of(err))
		clear(b.ask[n:])
		b.ask = b.ask[:n]
	}
	b.read++
	return b.read <= authz.MaxQuestions
}

func (b *batch) refuse(f *fault.Error) {
	if f.Kind != fault.NotFound {
		b.bad = append(b.bad, web.Indexed("checks", b.read, f)...)
		return
	}
	if b.refused == nil {
		b.refused = map[int]*fault.Error{}
	}
	b.refused[b.read] = f
}

// readBatch reads the body of a batch; room is where it puts the questions.
func readBatch(room []authz.Question, body []byte) (batch, error) {
	b := batch{ask: room}
	if !plainChecks.Each("checks", body, b.add) {
		in, err := web.Decode[Checks](body)
		if err != nil {
			return b, err
		}
		if n := len(in.Checks.Value); n == 0 || n > authz.MaxQuestions {
			return b, fault.BadField("checks", "must hold 1 to %d questions", authz.MaxQuestions)
		}
		entries, err := web.DecodeItems("checks", in.Checks.Value)
		if err != nil {
			return b, err
		}
		clear(b.ask)
		b = batch{ask: b.ask[:0]}
		for i := range entries {
			b.add(&entries[i])
		}
	}
	if b.bad != nil {
		return b, fault.BadFields(b.bad...)
	}
	return b, nil
}

func checkAll(r *request) (answers []decision.Answer, err error) {
	room := r.api.rooms.Get().(*[]authz.Question)
	b, err := readBatch(*room, r.body)
	defer func() {
		clear(b.ask) // which would keep the body that it was read from
		*room = b.ask[:0]
		r.api.rooms.Put(room)
	}()
	if err != nil {
		return nil, err
	}
	var found []decision.Answer
	if len(b.ask) > 0 {
		found, err = r.api.decisions.CheckAll(r.Context(), r.caller, b.ask)
	}
	if err != nil || len(b.refused) == 0 {
		return found, err
	}
	for i := range b.read {
		if f := b.refused[i]; f != nil {
			answers = append(answers, decision.Answer{Refusal: f})
			continue
		}
		answers, found = append(answers, found[0]), found[1:]
	}
	return answers, nil
}
