// Package event says what happened: the types of events and their payloads, in the spelling of the public contract
// (semantics 3.14). Events are written by the rule that made the change, in its own transaction. The full objects
// here (Permission, Organization, User) are also what the API answers: the contract has one shape for both.
package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

// Type is the dotted name of an event.
type Type string

// The events that this product emits.
const (
	PermissionCreated       Type = "permission.created"
	PermissionUpdated       Type = "permission.updated"
	PermissionDeleted       Type = "permission.deleted"
	RoleCreated             Type = "role.created"
	RoleUpdated             Type = "role.updated"
	RoleDeleted             Type = "role.deleted"
	OrganizationRoleCreated Type = "organization_role.created"
	OrganizationRoleUpdated Type = "organization_role.updated"
	OrganizationRoleDeleted Type = "organization_role.deleted"
	OrganizationCreated     Type = "organization.created"
	OrganizationUpdated     Type = "organization.updated"
	OrganizationDeleted     Type = "organization.deleted"
	UserCreated             Type = "user.created"
	UserUpdated             Type = "user.updated"
	UserDeleted             Type = "user.deleted"
	MembershipCreated       Type = "organization_membership.created"
	MembershipUpdated       Type = "organization_membership.updated"
	MembershipDeleted       Type = "organization_membership.deleted"
	GroupCreated            Type = "group.created"
	GroupUpdated            Type = "group.updated"
	GroupDeleted            Type = "group.deleted"
	GroupMemberAdded        Type = "group.member_added"
	GroupMemberRemoved      Type = "group.member_removed"

	// WebhookEndpointDisabled is not part of the contract.
	WebhookEndpointDisabled Type = "webhook_endpoint.disabled"
)

// Types is every event that this product emits.
func Types() []Type {
	return []Type{
		PermissionCreated, PermissionUpdated, PermissionDeleted,
		RoleCreated, RoleUpdated, RoleDeleted, OrganizationRoleCreated, OrganizationRoleUpdated, OrganizationRoleDeleted,
		OrganizationCreated, OrganizationUpdated, OrganizationDeleted, UserCreated, UserUpdated, UserDeleted,
		MembershipCreated, MembershipUpdated, MembershipDeleted,
		GroupCreated, GroupUpdated, GroupDeleted, GroupMemberAdded, GroupMemberRemoved,
		WebhookEndpointDisabled,
	}
}

// Event is one thing that happened, as stored. Data and Context are compact JSON.
type Event struct {
	ID           id.Event
	Environment  id.Environment
	Organization id.Organization // empty when no single organization is concerned
	Type         Type
	Data         json.RawMessage
	Context      json.RawMessage
	CreatedAt    time.Time
}

// Envelope is an event as it is shown: by the API and, to the letter, as the body of a webhook (R181).
type Envelope struct {
	Object    string          `json:"object" const:"event"`
	ID        id.Event        `json:"id"`
	Event     Type            `json:"event"`
	Data      json.RawMessage `json:"data"`
	CreatedAt Time            `json:"created_at"`
	Context   json.RawMessage `json:"context"`
}

// Envelope is the event as it is shown.
func (e Event) Envelope() Envelope {
	return Envelope{Object: "event", ID: e.ID, Event: e.Type, Data: e.Data, CreatedAt: Time(e.CreatedAt), Context: e.Context}
}

// Actor is who caused a change.
type Actor struct {
	ID     string `json:"id"`
	Source string `json:"source"` // api, dashboard, admin_portal or system
	Name   string `json:"name"`
}

// Context is what surrounds an event: who caused it and, for updates, the former values of what changed.
type Context struct {
	Actor    *Actor         `json:"actor,omitempty"`
	Previous map[string]any `json:"previous_attributes,omitempty"`
}

// Time is an instant in the spelling of the contract: UTC, milliseconds, Z.
type Time time.Time

const layout = "2006-01-02T15:04:05.000Z"

// String gives the contract's spelling.
func (t Time) String() string { return time.Time(t).UTC().Format(layout) }

// MarshalJSON writes the contract's spelling as a JSON string.
func (t Time) MarshalJSON() ([]byte, error) { return t.AppendJSON(make([]byte, 0, len(layout)+2)), nil }

// UnmarshalJSON reads any RFC 3339 instant, so that a payload can be read back.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	parsed, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return fmt.Errorf("reading a time: %w", err)
	}
	*t = Time(parsed)
	return nil
}

// Slim names a role inside a membership.
type Slim struct {
	Slug string `json:"slug"`
}

// Permission is the payload of permission.* and the API's permission.
type Permission struct {
	Object           string        `json:"object" const:"permission"`
	ID               id.Permission `json:"id"`
	Slug             string        `json:"slug"`
	Name             string        `json:"name"`
	Description      *string       `json:"description"`
	System           bool          `json:"system"`
	ResourceTypeSlug string        `json:"resource_type_slug"`
	CreatedAt        Time          `json:"created_at"`
	UpdatedAt        Time          `json:"updated_at"`
}

// Role is the payload of role.*: no id, name or description (contradiction C29). Permissions is absent on deletion.
type Role struct {
	Object           string    `json:"object"`
	Slug             string    `json:"slug"`
	ResourceTypeSlug string    `json:"resource_type_slug"`
	Permissions      *[]string `json:"permissions,omitempty"`
	CreatedAt        Time      `json:"created_at"`
	UpdatedAt        Time      `json:"updated_at"`
}

