package redisbackend_test

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/redislog"
)

func TestWatch_Words(t *testing.T) {
	t.Parallel()
	for want, test := range map[string]struct {
		err error
		is  error
	}{
		"redisbackend: watch failed: INFO does not say which server this is, " +
			"so a log in it cannot be trusted: this server's log cannot be watched": {redislog.ErrNoIdentity, backends.ErrUnsupported},
		"redisbackend: watch failed: a sink ended the reader's goroutine": {redislog.ErrReaderEnded, redislog.ErrReaderEnded},
		"redisbackend: watch failed: the client is closed":                {redis.ErrClosed, backends.ErrClosed},
	} {
		err := redisbackend.WatchError(test.err)
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, test.is)
	}
}
