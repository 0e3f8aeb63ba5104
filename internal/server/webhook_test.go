package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/server"
	"github.com/rolecall/rolecall/internal/webhook"
)

const endpoints = "/webhook_endpoints"

// hook is a receiver that tells of each webhook and answers when the test says so.
func hook(t *testing.T, goOn <-chan struct{}) (url string, arrived <-chan string) {
	t.Helper()
	got := make(chan string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- string(body)
		<-goOn
	}))
	t.Cleanup(s.Close)
	return s.URL, got
}

func await(t *testing.T, what string, arrived <-chan string) string {
	t.Helper()
	select {
	case body := <-arrived:
		return body
	case <-time.After(patience):
		t.Fatalf("waiting for %s", what)
	}
	return ""
}

func newEndpoint(url string) string {
	return fmt.Sprintf(`{"endpoint_url":%q,"events":["permission.created"]}`, url)
}

// A server delivers by itself. The order to stop lets a webhook under way finish and keeps its answer, so that the next
// server does not send it again, and sends what happened meanwhile.
func TestWebhooksAcrossARestart(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]string{"sqlite": "sqlite:" + sqliteFile(t), "postgres": pgtest.URL(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			goOn := make(chan struct{})
			url, arrived := hook(t, goOn)
			c := server.Config{Database: database, Webhooks: webhook.Options{AllowPrivate: true}}
			first := start(t, c)
			one := endpoints + "/" + first.want(201, first.call(first.key, "POST", endpoints, newEndpoint(url))).body["id"].(string)
			first.want(201, first.call(first.key, "POST", permissions, newPermission("a")))
			if body := await(t, "the first webhook", arrived); !strings.Contains(body, `"slug":"a"`) {
				t.Errorf("the first webhook is %s", body)
			}
			first.cancel() // while the receiver thinks about it
			first.log.await(t, "the order to stop", func(s string) bool { return strings.Contains(s, `"msg":"stopping"`) })
			close(goOn)
			first.stop()

			second := start(t, c)
			second.want(201, second.call(first.key, "POST", permissions, newPermission("b")))
			if body := await(t, "the second webhook", arrived); !strings.Contains(body, `"slug":"b"`) {
				t.Errorf("the second webhook is %s", body)
			}
			log := second.want(200, second.call(first.key, "GET", one+"/deliveries?order=asc", ""))
			deliveries := log.body["data"].([]any)
			if d := deliveries[0].(map[string]any); len(deliveries) != 2 || d["status"] != "succeeded" || d["attempt_count"] != 1.0 {
				t.Errorf("the deliveries are %s", log.raw)
			}
			secret := second.want(200, second.call(first.key, "GET", one, "")).body["secret"].(string)
			for _, r := range []*running{first, second} {
				if strings.Contains(r.log.String(), secret) {
					t.Error("the log holds the secret of the endpoint")
				}
			}
		})
	}
}

// Without the operator's word no endpoint is on this machine.
func TestNoWebhooksToThisMachine(t *testing.T) {
	t.Parallel()
	r := start(t, server.Config{Database: "sqlite:" + sqliteFile(t)})
	for _, url := range []string{"http://127.0.0.1:8080", "https://127.0.0.1:8080", "https://localhost", "https://169.254.169.254/latest/meta-data"} {
		if a := r.want(422, r.call(r.key, "POST", endpoints, newEndpoint(url))); a.body["code"] != "invalid_url" {
			t.Errorf("an endpoint at %s: %s", url, a.raw)
		}
	}
}
