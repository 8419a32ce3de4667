package compare

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// workload is one benchmark. Every run of it has a cache of its own.
type workload struct {
	name  string // as in the name of a Go benchmark
	title string // as in a table
	l1    int    // entries of L1
	needs []driver.Feature
	loads bool
	sets  bool // a part of the work is Set
	warm  int  // how many keys L1 has at the begin
	mix   int  // of a hundred operations, how many are Get; 0: it is no mix
	run   func(ctx context.Context, b *testing.B, w *work)
}

// work holds the parts of a run of a workload.
type work struct {
	cache *driver.Cache
	keys  []string
	zipf  []uint32
	miss  *missing

	failed atomic.Pointer[error]
}

func workloads() []workload {
	return []workload{
		{name: "Set", title: "Set", l1: mixL1, sets: true, run: set},
		{name: "GetL1", title: "Get, in L1", l1: mixL1, warm: hotKeys, run: getL1},
		{name: "GetL1Parallel", title: "Get, in L1, parallel", l1: mixL1, warm: hotKeys, run: getL1Parallel},
		{name: "GetL2", title: "Get, in L2, with refill", l1: scanL1, run: getL2},
		{
			name: "Load64", title: "load, 64 callers", l1: mixL1, loads: true,
			needs: []driver.Feature{driver.Load}, run: load,
		},
		mix("Zipf95", "Zipf 95/5, parallel", 95),
		mix("Zipf75", "Zipf 75/25, parallel", 75),
	}
}

func mix(name, title string, reads int) workload {
	return workload{
		name: name, title: title, l1: mixL1, warm: mixL1, sets: true, mix: reads,
		run: func(ctx context.Context, b *testing.B, w *work) {
			b.Helper()
			runMix(ctx, b, w, reads)
		},
	}
}

func set(ctx context.Context, b *testing.B, w *work) {
	b.Helper()
	for i := 0; b.Loop(); i++ {
		if err := w.cache.Set(ctx, w.keys[i%hotKeys], value); err != nil {
			w.fail(b, err)
			return
		}
	}
}

func getL1(ctx context.Context, b *testing.B, w *work) {
	b.Helper()
	for i := 0; b.Loop(); i++ {
		if _, ok, err := w.cache.Get(ctx, w.keys[i%hotKeys]); !ok || err != nil {
			w.fail(b, missed(err))
			return
		}
	}
}

func getL1Parallel(ctx context.Context, b *testing.B, w *work) {
	b.Helper()
	var starts atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for i := int(starts.Add(1)) * hotKeys / 2; pb.Next(); i++ {
			if _, ok, err := w.cache.Get(ctx, w.keys[i%hotKeys]); !ok || err != nil {
				w.fail(b, missed(err))
				return
			}
		}
	})
}

// getL2 goes round all keys, which are a hundred times as many as L1 has room for: L1
// never has the next key, except by chance.
func getL2(ctx context.Context, b *testing.B, w *work) {
	b.Helper()
	for i := 0; b.Loop(); i++ {
		if _, ok, err := w.cache.Get(ctx, w.keys[i%keyCount]); !ok || err != nil {
			w.fail(b, missed(err))
			return
		}
	}
}

// warm reads the workload's first keys, until L1 has them: twice, for those that admit
// a key only the second time.
func (w *work) warm(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	for range 2 {
		for _, key := range w.keys[:n] {
			if _, ok, err := w.cache.Get(ctx, key); !ok || err != nil {
				return missed(err)
			}
		}
	}
	w.cache.Settle()
	return nil
}

// missed is the error of a Get that should have found something.
func missed(err error) error {
	if err == nil {
		err = errMissed
	}
	return err
}

var errMissed = errors.New("a key that L2 has was not found")

// fail ends a benchmark, which does not say why by itself.
func (w *work) fail(b *testing.B, err error) {
	b.Helper()
	w.failed.CompareAndSwap(nil, &err)
	b.Fail()
}

// missing makes keys that no tier has, and loads them. A load ends when all callers
// have begun, so that they do meet.
type missing struct {
	keys  atomic.Int64 // never the same twice, whatever the run
	loads atomic.Int64
	begun atomic.Int64
	all   atomic.Pointer[chan struct{}]
}

func (m *missing) load(context.Context, string) ([]byte, error) {
	m.loads.Add(1)
	<-*m.all.Load()
	return value, nil
}

// call is one of the callers.
func (m *missing) call(ctx context.Context, c *driver.Cache, key string) error {
	if m.begun.Add(1) == callers {
		close(*m.all.Load())
	}
	_, err := c.GetOrLoad(ctx, key)
	return err
}

// load has the same callers in every operation, as a service has goroutines that
// have been running for a while.
func load(ctx context.Context, b *testing.B, w *work) {
	b.Helper()
	m := w.miss
	m.loads.Store(0)
	work, stop := w.crew(ctx, b)
	defer stop()
	for b.Loop() {
		work("missing:" + strconv.FormatInt(m.keys.Add(1), 10))
	}
	b.ReportMetric(float64(m.loads.Load())/float64(b.N), "loads/op")
}

// crew starts the callers. They all ask for the key that is given to work, which
// waits for them.
func (w *work) crew(ctx context.Context, b *testing.B) (work func(key string), stop func()) {
	b.Helper()
	var done, ended sync.WaitGroup
	keys := make([]chan string, callers)
	for i := range keys {
		keys[i] = make(chan string, 1)
		ended.Go(func() {
			for key := range keys[i] {
				if err := w.miss.call(ctx, w.cache, key); err != nil {
					w.fail(b, err)
				}
				done.Done()
			}
		})
	}
	work = func(key string) {
		all := make(chan struct{})
		w.miss.all.Store(&all)
		w.miss.begun.Store(0)
		done.Add(callers)
		for _, c := range keys {
			c <- key
		}
		done.Wait()
	}
	return work, func() {
		for _, c := range keys {
			close(c)
		}
		ended.Wait()
	}
}

// runMix has each goroutine draw keys at places of its own.
func runMix(ctx context.Context, b *testing.B, w *work, reads int) {
	b.Helper()
	var starts atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for i := int(starts.Add(1)) * 7717; pb.Next(); i++ {
			if err := mixStep(ctx, w, i, reads); err != nil {
				w.fail(b, err)
				return
			}
		}
	})
}

// mixStep is one operation of a mix.
func mixStep(ctx context.Context, w *work, i, reads int) error {
	key := w.keys[w.zipf[i%len(w.zipf)]]
	if i%100 >= reads {
		return w.cache.Set(ctx, key, value)
	}
	_, _, err := w.cache.Get(ctx, key)
	return err
}
