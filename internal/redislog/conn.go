package redislog

import (
	"context"
	"time"
)

// Conn is one connection to the server of a partition. Its calls end with their contexts.
type Conn interface {
	Runner

	// Read returns messages of the log behind the one with the id after, at most
	// ReadCount, and waits for them for as long as block, which is a millisecond at least.
	Read(ctx context.Context, log, after string, block time.Duration) ([]Message, error)

	// Close ends the connection, or gives it back to a pool.
	Close()
}

// ReadCount is how many messages are read at once.
const ReadCount = 512

// logConn is a connection of a reader.
type logConn interface {
	join(ctx context.Context, meta string) (joined, error)
	beat(ctx context.Context) (beat, error)

	// read returns messages behind after, at most ReadCount, and waits for them for
	// as long as block.
	read(ctx context.Context, after streamID, block time.Duration) ([]Message, error)
}

// serverConn is a logConn over one of an adapter.
type serverConn struct {
	log  *Log
	part *Partition
	conn Conn
}

var _ logConn = (*serverConn)(nil)

func (c *serverConn) join(ctx context.Context, meta string) (joined, error) {
	if err := c.part.acquire(ctx); err != nil {
		return joined{}, err
	}
	defer c.part.release()
	return c.log.join(ctx, c.conn, c.part, meta)
}

func (c *serverConn) beat(ctx context.Context) (beat, error) {
	return c.log.beat(ctx, c.conn, c.part)
}

func (c *serverConn) read(ctx context.Context, after streamID, block time.Duration) ([]Message, error) {
	return c.conn.Read(ctx, c.part.Log, after.String(), max(block, time.Millisecond))
}
