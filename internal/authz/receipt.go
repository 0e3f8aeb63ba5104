package authz

import (
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// ReceiptLife is how long the first answer to an idempotent request is replayed.
const ReceiptLife = 24 * time.Hour

// Once marks a request that its sender may repeat under one key and that must take effect at most once.
type Once struct {
	Key         string    // as sent, at most 255 bytes
	Owner       id.APIKey // keys of different senders never meet
	Fingerprint string    // of method, path and body: the same key for something else is refused
	// Render turns the result of the rule into the answer that will be replayed. It runs inside the transaction, so
	// that the answer is stored with the change or not at all, and may run more than once.
	Render func(result any) (status int, body []byte, err error)
}

// Receipt is a stored first answer.
type Receipt struct {
	Owner       id.APIKey
	Key         string
	Fingerprint string
	Status      int
	Body        []byte
	CreatedAt   time.Time
}

// ReceiptReader finds receipts.
type ReceiptReader interface {
	Receipt(owner id.APIKey, key string) (r Receipt, found bool, err error)
}

// ReceiptWriter stores receipts.
type ReceiptWriter interface {
	// PutReceipt stores a receipt, replacing an expired one under the same owner and key.
	PutReceipt(Receipt) error
	// DeleteReceipts removes up to max receipts older than the given instant and says how many.
	DeleteReceipts(before time.Time, max int) (int, error)
}

// Replay is returned in place of a result when the request was already carried out: the first answer.
type Replay struct{ Receipt Receipt }

// Error makes a replay travel as an error through rules that know nothing of it.
func (*Replay) Error() string { return "already carried out under this idempotency key" }

// Replay looks for the first answer to the request, which it returns as a *Replay. It is nil when there is none, and for
// a request that may not be repeated, which is a nil Once.
func (o *Once) Replay(r ReceiptReader, now time.Time) error {
	if o == nil {
		return nil
	}
	first, found, err := r.Receipt(o.Owner, o.Key)
	if err != nil {
		return err
	}
	if !found || now.Sub(first.CreatedAt) >= ReceiptLife {
		return nil
	}
	if first.Fingerprint != o.Fingerprint {
		return fault.New(fault.Invalid, "idempotency_key_reused",
			"This Idempotency-Key was already used for a different request. Use a new key, or repeat the first request unchanged.")
	}
	return &Replay{Receipt: first}
}

// Keep stores the answer to the request, in the transaction of its change; for a nil Once it does nothing.
func (o *Once) Keep(w ReceiptWriter, now time.Time, result any) error {
	if o == nil {
		return nil
	}
	status, body, err := o.Render(result)
	if err != nil {
		return err
	}
	return w.PutReceipt(Receipt{
		Owner: o.Owner, Key: o.Key, Fingerprint: o.Fingerprint,
		Status: status, Body: body, CreatedAt: now,
	})
}
