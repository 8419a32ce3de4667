package ycsb

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

// replay is one run of a part of a trace.
type replay struct {
	trace *trace
	cache *driver.Cache
	value func(i int) []byte

	next     atomic.Int64  // the operation that a thread takes next
	inserted []atomic.Bool // which inserts have returned
}

// tally is the account of one thread.
type tally struct {
	reads, writes []time.Duration
	done          int // operations
	missing       int // reads of a record that was not found
}

// run replays the operations from the next one to a limit with some threads, as many at
// once. Each takes the next operation of the sequence when it has ended its last.
func (r *replay) run(ctx context.Context, to, threads int) (*tally, error) {
	tallies := make([]tally, threads)
	room := 4 * (to - int(r.next.Load())) / threads // so that the account hardly allocates
	errs := make([]error, threads)
	var wg sync.WaitGroup
	for i := range tallies {
		t := &tallies[i]
		t.reads, t.writes = make([]time.Duration, 0, room), make([]time.Duration, 0, room)
	}
	for i := range tallies {
		wg.Go(func() { errs[i] = r.thread(ctx, to, &tallies[i]) })
	}
	wg.Wait()
	r.next.Store(int64(to)) // every thread went beyond it by one
	return sum(tallies), errors.Join(errs...)
}

func (r *replay) thread(ctx context.Context, to int, t *tally) error {
	for {
		i := int(r.next.Add(1)) - 1
		if i >= to {
			return nil
		}
		op := r.trace.ops[i]
		if op.kind != insert && op.after != none && !r.inserted[op.after].Load() {
			continue // YCSB would not have asked for a key whose insert is under way
		}
		if err := r.perform(ctx, i, op, t); err != nil {
			return err
		}
		t.done++
	}
}

func (r *replay) perform(ctx context.Context, i int, op operation, t *tally) error {
	key := r.trace.keys[op.key]
	if op.kind == read || op.kind == modify {
		begin := time.Now()
		_, ok, err := r.cache.Get(ctx, key)
		t.reads = append(t.reads, time.Since(begin))
		if err != nil {
			return err
		}
		if !ok {
			t.missing++
		}
	}
	if op.kind == read {
		return nil
	}
	value := r.value(i)
	begin := time.Now()
	err := r.cache.Set(ctx, key, value)
	t.writes = append(t.writes, time.Since(begin))
	if op.kind == insert {
		r.inserted[op.after].Store(true)
	}
	return err
}

func sum(tallies []tally) *tally {
	all := &tally{}
	for _, t := range tallies {
		all.reads = append(all.reads, t.reads...)
		all.writes = append(all.writes, t.writes...)
		all.done += t.done
		all.missing += t.missing
	}
	slices.Sort(all.reads)
	slices.Sort(all.writes)
	return all
}

// quantile returns one of sorted durations, in nanoseconds; 0 when there are none.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)])
}
