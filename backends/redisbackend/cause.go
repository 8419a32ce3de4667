package redisbackend

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/internal/rediserr"
)

func causeInClient(err error) (rediserr.Cause, bool) {
	for _, c := range []struct {
		err   error
		cause rediserr.Cause
	}{
		{redis.ErrPoolTimeout, rediserr.Cause{Text: "no connection of the pool was free in time", Type: "pool_timeout"}},
		{redis.ErrPoolExhausted, rediserr.Cause{Text: "no connection of the pool was free", Type: "pool_timeout"}},
		{redis.ErrClosed, rediserr.Cause{Text: "the client is closed", Type: "closed"}},
	} {
		if errors.Is(err, c.err) {
			return c.cause, true
		}
	}
	return rediserr.Cause{}, false
}

// badReplies are how go-redis begins the text of an error about a reply that it
// cannot read, or that is no string. The text goes on to quote the reply.
var badReplies = []string{
	"redis: can't parse", "redis: can't read", "redis: invalid", "redis: unexpected type", "redis: got ",
}

func causeInReply(err error) (rediserr.Cause, bool) {
	text := err.Error()
	for _, prefix := range badReplies {
		if strings.HasPrefix(text, prefix) {
			return rediserr.BadReply(), true
		}
	}
	return rediserr.Cause{}, false
}

// replyOf returns the server's error reply that err is or wraps.
func replyOf(err error) (r rediserr.Reply, ok bool) {
	var redisErr redis.Error
	if !errors.As(err, &redisErr) {
		return rediserr.Reply{}, false
	}
	return rediserr.ReplyOf(redisErr.Error()), true
}

// noScript reports whether the server does not have the script: nothing was executed.
func noScript(err error) bool {
	var redisErr redis.Error
	return errors.As(err, &redisErr) && strings.HasPrefix(redisErr.Error(), "NOSCRIPT")
}
