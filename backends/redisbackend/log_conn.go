package redisbackend

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// logConn is a connection of a reader. Its calls end with their contexts.
type logConn interface {
	join(ctx context.Context, meta string) (joined, error)
	beat(ctx context.Context) (beat, error)

	// read returns messages behind after, at most readCount, and waits for them for
	// as long as block.
	read(ctx context.Context, after streamID, block time.Duration) ([]message, error)
}

// readCount is how many messages are read at once.
const readCount = 512

// serverConn is a connection from the client's pool.
type serverConn struct {
	log  *keyLog
	part *partition
	conn *redis.Conn
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
	begin := time.Now()
	reply, err := c.log.scripts.beat.run(ctx, c.conn, []string{c.part.log, c.part.mark})
	end := time.Now()
	if err != nil {
		return beat{}, err
	}
	if reply == "u" {
		return beat{}, errNoIdentity
	}
	fields, ok := textsOf(reply, 6)
	if !ok {
		return beat{}, errOddReply
	}
	b := beat{token: fields[0], master: fields[1] == "master", place: fields[2]}
	b.head, _ = parseStreamID(fields[3]) // the zero one is that of no log
	c.log.observe(begin, end, fields[4], fields[5])
	return b, nil
}

func (c *serverConn) read(ctx context.Context, after streamID, block time.Duration) ([]message, error) {
	streams, err := c.conn.XRead(ctx, &redis.XReadArgs{
		Streams: []string{c.part.log, after.String()}, Count: readCount, Block: max(block, time.Millisecond),
	}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, err
	case len(streams) != 1:
		return nil, errOddReply
	}
	messages := make([]message, len(streams[0].Messages))
	for i, m := range streams[0].Messages {
		messages[i] = parseMessage(m.ID, m.Values)
	}
	return messages, nil
}
