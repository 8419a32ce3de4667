package tiercache_test

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// BenchmarkContention has goroutines that work on one key or each on a key of its own.
// Both tiers keep nothing and have no lock, so the waiting is the cache's own: a
// GetOrLoad always runs a load or joins one. Compare runs with -cpu 1,2 and so on.
//
// The metrics are those of the mutex profile: contended/op is how often a goroutine waited
// for a mutex; waited-ns/op for how long, which includes the time until it runs again,
// and grows with the number of goroutines that can run; in-NAME is the share of that
// at the locks of a package. Who waits for the key's lock, or for a load, is not in them.
func BenchmarkContention(b *testing.B) {
	load := func(context.Context, string) (string, error) { return benchValue, nil }
	for _, op := range []struct {
		name string
		run  func(ctx context.Context, cache *tiercache.Cache[string], key string) error
	}{
		{"set", func(ctx context.Context, cache *tiercache.Cache[string], key string) error {
			return cache.Set(ctx, key, benchValue, 0)
		}},
		{"load", func(ctx context.Context, cache *tiercache.Cache[string], key string) error {
			_, err := cache.GetOrLoad(ctx, key, 0, load)
			return err
		}},
	} {
		for _, keys := range []string{"one", "own"} {
			for _, goroutines := range []int{1, 16, 256, 1024} {
				b.Run(fmt.Sprintf("op=%s/keys=%s/goroutines=%d", op.name, keys, goroutines), func(b *testing.B) {
					cache, err := tiercache.New[string]("users", &nothing{1}, &nothing{2}, tiercache.WithTelemetry(tracing.Disabled(),
						tracing.WithTracerProvider(tracenoop.NewTracerProvider()), tracing.WithMeterProvider(metricnoop.NewMeterProvider())))
					require.NoError(b, err)
					contend(b, goroutines, func(ctx context.Context, i int) error {
						if keys == "one" {
							i = 0
						}
						return op.run(ctx, cache, contendedKeys[i])
					})
					require.NoError(b, cache.Close(context.Background()))
				})
			}
		}
	}
}

var contendedKeys = func() (keys [1024]string) {
	for i := range keys {
		keys[i] = fmt.Sprint("user:", i)
	}
	return keys
}()

// contend shares the work of a benchmark among goroutines, which know their number.
func contend(b *testing.B, goroutines int, op func(ctx context.Context, i int) error) {
	b.Helper()
	ctx := context.Background()
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	before := mutexWaits(b)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for n := i; n < b.N; n += goroutines {
				if err := op(ctx, i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	var all waits
	after := mutexWaits(b)
	for name, w := range after {
		all.ns += w.ns - before[name].ns
		all.count += w.count - before[name].count
	}
	b.ReportMetric(all.ns/float64(b.N), "waited-ns/op")
	b.ReportMetric(all.count/float64(b.N), "contended/op")
	for name, w := range after {
		if share := (w.ns - before[name].ns) / all.ns; share >= 0.01 {
			b.ReportMetric(share, "in-"+name)
		}
	}
}

// waits sums up those for a mutex.
type waits struct{ ns, count float64 }

// mutexWaits returns the mutex profile by package: of the function nearest to the lock
// that is not of the standard library.
func mutexWaits(tb testing.TB) map[string]waits {
	tb.Helper()
	var text bytes.Buffer
	require.NoError(tb, pprof.Lookup("mutex").WriteTo(&text, 1))
	_, profile, ok := strings.Cut(text.String(), "cycles/second=")
	require.True(tb, ok, "the form of the profile has changed")
	var perSecond float64
	_, err := fmt.Sscan(profile, &perSecond)
	require.NoError(tb, err)

	sums := map[string]waits{}
	for _, stack := range mutexStack.FindAllStringSubmatch(profile, -1) {
		cycles, err := strconv.ParseFloat(stack[1], 64)
		require.NoError(tb, err)
		count, err := strconv.ParseFloat(stack[2], 64)
		require.NoError(tb, err)
		name := "others"
		if ours := ourFrame.FindString(stack[3]); ours != "" {
			name = path.Base(ours)
		}
		sum := sums[name]
		sums[name] = waits{sum.ns + cycles/perSecond*1e9, sum.count + count}
	}
	return sums
}

// mutexStack is an entry of the mutex profile: cycles, waits, and lines of frames, of which
// ourFrame finds the package.
var (
	mutexStack = regexp.MustCompile(`(?m)^(\d+) (\d+) @(?: 0x[0-9a-f]+)+\n((?:#.*\n)*)`)
	ourFrame   = regexp.MustCompile(`github\.com/tiercache/tiercache[\w/]*`)
)

// nothing is a store that keeps nothing and has no lock.
type nothing struct{ id int } // New refuses the same store for both tiers

func (*nothing) Get(context.Context, string) (entry backends.Entry[string], ok bool, err error) {
	return entry, false, nil
}
func (*nothing) Set(context.Context, string, backends.Entry[string]) error { return nil }
func (*nothing) Delete(context.Context, string) error                      { return nil }
func (*nothing) Describe() backends.Description                            { return backends.Description{InProcess: true} }
