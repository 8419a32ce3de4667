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
	dangers
}

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
	}
	return t, true
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
