package redisbackend

import (
	"context"
	"encoding"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/internal/redislog"
)

// command is one attempt of a write. It knows how often it was written to a
// connection: that cannot be done without its name, which is a value that is
// asked for its bytes at just that moment.
type command struct {
	redis.Cmder
	name     name
	answered bool // a reply was read, which was no error
}

var _ redis.Cmder = (*command)(nil)

// setCommand is a SET, and evalCommand the call of a script, with their arguments: each is
// one allocation (budgets RedisSet and DistantVersionedSet).
type (
	setCommand struct {
		command
		set  redis.StatusCmd
		args [5]any
	}
	evalCommand struct {
		command
		eval redis.Cmd
		args [3 + redislog.MaxWords]any
	}
)

// NoRetry tells go-redis not to repeat the command: the error of a repetition would say
// nothing about the outcome of the first attempt.
func (c *command) NoRetry() bool { return true }

// SetErr keeps the success of a command whose reply was read: when a connection is lost
// within a pipeline, go-redis gives the error to all its commands that have none.
func (c *command) SetErr(err error) {
	if err == nil && c.name.written.Load() > 0 {
		c.answered = true
	}
	if err == nil || !c.answered {
		c.Cmder.SetErr(err)
	}
}

// Name implements [redis.Cmder] without the detour over the arguments.
func (c *command) Name() string { return c.name.String() }

// FullName implements [redis.Cmder].
func (c *command) FullName() string { return c.name.String() }

// withdraw returns how often the command was written, and makes sure that it is
// not from now on.
func (c *command) withdraw() (written int) {
	return int(c.name.written.Swap(withdrawn))
}

// newSet returns a SET of data, and newDelete a DEL, at a key with its prefix.
func newSet(ctx context.Context, key string, data []byte, ttl time.Duration) *command {
	c := &setCommand{command: command{name: name{text: [7]byte{'s', 'e', 't'}, size: 3}}}
	c.args[0], c.args[1], c.args[2] = &c.name, key, data
	args := c.args[:3:3]
	if ttl > 0 {
		c.args[3], c.args[4] = "px", redislog.Milliseconds(ttl)
		args = c.args[:]
	}
	c.set = *redis.NewStatusCmd(ctx, args...)
	c.Cmder = &c.set
	return &c.command
}

func newDelete(ctx context.Context, key string) *command {
	c := &command{name: name{text: [7]byte{'d', 'e', 'l'}, size: 3}}
	c.Cmder = redis.NewIntCmd(ctx, &c.name, key)
	return c
}

// newEval returns an EVALSHA of a script, or an EVAL, which gives the server the script.
func newEval(ctx context.Context, call redislog.Call, load bool) *command {
	c := &evalCommand{command: command{name: name{text: [7]byte{'e', 'v', 'a', 'l', 's', 'h', 'a'}, size: 7}}}
	what := &call.Script.SHA
	if load {
		c.name.size, what = 4, &call.Script.Source
	}
	args := append(c.args[:0], &c.name, what, call.Keys)
	for i := range call.Words {
		args = append(args, &call.Words[i]) // a pointer is no allocation
	}
	c.eval = *redis.NewCmd(ctx, args...)
	c.eval.SetFirstKeyPos(3)
	c.Cmder = &c.eval
	return &c.command
}

// reply returns the reply of a script.
func (c *command) reply() any {
	if cmd, ok := c.Cmder.(*redis.Cmd); ok {
		return cmd.Val()
	}
	return nil
}

// withdrawn is the count of a name that must not be written any more.
const withdrawn = -1

// name is the first argument of a command.
type name struct {
	text    [7]byte // an array, because bytes are asked for
	size    uint8
	written atomic.Int32
}

var _ encoding.BinaryMarshaler = (*name)(nil)

// MarshalBinary is called by go-redis when it writes the command.
func (n *name) MarshalBinary() ([]byte, error) {
	for {
		written := n.written.Load()
		if written == withdrawn {
			return nil, ErrWithdrawn
		}
		if n.written.CompareAndSwap(written, written+1) {
			return n.text[:n.size], nil
		}
	}
}

// String returns the name, for hooks that print the arguments.
func (n *name) String() string { return string(n.text[:n.size]) }
