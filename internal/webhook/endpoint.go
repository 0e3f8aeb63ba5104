package webhook

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// The bounds of endpoints.
const (
	MaxURL       = 2048 // characters
	MaxEndpoints = 50   // of one environment
)

// Status says whether an endpoint gets anything (R195).
type Status string

// The statuses. A removed endpoint is gone for everybody but the worker, which removes its deliveries and then it.
const (
	Enabled  Status = "enabled"
	Disabled Status = "disabled"
	Removed  Status = "removed"
)

// Endpoint is where an environment sends events to.
type Endpoint struct {
	ID          id.Endpoint
	Environment id.Environment
	URL         string
	Secret      string // signs what is sent; never logged
	Status      Status
	Events      []string  // the names subscribed to
	Place       int64     // of the last event that was looked at; deliveries exist for what was subscribed up to it
	LastSuccess time.Time // when a receiver last took something; zero before
	VoidBefore  time.Time // what was waiting at this time is not to be delivered any more; zero when there is none
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

func (e Endpoint) payload(lastError string) event.WebhookEndpoint {
	return event.WebhookEndpoint{
		Object: "webhook_endpoint", ID: e.ID, EndpointURL: e.URL, Status: string(e.Status), Events: e.Events,
		LastError: lastError, CreatedAt: event.Time(e.CreatedAt), UpdatedAt: event.Time(e.UpdatedAt),
	}
}

// EndpointReader finds endpoints. Removed ones are found by Unclean alone.
type EndpointReader interface {
	Endpoint(env id.Environment, e id.Endpoint) (found Endpoint, ok bool, err error)
	EndpointByURL(env id.Environment, url string) (e Endpoint, found bool, err error)
	Endpoints(env id.Environment, r page.Request) (page.Page[Endpoint], error)
	CountEndpoints(env id.Environment) (int, error)
	// LastPlace is the place of the newest event of an environment that has one; 0 when there is none.
	LastPlace(env id.Environment) (int64, error)
	// Listening lists the environments that have an enabled endpoint.
	Listening() ([]id.Environment, error)
	// Behind lists the enabled endpoints of environments that have events with places beyond theirs.
	Behind() ([]id.Endpoint, error)
	// Due lists the enabled endpoints with a delivery that is to be tried at a time.
	Due(at time.Time) ([]id.Endpoint, error)
	// Unclean lists the endpoints that are removed or have deliveries to be voided.
	Unclean() ([]Endpoint, error)
}

// EndpointWriter stores endpoints.
type EndpointWriter interface {
	InsertEndpoint(Endpoint) error
	UpdateEndpoint(Endpoint) error
	// DeleteEndpoint removes an endpoint that has no deliveries any more, with its replays.
	DeleteEndpoint(id.Endpoint) error
	// LockEndpoint reads an endpoint that is not removed and keeps others from changing it until the transaction ends.
	LockEndpoint(id.Endpoint) (e Endpoint, found bool, err error)
}

// NewEndpoint is the input of CreateEndpoint.
type NewEndpoint struct {
	URL    string
	Events []string
}

// EndpointChange is the input of UpdateEndpoint; what is absent stays.
type EndpointChange struct {
	URL    authz.Opt[string]
	Status authz.Opt[string]
	Events authz.Opt[[]string]
}

// checkURL says whether events may be sent to a URL, as far as the URL tells. What its name stands for is looked at
// when it is dialled.
func (s *Service) checkURL(raw string) error {
	if utf8.RuneCountInString(raw) > MaxURL {
		return fault.BadField("endpoint_url", "must be at most %d characters", MaxURL)
	}
	if problem := s.guard.refuses(raw); problem != "" {
		f := fault.New(fault.Invalid, "invalid_url", "endpoint_url %s.", problem)
		f.Fields = []fault.Field{{Name: "endpoint_url", Message: problem}}
		return f
	}
	return nil
}

// checkEvents returns the names, each once.
func checkEvents(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, fault.BadField("events", "must name at least one event")
	}
	if len(names) > 2*len(subscribable) {
		return nil, fault.BadField("events", "must have at most %d names", 2*len(subscribable))
	}
	var bad []fault.Field
	var kept []string
	for _, name := range names {
		switch {
		case !subscribable[name]:
			bad = append(bad, fault.Field{Name: "events", Code: "unknown_event_type", Message: "has the unknown event '" + fault.Short(name) + "'"})
		case !slices.Contains(kept, name):
			kept = append(kept, name)
		}
	}
	if bad != nil {
		return nil, fault.BadFields(bad...)
	}
	return kept, nil
}

