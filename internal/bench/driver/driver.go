// Package driver makes two-tier caches of several libraries look alike, so that
// the same scripts and benchmarks run against all of them.
//
// Each library has a file, which also says how it is configured and why. Values are
// bytes everywhere: most of the libraries keep bytes in both tiers, so that no codec is
// measured except where a library requires one.
package driver

import (
	"context"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tiercache/tiercache/backends"
)

// Driver makes caches of one library in one configuration.
type Driver struct {
	// Name is that of the library, and of the configuration if there are several.
	Name string

	// Module is the path of the library's module, for its version.
	Module string

	// NeedsRedis says that L2 can only be a real Redis.
	NeedsRedis bool

	// Victim says that L2 only gets what L1 evicts, so that L1 may be ahead of
	// it by design.
	Victim bool

	// Encode and Decode turn a value into the library's form in L2, and back. Nil: it
	// keeps the value as it is.
	Encode func(value []byte) []byte
	Decode func(stored []byte) []byte

	// Lacks lists the operations that the library does not have, with reasons.
	Lacks map[Feature]string

	// RawRedis says that the library writes values to Redis by itself, and not
	// through the L2 of the Config.
	RawRedis bool

	// New returns an empty cache.
	New func(cfg Config) (*Cache, error)
}

// Feature is something that not every library can do.
type Feature string

// The features.
const (
	FakeL1       Feature = "an L1 of the caller's"
	FakeL2       Feature = "an L2 of the caller's"
	WriteThrough Feature = "a Set that writes both tiers"
	DeleteBoth   Feature = "a Delete that reaches both tiers"
	SetIfAbsent  Feature = "set-if-absent"
	Load         Feature = "load and store"
)

// Missing returns why the library lacks the first of the features that it does
// not have, or the empty string if it has them all.
func (d Driver) Missing(features ...Feature) string {
	for _, f := range features {
		if why := d.Lacks[f]; why != "" {
			return why
		}
	}
	return ""
}

// Config holds the parts of a cache.
type Config struct {
	// L1 is the first tier of the libraries that can be given one. When it is
	// nil, those get an otter cache of L1Size entries, and the others build
	// theirs with that size.
	L1     backends.Backend[[]byte]
	L1Size int

	// ValueSize is about that of a value, for the libraries whose size is one of
	// memory. 0: that of the benchmarks, 256 bytes.
	ValueSize int

	// L2 is the second tier. It may be that of Redis.
	L2 backends.Backend[[]byte]

	// Redis is set when L2 is a Redis. Libraries with a client or an adapter of
	// their own then use it in the place of L2.
	Redis *Redis

	// TTL is that of every entry in both tiers.
	TTL time.Duration

	// Load is the loader. Nil: the cache is not used for loads.
	Load func(ctx context.Context, key string) ([]byte, error)
}

// Redis is a server and a client of it.
type Redis struct {
	Addr   string
	Client *redis.Client
}

// Cache is a cache of two tiers. The functions that are nil are those for which
// Lacks of the driver has a reason, and those that the library does not need.
type Cache struct {
	Set         func(ctx context.Context, key string, value []byte) error
	Get         func(ctx context.Context, key string) (value []byte, ok bool, err error)
	Delete      func(ctx context.Context, key string) error
	GetOrLoad   func(ctx context.Context, key string) ([]byte, error)
	SetIfAbsent func(ctx context.Context, key string, value []byte) error

	// PeekL1 returns the value in an L1 that is not the one of the Config.
	PeekL1 func(key string) (value []byte, ok bool)

	// EvictL1 makes such an L1 evict the key by itself, without deleting it. It
	// reports whether that was done.
	EvictL1 func(key string) bool

	// Settle waits until the library's background work is done.
	Settle func()

	// Telemetry returns the library's reports to others than the caller.
	Telemetry func() Telemetry

	// Close ends the cache's goroutines, where the library can do that.
	Close func()
}

// Telemetry holds a library's reports to others than the caller.
type Telemetry struct {
	// Events counts the events that say that the tiers may differ.
	Events int

	// Errors counts failed calls of a tier that were counted or given to a handler,
	// without the state of the tiers.
	Errors int
}

// ForMatrix returns the drivers of all libraries, tiercache first, in the
// configurations of which the scripts tell something new.
func ForMatrix() []Driver {
	return []Driver{
		tiercacheDriver("tiercache", false, sampleAll),
		tiercacheDriver("tiercache, L2 first", true, sampleAll),
		gocacheDriver(),
		jetcacheDriver("jetcache-go", false),
		goRedisCacheDriver("go-redis/cache", false),
		theineDriver(),
		sturdycDriver(),
		rueidisDriver(),
	}
}

// ForBenchmarks returns the drivers of all libraries in the configurations that
// differ in speed. The first is the one that the others are compared with.
func ForBenchmarks() []Driver {
	return []Driver{
		tiercacheDriver("tiercache", false, telemetryOff),
		tiercacheDriver("tiercache, telemetry on", false, sampleAll),
		tiercacheDriver("tiercache, L2 first", true, telemetryOff),
		tiercacheDriver("tiercache, L2 first, telemetry on", true, sampleAll),
		byHandDriver(),
		gocacheDriver(),
		jetcacheDriver("jetcache-go", false),
		jetcacheDriver("jetcache-go, own TinyLFU", true),
		goRedisCacheDriver("go-redis/cache", false),
		goRedisCacheDriver("go-redis/cache, own TinyLFU", true),
		theineDriver(),
		sturdycDriver(),
		rueidisDriver(),
	}
}

// ForRecords returns the drivers for workloads of a store of records, over a Redis: the
// client without a cache, with which the others are compared, then those of
// ForBenchmarks, with telemetry as services sample it.
func ForRecords() []Driver {
	all := []Driver{
		plainRedisDriver(),
		tiercacheDriver("tiercache", false, telemetryOff),
		tiercacheDriver("tiercache, telemetry on, 1 % sampled", false, sampleSome),
		overRueidis(tiercacheDriver("tiercache over rueidisbackend", false, telemetryOff)),
		overRueidis(tiercacheDriver("tiercache over rueidisbackend, telemetry on, 1 % sampled", false, sampleSome)),
	}
	for _, d := range ForBenchmarks() {
		if d.Module != all[1].Module || d.Name == byHandDriver().Name {
			all = append(all, d)
		}
	}
	return all
}

// noTelemetry is that of the libraries that have none.
func noTelemetry() Telemetry { return Telemetry{} }

func nothing() {}

// Only keeps the first driver, with which the others are compared, and those whose name
// contains a text.
func Only(drivers []Driver, text string) []Driver {
	kept := drivers[:1:1]
	for _, d := range drivers[1:] {
		if strings.Contains(d.Name, text) {
			kept = append(kept, d)
		}
	}
	return kept
}
