package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/event"
)

// SignatureHeader holds when a request was signed and its signature (R190).
const SignatureHeader = "WorkOS-Signature"

// maxAnswer is how many bytes of an answer's body the log keeps.
const maxAnswer = 1024

// Sign signs a body at an instant, in the spelling of the contract (R190-R192).
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.UnixMilli(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ", v1=" + hex.EncodeToString(mac.Sum(nil))
}

// send makes one attempt. The body is the event as the API shows it, to the letter (R181).
func (w *Worker) send(ctx context.Context, p Parcel) Attempt {
	a := Attempt{Delivery: p.ID, Number: p.Attempts + 1, At: w.rules.instant()}
	if p.Lost {
		a.Error = "the event is not kept any more"
		return a
	}
	began := time.Now()
	err := w.post(ctx, p, &a)
	a.Duration = time.Since(began).Truncate(time.Millisecond)
	if err != nil {
		a.Error = plainly(err)
	}
	if w.observe != nil {
		w.observe(ctx, a)
	}
	return a
}

func (w *Worker) post(ctx context.Context, p Parcel, a *Attempt) error {
	body, err := event.Encode(p.Contents.Envelope())
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Rolecall-Webhooks")
	req.Header.Set(SignatureHeader, Sign(p.Secret, a.At, body))
	answer, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	a.Status = answer.StatusCode
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	a.Answer = printable(text)
	if err == nil {
		_, err = io.Copy(io.Discard, io.LimitReader(answer.Body, maxDiscarded))
	}
	switch {
	case a.Status >= 300 && a.Status < 400:
		return fmt.Errorf("answered %d: redirects are not followed", a.Status)
	case a.Status < 200 || a.Status >= 400:
		return fmt.Errorf("answered %d", a.Status)
	}
	return err // an answer that was cut off may be of a receiver that died over the event
}

// printable is text of a stranger in a form that every database keeps.
func printable(text []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(text), "\uFFFD"), "\x00", "\uFFFD")
}

// plainly is an error without the URL, whose query may hold a secret, and without addresses of this machine.
func plainly(err error) string {
	if errors.Is(err, errAddress) {
		return errAddress.Error()
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		if outer.Timeout() {
			return fmt.Sprintf("no complete answer within %v", requestTime)
		}
		err = outer.Err
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		if name.IsNotFound {
			return "the host is not known"
		}
		return "the host could not be looked up"
	}
	var network *net.OpError
	if errors.As(err, &network) {
		err = fmt.Errorf("%s: %w", network.Op, network.Err)
	}
	return printable([]byte(err.Error()))
}
