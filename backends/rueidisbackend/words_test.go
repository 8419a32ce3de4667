package rueidisbackend_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
	"github.com/tiercache/tiercache/tier"
)

// failing is a client every call of which fails with err.
type failing struct {
	rueidis.Client
	err error
}

func (f failing) Do(context.Context, rueidis.Completed) rueidis.RedisResult {
	return rueidis.NewErrorResult(f.err)
}

func (f failing) DoMulti(_ context.Context, multi ...rueidis.Completed) []rueidis.RedisResult {
	results := make([]rueidis.RedisResult, len(multi))
	for i := range results {
		results[i] = f.Do(context.Background(), multi[i])
	}
	return results
}

// Whatever a client may return, the text is this package's own.
func TestWords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		err             error
		text, errorType string
		certain         bool
	}{
		"dial, refused":    {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "dial: connection refused", "connection_refused", true},
		"read, reset":      {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "read: connection reset", "connection_lost", false},
		"write, broken":    {&net.OpError{Op: "write", Err: syscall.EPIPE}, "write: broken pipe", "connection_lost", false},
		"timeout":          {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "read: timeout", "timeout", false},
		"of another call":  {context.DeadlineExceeded, "timeout", "timeout", false},
		"canceled":         {fmt.Errorf("%s: %w", secret, context.Canceled), "canceled", "canceled", false},
		"end":              {io.EOF, "the server closed the connection", "connection_lost", false},
		"closing":          {rueidis.ErrClosing, "the client, or its connection, is closed", "closed", false},
		"no slot":          {rueidis.ErrNoSlot, "no node of the cluster has the slot of the key", "no_slot", true},
		"no cache":         {fmt.Errorf("%s %w", secret, rueidis.ErrNoCache), "the server cannot tell the client of changes: set DisableCache in its options", "unsupported", true},
		"authority":        {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "no trusted authority signed the server's certificate", "certificate_unknown_authority", false},
		"a reply":          {rueidis.Nil, "the server's reply cannot be understood", "bad_reply", false},
		"some other error": {errors.New(secret), "an error of the client (*errors.errorString)", "_OTHER", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := failing{newServer(t).client(t, nil), test.err}
				b := newBackend(t, client, rueidisbackend.WithRetries(0))
				done := make([]backends.Done, 2)
				b.WriteMany(t.Context(), []backends.Write[[]byte]{{Key: secret, Kind: tier.Set}, {Key: "k", Kind: tier.Delete}}, done)
				for _, err := range []error{
					b.Set(t.Context(), secret, value(secret)), b.Delete(t.Context(), secret), done[0].Err, done[1].Err,
				} {
					require.ErrorContains(t, err, " failed: "+test.text)
					assert.NotContains(t, err.Error(), secret)
					assert.Equal(t, test.errorType, errorType(t, err))
					assert.Equal(t, test.certain, backends.CertainlyNotApplied(err))
					require.ErrorIs(t, err, test.err)
				}
				if rueidis.IsRedisNil(test.err) {
					return // a miss
				}
				got := make([]backends.Got[[]byte], 1)
				b.GetMany(t.Context(), []string{secret}, got)
				_, _, err := b.Get(t.Context(), secret)
				for _, err := range []error{err, got[0].Err} {
					require.EqualError(t, err, "rueidisbackend: get failed: "+test.text)
				}
			})
		})
	}
}

// Of the replies that leave the server healthy, no breaker makes an outage.
func TestWords_Replies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t, rueidisbackend.WithRetries(0))
		for reply, healthy := range map[string]bool{
			"OOM x": true, "NOPERM x": true, "LOADING x": false, "ERR odd": false, "ERR invalid expire time in 'set' command": true,
		} {
			s.next(answer(reply))
			err := b.Set(t.Context(), "k", value("v"))
			assert.Equal(t, healthy, backends.FromHealthyStore(err), reply)
			var failed *rueidisbackend.Error
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, failed.ErrorType(), failed.ResponseStatusCode())
		}
	})
}
