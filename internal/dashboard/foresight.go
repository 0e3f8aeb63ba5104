package dashboard

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
)

// This file is the one way in which a page says what a change would do before it is made. Its form is asked with
// step=preview. What takes longer than a page should is left out of the page, which then asks again with step=wait; the
// button that makes the change waits for that.

// patience is how long a page waits for all that it foresees.
const patience = 300 * time.Millisecond

// limit is how long is counted at most: less than a request may take, so that the page can say that it was given up.
const limit = 25 * time.Second

// codeGivenUp is the refusal when even that was too short, and givenUp what is said then.
const (
	codeGivenUp = "counting_given_up"
	givenUp     = "Counting was given up after 25 seconds: there are too many members. A program can make the same change with the request below."
)

// foresight is what a change would do to whom, as far as it is known.
type foresight struct {
	*authz.Impact        // nil as long as it is not known
	Late          bool   // whether the page has to ask for it again
	Refused       string // why the change cannot be made
}

// byOrganization asks for the numbers, and for the first organizations that they come from.
var byOrganization = authz.ImpactRequest{Limit: 5, ByOrganization: true}

// asked says whether a form was sent only to learn what it would do.
func (v *visit) asked() bool { return v.typed("step") == "preview" || v.waits() }

// waits says whether the answer is waited for, however long it takes.
func (v *visit) waits() bool { return v.typed("step") == "wait" }

// decided says whether a form was sent to make its change.
func (v *visit) decided() bool { return v.posted() && !v.asked() }

// foresee finds out what a change would do. All that one page foresees has to share its patience.
func (v *visit) foresee(suppose authz.Supposition, req authz.ImpactRequest) (foresight, error) {
	if v.waits() {
		impact, err := v.await(suppose, req)
		return foresight{Impact: impact}, err
	}
	impact, late, err := v.previewWithin(v.door.patience, suppose, req)
	return foresight{Impact: impact, Late: late}, err
}

// await finds out what a change would do, however long that takes up to the limit. Beyond, it is refused as given up.
func (v *visit) await(suppose authz.Supposition, req authz.ImpactRequest) (*authz.Impact, error) {
	impact, late, err := v.previewWithin(v.door.limit, suppose, req)
	if late {
		err = fault.New(fault.Unavailable, codeGivenUp, givenUp)
	}
	return impact, err
}

// previewWithin asks for what a change would do, and says whether the time that all of the page has was too short for it.
func (v *visit) previewWithin(most time.Duration, suppose authz.Supposition, req authz.ImpactRequest) (impact *authz.Impact, late bool, err error) {
	if v.until.IsZero() {
		v.until = time.Now().Add(most)
	}
	ctx, done := context.WithDeadline(v.Context(), v.until)
	defer done()
	found, err := v.door.rules.Preview(ctx, v.caller, suppose, req)
	if err != nil {
		if ctx.Err() != nil && v.Context().Err() == nil {
			return nil, true, nil
		}
		return nil, false, err
	}
	return &found, false, nil
}

// foreseeing is foresee for a form: a refusal is shown with it.
func (v *visit) foreseeing(suppose authz.Supposition, req authz.ImpactRequest) (foresight, error) {
	f, err := v.foresee(suppose, req)
	if err != nil && v.blame(err) {
		return foresight{Refused: fault.Of(err).Message}, nil
	}
	return f, err
}