// CreateEndpoint makes an endpoint with a secret of its own. It gets what happens from now on.
func (s *Service) CreateEndpoint(ctx context.Context, c authz.Caller, in NewEndpoint) (Endpoint, error) {
	if err := s.checkURL(in.URL); err != nil {
		return Endpoint{}, err
	}
	events, err := checkEvents(in.Events)
	if err != nil {
		return Endpoint{}, err
	}
	if err := s.rules.PlaceCommitted(ctx, c.Environment); err != nil {
		return Endpoint{}, err
	}
	return write(ctx, s, c, func(tx Tx, now time.Time) (Endpoint, error) {
		if err := free(tx, c, in.URL); err != nil {
			return Endpoint{}, err
		}
		if n, err := tx.CountEndpoints(c.Environment); err != nil {
			return Endpoint{}, err
		} else if n >= MaxEndpoints {
			return Endpoint{}, fault.New(fault.Conflict, "too_many_endpoints", "An environment has at most %d webhook endpoints.", MaxEndpoints)
		}
		place, err := tx.LastPlace(c.Environment)
		if err != nil {
			return Endpoint{}, err
		}
		e := Endpoint{
			ID: id.New[id.Endpoint](s.ids), Environment: c.Environment, URL: in.URL, Secret: newSecret(),
			Status: Enabled, Events: events, Place: place, CreatedAt: now, UpdatedAt: now,
		}
		return e, tx.InsertEndpoint(e)
	})
}

func newSecret() string {
	random := make([]byte, 32)
	rand.Read(random) // never fails
	return "whsec_" + base64.RawURLEncoding.EncodeToString(random)
}

// free refuses a URL that another endpoint of the environment has.
func free(tx Tx, c authz.Caller, url string) error {
	_, taken, err := tx.EndpointByURL(c.Environment, url)
	if err == nil && taken {
		err = fault.New(fault.Conflict, "duplicate_endpoint", "A webhook endpoint with this URL exists already.")
	}
	return err
}

// Endpoint finds an endpoint.
func (s *Service) Endpoint(ctx context.Context, c authz.Caller, e id.Endpoint) (Endpoint, error) {
	return readFor(ctx, s, c, func(r Reader) (Endpoint, error) { return endpoint(r, c, e) })
}

func endpoint(r Reader, c authz.Caller, e id.Endpoint) (Endpoint, error) {
	found, ok, err := r.Endpoint(c.Environment, e)
	if err == nil && !ok {
		err = fault.Missing("Webhook endpoint", string(e))
	}
	return found, err
}

// ListEndpoints lists the endpoints of the caller's environment.
func (s *Service) ListEndpoints(ctx context.Context, c authz.Caller, r page.Request) (page.Page[Endpoint], error) {
	return readFor(ctx, s, c, func(tx Reader) (page.Page[Endpoint], error) { return tx.Endpoints(c.Environment, r) })
}

// UpdateEndpoint changes an endpoint. What is waiting goes to the new URL. Disabling voids what is waiting; enabling
// again starts at the present: what happened meanwhile is delivered by a replay, if at all.
func (s *Service) UpdateEndpoint(ctx context.Context, c authz.Caller, which id.Endpoint, in EndpointChange) (Endpoint, error) {
	var err error
	if in.URL.Set {
		err = s.checkURL(in.URL.Value)
	}
	if err == nil && in.Events.Set {
		in.Events.Value, err = checkEvents(in.Events.Value)
	}
	if st := Status(in.Status.Value); err == nil && in.Status.Set && st != Enabled && st != Disabled {
		err = fault.BadField("status", "must be one of enabled, disabled")
	}
	if err == nil && in.Status.Set {
		err = s.rules.PlaceCommitted(ctx, c.Environment)
	}
	if err != nil {
		return Endpoint{}, err
	}
	return write(ctx, s, c, func(tx Tx, now time.Time) (Endpoint, error) {
		e, err := endpoint(tx, c, which)
		if err != nil {
			return Endpoint{}, err
		}
		changed, err := in.apply(tx, c, &e, now)
		if err != nil || !changed {
			return e, err
		}
		e.UpdatedAt = now
		return e, tx.UpdateEndpoint(e)
	})
}

func (in EndpointChange) apply(tx Tx, c authz.Caller, e *Endpoint, now time.Time) (changed bool, err error) {
	if in.URL.Set && in.URL.Value != e.URL {
		if err := free(tx, c, in.URL.Value); err != nil {
			return false, err
		}
		e.URL, changed = in.URL.Value, true
	}
	if in.Events.Set && !slices.Equal(in.Events.Value, e.Events) {
		e.Events, changed = in.Events.Value, true
	}
	status := Status(in.Status.Value)
	if !in.Status.Set || status == e.Status {
		return changed, nil
	}
	if status == Disabled {
		return true, e.disable(tx, now)
	}
	e.Status = Enabled
	e.Place, err = tx.LastPlace(e.Environment)
	return true, err
}

// disable ends everything that is under way to an endpoint. The caller stores the endpoint.
func (e *Endpoint) disable(tx Tx, now time.Time) error {
	e.Status, e.VoidBefore, e.UpdatedAt = Disabled, now, now
	return tx.DropReplays(e.ID)
}

// DeleteEndpoint removes an endpoint with its deliveries. It is gone at once; the worker removes the deliveries.
func (s *Service) DeleteEndpoint(ctx context.Context, c authz.Caller, which id.Endpoint) error {
	_, err := write(ctx, s, c, func(tx Tx, now time.Time) (struct{}, error) {
		e, err := endpoint(tx, c, which)
		if err != nil {
			return struct{}{}, err
		}
		e.Status, e.UpdatedAt = Removed, now
		return struct{}{}, tx.UpdateEndpoint(e)
	})
	return err
}
