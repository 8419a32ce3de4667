package gather_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/gather"
)

// journal notes the calls that a group makes.
type journal struct {
	mu    sync.Mutex
	calls map[string][][]int
}

func (j *journal) run(class string, calls []int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	calls = slices.Sorted(slices.Values(calls))
	if j.calls == nil {
		j.calls = map[string][][]int{}
	}
	j.calls[class] = append(j.calls[class], calls)
}

type member = gather.Member[string, int]

// batch runs one function for each member, until all have ended.
func batch(members ...func(m *member)) *journal {
	var j journal
	g := gather.New(j.run)
	var wg sync.WaitGroup
	for _, run := range members {
		m := g.Join()
		wg.Go(func() {
			defer m.Leave()
			run(m)
		})
	}
	g.Begin()
	wg.Wait()
	return &j
}

func TestGroup(t *testing.T) {
	t.Parallel()
	inTurn := func(i int) func(m *member) {
		return func(m *member) { m.Do("l1", i); m.Do("l2", i) }
	}
	atOnce := func(i int) func(m *member) {
		return func(m *member) {
			m.Expect()
			var wg sync.WaitGroup
			wg.Go(func() { m.DoExpected("l2", i) })
			m.Do("l1", i)
			wg.Wait()
		}
	}
	detached := func(i int) func(m *member) {
		return func(m *member) {
			m.Expect()
			go m.DoExpected("l2", i)
			m.Do("l1", i)
		}
	}
	idle := func(*member) {}
	refuses := func(m *member) { m.Expect(); m.Unexpect() }
	slow := func(i int) func(m *member) {
		return func(m *member) {
			m.Pause()
			<-time.After(time.Hour)
			m.Resume()
			m.Do("l1", i)
			m.Do("l2", i)
		}
	}
	exits := func(m *member) { m.Do("l1", 9) }
	leaves := func(i int) func(m *member) { // while its call waits for the others
		return func(m *member) {
			m.Expect()
			go m.DoExpected("l2", i)
			<-time.After(time.Minute)
			m.Pause()
		}
	}
	late := func(i int) func(m *member) {
		return func(m *member) { <-time.After(time.Hour); m.Do("l2", i) }
	}
	for name, tc := range map[string]struct {
		members []func(m *member)
		want    map[string][][]int
	}{
		"nobody": {nil, nil},
		"one":    {[]func(*member){inTurn(1)}, map[string][][]int{"l1": {{1}}, "l2": {{1}}}},
		"one tier after the other": {
			[]func(*member){inTurn(1), inTurn(2), inTurn(3)}, map[string][][]int{"l1": {{1, 2, 3}}, "l2": {{1, 2, 3}}},
		},
		"both tiers at once": {
			[]func(*member){atOnce(1), atOnce(2), atOnce(3)}, map[string][][]int{"l1": {{1, 2, 3}}, "l2": {{1, 2, 3}}},
		},
		"detached calls": {
			[]func(*member){detached(1), detached(2)}, map[string][][]int{"l1": {{1, 2}}, "l2": {{1, 2}}},
		},
		"one makes no call":        {[]func(*member){inTurn(1), idle, refuses}, map[string][][]int{"l1": {{1}}, "l2": {{1}}}},
		"one ends early":           {[]func(*member){inTurn(1), exits}, map[string][][]int{"l1": {{1, 9}}, "l2": {{1}}}},
		"different ways":           {[]func(*member){inTurn(1), atOnce(2)}, map[string][][]int{"l1": {{1, 2}}, "l2": {{2}, {1}}}},
		"one leaves a call behind": {[]func(*member){leaves(1), late(2)}, map[string][][]int{"l2": {{1, 2}}}},
		"one waits for else":       {[]func(*member){inTurn(1), slow(2), inTurn(3)}, map[string][][]int{"l1": {{1, 3}, {2}}, "l2": {{1, 3}, {2}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := batch(tc.members...)
				synctest.Wait() // for detached calls
				assert.Equal(t, tc.want, j.calls)
			})
		})
	}
}

// A member that goes on keeps the others waiting, so that their calls come together.
func TestGroup_WaitsForAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := batch(
			func(m *member) { m.Do("a", 1); m.Do("b", 1) },
			func(m *member) { m.Do("a", 2); <-time.After(time.Minute); m.Do("b", 2) },
		)
		assert.Equal(t, map[string][][]int{"a": {{1, 2}}, "b": {{1, 2}}}, j.calls)
	})
}
