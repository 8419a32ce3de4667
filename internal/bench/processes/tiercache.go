package processes

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/otterbackend"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tracing"
)

// Bound is the one that tiercache is given. A cell is bold beyond it.
const Bound = time.Second

// tiercacheLibrary is otter over a Redis with a log.
func tiercacheLibrary(name string, opts ...tiercache.Option) Library {
	return Library{
		Name: name, Module: "github.com/tiercache/tiercache", clusters: true,
		open: func(at place) (*instance, error) {
			client := connect(at)
			told := &lossCounter{}
			cache, l1, err := newCache(client, told, opts)
			if err != nil {
				return nil, errors.Join(err, client.Close())
			}
			return &instance{
				set:    func(ctx context.Context, value string) error { return cache.Set(ctx, key, value, ttl) },
				remove: func(ctx context.Context) error { return cache.Delete(ctx, key) },
				get: func(ctx context.Context) (answer, error) {
					entry, ok, err := cache.GetEntry(ctx, key)
					if err != nil || !ok {
						return answer{value: none}, err
					}
					return answer{value: entry.Value, flagged: entry.Stale}, nil
				},
				ready: func() bool { s := cache.Status().Coherence; return !s.On || s.Trusted },
				told:  func() int { return int(told.n.Load()) },
				close: func() {
					ctx, cancel := context.WithTimeout(context.Background(), closing)
					defer cancel()
					_ = cache.Close(ctx)
					_, _ = l1.Close(), client.Close()
				},
			}, nil
		},
	}
}

// closing is how long an instance may take to end.
const closing = 5 * time.Second

func newCache(client redis.UniversalClient, told *lossCounter, opts []tiercache.Option) (*tiercache.Cache[string], *otterbackend.Backend[string], error) {
	store, err := redisbackend.New(client, redisbackend.WithKeyPrefix("users:"), redisbackend.WithLog())
	if err != nil {
		return nil, nil, err
	}
	l2, err := backends.WithCodec(store, backends.JSON[string]())
	if err != nil {
		return nil, nil, err
	}
	l1, err := otterbackend.New[string](otterbackend.WithMaximumSize(100))
	if err != nil {
		return nil, nil, err
	}
	cache, err := tiercache.New("users", l1, l2, append([]tiercache.Option{
		tiercache.WithReadTimeout(timeout), tiercache.WithWriteTimeout(2 * timeout),
		tiercache.WithTelemetry(tracing.WithSlog(slog.New(told)), tracing.Disabled()),
	}, opts...)...)
	if err != nil {
		return nil, nil, errors.Join(err, l1.Close())
	}
	return cache, l1, nil
}

// lossCounter is a handler of logs that counts the records about lost coherence.
type lossCounter struct{ n atomic.Int64 }

// Enabled implements slog.Handler.
func (*lossCounter) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (c *lossCounter) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Value.String() == tracing.EventCoherenceLost {
			c.n.Add(1)
		}
		return true
	})
	return nil
}

// WithAttrs implements slog.Handler.
func (c *lossCounter) WithAttrs([]slog.Attr) slog.Handler { return c }

// WithGroup implements slog.Handler.
func (c *lossCounter) WithGroup(string) slog.Handler { return c }
