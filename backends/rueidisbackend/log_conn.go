package rueidisbackend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache/internal/redislog"
)

// runner executes scripts that may be repeated.
type runner struct{ by rueidis.CommandClient }

var _ redislog.Runner = runner{}

// Run implements [redislog.Runner].
func (r runner) Run(ctx context.Context, call redislog.Call) (any, error) {
	result := r.by.Do(ctx, newEval(r.by.B(), call, false))
	err := errorOf(result)
	if noScript(err) {
		result = r.by.Do(ctx, newEval(r.by.B(), call, true))
		err = errorOf(result)
	}
	if err != nil && !rueidis.IsRedisNil(err) {
		return nil, err
	}
	reply, _ := result.ToMessage() // its error is that above
	return plain(reply), nil
}

// noScript reports whether the server does not have the script: nothing was executed.
func noScript(err error) bool {
	e, ok := err.(*replyError) //nolint:errorlint // as it was made
	return ok && strings.HasPrefix(e.text, "NOSCRIPT")
}

// errClientClosed wraps the error of connections that were closed again and again.
var errClientClosed = errors.New("rueidisbackend: the client is closed")

// maxClosed is how many connections in a row are closed before a reader takes the client
// for closed: rueidis says the same of the connections to a node that has left.
const maxClosed = 10

// connect opens a connection for the reader of a partition. A single server's is made at
// once, and ends by the client's Dialer.Timeout alone; a cluster's is made by the first
// command.
func (b *Backend) connect(_ context.Context, p *redislog.Partition) (redislog.Conn, error) {
	conn, _ := b.client.Dedicate()
	return &logConn{runner{conn}, conn, b.closed[p]}, nil
}

// logConn is a connection that nobody else uses.
type logConn struct {
	runner
	conn   rueidis.DedicatedClient
	closed *atomic.Int32 // how many in a row were closed
}

var _ redislog.Conn = (*logConn)(nil)

// Run implements [redislog.Runner].
func (c *logConn) Run(ctx context.Context, call redislog.Call) (any, error) {
	reply, err := c.runner.Run(ctx, call)
	return reply, c.note(err)
}

// note counts errors that a closed client has.
func (c *logConn) note(err error) error {
	switch {
	case !errors.Is(err, rueidis.ErrClosing):
		c.closed.Store(0)
	case c.closed.Add(1) >= maxClosed:
		return fmt.Errorf("%w: %w", errClientClosed, err)
	}
	return err
}

// Read implements [redislog.Conn].
func (c *logConn) Read(ctx context.Context, log, after string, block time.Duration) ([]redislog.Message, error) {
	command := c.conn.B().Xread().Count(redislog.ReadCount).Block(block.Milliseconds()).Streams().Key(log).Id(after).Build()
	r := c.conn.Do(ctx, command)
	err := errorOf(r)
	switch {
	case rueidis.IsRedisNil(err):
		return nil, nil
	case err != nil:
		return nil, c.note(err)
	}
	streams, err := r.AsXRead()
	if err != nil || len(streams[log]) == 0 {
		return nil, redislog.ErrOddReply
	}
	messages := make([]redislog.Message, len(streams[log]))
	for i, m := range streams[log] {
		messages[i] = redislog.ParseMessage(m.ID, func(name string) string { return m.FieldValues[name] })
	}
	return messages, nil
}

// Close ends the connection. It is not given back to the pool: a reply may be on its way.
func (c *logConn) Close() { c.conn.Close() }

// forGood reports whether the error of a connection is for good.
func forGood(err error) bool {
	if e, ok := errors.AsType[*replyError](err); ok {
		r, _ := replyOf(e)
		return r.Never
	}
	return errors.Is(err, errClientClosed)
}
