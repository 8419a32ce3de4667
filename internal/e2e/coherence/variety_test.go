package coherence

import (
	"context"
	"time"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/writepolicy"
)

// options are those of the cache. Instances differ in them by their numbers.
//
// There is no policy under which a write returns before L2 has answered: the judge takes
// the end of a write for an acknowledgment of L2.
func (s *setup) options() []tiercache.Option {
	onLost, policy := tiercache.AskL2, writepolicy.Sequential()
	var more []tiercache.Option
	switch s.Number {
	case 1:
		policy = writepolicy.Sequential(writepolicy.L2First)
	case 2:
		onLost = tiercache.ServeStale
	case 3:
		policy = writepolicy.Parallel()
	case 4:
		policy = writepolicy.WriteAround()
	case loading:
		more = []tiercache.Option{tiercache.WithNegativeTTL(time.Minute), tiercache.WithStaleIfError(time.Minute)}
	case 6:
		policy = writepolicy.Sequential(writepolicy.L2First, writepolicy.InvalidateL1())
	}
	return append(more, tiercache.WithCoherence(bound, onLost), tiercache.WithWritePolicy(policy),
		tiercache.WithTelemetry(tracing.Disabled()), tiercache.WithReadTimeout(callLimit), tiercache.WithWriteTimeout(callLimit))
}

const (
	loading  = 5 // this instance loads what is not there
	batching = 6 // those from here on also read batches
)

// load writes a loaded value, if there is no other. Nobody is told what became of that
// write, so its outcome is unknown.
func (i *instance) load(ctx context.Context, k int) {
	_, _ = i.cache.GetOrLoad(ctx, i.names[k], time.Minute, func(context.Context, string) (int64, error) {
		if k%3 == 0 {
			return 0, tiercache.ErrNotFound
		}
		return i.begin(k)
	})
}

// readMany reads some keys at once. A batch does not say from which tier a value is, so
// all are judged: one from L2 is not old.
func (i *instance) readMany(ctx context.Context, agent int, some []int) {
	batch := make([]string, len(some))
	for n, k := range some {
		batch[n] = i.names[k]
	}
	trouble := i.board.trouble.Load()
	began := i.clock.now()
	found, err := i.cache.GetMany(ctx, batch)
	end := i.clock.now()
	for n, f := range found {
		res := missed
		switch {
		case f.OK && f.Stale:
			res = flagged
		case f.OK:
			res = batched
			i.note(&i.board.reads[agent][f.Value], some[n], began, end)
		case err != nil: // for some of the keys
			res = failed
		}
		i.count(agent, trouble, res)
	}
}

// writeMany writes two keys at once.
func (i *instance) writeMany(ctx context.Context, first, second int) error {
	numbers := make(map[string]int64)
	for _, k := range []int{first, second} {
		number, err := i.begin(k)
		if err != nil {
			return err
		}
		if old, again := numbers[i.names[k]]; again {
			i.board.writes[old].fate = refused // it is not in the batch
		}
		numbers[i.names[k]] = number
	}
	err := i.cache.SetMany(ctx, func(yield func(string, int64) bool) {
		for key, number := range numbers {
			if !yield(key, number) {
				return
			}
		}
	}, time.Hour)
	for _, number := range numbers {
		i.end(number, err) // of one of them at least
	}
	return nil
}
