package api

import (
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// Checked is the answer to a question.
type Checked struct {
	Authorized bool    `json:"authorized"`
	Reason     *Reason `json:"reason,omitempty" doc:"When the question asked to explain."`
}

// CheckedList is the answer to many questions, in their order.
type CheckedList struct {
	Object string      `json:"object" const:"list"`
	Data   []CheckedOf `json:"data"`
}

// CheckedOf is the answer to one of many questions.
type CheckedOf struct {
	Authorized bool        `json:"authorized"`
	Reason     *Reason     `json:"reason,omitempty" doc:"When the question asked to explain."`
	Error      *CheckError `json:"error,omitempty" doc:"The refusal that the question alone would have got."`
}

// CheckError is why one of many questions has no answer.
type CheckError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Reason is why a decision is what it is.
type Reason struct {
	Cause          string           `json:"cause" enum:"role,no_role,not_active" doc:"role: a role in effect holds the permission. no_role: none does. not_active: the membership is inactive or pending."`
	Status         string           `json:"status" enum:"active,inactive,pending" doc:"Of the membership."`
	PermissionSlug string           `json:"permission_slug" doc:"The permission that was held or missing."`
	Roles          []RoleInEffect   `json:"roles" doc:"The one that holds the permission, or all in effect when none does."`
	Path           []ReasonResource `json:"path" doc:"The resource asked about and what it lies in, up to the organization."`
}

// RoleInEffect is a role that a member holds somewhere on the path, and through what.
type RoleInEffect struct {
	RoleSlug              string              `json:"role_slug"`
	Source                string              `json:"source" enum:"default,manual,group,sso,directory"`
	RoleAssignmentID      *id.Assignment      `json:"role_assignment_id" doc:"Null for a group's and for the default that applies where there is no assignment."`
	GroupRoleAssignmentID *id.GroupAssignment `json:"group_role_assignment_id"`
	GroupID               *id.Group           `json:"group_id"`
	Resource              ReasonResource      `json:"resource"`
}

// ReasonResource is a resource on the path of a decision.
type ReasonResource struct {
	ID               id.Resource `json:"id"`
	ResourceTypeSlug string      `json:"resource_type_slug"`
	ExternalID       string      `json:"external_id"`
	Name             string      `json:"name"`
}

// What most answers are, encoded.
var (
	allowed = []byte(`{"authorized":true}`)
	denied  = []byte(`{"authorized":false}`)
)

// encodeAnswer encodes a Checked.
func encodeAnswer(a decision.Answer) ([]byte, error) { return encodeVerdict(&a) }

func encodeVerdict(a *decision.Answer) ([]byte, error) {
	switch {
	case a.Explain:
		return event.Encode(Checked{Authorized: a.Verdict.Authorized, Reason: reasonBody(a)})
	case a.Verdict.Authorized:
		return allowed, nil
	}
	return denied, nil
}

// encodeAnswers encodes a CheckedList.
func encodeAnswers(answers []decision.Answer) ([]byte, error) {
	const begin, end = `{"object":"list","data":[`, `]}`
	body := append(make([]byte, 0, len(begin)+len(answers)*(len(denied)+len(","))+len(end)), begin...)
	for i := range answers {
		if i > 0 {
			body = append(body, ',')
		}
		var one []byte
		var err error
		if a := &answers[i]; a.Refusal != nil {
			one, err = event.Encode(CheckedOf{Error: &CheckError{Code: a.Refusal.Code, Message: a.Refusal.Message}})
		} else {
			one, err = encodeVerdict(a)
		}
		if err != nil {
			return nil, err
		}
		body = append(body, one...)
	}
	return append(body, end...), nil
}

// reasonBody shows the reason of a decision to whom asked for it.
func reasonBody(a *decision.Answer) *Reason {
	if !a.Explain {
		return nil
	}
	reason := a.Verdict.Reason()
	b := &Reason{
		Cause: string(reason.Cause), Status: string(reason.Status), PermissionSlug: reason.Permission,
		Roles: make([]RoleInEffect, len(reason.Held)), Path: make([]ReasonResource, len(reason.Path)),
	}
	on := map[id.Resource]ReasonResource{}
	for i, res := range reason.Path {
		b.Path[i] = ReasonResource{ID: res.ID, ResourceTypeSlug: res.Type, ExternalID: res.ExternalID, Name: res.Name}
		on[res.ID] = b.Path[i]
	}
	for i, h := range reason.Held {
		b.Roles[i] = RoleInEffect{RoleSlug: h.Role.Slug, Source: string(h.Source), Resource: on[h.Resource]}
		switch {
		case h.Group != "":
			assignment := id.Retype[id.GroupAssignment](h.Assignment)
			b.Roles[i].GroupRoleAssignmentID, b.Roles[i].GroupID = &assignment, &h.Group
		case h.Assignment != "":
			b.Roles[i].RoleAssignmentID = &h.Assignment
		}
	}
	return b
}
