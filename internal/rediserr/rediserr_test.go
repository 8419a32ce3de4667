package rediserr_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/rediserr"
	"github.com/tiercache/tiercache/internal/redislog"
)

func TestReplyOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		code                            string
		refused, passes, healthy, never bool
	}{
		"OOM command not allowed":           {"OOM", true, false, true, false},
		"LOADING data":                      {"LOADING", true, true, false, false},
		"NOPERM key":                        {"NOPERM", true, false, true, true},
		"ERR unknown command 'x'":           {"ERR", true, false, true, true},
		"ERR max number of clients reached": {"ERR", true, true, false, false},
		"ERR something":                     {"ERR", false, false, false, false},
		"OOMPH":                             {"redis_error", false, false, false, false},
		"":                                  {"redis_error", false, false, false, false},
		"NOGROUP x":                         {"NOGROUP", false, false, false, false},
	} {
		r := rediserr.ReplyOf(text)
		assert.Equal(t, want.code, r.Code, text)
		assert.Equal(t, want.refused, r.Refused, text)
		assert.Equal(t, want.passes, r.Passes, text)
		assert.Equal(t, want.healthy, r.Healthy, text)
		assert.Equal(t, want.never, r.Never, text)
		assert.Equal(t, want.code, r.Cause().Type)
		assert.NotContains(t, r.Cause().Text, "key")
	}
}

func TestCauseOf(t *testing.T) {
	t.Parallel()
	none := func(error) (rediserr.Cause, bool) { return rediserr.Cause{}, false }
	ours := func(err error) (rediserr.Cause, bool) {
		return rediserr.Cause{Text: "ours", Type: "ours"}, errors.Is(err, os.ErrExist)
	}
	for err, want := range map[error]string{
		os.ErrExist: "ours", io.EOF: "connection_lost", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}: "timeout",
		redislog.ErrUnsteady: "log_replaced", redislog.ErrOddReply: "bad_reply", errors.New("x"): "_OTHER",
		redislog.ErrNotMaster: "READONLY", redislog.ErrNoIdentity: "unsupported",
	} {
		assert.Equal(t, want, rediserr.CauseOf(err, ours, none).Type, err)
	}
	assert.Equal(t, "ours", rediserr.CauseOf(os.ErrExist, none, ours).Type)
}

// A timeout of the client's is no end of the context, and a connection may notice the
// deadline of the context first.
func TestEndOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		assert.NoError(t, rediserr.EndOf(ctx, os.ErrDeadlineExceeded))
		time.Sleep(time.Second)
		ended := rediserr.EndOf(ctx, os.ErrDeadlineExceeded)
		assert.ErrorIs(t, ended, context.DeadlineExceeded)
		assert.Equal(t, "timeout", rediserr.CauseOfEnd(ended).Type)
		assert.NoError(t, rediserr.EndOf(ctx, io.EOF))

		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		assert.NoError(t, rediserr.EndOf(canceled, io.EOF))
		ended = rediserr.EndOf(canceled, context.Canceled)
		assert.ErrorIs(t, ended, context.Canceled)
		assert.Equal(t, "canceled", rediserr.CauseOfEnd(ended).Type)
	})
}
