package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// exchange is a request, ready to be sent, and the answer it must get.
type exchange struct {
	request []byte
	status  int
	body    string // not compared when empty
}

// post makes the bytes of a request.
func post(path, key, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: rolecall\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, key, len(body), body)
}

// load is requests over a number of connections, each with one request at a time, until the time is over or enough of
// them are sent. It speaks HTTP by itself: a client for every purpose would use as much of the processor, which it
// shares with the server, as the server does.
type load struct {
	connections int
	span        time.Duration
	most        int // 0: no bound
}

// outcome is what came of a load.
type outcome struct {
	answered  int         // with the status that was expected
	refused   map[int]int // with another one, by status
	elapsed   time.Duration
	latencies []time.Duration // of the answered, sorted
}

func (o outcome) perSecond() float64 { return float64(o.answered) / o.elapsed.Seconds() }

func (o outcome) quantile(q float64) time.Duration {
	if len(o.latencies) == 0 {
		return 0
	}
	return o.latencies[min(int(q*float64(len(o.latencies))), len(o.latencies)-1)]
}

// run sends next(0), next(1) and so on. An answer with the right status and a wrong body ends it with an error.
func (l load) run(ctx context.Context, s *process, next func(n int) exchange) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, l.span)
	defer cancel()
	connections := make([]*connection, l.connections)
	for i := range connections {
		c, err := dial(s)
		if err != nil {
			return outcome{}, err
		}
		defer c.Close()
		connections[i] = c
	}
	var sent atomic.Int64
	var group sync.WaitGroup
	parts, errs := make([]outcome, l.connections), make([]error, l.connections)
	began := time.Now()
	for i, c := range connections {
		group.Go(func() {
			parts[i].refused = map[int]int{}
			for ctx.Err() == nil && errs[i] == nil {
				n := int(sent.Add(1)) - 1
				if l.most > 0 && n >= l.most {
					return
				}
				errs[i] = c.exchange(next(n), &parts[i])
			}
			if errs[i] != nil {
				cancel()
			}
		})
	}
	group.Wait()
	all := outcome{elapsed: time.Since(began), refused: map[int]int{}}
	for _, p := range parts {
		all.answered += p.answered
		all.latencies = append(all.latencies, p.latencies...)
		for status, n := range p.refused {
			all.refused[status] += n
		}
	}
	slices.Sort(all.latencies)
	return all, errors.Join(errs...)
}

// connection is one that is kept open.
type connection struct {
	net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(s *process) (*connection, error) {
	c, err := net.Dial("tcp", strings.TrimPrefix(s.Address, "http://"))
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &connection{Conn: c, in: bufio.NewReader(c)}, nil
}

func (c *connection) exchange(e exchange, o *outcome) error {
	began := time.Now()
	if _, err := c.Write(e.request); err != nil {
		return err
	}
	status, err := c.answer()
	if err != nil {
		return err
	}
	switch {
	case status != e.status:
		o.refused[status]++
	case e.body != "" && string(c.body) != e.body:
		return fmt.Errorf("a wrong answer: %q instead of %q to\n%s", c.body, e.body, e.request)
	default:
		o.answered++
		o.latencies = append(o.latencies, time.Since(began))
	}
	return nil
}

// answer reads one answer that says how long it is, as short ones do.
func (c *connection) answer() (status int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, fmt.Errorf("not an answer: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, err
	}
	length := -1
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, err
			}
		}
	}
	if length < 0 {
		return 0, errors.New("an answer without its length")
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	for read := 0; read < length; {
		n, err := c.in.Read(c.body[read:])
		if err != nil {
			return 0, err
		}
		read += n
	}
	return status, nil
}
