package redisbackend

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/internal/redislog"
)

// processor executes a command: a client, or one connection of it.
type processor interface {
	Process(ctx context.Context, cmd redis.Cmder) error
}

// runner executes scripts that may be repeated.
type runner struct{ by processor }

var _ redislog.Runner = runner{}

// Run implements [redislog.Runner].
func (r runner) Run(ctx context.Context, call redislog.Call) (any, error) {
	reply, err := r.try(ctx, "evalsha", call.Script.SHA, call)
	if noScript(err) {
		reply, err = r.try(ctx, "eval", call.Script.Source, call)
	}
	return reply, err
}

func (r runner) try(ctx context.Context, name, what string, call redislog.Call) (any, error) {
	all := append(make([]any, 0, 3+len(call.Words)), name, what, call.Keys)
	for i := range call.Words {
		all = append(all, &call.Words[i])
	}
	cmd := redis.NewCmd(ctx, all...)
	cmd.SetFirstKeyPos(3)
	if err := r.by.Process(ctx, cmd); err != nil {
		return nil, err
	}
	return cmd.Val(), nil
}

// logConn is a connection from the client's pool.
type logConn struct {
	runner
	conn *redis.Conn
}

var _ redislog.Conn = logConn{}

// connectLog returns a function that takes a connection for the reader of a partition.
func connectLog(
	connect func(ctx context.Context, key string) (*redis.Conn, error),
) func(ctx context.Context, p *redislog.Partition) (redislog.Conn, error) {
	return func(ctx context.Context, p *redislog.Partition) (redislog.Conn, error) {
		conn, err := connect(ctx, p.Log)
		if err != nil {
			return nil, err
		}
		return logConn{runner{conn}, conn}, nil
	}
}

// Read implements [redislog.Conn].
func (c logConn) Read(ctx context.Context, log, after string, block time.Duration) ([]redislog.Message, error) {
	streams, err := c.conn.XRead(ctx, &redis.XReadArgs{
		Streams: []string{log, after}, Count: redislog.ReadCount, Block: block,
	}).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, nil
	case err != nil:
		return nil, err
	case len(streams) != 1:
		return nil, redislog.ErrOddReply
	}
	messages := make([]redislog.Message, len(streams[0].Messages))
	for i, m := range streams[0].Messages {
		messages[i] = redislog.ParseMessage(m.ID, func(name string) string {
			text, _ := m.Values[name].(string)
			return text
		})
	}
	return messages, nil
}

// Close gives the connection back to the pool.
func (c logConn) Close() { _ = c.conn.Close() }

// neverPasses reports whether the error of a connection is for good.
func neverPasses(err error) bool {
	r, _ := replyOf(err)
	return r.Never || errors.Is(err, redis.ErrClosed)
}
