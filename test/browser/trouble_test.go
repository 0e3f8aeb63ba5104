package browser_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/inspector"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A trouble keeps what makes a page wrong although it may look right: messages
// of the console, exceptions nobody caught, requests that failed, violations of
// the content security policy, and what else the browser complains about.
type trouble struct {
	mu       sync.Mutex
	happened []string
	expected []string
	requests map[network.RequestID]request // under way
}

type request struct {
	url    string
	loader cdp.LoaderID
}

func newTrouble() *trouble {
	return &trouble{requests: make(map[network.RequestID]request)}
}

const violationBinding = "rolecallViolation"

// watchViolations tells of violations of the content security policy. The
// browser does that, too, but says less.
const watchViolations = `addEventListener('securitypolicyviolation', (v) =>
  ` + violationBinding + `(v.effectiveDirective + ' forbids ' + v.blockedURI + ' in ' + v.sourceFile + ':' + v.lineNumber + ' ' + v.sample), true);`

// expect says that trouble with this in its text is what the test is about. The
// test fails if there was none.
func (t *trouble) expect(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expected = append(t.expected, text)
}

// verdict returns what went wrong since it was asked last, and what did not and
// should have.
func (t *trouble) verdict() (wrong, absent []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	seen := make(map[string]bool)
	for _, what := range t.happened {
		i := slices.IndexFunc(t.expected, func(e string) bool { return strings.Contains(what, e) })
		if i < 0 {
			wrong = append(wrong, what)
			continue
		}
		for _, e := range t.expected {
			seen[e] = seen[e] || strings.Contains(what, e)
		}
	}
	for _, e := range t.expected {
		if !seen[e] {
			absent = append(absent, e)
		}
	}
	t.happened, t.expected = nil, nil
	return wrong, absent
}

// loading returns the addresses of the requests under way.
func (t *trouble) loading() (urls []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, r := range t.requests {
		urls = append(urls, r.url)
	}
	slices.Sort(urls)
	return urls
}

// hear is called with each event of the page, by the goroutine that reads them.
func (p *page) hear(event any) {
	switch e := event.(type) {
	case *cdppage.EventJavascriptDialogOpening:
		// Until it is answered the page stands still. No command may be sent from here.
		go func() {
			_, _ = chromedp.Call(p.ctx, cdppage.HandleJavaScriptDialog, cdppage.HandleJavaScriptDialogParams{Accept: true})
		}()
	case *input.EventDragIntercepted:
		select {
		case p.drags <- e.Data:
		default: // nobody took the one before: no drag of ours
		}
	}
	p.trouble.mu.Lock()
	defer p.trouble.mu.Unlock()
	p.trouble.follow(event)
	if what := p.trouble.tell(event); what != "" && !slices.Contains(p.trouble.happened, what) {
		p.trouble.happened = append(p.trouble.happened, what)
	}
}

// follow keeps the list of requests under way.
func (t *trouble) follow(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type != network.ResourceTypeEventSource { // never ends
			t.requests[e.RequestID] = request{e.Request.URL, e.LoaderID}
		}
	case *network.EventLoadingFinished:
		delete(t.requests, e.RequestID)
	case *cdppage.EventFrameNavigated:
		if e.Frame.ParentID == "" { // nobody waits for what the page before asked for
			for id, r := range t.requests {
				if r.loader != e.Frame.LoaderID {
					delete(t.requests, id)
				}
			}
		}
	}
}

// tell returns what went wrong, or "" if the event tells of nothing wrong.
func (t *trouble) tell(event any) string {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		switch e.Type {
		case runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert:
			return fmt.Sprintf("console %s: %s", e.Type, words(e.Args))
		}
	case *runtime.EventExceptionThrown:
		return "exception: " + thrown(e.ExceptionDetails)
	case *runtime.EventBindingCalled:
		if e.Name == violationBinding {
			return "content security policy: " + e.Payload
		}
	case *log.EventEntryAdded:
		// What the network says here is said better below, and 404 or 422 are ordinary answers.
		if (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) && e.Entry.Source != log.EntrySourceNetwork {
			return fmt.Sprintf("browser %s (%s): %s %s", e.Entry.Level, e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *audits.EventIssueAdded:
		if what := issue(e.Issue); what != "" {
			return "issue: " + what
		}
	case *network.EventResponseReceived:
		if status := e.Response.Status; status >= 500 || status >= 400 && isPartOfPage(e.Type) {
			return fmt.Sprintf("request: %d for %s", status, e.Response.URL)
		}
	case *network.EventLoadingFailed:
		r := t.requests[e.RequestID]
		delete(t.requests, e.RequestID)
		if !e.Canceled { // the page before left it behind
			return fmt.Sprintf("request: %s %s for %s", e.ErrorText, e.BlockedReason, r.url)
		}
	case *cdppage.EventJavascriptDialogOpening:
		return fmt.Sprintf("dialog of the browser (%s): %s", e.Type, e.Message)
	case *inspector.EventTargetCrashed:
		return "the page crashed"
	}
	return ""
}

// isPartOfPage tells what a page of ours asks for only if it is there.
func isPartOfPage(kind network.ResourceType) bool {
	switch kind {
	case network.ResourceTypeStylesheet, network.ResourceTypeScript, network.ResourceTypeImage,
		network.ResourceTypeFont, network.ResourceTypeMedia, network.ResourceTypeManifest:
		return true
	}
	return false
}

func words(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		switch {
		case a.Description != "":
			all = append(all, a.Description)
		case a.UnserializableValue != "":
			all = append(all, string(a.UnserializableValue))
		default:
			all = append(all, string(a.Value))
		}
	}
	return strings.Join(all, " ")
}

func thrown(details *runtime.ExceptionDetails) string {
	text := details.Text
	if details.Exception != nil {
		text += " " + words([]*runtime.RemoteObject{details.Exception})
	}
	return fmt.Sprintf("%s (%s:%d)", text, details.URL, details.LineNumber+1)
}

// issue returns what the browser advises against, or "" if it may.
func issue(i *audits.InspectorIssue) string {
	if i.Details != nil && i.Details.ContentSecurityPolicyIssueDetails != nil {
		d := i.Details.ContentSecurityPolicyIssueDetails
		return fmt.Sprintf("%s: %s forbids %s %s", i.Code, d.ViolatedDirective, d.BlockedURL, d.ContentSecurityPolicyViolationType)
	}
	if i.Details != nil && i.Details.GenericIssueDetails != nil {
		d := i.Details.GenericIssueDetails
		if d.ErrorType == audits.GenericIssueErrorTypeFormInputAssignedAutocompleteValueToIDOrNameAttributeError {
			return "" // a field called "name" or "email" is a fine one
		}
		return fmt.Sprintf("%s: %s %s", i.Code, d.ErrorType, d.ViolatingNodeAttribute)
	}
	return string(i.Code)
}
