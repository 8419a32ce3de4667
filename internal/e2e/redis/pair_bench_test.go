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

// pair is twice the same work, measured in turns of less than a millisecond. How
// fast Redis answers depends on where the system lets it run and on what sleeps
// when, and changes by a tenth and more several times a second; so two figures of
// one time after the other say little about a difference of a twentieth.
type pair struct {
	r     *benchFixture
	works [2]work
	ns    [2]float64 // for an operation, by hand and by the cache; 0: not measured yet
}

// measured returns the median turn by hand, and that times the median of the
// ratios of neighbouring turns.
func (p *pair) measured(b *testing.B) [2]float64 {
	b.Helper()
	if p.ns[0] != 0 {
		return p.ns
	}
	ctx := context.Background() // as in the loops, because one that can be cancelled costs more
	var turns [2][]float64
	for turn := range benchTurns {
		for k := range 2 {
			i := (turn + k) % 2
			begin := time.Now()
			for range benchTurn {
				if err := p.works[i](ctx, p.r); err != nil {
					b.Fatal(err)
				}
			}
			turns[i] = append(turns[i], float64(time.Since(begin).Nanoseconds())/benchTurn)
		}
	}
	ratios := make([]float64, benchTurns)
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
