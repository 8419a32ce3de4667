package redis_test

import (
	"context"
	"slices"
	"testing"
	"time"
)

const (
	benchTurns = 400 // of each of the two
	benchTurn  = 100 // operations
)

// slowTurns are for operations on a hundred keys.
const (
	slowTurns = 150
	slowTurn  = 2
)

// pair is twice the same work, measured in turns of less than a millisecond. How
// fast Redis answers depends on where the system lets it run and on what sleeps
// when, and changes by a tenth and more several times a second; so two figures of
// one time after the other say little about a difference of a twentieth.
type pair struct {
	works [2]func(ctx context.Context) error // by hand and by the cache
	turns int
	turn  int        // operations
	least bool       // the shortest turns count, where the work itself never varies
	ns    [2]float64 // for an operation; 0: not measured yet
}

// run makes a benchmark of each of the two, by their names.
func (p *pair) run(b *testing.B, names [2]string) {
	b.Helper()
	for i, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.works[i](context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(p.measured(b)[i], "ns/op")
		})
	}
}

// measured returns the median turn by hand, and that times the median of the
// ratios of neighbouring turns; or the shortest turns.
func (p *pair) measured(b *testing.B) [2]float64 {
	b.Helper()
	if p.ns[0] != 0 {
		return p.ns
	}
	ctx := context.Background() // as in the loops, because one that can be cancelled costs more
	var turns [2][]float64
	for turn := range p.turns {
		for k := range 2 {
			i := (turn + k) % 2
			begin := time.Now()
			for range p.turn {
				if err := p.works[i](ctx); err != nil {
					b.Fatal(err)
				}
			}
			turns[i] = append(turns[i], float64(time.Since(begin).Nanoseconds())/float64(p.turn))
		}
	}
	if p.least {
		p.ns = [2]float64{slices.Min(turns[0]), slices.Min(turns[1])}
		return p.ns
	}
	ratios := make([]float64, p.turns)
	for i := range ratios {
		ratios[i] = turns[1][i] / turns[0][i]
	}
	p.ns[0] = median(turns[0])
	p.ns[1] = p.ns[0] * median(ratios)
	return p.ns
}

func median(figures []float64) float64 {
	slices.Sort(figures)
	return figures[len(figures)/2]
}
