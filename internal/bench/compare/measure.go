package compare

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/internal/bench/stores"
)

// figures are the results of one run of a workload with one library.
type figures struct {
	result testing.BenchmarkResult
	hits   float64 // share of reads that L1 answered; of mixes over memory only
	peak   float64 // bytes of heap at most; likewise
	seen   bool    // hits and peak were observed
}

// time is that of one operation, in nanoseconds.
func (f figures) time() float64 {
	return float64(f.result.T.Nanoseconds()) / float64(f.result.N)
}

func (f figures) allocs() float64 {
	return float64(f.result.MemAllocs) / float64(f.result.N)
}

// bench is shared by all runs.
type bench struct {
	keys []string
	zipf []uint32
	miss *missing
}

// build makes a cache for a run and fills its L1.
func (s *bench) build(ctx context.Context, d driver.Driver, l workload, cfg driver.Config) (*work, error) {
	cfg.TTL, cfg.L1Size = ttl, l.l1
	if l.loads {
		cfg.Load = s.miss.load
	}
	cache, err := d.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	w := &work{cache: cache, keys: s.keys, zipf: s.zipf, miss: s.miss}
	if err := w.warm(ctx, l.warm); err != nil {
		return nil, fmt.Errorf("%s, %s: %w", d.Name, l.name, err)
	}
	return w, nil
}

// measure runs a workload once, as go test -bench does.
func (s *bench) measure(ctx context.Context, d driver.Driver, l workload, st *stores.Store) (f figures, err error) {
	cfg := st.For(d)
	if l.loads && !st.Redis() {
		cfg.L2 = stores.NewStripes() // the shared one is not to grow
	}
	w, err := s.build(ctx, d, l, cfg)
	if err != nil {
		return f, err
	}
	defer w.cache.Close()
	f.result = testing.Benchmark(func(b *testing.B) {
		b.Helper()
		b.ReportAllocs()
		l.run(ctx, b, w)
	})
	if err := w.failed.Load(); err != nil {
		return f, fmt.Errorf("%s, %s over %s: %w", d.Name, l.name, st.Name, *err)
	}
	if f.result.N == 0 {
		return f, fmt.Errorf("%s, %s over %s was not measured", d.Name, l.name, st.Name)
	}
	return f, nil
}

// observe runs a mix beside the clock, and counts the reads of L2. It stops
// several times to see how much memory is in use; peak is the most.
func (s *bench) observe(ctx context.Context, d driver.Driver, l workload, st *stores.Store) (hits, peak float64, err error) {
	const phases, operations = 8, 1 << 15
	cfg := st.For(d)
	var gets, reads atomic.Int64
	cfg.L2 = stores.Counted{Backend: cfg.L2, Gets: &gets}
	before := heap()
	w, err := s.build(ctx, d, l, cfg)
	if err != nil {
		return 0, 0, err
	}
	defer w.cache.Close()
	gets.Store(0)
	for phase := range phases {
		if err := w.mixed(ctx, phase*operations, operations, l.mix, &reads); err != nil {
			return 0, 0, err
		}
		peak = max(peak, heap()-before)
	}
	return 1 - float64(gets.Load())/float64(reads.Load()), peak, nil
}

// mixed runs some operations of a mix with as many goroutines as processors.
func (w *work) mixed(ctx context.Context, from, operations, reads int, done *atomic.Int64) error {
	workers := runtime.GOMAXPROCS(0)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() {
			for i := from + n; i < from+operations && errs[n] == nil; i += workers {
				errs[n] = mixStep(ctx, w, i, reads)
				if i%100 < reads {
					done.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// heap returns the bytes that objects in use occupy.
func heap() float64 {
	runtime.GC()
	runtime.GC() // memory that finalizers and pools held
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
