package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// call sends one request that is not part of a load and reads the answer, which must have a status.
func call(ctx context.Context, s *process, key, method, path, body string, status int, into any) (took time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, method, s.Address+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	began := time.Now()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(answer.Body)
	took = time.Since(began)
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return took, err
	}
	if answer.StatusCode != status {
		return took, fmt.Errorf("%s %s: %s after %v: %s", method, path, answer.Status, took.Round(time.Millisecond), text)
	}
	if into == nil {
		return took, nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return took, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return took, nil
}

// encoded is a value as JSON, for a body.
func encoded(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, lists and maps always encode
	}
	return string(text)
}
