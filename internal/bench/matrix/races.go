package matrix

import (
	"context"
	"errors"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/internal/bench/driver"
	"github.com/tiercache/tiercache/tier"
)

// raceScripts hold one operation at a gate while another one runs.
func raceScripts() []script {
	return []script{
		{
			name:  "two writers, A and B, of one key",
			needs: []driver.Feature{driver.FakeL1, driver.WriteThrough},
			run: func(f *fixture) answer {
				ctx := context.Background()
				return f.overtake(tier.Set,
					func() error { return f.set(ctx, first) },
					func() error { return f.set(ctx, second) }, old)
			},
		},
		{
			name:  "a Delete against a Set of one key",
			needs: []driver.Feature{driver.FakeL1, driver.WriteThrough, driver.DeleteBoth},
			run: func(f *fixture) answer {
				ctx := context.Background()
				return f.overtake(tier.Delete,
					func() error { return f.cache.Delete(ctx, key) },
					func() error { return f.set(ctx, newer) }, old)
			},
		},
		{
			name:  "refill by an old read against a newer Set",
			needs: []driver.Feature{driver.FakeL2, driver.WriteThrough},
			run: func(f *fixture) answer {
				return f.refillAgainst(func() error { return f.set(context.Background(), newer) })
			},
		},
		{
			name:  "refill by an old read against a Delete",
			needs: []driver.Feature{driver.FakeL2, driver.DeleteBoth},
			run: func(f *fixture) answer {
				return f.refillAgainst(func() error { return f.cache.Delete(context.Background(), key) })
			},
		},
		{
			name:  "a load that began before a newer Set",
			needs: []driver.Feature{driver.FakeL2, driver.Load},
			loads: true,
			run: func(f *fixture) answer {
				return f.loadAgainst(func() error { return f.set(context.Background(), newer) })
			},
		},
		{
			name:  "a load that began before a Delete",
			needs: []driver.Feature{driver.FakeL2, driver.Load},
			loads: true,
			run: func(f *fixture) answer {
				return f.loadAgainst(func() error { return f.cache.Delete(context.Background(), key) })
			},
		},
		{
			name:  "load and store with L2 down",
			needs: []driver.Feature{driver.FakeL2, driver.Load},
			loads: true,
			run:   loadWithL2Down,
		},
		{
			name:  "the leader of a shared load is cancelled: the result of another caller",
			needs: []driver.Feature{driver.FakeL2, driver.Load},
			loads: true,
			run:   leaderCancelled,
		},
	}
}

// overtake holds slow between the tiers while fast runs, if it can.
func (f *fixture) overtake(held tier.Kind, slow, fast func() error, dead ...string) answer {
	gate := newSecondCall()
	f.warm()
	f.both(held, gate.fault())
	return meanwhile(gate.Gate, begin(slow), fast, dead...)
}

// refillAgainst holds a reader, which has the old value from L2 in its hands,
// while a write runs.
func (f *fixture) refillAgainst(write func() error) answer {
	gate := backendtest.NewGate()
	f.L2.Next(tier.Get, gate.After())
	reader := begin(func() error { f.get(context.Background()); return nil })
	return meanwhile(gate, reader, write, old)
}

// loadAgainst holds a load, which has read the source, while a write runs.
func (f *fixture) loadAgainst(write func() error) answer {
	gate := backendtest.NewGate()
	held := gate.After()
	f.load = func(ctx context.Context) ([]byte, error) {
		err := held(ctx, func(context.Context) error { return nil })
		return []byte(loaded), err
	}
	load := begin(func() error {
		_, err := f.cache.GetOrLoad(context.Background(), key)
		return err
	})
	return meanwhile(gate, load, write, loaded)
}

// meanwhile makes a call while another one is held at the gate. The gate opens
// when the call has ended, or when it has to wait for the one that is held.
func meanwhile(gate *backendtest.Gate, held *call, f func() error, dead ...string) answer {
	<-gate.Arrived()
	c := begin(f)
	c.soon()
	gate.Open()
	return answer{told: errors.Join(c.wait(), held.wait()), dead: dead}
}

func loadWithL2Down(f *fixture) answer {
	f.L2.Always(tier.Get, backendtest.FailBefore(errDown))
	f.L2.Always(tier.Set, backendtest.FailBefore(errDown))
	_, err := f.cache.GetOrLoad(context.Background(), key)
	f.cache.Settle() // before the store is healed, so that late writes fail too
	return answer{told: err}
}

// leaderCancelled has A load, and B wait for the same load with a context of its
// own. A gives up. B still wants the value.
func leaderCancelled(f *fixture) answer {
	gate := backendtest.NewGate()
	f.load = func(ctx context.Context) ([]byte, error) {
		err := gate.Before()(ctx, func(context.Context) error { return nil })
		return []byte(loaded), err
	}
	get := func(ctx context.Context) func() error {
		return func() error {
			_, err := f.cache.GetOrLoad(ctx, key)
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	a := begin(get(ctx))
	<-gate.Arrived()
	b := begin(get(context.Background()))
	b.soon() // until B waits
	cancel()
	a.soon() // until A and its load have ended, if that ends them
	gate.Open()
	_ = a.wait()
	return answer{told: b.wait()}
}
