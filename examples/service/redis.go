package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// openRedis makes a client and the backend over it. It is no error if Redis does not
// answer: a cache must not keep a service from starting. l may be nil.
func openRedis(ctx context.Context, opts options, l *link, tel *telemetry) (store backends.Backend[[]byte], closer func() error, err error) {
	clientOpts := clientOptions(opts)
	if l != nil {
		clientOpts.Dialer = l.dial
	}
	client := redis.NewUniversalClient(clientOpts)
	store, err = instrumented(client, tel)
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, opts.writeTimeout)
	defer cancel()
	if err := client.Ping(ctx).Err(); err != nil {
		tel.log.WarnContext(ctx, "Redis does not answer: the service starts without it", "error", err)
	}
	return store, client.Close, nil
}

// clientOptions are those of the client. All its limits follow from the time that a
// write has, so that the client times out first, with a reason, and the cache later: an
// attempt and one retry fit in. Of reads the same is true: when Redis hangs, a reader
// goes on to the database after that time.
func clientOptions(opts options) *redis.UniversalOptions {
	attempt := opts.writeTimeout * 2 / 5
	return &redis.UniversalOptions{
		Addrs:                 opts.redis,
		MaxRetries:            1, // the backend, too, takes it from here
		MaxRedirects:          2, // the same in a cluster, where a slot that moves takes two
		MaxRetryBackoff:       20 * time.Millisecond,
		DialTimeout:           attempt,
		DialerRetries:         1, // by default a dial is repeated five times, out of sight of the deadline
		ReadTimeout:           attempt,
		WriteTimeout:          attempt,
		PoolTimeout:           attempt,
		ContextTimeoutEnabled: true, // or the deadline of a write is not heeded
	}
}

// instrumented attaches redisotel to the client, and says so to the backend: a
// call is then described once, by the client's span, and that of the tier, its
// parent, is an internal one.
func instrumented(client redis.UniversalClient, tel *telemetry) (backends.Backend[[]byte], error) {
	err := redisotel.InstrumentTracing(client,
		redisotel.WithTracerProvider(withoutRoots{tel.tracers}),
		redisotel.WithDBStatement(false), // it would have keys and values
		redisotel.WithCallerEnabled(false),
		// Dials are in nobody's trace, and handshakes in that of whoever came
		// first. The handshake's pipelines are the only ones.
		redisotel.WithDialFilter(true),
		redisotel.WithCommandFilter(isHandshake),
		redisotel.WithCommandsFilter(func([]redis.Cmder) bool { return true }),
	)
	if err != nil {
		return nil, fmt.Errorf("instrumentation of the Redis client: %w", err)
	}
	return redisbackend.New(client,
		redisbackend.WithKeyPrefix("users:"),
		redisbackend.WithLog(), // versions need it
		redisbackend.WithInstrumentedClient())
}

func isHandshake(cmd redis.Cmder) bool {
	return slices.Contains([]string{"auth", "client", "hello", "ping"}, strings.ToLower(cmd.Name()))
}
