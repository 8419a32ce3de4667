package matrix

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/tier"
)

// Both tiers begin with the old value, and one write goes wrong.
func faultScripts() []script {
	return []script{
		{
			name:  "L2 write fails",
			needs: []driver.Feature{driver.FakeL2, driver.WriteThrough},
			run: func(f *fixture) answer {
				f.L2.Next(tier.Set, backendtest.FailBefore(errDown))
				return f.setOver()
			},
		},
		{
			name:  "L1 write fails",
			needs: []driver.Feature{driver.FakeL1, driver.WriteThrough},
			run: func(f *fixture) answer {
				f.L1.Next(tier.Set, backendtest.FailBefore(errDown))
				return f.setOver()
			},
		},
		{
			name:  "L2 applied the write, but the client saw a timeout",
			needs: []driver.Feature{driver.FakeL2, driver.WriteThrough},
			run: func(f *fixture) answer {
				f.L2.Next(tier.Set, backendtest.ApplyThenFail(context.DeadlineExceeded))
				return f.setOver()
			},
		},
		{
			name:  "L2 lost the write, and the client saw a timeout",
			needs: []driver.Feature{driver.FakeL2, driver.WriteThrough},
			run: func(f *fixture) answer {
				f.L2.Next(tier.Set, backendtest.Lose(context.DeadlineExceeded))
				return f.setOver()
			},
		},
		{
			name:  "the caller's context ends between the tiers",
			needs: []driver.Feature{driver.FakeL1, driver.WriteThrough},
			run:   contextEnds,
		},
		{
			name:  "L2 delete fails, then a Get",
			needs: []driver.Feature{driver.FakeL2, driver.DeleteBoth},
			run: func(f *fixture) answer {
				f.L2.Next(tier.Delete, backendtest.FailBefore(errDown))
				return f.deleteThenGet()
			},
		},
		{
			name:  "L1 delete fails, then a Get",
			needs: []driver.Feature{driver.FakeL1, driver.DeleteBoth},
			run: func(f *fixture) answer {
				f.L1.Always(tier.Delete, backendtest.FailBefore(errDown))
				return f.deleteThenGet()
			},
		},
		{
			name:     "set-if-absent, refused by L2",
			needs:    []driver.Feature{driver.FakeL2, driver.SetIfAbsent},
			versions: true,
			run: func(f *fixture) answer { // it did nothing, so nothing is dead
				return answer{told: f.cache.SetIfAbsent(context.Background(), key, []byte(newer))}
			},
		},
	}
}

// setOver sets a new value over the old one.
func (f *fixture) setOver() answer {
	f.warm()
	return answer{told: f.set(context.Background(), newer), dead: []string{old}}
}

func contextEnds(f *fixture) answer {
	f.warm()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.both(tier.Set, func(ctx context.Context, apply func(context.Context) error) error {
		err := apply(ctx)
		cancel()
		return err
	})
	return answer{told: f.set(ctx, newer), dead: []string{old}}
}

func (f *fixture) deleteThenGet() answer {
	ctx := context.Background()
	f.warm()
	err := f.cache.Delete(ctx, key)
	got := f.get(ctx)
	return answer{told: err, note: "Get " + got, dead: []string{old}}
}

// lifeScripts expire or evict a value after it was written.
func lifeScripts() []script {
	return []script{
		{
			name:  "delete of a key that only L2 has, then a Get",
			needs: []driver.Feature{driver.FakeL2},
			run: func(f *fixture) answer {
				ctx := context.Background()
				err := f.cache.Delete(ctx, key)
				return answer{told: err, note: "Get " + f.get(ctx), dead: []string{old}}
			},
		},
		{
			name:  "a newer value expires in L1, then a Get",
			needs: []driver.Feature{driver.FakeL2},
			short: true,
			run: func(f *fixture) answer {
				ctx := context.Background()
				err := f.set(ctx, newer)
				if !await(func() bool { l1, _ := f.state(); return l1 == none }) {
					return answer{told: errors.Join(err, errPatience)}
				}
				return answer{told: err, note: "Get " + f.get(ctx), dead: []string{old}}
			},
		},
		{
			name:  "L1 evicts a newer value, then a Get",
			needs: []driver.Feature{driver.FakeL2},
			run: func(f *fixture) answer {
				ctx := context.Background()
				f.warm()
				err := f.set(ctx, newer)
				if !f.evict() {
					return answer{told: errors.Join(err, errPatience)}
				}
				return answer{told: err, note: "Get " + f.get(ctx), dead: []string{old}}
			},
		},
		{
			name:  "L1 read fails, L2 is healthy",
			needs: []driver.Feature{driver.FakeL1},
			run: func(f *fixture) answer {
				f.L1.Always(tier.Get, backendtest.FailBefore(errDown))
				return answer{note: "Get " + f.get(context.Background())}
			},
		},
	}
}
