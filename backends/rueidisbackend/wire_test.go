package rueidisbackend_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// pass lets a command through.
func pass(upstream *peer, client net.Conn, command []byte) bool {
	answer, err := upstream.call(command)
	if err == nil {
		_, err = client.Write(answer)
	}
	return err == nil
}

// applyThenDrop executes the command and closes the connection instead of
// answering.
func applyThenDrop(upstream *peer, _ net.Conn, command []byte) bool {
	_, _ = upstream.call(command)
	return false
}

// drop closes the connection instead of executing the command.
func drop(*peer, net.Conn, []byte) bool { return false }

// applyThenHang executes the command and never answers, and hang does not even
// execute it.
func applyThenHang(upstream *peer, client net.Conn, command []byte) bool {
	_, _ = upstream.call(command)
	return hang(upstream, client, command)
}

func hang(_ *peer, client net.Conn, _ []byte) bool {
	_, _ = io.Copy(io.Discard, client)
	return false
}

// answer gives an error reply and does not execute the command.
func answer(reply string) act {
	return func(_ *peer, client net.Conn, _ []byte) bool {
		_, err := client.Write([]byte("-" + reply + "\r\n"))
		return err == nil
	}
}

// accept answers OK and does not execute the command.
func accept(_ *peer, client net.Conn, _ []byte) bool {
	_, err := client.Write([]byte("+OK\r\n"))
	return err == nil
}

// applyThenAnswer executes the command and gives an error reply nevertheless, as
// a proxy may.
func applyThenAnswer(reply string) act {
	return func(upstream *peer, client net.Conn, command []byte) bool {
		_, _ = upstream.call(command)
		return answer(reply)(upstream, client, command)
	}
}

var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

// peer reads the protocol.
type peer struct {
	conn net.Conn
	r    *bufio.Reader
}

func newPeer(conn net.Conn) *peer { return &peer{conn: conn, r: bufio.NewReader(conn)} }

func (p *peer) call(command []byte) ([]byte, error) {
	if _, err := p.conn.Write(command); err != nil {
		return nil, err
	}
	reply, _, err := p.value()
	return reply, err
}

// value reads one value and returns its bytes and its strings.
func (p *peer) value() (raw []byte, words []string, err error) {
	line, err := p.r.ReadBytes('\n')
	if err != nil {
		return nil, nil, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(line[1:])))
	switch line[0] {
	case '$':
		if n < 0 {
			return line, nil, nil
		}
		body := make([]byte, n+2)
		if _, err := io.ReadFull(p.r, body); err != nil {
			return nil, nil, err
		}
		return append(line, body...), []string{string(body[:n])}, nil
	case '*', '%', '>':
		if line[0] == '%' {
			n *= 2
		}
		for range n {
			r, w, err := p.value()
			if err != nil {
				return nil, nil, err
			}
			line, words = append(line, r...), append(words, w...)
		}
	}
	return line, words, nil
}

// buffered is the server's end. As that of a network it takes answers before the client
// reads them: a pipeline would else wait for itself.
type buffered struct {
	net.Conn
	mu      sync.Mutex
	more    sync.Cond
	answers [][]byte
	closed  bool
}

func newBuffered(c net.Conn) *buffered {
	b := &buffered{Conn: c}
	b.more.L = &b.mu
	return b
}

func (b *buffered) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, net.ErrClosed
	}
	b.answers = append(b.answers, bytes.Clone(data))
	b.more.Signal()
	return len(data), nil
}

// Close closes the connection behind the answers.
func (b *buffered) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.more.Signal()
	return nil
}

func (b *buffered) flush() {
	defer func() { _ = b.Conn.Close() }()
	for {
		b.mu.Lock()
		for len(b.answers) == 0 && !b.closed {
			b.more.Wait()
		}
		answers := b.answers
		b.answers = nil
		b.mu.Unlock()
		if len(answers) == 0 {
			return
		}
		for _, data := range answers {
			if _, err := b.Conn.Write(data); err != nil {
				return
			}
		}
	}
}

// conn is the client's end. Once the other end is closed, a pipe has errors that
// no network has.
type conn struct{ net.Conn }

func (c conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return n, err
}

func (c conn) SetDeadline(end time.Time) error      { return c.ignore(c.Conn.SetDeadline(end)) }
func (c conn) SetReadDeadline(end time.Time) error  { return c.ignore(c.Conn.SetReadDeadline(end)) }
func (c conn) SetWriteDeadline(end time.Time) error { return c.ignore(c.Conn.SetWriteDeadline(end)) }

func (conn) ignore(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return nil
	}
	return err
}
