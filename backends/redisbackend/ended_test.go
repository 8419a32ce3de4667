package redisbackend_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// endings are all ways in which a context ends after d.
var endings = map[string]struct {
	end             func(ctx context.Context, d time.Duration) context.Context
	is              []error
	text, errorType string
}{
	"cancelled": {
		cancelLater(nil), []error{context.Canceled}, "context canceled", "canceled",
	},
	"cancelled with a cause": {
		cancelLater(errWhy), []error{context.Canceled, errWhy}, "context canceled: why", "canceled",
	},
	"a deadline": {
		deadline(nil), []error{context.DeadlineExceeded}, "context deadline exceeded", "timeout",
	},
	"a deadline with a cause": {
		deadline(errWhy), []error{context.DeadlineExceeded, errWhy}, "context deadline exceeded: why", "timeout",
	},
}

func cancelLater(cause error) func(ctx context.Context, d time.Duration) context.Context {
	return func(ctx context.Context, d time.Duration) context.Context {
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(d, func() { cancel(cause) })
		return ctx
	}
}

func deadline(cause error) func(ctx context.Context, d time.Duration) context.Context {
	return func(ctx context.Context, d time.Duration) context.Context {
		ctx, cancel := context.WithTimeoutCause(ctx, d, cause)
		context.AfterFunc(ctx, cancel)
		return ctx
	}
}

// calls are all ways to call the backend.
var calls = map[string]func(ctx context.Context, b *redisbackend.Backend) error{
	"Get": func(ctx context.Context, b *redisbackend.Backend) error {
		_, _, err := b.Get(ctx, secret)
		return err
	},
	"Set": writes["Set"].write, "Delete": writes["Delete"].write, "staged": writes["staged"].write,
	"Set of what has expired": writes["Set of what has expired"].write,
}

// requireEnded checks that the error tells who ended the call, and why.
func requireEnded(t *testing.T, err error, is []error, text, wantType string) {
	t.Helper()
	for _, is := range is {
		require.ErrorIs(t, err, is)
	}
	require.ErrorContains(t, err, text)
	require.Equal(t, wantType, errorType(t, err))
}

// A call that is not begun, because its context has ended.
func TestEnded_BeforeTheCall(t *testing.T) {
	t.Parallel()
	for name, ending := range endings {
		for call, do := range calls {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					ctx := ending.end(t.Context(), time.Second)
					<-ctx.Done()
					err := do(ctx, s.backend(t))
					requireEnded(t, err, ending.is, "failed: "+ending.text, ending.errorType)
					assert.True(t, backends.CertainlyNotApplied(err))
					assert.Empty(t, s.commands())
				})
			})
		}
	}
}

// A context ends while the server is silent. go-redis heeds deadlines alone; a
// call that was cancelled ends by the client's own timeout, which is no
// cancellation, but the sign of a server that hangs.
func TestEnded_WhileTheServerIsSilent(t *testing.T) {
	t.Parallel()
	for name, ending := range endings {
		for call, do := range calls {
			for kind, opts := range reads {
				t.Run(name+", "+call+", "+kind, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s := newServer(t)
						b := newBackend(t, s.client(t, func(o *redis.Options) { o.MaxRetries = -1 }), opts...)
						s.next(hang)
						s.nextGets(hang)
						err := do(ending.end(t.Context(), time.Second), b)
						if ending.errorType == "canceled" {
							requireEnded(t, err, nil, "read: timeout", "timeout")
							assert.NotErrorIs(t, err, context.Canceled)
							return
						}
						requireEnded(t, err, ending.is, ending.text, ending.errorType)
					})
				})
			}
		}
	}
}

// A context ends between two attempts: the error of the last one stays.
func TestEnded_BetweenAttempts(t *testing.T) {
	t.Parallel()
	for name, ending := range endings {
		for call, w := range writes {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					b := newBackend(t, s.client(t, func(o *redis.Options) {
						o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = 10, time.Hour, time.Hour
					}))
					s.next(answer("LOADING no"))
					err := w.write(ending.end(t.Context(), time.Second), b)
					requireEnded(t, err, ending.is, "the server is loading its data; then "+ending.text, "LOADING")
					var failed *redisbackend.Error
					require.ErrorAs(t, err, &failed)
					require.ErrorIs(t, failed.Stopped, ending.is[0])
					assert.True(t, backends.CertainlyNotApplied(err))
				})
			})
		}
	}
}

// A context ends while a call waits for a connection. go-redis shares timers of
// its pools between bubbles, so this is in real time.
func TestEnded_WaitingForAConnection(t *testing.T) {
	t.Parallel()
	for name, ending := range endings {
		for call, do := range calls {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				client := s.client(t, func(o *redis.Options) { o.PoolSize, o.PoolTimeout, o.MaxRetries = 1, time.Hour, -1 })
				arrived, release := make(chan struct{}), make(chan struct{})
				s.next(func(upstream *peer, client net.Conn, command []byte) bool {
					close(arrived)
					<-release
					return pass(upstream, client, command)
				})
				var other sync.WaitGroup
				other.Go(func() { client.Set(t.Context(), "other", "value", 0) })
				<-arrived
				err := do(ending.end(t.Context(), 10*time.Millisecond), newBackend(t, client))
				close(release)
				other.Wait()
				requireEnded(t, err, ending.is, "failed: "+ending.text, ending.errorType)
			})
		}
	}
}

// A timeout of the client's own is none of the context's.
func TestEnded_ByTheClient(t *testing.T) {
	t.Parallel()
	for call, do := range calls {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				b := newBackend(t, s.client(t, func(o *redis.Options) { o.MaxRetries, o.ReadTimeout = -1, time.Second }))
				s.next(hang)
				s.nextGets(hang)
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errWhy)
				defer cancel()
				err := do(ctx, b)
				requireEnded(t, err, nil, "failed: read: timeout", "timeout")
				require.NotErrorIs(t, err, errWhy)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
			})
		})
	}
}

// A closed client is a closed backend.
func TestClosedClient(t *testing.T) {
	t.Parallel()
	for call, do := range calls {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			client := newServer(t).client(t, nil)
			require.NoError(t, client.Close())
			err := do(t.Context(), newBackend(t, client))
			require.ErrorIs(t, err, backends.ErrClosed)
			assert.Equal(t, "closed", errorType(t, err))
		})
	}
	require.NotErrorIs(t, failing(t, errWhy).Set(t.Context(), "k", value("v")), backends.ErrClosed)
}
