package redisbackend_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// Attempts that fail before anything is sent.
func TestNothingWasSent(t *testing.T) {
	t.Parallel()
	limited := errors.New("limited")
	for name, test := range map[string]struct {
		options   func(o *redis.Options)
		prepare   func(t *testing.T, s *server, client *redis.Client)
		errorType string
		cause     error
	}{
		"a closed client": {
			prepare:   func(t *testing.T, _ *server, client *redis.Client) { t.Helper(); require.NoError(t, client.Close()) },
			errorType: "closed", cause: redis.ErrClosed,
		},
		"a wrong password": {
			options:   func(o *redis.Options) { o.Password = "wrong" },
			prepare:   func(_ *testing.T, s *server, _ *redis.Client) { s.RequireAuth("right") },
			errorType: "WRONGPASS",
		},
		"a limiter": {
			options:   func(o *redis.Options) { o.Limiter = limiter{limited} },
			errorType: "_OTHER", cause: limited,
		},
		"a host that is not found": {
			prepare: func(_ *testing.T, s *server, _ *redis.Client) {
				err := &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
				s.nextDials(err, err, err, err)
			},
			errorType: "host_not_found",
		},
		"a hook that keeps it": {
			prepare: func(_ *testing.T, _ *server, client *redis.Client) {
				client.AddHook(hook(func(redis.Cmder, func() error) error { return limited }))
			},
			errorType: "_OTHER", cause: limited,
		},
	} {
		for call, w := range writes {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					require.NoError(t, s.Set(secret, "old"))
					client := s.client(t, test.options)
					if test.prepare != nil {
						test.prepare(t, s, client)
					}
					err := w.write(t.Context(), newBackend(t, client))
					require.Error(t, err)
					assert.True(t, backends.CertainlyNotApplied(err), err)
					assert.False(t, w.applied(s))
					assert.Equal(t, test.errorType, errorType(t, err))
					if test.cause != nil {
						assert.ErrorIs(t, err, test.cause)
					}
				})
			})
		}
	}
}

// go-redis shares timers of its pools between bubbles, so this is in real time.
func TestNothingWasSent_FullPool(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		poolTimeout time.Duration
		ctx         func(ctx context.Context) (context.Context, context.CancelFunc)
		errorType   string
		cause       error
	}{
		"until the pool's timeout": {10 * time.Millisecond, context.WithCancel, "pool_timeout", redis.ErrPoolTimeout},
		"until the deadline": {time.Hour, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 10*time.Millisecond)
		}, "timeout", context.DeadlineExceeded},
		"until it is cancelled": {time.Hour, func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(10*time.Millisecond, cancel)
			return ctx, cancel
		}, "canceled", context.Canceled},
	} {
		for call, w := range writes {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				require.NoError(t, s.Set(secret, "old"))
				client := s.client(t, func(o *redis.Options) {
					o.PoolSize, o.PoolTimeout, o.MaxRetries = 1, test.poolTimeout, 1
				})
				arrived, release := make(chan struct{}), make(chan struct{})
				s.next(func(upstream *peer, client net.Conn, command []byte) bool {
					close(arrived)
					<-release
					return pass(upstream, client, command)
				})
				var other sync.WaitGroup
				other.Go(func() { client.Set(t.Context(), "other", "value", 0) })
				<-arrived

				ctx, cancel := test.ctx(t.Context())
				defer cancel()
				err := w.write(ctx, newBackend(t, client))
				close(release)
				other.Wait()
				require.ErrorIs(t, err, test.cause)
				assert.True(t, backends.CertainlyNotApplied(err), err)
				assert.False(t, w.applied(s))
				assert.Equal(t, test.errorType, errorType(t, err))
			})
		}
	}
}

type limiter struct{ err error }

func (l limiter) Allow() error     { return l.err }
func (limiter) ReportResult(error) {}

// hook is called with a write and the function that sends it.
type hook func(cmd redis.Cmder, send func() error) error

func (hook) DialHook(next redis.DialHook) redis.DialHook { return next }
func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if name := cmd.Name(); name != "set" && name != "del" {
			return next(ctx, cmd)
		}
		return h(cmd, func() error { return next(ctx, cmd) })
	}
}

func (hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
