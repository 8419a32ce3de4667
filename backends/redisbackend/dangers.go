package redisbackend

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// dangers are the reasons for which [New] refuses a client.
type dangers struct {
	endless   bool // its calls may never end
	caches    bool // it has a cache of its own
	replicas  bool // it reads from replicas
	pipelines bool // it hides another client, and how that is configured
}

func dangersOf(o *redis.Options) dangers {
	return dangers{
		endless: endless(o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout),
		caches:  o.ClientSideCache != nil || o.ClientSideCacheConfig != nil,
	}
}

func dangersOfCluster(o *redis.ClusterOptions) dangers {
	return dangers{
		endless:  endless(o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout),
		replicas: o.ReadOnly || o.RouteByLatency || o.RouteRandomly,
	}
}

// endless takes the timeouts as go-redis has completed them: there is none that
// is not positive.
func endless(contexts bool, read, write time.Duration) bool {
	return !contexts && (read <= 0 || write <= 0)
}

// contextsOfWrapper reports whether a client that embeds one of go-redis's heeds the
// deadlines of contexts.
func contextsOfWrapper(client redis.UniversalClient) (contexts bool) {
	defer func() {
		if recover() != nil {
			contexts = false
		}
	}()
	switch c := client.(type) {
	case interface{ Options() *redis.Options }:
		return c.Options().ContextTimeoutEnabled
	case interface{ Options() *redis.ClusterOptions }:
		return c.Options().ContextTimeoutEnabled
	default:
		return false
	}
}

// dangersOfWrapper is for a client of another type that embeds one of go-redis's.
// It sees none in a wrapper around nothing, whose Options method panics.
func dangersOfWrapper(client redis.UniversalClient) (d dangers) {
	defer func() {
		if recover() != nil {
			d = dangers{}
		}
	}()
	switch c := client.(type) {
	case interface{ Options() *redis.Options }:
		return dangersOf(c.Options())
	case interface{ Options() *redis.ClusterOptions }:
		return dangersOfCluster(c.Options())
	default:
		return dangers{}
	}
}
