package compare

import (
	"context"
	"testing"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// BenchmarkMemory is the comparison over L2 in memory as benchmarks of go test,
// for profiles. For figures use cmd/compare, which makes rounds.
func BenchmarkMemory(b *testing.B) {
	ctx := context.Background()
	s := &bench{keys: makeKeys(), zipf: zipf(), miss: &missing{}}
	l2s, err := openStores(ctx, Options{Drivers: driver.ForBenchmarks()}, s.keys)
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range workloads() {
		for _, d := range driver.ForBenchmarks() {
			if why(d, l, l2s[0]) != "" {
				continue
			}
			w, err := s.build(ctx, d, l, l2s[0].For(d))
			if err != nil {
				b.Fatal(err)
			}
			b.Run(l.name+"/"+d.Name, func(b *testing.B) {
				b.ReportAllocs()
				l.run(ctx, b, w)
			})
			if err := w.failed.Load(); err != nil {
				b.Fatal(*err)
			}
			w.cache.Close()
		}
	}
}
