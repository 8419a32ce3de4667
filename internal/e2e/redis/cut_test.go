package redis_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"sync"
)

// cut is a network that passes on a number of bytes of commands or of answers and then
// closes the connection.
type cut struct {
	addr string

	mu      sync.Mutex
	left    map[string]int64 // of a direction; none: all pass
	struck  bool             // a byte has not been passed on since after was called
	answers []byte           // those that were passed on since
	open    int              // connections
}

// The directions of a cut.
const (
	commands = "commands"
	answers  = "answers"
)

func newCut(addr string) *cut { return &cut{addr: addr} }

func (c *cut) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = nil
}

// after cuts the network when so many bytes have passed in a direction.
func (c *cut) after(direction string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.struck, c.answers = map[string]int64{direction: n}, false, nil
}

// take returns how many of n bytes may pass.
func (c *cut) take(direction string, n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	left, limited := c.left[direction]
	if !limited {
		return n
	}
	if int64(n) > left {
		n, c.struck = int(left), true
	}
	c.left[direction] = left - int64(n)
	return n
}

// happened reports whether the cut has met anything, and returns the answers that the
// client has got since after was called.
func (c *cut) happened() (struck bool, answers []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.struck, c.answers
}

// connections returns how many are open.
func (c *cut) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

func (c *cut) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, c.addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	return &cutConn{Conn: conn, cut: c}, nil
}

type cutConn struct {
	net.Conn
	cut *cut

	closing sync.Once
	unread  []byte // it has come from the server
}

func (c *cutConn) Close() (err error) {
	c.closing.Do(func() {
		err = c.Conn.Close()
		c.cut.mu.Lock()
		defer c.cut.mu.Unlock()
		c.cut.open--
	})
	return err
}

func (c *cutConn) Write(b []byte) (int, error) {
	pass := c.cut.take(commands, len(b))
	if pass == len(b) {
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:pass])
	_ = c.Close()
	return n, net.ErrClosed
}

func (c *cutConn) Read(b []byte) (int, error) {
	if len(c.unread) == 0 { // an answer begins, or its rest does
		n, err := c.Conn.Read(b)
		if err != nil {
			return n, err
		}
		c.unread = bytes.Clone(b[:n])
	}
	pass := c.cut.take(answers, min(len(b), len(c.unread)))
	if pass == 0 {
		_ = c.Close()
		return 0, io.EOF
	}
	n := copy(b, c.unread[:pass])
	c.unread = c.unread[n:]
	c.cut.mu.Lock()
	defer c.cut.mu.Unlock()
	c.cut.answers = append(c.cut.answers, b[:n]...)
	return n, nil
}

// whole returns how many answers there are in data as a whole that are no errors.
func whole(data []byte) (n int) {
	for {
		rest, ok := afterReply(data)
		if !ok {
			return n
		}
		if data[0] != '-' {
			n++
		}
		data = rest
	}
}

// afterReply returns the data behind the first answer, if that is there as a whole.
func afterReply(data []byte) (rest []byte, ok bool) {
	line, rest, ok := bytes.Cut(data, []byte("\r\n"))
	if !ok || len(line) == 0 {
		return nil, false
	}
	size, _ := strconv.Atoi(string(line[1:])) // of a kind that has one
	switch line[0] {
	case '*':
		for range size {
			if rest, ok = afterReply(rest); !ok {
				return nil, false
			}
		}
	case '$':
		if size < 0 {
			break
		}
		if len(rest) < size+2 {
			return nil, false
		}
		rest = rest[size+2:]
	}
	return rest, true
}
