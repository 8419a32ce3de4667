package redisbackend

import (
	"context"
	"net"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
)

// sentinelAddr is the address that go-redis reports for a client whose server is found
// by sentinels.
const sentinelAddr = "FailoverClient"

// traits are the known properties of a client.
type traits struct {
	redirects     bool                      // it follows MOVED and the like
	reload        func(ctx context.Context) // the state of a cluster, in the background
	retry         retry
	network, addr string // of the one server
	oneSlot       bool   // a command may have keys of any kind
	contexts      bool   // a context's deadline ends a call
	partitions    int    // of a log, unless an option says otherwise
	connect       func(ctx context.Context, key string) (*redis.Conn, error)
	dangers
}

// clusterPartitions is the default for a cluster, so that its nodes share the work.
const clusterPartitions = 16

// traitsOf returns false for a nil client.
func traitsOf(client redis.UniversalClient) (t traits, ok bool) {
	switch c := client.(type) {
	case nil:
		return traits{}, false
	case *redis.Client:
		if c == nil {
			return traits{}, false
		}
		o := c.Options()
		t = traits{
			retry:   retry{o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff},
			network: o.Network,
			addr:    o.Addr,
			dangers: dangersOf(o),
			oneSlot: true, contexts: o.ContextTimeoutEnabled, partitions: 1, connect: connectBy(c),
		}
		if o.Addr == sentinelAddr {
			t.addr = ""
		}
	case *redis.ClusterClient:
		if c == nil {
			return traits{}, false
		}
		o := c.Options()
		t = traits{
			redirects: true,
			reload:    c.ReloadState,
			retry:     retry{o.MaxRedirects, o.MinRetryBackoff, o.MaxRetryBackoff},
			dangers:   dangersOfCluster(o),
			contexts:  o.ContextTimeoutEnabled, partitions: clusterPartitions, connect: connectBy(c),
		}
		if len(o.Addrs) == 1 {
			t.addr = o.Addrs[0]
		}
	case *redis.Ring:
		if c == nil {
			return traits{}, false
		}
		o := c.Options() // as they were given: 0 stands for the default
		t.retry = retry{o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff}
		t.endless = !o.ContextTimeoutEnabled && (o.ReadTimeout < 0 || o.WriteTimeout < 0)
	case *redis.AutoPipeliner:
		return traits{dangers: dangers{pipelines: true}}, c != nil
	default:
		t.dangers = dangersOfWrapper(client)
		t.partitions, t.contexts, t.connect = 1, contextsOfWrapper(client), connectBy(client)
	}
	return t, true
}

// connectBy returns a function that takes a connection to the server of a key from the
// client's pool, or nil if the client is of a type that has no such function.
func connectBy(client redis.UniversalClient) func(ctx context.Context, key string) (*redis.Conn, error) {
	switch c := client.(type) {
	case *redis.Client:
		return func(context.Context, string) (*redis.Conn, error) { return connOf(c), nil }
	case interface{ Conn() *redis.Conn }:
		return func(context.Context, string) (*redis.Conn, error) { return c.Conn(), nil }
	case interface {
		MasterForKey(ctx context.Context, key string) (*redis.Client, error)
	}:
		return func(ctx context.Context, key string) (*redis.Conn, error) {
			master, err := c.MasterForKey(ctx, key)
			if err != nil {
				return nil, err
			}
			return connOf(master), nil
		}
	default:
		return nil
	}
}

// connOf takes a connection by a copy of the client. A connection that the client makes at the
// same time may switch maintenance notifications off in the client's options, under a lock that
// a connection of Conn does not take (go-redis v9.23); the copy has options of its own.
func connOf(c *redis.Client) *redis.Conn {
	return c.WithTimeout(c.Options().ReadTimeout).Conn()
}

// describe splits the address as far as it can be.
func (t traits) describe(instrumented bool) backends.Description {
	d := backends.Description{
		System: "redis", ServerAddress: t.addr, Instrumented: instrumented,
		GetOperation: "GET", SetOperation: "SET", DeleteOperation: "DEL",
	}
	if t.network == "unix" {
		return d
	}
	if host, port, err := net.SplitHostPort(t.addr); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			d.ServerAddress, d.ServerPort = host, int(n)
		}
	}
	return d
}
