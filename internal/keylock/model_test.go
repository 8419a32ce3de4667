package keylock_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/keylock"
)

// operation is a lock or a fence, and the model's expectation.
type operation struct {
	key    string
	lock   keylock.Lock
	fence  keylock.Fence
	behind *operation // the fence that the lock was acquired behind
	refill bool
	cancel context.CancelFunc
	result error // of acquiring; written by the operation's goroutine

	want       string // waiting, holding, fenced, cancelled or over
	wantBroken bool
}

var errWaiting = errors.New("waiting")

// model is the table as a slice of operations for each key: queues hold those that
// have the lock, first, or wait; fences those that are raised.
type model struct {
	t      *testing.T
	table  *keylock.Table
	random *rand.Rand
	keys   []string
	queues map[string][]*operation
	fences []*operation
	passed []*operation // after Handoff
	ended  []*operation // fenced or cancelled
}

// Random operations on few keys, some of which share a bucket, do the same as in
// a model made of slices.
func TestTable_Model(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			table := keylock.NewTable()
			m := &model{
				t: t, table: table, random: random,
				keys:   []string{"k", sameBucket(table, "k"), "other"},
				queues: make(map[string][]*operation),
			}
			for range 60 {
				m.step()
				m.check()
			}
			m.end()
			assert.True(t, table.Untouched())
			require.NoError(t, table.Close(t.Context()))
		})
		if t.Failed() {
			return
		}
	}
}

func (m *model) step() {
	key := m.keys[m.random.IntN(len(m.keys))]
	queue := m.queues[key]
	switch m.random.IntN(9) {
	case 0:
		m.breakFences(key, nil)
		m.acquire(&operation{key: key})
	case 1:
		f := &operation{key: key}
		f.wantBroken = slices.ContainsFunc(queue, func(o *operation) bool { return !o.refill })
		require.NoError(m.t, m.table.Raise(&f.fence, key))
		m.fences = append(m.fences, f)
	case 2, 3:
		if f := pick(m.random, m.fences); f != nil {
			o := &operation{key: f.key, behind: f, refill: m.random.IntN(2) == 0}
			if !f.wantBroken && !o.refill {
				m.breakFences(f.key, f)
			}
			m.acquire(o)
		}
	case 4:
		if len(queue) > 1 {
			i := 1 + m.random.IntN(len(queue)-1)
			queue[i].want = "cancelled"
			queue[i].cancel()
			m.ended = append(m.ended, queue[i])
			m.queues[key] = slices.Delete(queue, i, i+1)
		}
	case 5:
		if len(queue) > 0 {
			m.next(key)
			queue[0].want = "over"
			queue[0].lock.Unlock()
		}
	case 6:
		if len(queue) > 0 {
			m.next(key)
			queue[0].lock.Handoff()
			m.passed = append(m.passed, queue[0])
		}
	case 7:
		if f := pick(m.random, m.fences); f != nil && !m.inUse(f) {
			f.fence.Lower()
			m.fences = slices.DeleteFunc(m.fences, func(o *operation) bool { return o == f })
		}
		if o := pick(m.random, m.passed); o != nil {
			o.lock.Done()
			m.passed = slices.DeleteFunc(m.passed, func(p *operation) bool { return p == o })
		}
	case 8:
		m.table.Break(key)
		m.breakFences(key, nil)
	}
}

// acquire starts o, and puts it in the queue unless its fence is broken.
func (m *model) acquire(o *operation) {
	ctx, cancel := context.WithCancel(m.t.Context())
	o.cancel, o.result = cancel, errWaiting
	switch queue := m.queues[o.key]; {
	case o.behind != nil && o.behind.wantBroken:
		o.want = "fenced"
		m.ended = append(m.ended, o)
	case len(queue) > 0:
		o.want = "waiting"
		m.queues[o.key] = append(queue, o)
	default:
		o.want = "holding"
		m.queues[o.key] = append(queue, o)
	}
	go func() {
		switch {
		case o.behind == nil:
			o.result = m.table.Acquire(ctx, &o.lock, o.key)
		case o.refill:
			o.result = m.table.AcquireRefill(ctx, &o.lock, &o.behind.fence)
		default:
			o.result = m.table.AcquireFenced(ctx, &o.lock, &o.behind.fence)
		}
	}()
	synctest.Wait()
}

// next gives the lock to the first waiter whose fence is not broken.
func (m *model) next(key string) {
	queue := m.queues[key][1:]
	for len(queue) > 0 && queue[0].behind != nil && queue[0].behind.wantBroken {
		queue[0].want = "fenced"
		m.ended = append(m.ended, queue[0])
		queue = queue[1:]
	}
	if len(queue) > 0 {
		queue[0].want = "holding"
	}
	m.queues[key] = queue
}

func (m *model) breakFences(key string, own *operation) {
	for _, f := range m.fences {
		if f.key == key && f != own {
			f.wantBroken = true
		}
	}
}

// inUse reports whether an operation still waits behind f, which it will look at.
func (m *model) inUse(f *operation) bool {
	return slices.ContainsFunc(m.queues[f.key], func(o *operation) bool {
		return o.behind == f && o.want == "waiting"
	})
}

func (m *model) check() {
	synctest.Wait()
	for key, queue := range m.queues {
		for i, o := range queue {
			require.Equal(m.t, i == 0, o.want == "holding", "the model itself")
			require.Equal(m.t, o.want, o.state(), "place %d of the queue of %q", i, key)
		}
	}
	for _, o := range m.ended {
		require.Equal(m.t, o.want, o.state())
	}
	for _, f := range m.fences {
		require.Equal(m.t, f.wantBroken, f.fence.Broken())
	}
}

func (o *operation) state() string {
	switch {
	case errors.Is(o.result, errWaiting):
		return "waiting"
	case errors.Is(o.result, keylock.ErrFenced):
		return "fenced"
	case errors.Is(o.result, context.Canceled):
		return "cancelled"
	case o.result == nil:
		return "holding"
	}
	return fmt.Sprint(o.result)
}

// end ends all operations.
func (m *model) end() {
	for _, key := range m.keys {
		for len(m.queues[key]) > 0 {
			o := m.queues[key][0]
			m.next(key)
			o.lock.Unlock()
			m.check()
		}
	}
	for _, o := range m.passed {
		o.lock.Done()
	}
	for _, f := range m.fences {
		f.fence.Lower()
	}
}

func pick(random *rand.Rand, from []*operation) *operation {
	if len(from) == 0 {
		return nil
	}
	return from[random.IntN(len(from))]
}
