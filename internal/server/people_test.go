package server_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/server"
)

// accept does what the dashboard does with a link.
func accept(t *testing.T, database, link, name string) error {
	t.Helper()
	_, token, _ := strings.Cut(link, "?token=")
	return server.Visit(t.Context(), database, func(s server.Services) error {
		_, _, err := s.Operators.Accept(t.Context(), token,
			operator.NewPerson{Name: name, Email: name + "@acme.example", Password: "correct horse battery"})
		return err
	})
}

// Every start prints a link for the first owner until there is one; only the last link works, and once.
func TestLinkOfTheFirstOwner(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		first := start(t, server.Config{Database: database})
		if !strings.HasPrefix(first.dashboard, first.address+"/dashboard/invitation?token=") {
			t.Fatalf("announced %s", first.out)
		}
		first.stop()
		second := start(t, server.Config{Database: database})
		if second.key != "" || !strings.HasPrefix(second.dashboard, second.address+"/dashboard/invitation?token=") {
			t.Fatalf("announced %s", second.out)
		}
		if err := accept(t, database, first.dashboard, "mallory"); !fault.HasCode(err, operator.CodeInvitationInvalid) {
			t.Errorf("the link of an earlier start: %v", err)
		}
		if err := accept(t, database, second.dashboard, "ada"); err != nil {
			t.Fatal(err)
		}
		if err := accept(t, database, second.dashboard, "mallory"); !fault.HasCode(err, operator.CodeInvitationInvalid) {
			t.Errorf("a link that was used: %v", err)
		}
		second.stop()
		if third := start(t, server.Config{Database: database}); third.dashboard != "" {
			t.Errorf("announced %s", third.out)
		}
	})
}

// The token of a link is in no line of the log, whatever is done with it.
func TestTokensStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	r := start(t, server.Config{Database: "sqlite:" + sqliteFile(t)})
	path, token, _ := strings.Cut(r.dashboard, "?token=")
	path = strings.TrimPrefix(path, r.address)
	requests := 0
	for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
		for _, url := range []string{
			path + "?token=" + token, path + "?token=" + token + "&x=%zz", "/" + path + "?token=" + token, path + "/../invitation?token=" + token,
			path + "/" + token, "/dashboard/?token=" + token, "/?token=" + token,
		} {
			if _, err := r.attempt("", method, url, "", "Referer", r.dashboard, "Cookie", "session="+token); err == nil {
				requests++
			}
		}
	}
	r.stop()
	if lines := strings.Count(r.log.String(), `"msg":"request"`); requests == 0 || lines < requests {
		t.Errorf("%d requests are %d lines", requests, lines)
	}
	if strings.Contains(r.log.String(), token) {
		t.Errorf("the log holds the token:\n%s", r.log)
	}
}

// People read where to go in words.
func TestAnnouncementForPeople(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	out, ended := newTranscript(), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, server.Config{Database: "sqlite:" + sqliteFile(t), Listen: "127.0.0.1:0", Out: out, Err: new(bytes.Buffer)})
	}()
	const says = "Open the dashboard, once within 24 hours: http://127.0.0.1:"
	out.await(t, "the announcement", func(s string) bool {
		return strings.Contains(s, says) && strings.Contains(s, "/dashboard/invitation?token=")
	})
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
