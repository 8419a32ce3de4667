package linearizability

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends/backendtest"
)

// random makes numbers for many goroutines.
type random struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newRandom(seed, round uint64) *random {
	return &random{rng: rand.New(rand.NewPCG(seed, round))}
}

func (d *random) intN(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// fork returns numbers for one goroutine, which nobody else disturbs.
func (d *random) fork() *random {
	d.mu.Lock()
	defer d.mu.Unlock()
	return newRandom(d.rng.Uint64(), d.rng.Uint64())
}

// one returns whether a thing happens that happens once in n times.
func (d *random) one(n int) bool { return d.intN(n) == 0 }

// pause is a random time. It is so fine that hardly two goroutines wake up at
// once, so that a seed brings back its interleaving.
func (d *random) pause(limit time.Duration) time.Duration { return time.Duration(d.intN(int(limit))) }

// errFault is the error of calls that were made to fail.
var errFault = errors.New("fault")

// slow makes a call take a random time, before the store is touched and after,
// and makes one in four strike a fault, if there are any.
func (d *random) slow(faults ...backendtest.Fault) backendtest.Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		call := backendtest.Chain(backendtest.Delay(d.wait()), d.late())
		if len(faults) > 0 && d.one(4) {
			call = backendtest.Chain(call, faults[d.intN(len(faults))])
		}
		return call(ctx, apply)
	}
}

// wait is short for most calls, so that some are passed by many others.
func (d *random) wait() time.Duration {
	if d.one(3) {
		return d.pause(4 * time.Millisecond)
	}
	return d.pause(time.Millisecond)
}

// late makes the call and answers some time later.
func (d *random) late() backendtest.Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		err := apply(ctx)
		time.Sleep(d.wait())
		return err
	}
}

// remoteFaults are the fates of a write of L2.
func remoteFaults() []backendtest.Fault {
	return append(localFaults(), backendtest.Hang(), backendtest.ApplyThenHang())
}

// localFaults are the fates of a write in the process, where nothing ends a call that
// hangs.
func localFaults() []backendtest.Fault {
	return []backendtest.Fault{
		backendtest.FailBefore(errFault), backendtest.Lose(errFault), backendtest.ApplyThenFail(errFault),
		backendtest.Panic(errFault), backendtest.ApplyThenPanic(errFault),
	}
}

// readFaults are the fates of a read.
func readFaults() []backendtest.Fault {
	return []backendtest.Fault{backendtest.Lose(errFault), backendtest.Panic(errFault)}
}
