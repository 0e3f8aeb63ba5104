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

func (ch *change) replay() error {
	once := ch.caller.Once
	if once == nil {
		return nil
	}
	r, found, err := ch.Receipt(once.Owner, once.Key)
	if err != nil {
		return err
	}
	if !found || ch.now.Sub(r.CreatedAt) >= ReceiptLife {
		return nil
	}
	if r.Fingerprint != once.Fingerprint {
		return fault.New(fault.Invalid, "idempotency_key_reused",
			"This Idempotency-Key was already used for a different request. Use a new key, or repeat the first request unchanged.")
	}
	return &Replay{Receipt: r}
}

func (ch *change) keepReceipt(result any) error {
	once := ch.caller.Once
	if once == nil {
		return nil
	}
	status, body, err := once.Render(result)
	if err != nil {
		return err
	}
	return ch.PutReceipt(Receipt{
		Owner: once.Owner, Key: once.Key, Fingerprint: once.Fingerprint,
		Status: status, Body: body, CreatedAt: ch.now,
	})
}
