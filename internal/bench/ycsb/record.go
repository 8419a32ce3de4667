package ycsb

import (
	"context"
	"fmt"
	"iter"

	"github.com/pingcap/go-ycsb/pkg/measurement"
	_ "github.com/pingcap/go-ycsb/pkg/workload" // registers the core workloads
	"github.com/pingcap/go-ycsb/pkg/ycsb"
)

// kind is that of an operation.
type kind uint8

const (
	read kind = iota
	update
	insert
	modify // a read, and then an update of the same key
)

// operation is one of a recorded sequence.
type operation struct {
	kind  kind
	key   int32 // index of the trace's keys
	after int32 // for keys that the sequence inserts: the number of the insert; or none
}

const none = -1

// trace is the sequence of a workload. The first keys are those of the records; the
// others are inserted, in this order.
type trace struct {
	keys    []string
	records int
	ops     []operation
}

// inserted returns the keys that are no records at the begin.
func (t *trace) inserted() []string { return t.keys[t.records:] }

// recordTrace has go-ycsb draw a sequence for some threads. They are coroutines that
// take turns: an insert is acknowledged, so that its key may be asked for, when the
// thread has its next turn.
//
// go-ycsb's own threads would not do: its generators have data races.
func recordTrace(ctx context.Context, w workload, records, operations, threads int) (*trace, error) {
	measurement.EnableWarmUp(true) // its own measurement, which is not initialized, stays off
	core, err := ycsb.GetWorkloadCreator("core").Create(w.properties(records))
	if err != nil {
		return nil, fmt.Errorf("workload %s: %w", w.name, err)
	}
	t := &trace{records: records, ops: make([]operation, 0, operations)}
	index, err := t.load(ctx, core)
	if err != nil {
		return nil, err
	}
	if w.recorded {
		err := t.addGli(ctx, operations)
		return t, err
	}
	next, stop := inTurns(threads, func(i int) iter.Seq2[call, error] { return calls(ctx, core, i, threads) })
	defer stop()
	for range operations {
		c, err := next()
		if err != nil {
			return nil, fmt.Errorf("workload %s: %w", w.name, err)
		}
		t.add(c, index)
	}
	return t, nil
}

// inTurns starts sequences that have no end, and takes from one after the other.
func inTurns(n int, of func(i int) iter.Seq2[call, error]) (next func() (call, error), stop func()) {
	nexts, stops := make([]func() (call, error, bool), n), make([]func(), n)
	for i := range n {
		nexts[i], stops[i] = iter.Pull2(of(i))
	}
	turn := -1
	next = func() (call, error) {
		turn = (turn + 1) % n
		c, err, _ := nexts[turn]()
		return c, err
	}
	return next, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// load records the load phase of go-ycsb, and returns the indices of the keys.
func (t *trace) load(ctx context.Context, core ycsb.Workload) (index map[string]int32, err error) {
	index = make(map[string]int32, t.records)
	ctx = core.InitThread(ctx, 0, 1)
	defer core.CleanupThread(ctx)
	loaded := &recorder{yield: func(c call, _ error) bool {
		index[c.key] = int32(len(t.keys)) //nolint:gosec // few
		t.keys = append(t.keys, c.key)
		return true
	}}
	for range t.records {
		if err := core.DoInsert(ctx, loaded); err != nil {
			return nil, fmt.Errorf("loading: %w", err)
		}
	}
	return index, nil
}

func (t *trace) add(c call, index map[string]int32) {
	if c.kind == insert {
		index[c.key] = int32(len(t.keys)) //nolint:gosec // few
		t.keys = append(t.keys, c.key)
	}
	op := operation{kind: c.kind, key: index[c.key], after: none}
	if int(op.key) >= t.records {
		op.after = op.key - int32(t.records) //nolint:gosec // few
	}
	t.ops = append(t.ops, op)
}
