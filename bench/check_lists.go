package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall/rolecall/internal/id"
)

const (
	batchPath       = "/authorization/checks"
	availablePath   = "/authorization/organizations/%s/roles"
	permissionsPath = "/authorization/organization_memberships/%s/resources/%s/permissions?limit=100"
	// bytesPath is where the bare handler sends as many bytes as it is told.
	bytesPath = "/bytes/%s"
)

// How many different requests of a kind are sent, and how many questions a batch has.
const (
	mostChecks = 100_000
	mostOthers = 1_000
	batched    = 100
)

// contests are the kinds of requests, with the answers that they must get.
func (w *world) contests(ctx context.Context, s *process) ([]contest, error) {
	checks := w.checks()
	single := contest{asked: "check", questions: 1, server: s, product: checks[:min(len(checks), mostChecks)]}
	single.bare = slices.Clone(single.product)
	for i := range single.bare {
		single.bare[i].body = authorized(true) // which the bare handler always says
	}
	batch := contest{asked: "100 checks", questions: batched, server: s, product: w.batches()}
	for _, e := range batch.product {
		batch.bare = append(batch.bare, sized(e, "POST "+batchPath))
	}
	roles := contest{asked: "roles", questions: 1, server: s}
	for _, org := range spread(w.organizations, mostOthers) {
		path := fmt.Sprintf(availablePath, org)
		e, err := known(ctx, s, w.key, path, w.shows)
		if err != nil {
			return nil, err
		}
		roles.product, roles.bare = append(roles.product, e), append(roles.bare, sized(e, "GET "+path))
	}
	permissions := contest{asked: "permissions", questions: 1, server: s}
	for _, at := range spread(w.seats, mostOthers) {
		path := fmt.Sprintf(permissionsPath, at.member, id.Retype[id.Resource](at.organization))
		e, err := known(ctx, s, w.key, path, at.shows)
		if err != nil {
			return nil, err
		}
		permissions.product, permissions.bare = append(permissions.product, e), append(permissions.bare, sized(e, "GET "+path))
	}
	return []contest{single, batch, roles, permissions}, nil
}

// batches are the questions, many in each request.
func (w *world) batches() (all []exchange) {
	for questions := range slices.Chunk(w.questions, batched) {
		if len(questions) < batched || len(all) == mostOthers {
			break
		}
		var ask, want []string
		for _, q := range questions {
			ask = append(ask, fmt.Sprintf(`{"organization_membership_id":%q,"permission_slug":%q}`, q.member, q.permission))
			want = append(want, authorized(q.allowed))
		}
		all = append(all, exchange{
			request: post(batchPath, w.key, `{"checks":[`+strings.Join(ask, ",")+`]}`),
			status:  http.StatusOK, body: `{"object":"list","data":[` + strings.Join(want, ",") + `]}`,
		})
	}
	return all
}

// spread is at most so many of all, evenly.
func spread[T any](all []T, most int) (some []T) {
	for i := 0; i < len(all); i += max(1, len(all)/most) {
		some = append(some, all[i])
	}
	return some
}

// known is a request for a list with the answer that it has, once that was found to be right.
func known(ctx context.Context, s *process, key, path string, right func(data []listed) bool) (exchange, error) {
	var raw json.RawMessage
	if _, err := call(ctx, s, key, http.MethodGet, path, "", http.StatusOK, &raw); err != nil {
		return exchange{}, err
	}
	var list struct{ Data []listed }
	if err := json.Unmarshal(raw, &list); err != nil {
		return exchange{}, err
	}
	if !right(list.Data) {
		return exchange{}, fmt.Errorf("a wrong answer: %s to %s", raw, path)
	}
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: rolecall\r\nAuthorization: Bearer %s\r\n\r\n", path, key)
	return exchange{request: request, status: http.StatusOK, body: string(raw)}, nil
}

// listed is what is looked at of a role or a permission in a list.
type listed struct {
	Slug        string
	Permissions []string
}

// shows says whether these are the roles of an organization.
func (w *world) shows(roles []listed) bool {
	want := map[string][]string{}
	for n := range environmentRoles {
		want[environmentSlug(n)] = permissionSlugs(n*environmentHolds, environmentHolds)
	}
	for n := range w.customRoles {
		want[customSlug(n)] = permissionSlugs(n*2*customHolds, customHolds)
	}
	return len(roles) == len(want) && !slices.ContainsFunc(roles, func(r listed) bool { return !sameSlugs(r.Permissions, want[r.Slug]) })
}

// shows says whether these are the permissions of the member.
func (at seat) shows(held []listed) bool {
	slugs := make([]string, len(held))
	for i, p := range held {
		slugs[i] = p.Slug
	}
	return sameSlugs(slugs, permissionSlugs(at.first, at.holds))
}

func sameSlugs(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// sized is the request as the bare handler gets it: it is to send as many bytes, after it has read the same.
func sized(e exchange, line string) exchange {
	method, path, _ := strings.Cut(line, " ")
	length := strconv.Itoa(len(e.body))
	request := method + " " + fmt.Sprintf(bytesPath, length) + strings.TrimPrefix(string(e.request), method+" "+path)
	return exchange{request: []byte(request), status: e.status, body: strings.Repeat("x", len(e.body))}
}

var someBytes = []byte(strings.Repeat("x", 1<<20))

// sendBytes reads the body and sends bytes that are there.
func sendBytes(w http.ResponseWriter, r *http.Request) {
	length, err := strconv.Atoi(r.PathValue("length"))
	if err != nil || length < 0 || length > len(someBytes) {
		http.Error(w, "no length", http.StatusBadRequest)
		return
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(length))
	_, _ = w.Write(someBytes[:length]) // a client that went away has nobody left to tell
}
