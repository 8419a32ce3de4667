package ycsb

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/stores"
)

// figures are the results of one run of a workload with one library.
type figures struct {
	throughput          float64 // operations in a second
	readP50, readP99    float64 // nanoseconds
	writeP50, writeP99  float64
	hits                float64 // share of the reads that did not go to L2
	allocs              float64 // of an operation
	missing             float64 // share of the reads that did not find their record
	hasReads, hasWrites bool
}

// measure runs a workload once, with so many entries in L1: a part of it beside the clock, to warm the cache, and
// then the rest.
func (b *bench) measure(ctx context.Context, d driver.Driver, t *trace, l1 int) (f figures, err error) {
	if err := b.store.Forget(ctx, d, t.inserted()); err != nil {
		return f, err
	}
	cfg := b.store.For(d)
	cfg.TTL, cfg.L1Size, cfg.ValueSize = ttl, l1, b.o.ValueSize
	var asked atomic.Int64
	if cfg.Redis == nil {
		cfg.L2 = stores.Counted{Backend: cfg.L2, Gets: &asked}
	}
	cache, err := d.New(cfg)
	if err != nil {
		return f, err
	}
	defer cache.Close()

	r := &replay{trace: t, cache: cache, value: b.value, inserted: make([]atomic.Bool, len(t.inserted()))}
	if _, err := r.run(ctx, b.o.warm(), b.o.Threads); err != nil {
		return f, err
	}
	cache.Settle()
	before, err := b.gets(ctx, cfg, &asked)
	if err != nil {
		return f, err
	}
	var begin, end runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&begin)
	begun := time.Now()
	all, err := r.run(ctx, len(t.ops), b.o.Threads)
	elapsed := time.Since(begun)
	runtime.ReadMemStats(&end)
	if err != nil {
		return f, err
	}
	after, err := b.gets(ctx, cfg, &asked)
	if err != nil {
		return f, err
	}
	f = of(all, elapsed)
	f.allocs = float64(end.Mallocs-begin.Mallocs) / float64(max(all.done, 1))
	f.hits = max(0, 1-float64(after-before)/float64(max(len(all.reads), 1)))
	return f, nil
}

func of(all *tally, elapsed time.Duration) figures {
	return figures{
		throughput: float64(all.done) / elapsed.Seconds(),
		readP50:    quantile(all.reads, 0.5), readP99: quantile(all.reads, 0.99),
		writeP50: quantile(all.writes, 0.5), writeP99: quantile(all.writes, 0.99),
		missing:  float64(all.missing) / float64(max(len(all.reads), 1)),
		hasReads: len(all.reads) > 0, hasWrites: len(all.writes) > 0,
	}
}

// gets returns how often L2 has been read. A Redis counts that itself, whoever's client
// asks.
func (b *bench) gets(ctx context.Context, cfg driver.Config, asked *atomic.Int64) (int64, error) {
	if cfg.Redis == nil {
		return asked.Load(), nil
	}
	stats, err := cfg.Redis.Client.Info(ctx, "commandstats").Result()
	if err != nil {
		return 0, err
	}
	const of = "cmdstat_get:calls="
	for line := range strings.Lines(stats) {
		if rest, ok := strings.CutPrefix(line, of); ok {
			var n int64
			_, err := fmt.Sscanf(rest, "%d", &n)
			return n, err
		}
	}
	return 0, nil
}