// OrganizationRole is the payload of organization_role.*: a custom role, without id and type.
type OrganizationRole struct {
	Object           string          `json:"object"`
	OrganizationID   id.Organization `json:"organization_id"`
	Slug             string          `json:"slug"`
	Name             string          `json:"name"`
	Description      *string         `json:"description"`
	ResourceTypeSlug string          `json:"resource_type_slug"`
	Permissions      []string        `json:"permissions"`
	CreatedAt        Time            `json:"created_at"`
	UpdatedAt        Time            `json:"updated_at"`
}

// Domain is a domain of an organization.
type Domain struct {
	Object               string          `json:"object" const:"organization_domain"`
	ID                   id.Domain       `json:"id"`
	OrganizationID       id.Organization `json:"organization_id"`
	Domain               string          `json:"domain"`
	State                string          `json:"state,omitempty" enum:"failed,legacy_verified,pending,unverified,verified"`
	VerificationStrategy string          `json:"verification_strategy,omitempty" enum:"dns,manual"`
	CreatedAt            Time            `json:"created_at"`
	UpdatedAt            Time            `json:"updated_at"`
}

// Organization is the payload of organization.* and the API's organization.
type Organization struct {
	Object                           string            `json:"object" const:"organization"`
	ID                               id.Organization   `json:"id"`
	Name                             string            `json:"name"`
	AllowProfilesOutsideOrganization bool              `json:"allow_profiles_outside_organization"`
	Domains                          []Domain          `json:"domains"`
	Metadata                         map[string]string `json:"metadata"`
	ExternalID                       *string           `json:"external_id"`
	StripeCustomerID                 string            `json:"stripe_customer_id,omitempty"`
	CreatedAt                        Time              `json:"created_at"`
	UpdatedAt                        Time              `json:"updated_at"`
}

// User is the payload of user.* and the API's user.
type User struct {
	Object            string            `json:"object" const:"user"`
	ID                id.User           `json:"id"`
	Email             string            `json:"email"`
	EmailVerified     bool              `json:"email_verified"`
	FirstName         *string           `json:"first_name"`
	LastName          *string           `json:"last_name"`
	Name              *string           `json:"name"`
	ProfilePictureURL *string           `json:"profile_picture_url"`
	ExternalID        *string           `json:"external_id"`
	Metadata          map[string]string `json:"metadata"`
	LastSignInAt      *Time             `json:"last_sign_in_at"`
	Locale            *string           `json:"locale"`
	CreatedAt         Time              `json:"created_at"`
	UpdatedAt         Time              `json:"updated_at"`
}

// Membership is the payload of organization_membership.*: without user and organization_name (semantics 1.6).
type Membership struct {
	Object           string          `json:"object"`
	ID               id.Membership   `json:"id"`
	UserID           id.User         `json:"user_id"`
	OrganizationID   id.Organization `json:"organization_id"`
	Status           string          `json:"status"`
	DirectoryManaged bool            `json:"directory_managed"`
	CustomAttributes map[string]any  `json:"custom_attributes"`
	Role             Slim            `json:"role"`
	Roles            []Slim          `json:"roles"`
	CreatedAt        Time            `json:"created_at"`
	UpdatedAt        Time            `json:"updated_at"`
}

// Group is the payload of group.created, updated and deleted, and the API's group.
type Group struct {
	Object         string          `json:"object" const:"group"`
	ID             id.Group        `json:"id"`
	OrganizationID id.Organization `json:"organization_id"`
	Name           string          `json:"name"`
	Description    *string         `json:"description"`
	CreatedAt      Time            `json:"created_at"`
	UpdatedAt      Time            `json:"updated_at"`
}

// GroupMember is the payload of group.member_added and group.member_removed.
type GroupMember struct {
	GroupID      id.Group      `json:"group_id"`
	MembershipID id.Membership `json:"organization_membership_id"`
}

// WebhookEndpoint is the payload of webhook_endpoint.*: without its secret, which no event may carry.
type WebhookEndpoint struct {
	Object      string      `json:"object"`
	ID          id.Endpoint `json:"id"`
	EndpointURL string      `json:"endpoint_url"`
	Status      string      `json:"status"`
	Events      []string    `json:"events"`
	LastError   string      `json:"last_error"` // why the last attempt failed
	CreatedAt   Time        `json:"created_at"`
	UpdatedAt   Time        `json:"updated_at"`
}

// Encode writes JSON as JavaScript would: compact and without escapes for HTML. Receivers verify signatures over what
// JSON.stringify would have written.
func Encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encoding JSON: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// Changed returns the former values of the top-level attributes in which two payloads of one object differ, leaving
// out updated_at; nil when they do not differ. Both must encode to JSON objects.
func Changed(before, after any) (map[string]any, error) {
	was, err := attributes(before)
	if err != nil {
		return nil, err
	}
	is, err := attributes(after)
	if err != nil {
		return nil, err
	}
	var changed map[string]any
	for _, name := range union(was, is) {
		if name == "updated_at" || reflect.DeepEqual(was[name], is[name]) {
			continue
		}
		if changed == nil {
			changed = map[string]any{}
		}
		changed[name] = was[name]
	}
	return changed, nil
}

func attributes(payload any) (map[string]any, error) {
	raw, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("encoding an event payload: %w", err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("comparing event payloads: %w", err)
	}
	return m, nil
}

func union(a, b map[string]any) []string {
	names := make([]string, 0, len(a)+1)
	for name := range a {
		names = append(names, name)
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, name)
		}
	}
	return names
}
