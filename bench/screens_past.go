package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/event"
)

// things is the members of groups, and the resources of the largest organization with who has a role on them.
func (e estate) things() []string {
	inGroup := e.memberships / 10 / 10 // each tenth member is in the largest organization, each tenth of those in all groups
	known := strings.NewReplacer("{env}", "(SELECT id FROM environments)", "{at}", "'"+joined+"'", "{org}", "'"+string(largestOrganization)+"'",
		"{resources}", numbers(e.resources), "{members}", numbers(max(inGroup, 1)), "{member}", ulid("om_", "i * 100"), "{resource}", ulid("authz_resource_", "5000000000 + i"),
		"{root}", "'authz_resource_"+strings.TrimPrefix(string(largestOrganization), "org_")+"'",
		"{workspace}", ulid("authz_resource_", "5000000000 + i / 100 * 100"), "{assignment}", ulid("role_assignment_", "5000000000 + i"),
		"{editor}", "(SELECT id FROM roles WHERE slug = 'editor')")
	return replaced(known, []string{
		`{members} INSERT INTO group_members (organization_id, group_id, membership_id, created_at)
			SELECT {org}, g.id, {member}, {at} FROM n CROSS JOIN organization_groups g WHERE i > 0`,
		`{resources} INSERT INTO resources (organization_id, id, environment_id, resource_type, external_id, name, parent_id, created_at, updated_at)
			SELECT {org}, {resource}, {env}, CASE WHEN i % 100 = 0 THEN 'workspace' ELSE 'project' END, 'resource-' || i, 'Resource ' || i,
			CASE WHEN i % 100 = 0 THEN {root} ELSE {workspace} END, {at}, {at} FROM n`,
		`{resources} INSERT INTO assignments (organization_id, id, environment_id, subject_id, role_id, resource_id, source, explicit, created_at, updated_at)
			SELECT {org}, {assignment}, {env}, ` + ulid("om_", "i % 1000 * 10") + `, {editor}, {workspace}, 'manual', 1, {at}, {at} FROM n`,
	})
}

// happenings is the past: the events that there are over and over, their deliveries to one endpoint, and work that is
// done. It lies in the last days, or the server would sweep it away.
func (e estate) happenings() []string {
	now := time.Now().Add(-24 * time.Hour)
	// Ids of that time, so that newer things come first.
	begin := strings.NewReplacer("01KDWBZ800", moment(now)).Replace
	known := strings.NewReplacer("{env}", "(SELECT id FROM environments)", "{at}", "'"+event.Time(now).String()+"'",
		"{events}", numbers(e.events), "{jobs}", numbers(500), "{keys}", numbers(30), "{event}", begin(ulid("event_", "i")),
		"{last}", "(SELECT last FROM event_places)", "{delivery}", begin(ulid("webhook_delivery_", "e.place")), "{deliveries}", strconv.Itoa(e.deliveries),
		"{endpoint}", "'we_01KDWBZ8000000000000000000'", "{job}", begin(ulid("job_", "i")), "{key}", begin(ulid("api_key_", "i")),
		"{state}", "CASE WHEN e.place % 10 = 0 THEN 'failed' ELSE 'succeeded' END")
	return replaced(known, []string{
		`CREATE TABLE past AS SELECT row_number() OVER (ORDER BY place) - 1 AS nth, organization_id, type, data, context FROM events ORDER BY place DESC LIMIT 300`,
		`UPDATE past SET nth = nth - (SELECT min(nth) FROM past)`,
		`CREATE UNIQUE INDEX past_by_nth ON past (nth)`,
		`{events} INSERT INTO events (id, environment_id, organization_id, place, type, data, context, created_at)
			SELECT {event}, {env}, p.organization_id, {last} + 1 + i, p.type, p.data, p.context, {at} FROM n JOIN past p ON p.nth = i % (SELECT count(*) FROM past)`,
		`UPDATE event_places SET last = (SELECT max(place) FROM events)`,
		`DROP TABLE past`,
		`INSERT INTO webhook_endpoints (id, environment_id, url, secret, status, events, place, created_at, updated_at)
			SELECT {endpoint}, {env}, 'https://receiver.example/hooks', 'whsec_none', 'disabled', '["role.created"]', {last}, {at}, {at}`,
		`INSERT INTO webhook_deliveries (id, endpoint_id, event_id, type, replay, state, attempts, claim, first_attempt, last_error, created_at, updated_at)
			SELECT {delivery}, {endpoint}, e.id, e.type, 0, {state}, 1, '', {at}, CASE WHEN e.place % 10 = 0 THEN 'answered 500' ELSE '' END, {at}, {at}
			FROM events e WHERE e.place > {last} - {deliveries}`,
		`INSERT INTO webhook_attempts (delivery_id, number, at, duration, status, answer, error)
			SELECT id, 1, {at}, 12, CASE WHEN state = 'failed' THEN 500 ELSE 200 END, 'ok', last_error FROM webhook_deliveries`,
		`{jobs} INSERT INTO jobs (id, environment_id, organization_id, kind, subject_id, slug, fallback_only, actor, at_organization, at_membership, total, done, held_by, created_at, updated_at, finished_at)
			SELECT {job}, {env}, '', 'announce', '', '', 0, '{"id":"bench","source":"system","name":"bench"}', '', '', 1000, 1000, '', {at}, {at}, {at} FROM n`,
		`{keys} INSERT INTO api_keys (id, environment_id, name, hash, hint, created_at) SELECT {key}, {env}, 'Key ' || i, 'hash' || i, 'abcd', {at} FROM n`,
	})
}

// moment is a time as ids begin.
func moment(at time.Time) string {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	text, rest := make([]byte, 10), at.UnixMilli()
	for i := len(text) - 1; i >= 0; i-- {
		text[i], rest = digits[rest%32], rest/32
	}
	return string(text)
}
