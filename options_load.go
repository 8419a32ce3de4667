package tiercache

import "time"

// WithNegativeTTL makes [Cache.GetOrLoad] remember for ttl that a loader found no value, and ask
// neither L2 nor the loader again. The cache remembers up to 10,000 such keys, outside of the
// tiers; it forgets a key when the key is written. The error is then [ErrNotFound], and not that of
// the loader, even if it is one of [WithNotFound]. Default, and for 0: nothing is remembered.
func WithNegativeTTL(ttl time.Duration) Option {
	return optionFunc(func(c config) config {
		c.NegativeTTL = ttl
		return c
	})
}

// WithStaleIfError keeps entries in L1 until limit after they have expired, and makes
// [Cache.GetOrLoad] return them when L2 or the loader fails, and [Cache.GetEntry] when L2
// does. Default, and for 0: no stale values.
func WithStaleIfError(limit time.Duration) Option {
	return optionFunc(func(c config) config {
		c.StaleIfError = limit
		return c
	})
}

// WithStaleIfSlow makes [Cache.GetOrLoad] return a stale value, if there is one, when
// the load takes longer than after. The load goes on in the background; see
// [WithBackgroundTimeout]. It needs [WithStaleIfError]. Default, and for 0: callers
// wait for the load.
func WithStaleIfSlow(after time.Duration) Option {
	return optionFunc(func(c config) config {
		c.SoftTimeout = after
		return c
	})
}

// WithBackgroundTimeout sets the timeout of loads that no caller waits for: those of
// [WithRefreshAhead], and those whose callers got a stale value by [WithStaleIfSlow]. It also
// limits the write of a loaded value. Close cancels such loads. The timeout must be positive.
// Default: [DefaultBackgroundTimeout].
func WithBackgroundTimeout(d time.Duration) Option {
	return optionFunc(func(c config) config {
		c.BackgroundTimeout = d
		return c
	})
}

// WithAsyncLoadWrites makes [Cache.GetOrLoad] return a loaded value before it is
// written to the tiers. Close waits for the write, and callers that come during it
// share the value. Default: the callers wait, so that the next one finds the value in
// the tiers.
func WithAsyncLoadWrites() Option {
	return optionFunc(func(c config) config {
		c.AsyncLoadWrites = true
		return c
	})
}

// WithKeepLoaded makes L1 keep a loaded value that L2 refused or may not have, for at most ttl,
// under the policies that would not store it in L1: [writepolicy.Sequential] with L2First or
// InvalidateL1, and WriteAround. While L2 is down, a key is then loaded once per ttl, and its
// readers do not wait for L2. A few seconds are sensible.
//
// L1 then has a value that L2 does not have, so every such write is reported as an inconsistency,
// and every read of the value as kept: by the result of the read in telemetry, and by [Entry].
// Another process may load or write a newer value meanwhile. A write of the key, or a refill from
// L2, replaces the value. At most 10,000 values are kept at a time. With [WithConditionalLoads] and
// [WithSourceVersion] it does so under every policy.
//
// The other policies of this module, the default one included, themselves store a loaded value in
// L1, whether L2 takes it or not. There the option would do nothing, and New refuses it. Default,
// and for 0: nothing is kept.
func WithKeepLoaded(ttl time.Duration) Option {
	return optionFunc(func(c config) config {
		c.KeepLoaded = ttl
		return c
	})
}

// WithConditionalLoads makes the cache write a loaded value only if no process has changed the key
// in L2 since the load asked it. So a load that read the source before another process wrote or
// deleted the key does not bring the past back. L2 decides, whatever the write policy is, and L1
// takes a value when L2 has. The callers of a load that L2 refuses get its value all the same, and
// the next read asks L2 again; the outcome in telemetry is "superseded".
//
// A refresh, by [Refresh] or [WithRefreshAhead], asks L2 before it calls the loader. If the loader
// finds no value, the deletion has the same condition. If the read of L2 fails, and with [SkipL2],
// the loaded value is written only if L2 has no entry of the key and remembers no deletion. While
// L2 is down, loaded values are returned and not cached; with [WithKeepLoaded], L1 keeps them for a
// short time.
//
// L2 remembers a deletion for at least 10 s. A load that takes longer, or whose deletion L2 has
// lost, by an eviction or a failover, is written all the same if L2 knew nothing of the key when the
// load asked it. All processes must write with versions, for instance by redisbackend with WithLog.
//
// New refuses the option with an L2 that issues no versions. Default: the write policy writes
// loaded values, which only the writes of the same process keep out, and, with [WithCoherence],
// those of others as soon as it is told of them.
func WithConditionalLoads() Option {
	return optionFunc(func(c config) config {
		c.ConditionalLoads = true
		return c
	})
}

// WithMaxLoads limits the number of loads at a time. Beyond the limit,
// [Cache.GetOrLoad] returns a stale value, if there is one, or [ErrOverloaded].
// The loads of one [Cache.GetOrLoadMany] count as one. Default, and for 0: no limit.
func WithMaxLoads(n int) Option {
	return optionFunc(func(c config) config {
		c.MaxLoads = n
		return c
	})
}

// WithNotFound sets a function that reports whether an error of a [Loader] means that
// there is no value, as errors.Is(err, sql.ErrNoRows) does. Errors that wrap
// [ErrNotFound] always mean it. GetOrLoad then returns an error that wraps both; see
// [WithNegativeTTL] for later calls. It must be safe for concurrent use. Default, and
// for nil: none.
func WithNotFound(isNotFound func(err error) bool) Option {
	return optionFunc(func(c config) config {
		c.NotFound = isNotFound
		return c
	})
}

// WithRefreshAhead makes [Cache.GetOrLoad] load an entry again, in the background, when
// less than this fraction of its TTL remains (0.2 is a fifth). The TTL is that of the copy in
// L1, which [WithL1TTL] may limit, and [WithMaxRefillTTL] if the copy came from L2. A key has
// one such load at a time. After a failure, the next one begins a second later at the earliest.
// If the loader finds no value, the key is deleted. See [WithBackgroundTimeout]. Default,
// and for 0: an entry is loaded only when it has expired.
func WithRefreshAhead(fraction float64) Option {
	return optionFunc(func(c config) config {
		c.RefreshAhead = fraction
		return c
	})
}
