package webhook

import (
	"maps"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/event"
)

// contractEvents is every event that the public contract lets an endpoint subscribe to, also those that are not emitted
// yet: a client that asks for them must not be refused, and gets them from the release that has them.
const contractEvents = `
agent.registration.claim.attempt.created agent.registration.claim.completed agent.registration.created
agent.registration.credential.issued agent.registration.deleted agent.registration.expired
agent.registration.organization.switched agent.registration.refreshed agent.registration.revoked api_key.created
api_key.revoked api_key.updated authentication.email_verification_succeeded authentication.magic_auth_failed
authentication.magic_auth_succeeded authentication.mfa_succeeded authentication.oauth_failed
authentication.oauth_succeeded authentication.passkey_failed authentication.passkey_succeeded
authentication.password_failed authentication.password_succeeded authentication.radar_risk_detected
authentication.reauthentication_succeeded authentication.sso_failed authentication.sso_started
authentication.sso_succeeded authentication.sso_timed_out connection.activated connection.deactivated
connection.deleted connection.saml_certificate_renewal_required connection.saml_certificate_renewed dsync.activated
dsync.deleted dsync.group.created dsync.group.deleted dsync.group.updated dsync.group.user_added
dsync.group.user_removed dsync.user.created dsync.user.deleted dsync.user.updated email_verification.created
flag.created flag.deleted flag.rule_updated flag.updated group.created group.deleted group.member_added
group.member_removed group.updated invitation.accepted invitation.created invitation.resent invitation.revoked
magic_auth.created organization.created organization.deleted organization.updated organization_domain.created
organization_domain.deleted organization_domain.updated organization_domain.verification_failed
organization_domain.verified organization_membership.created organization_membership.deleted
organization_membership.updated organization_role.created organization_role.deleted organization_role.updated
password_reset.created password_reset.succeeded permission.created permission.deleted permission.updated
pipes.connected_account.connected pipes.connected_account.connection_failed pipes.connected_account.disconnected
pipes.connected_account.reauthorization_needed radar.challenge_created role.created role.deleted role.updated
session.created session.revoked user.created user.deleted user.updated waitlist_user.approved waitlist_user.created
waitlist_user.denied
`

// subscribable is the names of all events that an endpoint can subscribe to.
var subscribable = names(contractEvents, string(event.WebhookEndpointDisabled))

// Subscribable is the names of all events that an endpoint can subscribe to, sorted. Those that this product does not
// emit yet are among them.
func Subscribable() []string { return slices.Sorted(maps.Keys(subscribable)) }

func names(lists ...string) map[string]bool {
	all := map[string]bool{}
	for _, list := range lists {
		for name := range strings.FieldsSeq(list) {
			all[name] = true
		}
	}
	return all
}
