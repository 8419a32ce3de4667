package processes

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/redis/rueidis"

	"github.com/tiercache/tiercache"
)

// Library is one that keeps copies in the process coherent with other processes, or
// tries to.
type Library struct {
	Name   string
	Module string // the path of its module, for its version

	clusters bool // it keeps copies of a cluster's values
	open     func(at place) (*instance, error)
}

// instance is the library in one process.
type instance struct {
	set    func(ctx context.Context, value string) error
	remove func(ctx context.Context) error
	get    func(ctx context.Context) (answer, error)

	ready func() bool // it follows the changes of others
	told  func() int  // how often it said that it does not
	close func()
}

// answer is that of a read.
type answer struct {
	value   string // none: there is no value
	flagged bool   // the library says that it may be stale
}

const (
	key  = "user:4711"
	none = "none"
	ttl  = time.Hour

	// timeout is that of each call. A library that has none of its own gets it as the
	// deadline of the context.
	timeout = 250 * time.Millisecond
)

// Libraries returns all, tiercache first.
func Libraries() []Library {
	return []Library{
		tiercacheLibrary("tiercache with coherence", tiercache.WithCoherence(Bound, tiercache.AskL2)),
		rueidisLibrary(), goRedisLibrary(),
	}
}

// rueidisLibrary is the client's cache with the options that it has by default: Redis
// tells the connection that has read a key when that changes.
func rueidisLibrary() Library {
	return Library{
		Name: "rueidis DoCache", Module: "github.com/redis/rueidis", clusters: true,
		open: func(at place) (*instance, error) {
			c, err := rueidis.NewClient(rueidis.ClientOption{
				InitAddress: at.addrs,
				DialCtxFn: func(ctx context.Context, addr string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
					return at.dial(ctx, "tcp", addr)
				},
			})
			if err != nil {
				return nil, err
			}
			return &instance{
				set: func(ctx context.Context, value string) error {
					return c.Do(ctx, c.B().Set().Key(key).Value(value).Px(ttl).Build()).Error()
				},
				remove: func(ctx context.Context) error {
					return c.Do(ctx, c.B().Del().Key(key).Build()).Error()
				},
				get: func(ctx context.Context) (answer, error) {
					value, err := c.DoCache(ctx, c.B().Get().Key(key).Cache(), ttl).ToString()
					if rueidis.IsRedisNil(err) {
						return answer{value: none}, nil
					}
					return answer{value: value}, err
				},
				ready: func() bool { return true }, told: func() int { return 0 }, close: c.Close,
			}, nil
		},
	}
}

// goRedisLibrary is the client-side cache of go-redis with the options that it has by
// default. Its client of a cluster has none.
func goRedisLibrary() Library {
	return Library{
		Name: "go-redis client-side cache", Module: "github.com/redis/go-redis/v9",
		open: func(at place) (*instance, error) {
			opts := clientOptions(at)
			opts.Protocol, opts.ClientSideCacheConfig = 3, &redis.ClientSideCacheConfig{}
			c := redis.NewClient(opts)
			return &instance{
				set: func(ctx context.Context, value string) error {
					return c.Set(ctx, key, value, ttl).Err()
				},
				remove: func(ctx context.Context) error { return c.Del(ctx, key).Err() },
				get: func(ctx context.Context) (answer, error) {
					value, err := c.Get(ctx, key).Result()
					if errors.Is(err, redis.Nil) {
						return answer{value: none}, nil
					}
					return answer{value: value}, err
				},
				ready: func() bool { return true }, told: func() int { return 0 },
				close: func() { _ = c.Close() },
			}, nil
		},
	}
}

// clientOptions are those of go-redis for a cache: it gets an answer soon, or fails.
func clientOptions(at place) *redis.Options {
	return &redis.Options{
		Addr: at.addrs[0], Dialer: at.dial, ContextTimeoutEnabled: true, MaxRetries: 1, DialerRetries: 1,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// connect returns a client of go-redis for the server, or for the cluster.
func connect(at place) redis.UniversalClient {
	if !at.cluster() {
		return redis.NewClient(clientOptions(at))
	}
	return redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: at.addrs, Dialer: at.dial, ContextTimeoutEnabled: true,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}
