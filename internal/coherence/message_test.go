package coherence_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/tier"
)

// outcomes are counts by outcome.
type outcomes = [coherence.Outcomes]int

func one(o coherence.Outcome) (n outcomes) {
	n[o]++
	return n
}

// A change of a key that nobody holds.
func TestChanged(t *testing.T) {
	t.Parallel()
	era2 := backends.MakeVersion(2, 1)
	none := backends.Version(0)
	for name, test := range map[string]struct {
		l1, change backends.Version
		absent     bool
		own        bool
		fail       bool
		want       coherence.Outcome
		kept       bool
	}{
		"an older copy":                   {l1: v1, change: v2, want: coherence.Dropped},
		"an older copy, by this cache":    {l1: v1, change: v2, own: true, want: coherence.Dropped},
		"a copy without a version":        {l1: none, change: v2, want: coherence.Dropped},
		"the same, by this cache":         {l1: none, change: v2, own: true, want: coherence.Dropped},
		"a copy of an earlier era":        {l1: v3, change: era2, want: coherence.Dropped},
		"a copy of a later era":           {l1: era2, change: v3, want: coherence.Dropped},
		"a change without a version":      {l1: v1, change: none, want: coherence.Dropped},
		"no copy":                         {absent: true, change: v2, want: coherence.Absent},
		"no copy, by this cache":          {absent: true, change: v2, own: true, want: coherence.Own},
		"this very version":               {l1: v2, change: v2, want: coherence.Own, kept: true},
		"this very version, by the cache": {l1: v2, change: v2, own: true, want: coherence.Own, kept: true},
		"a newer copy":                    {l1: v3, change: v2, want: coherence.Newer, kept: true},
		"a newer copy, by this cache":     {l1: v3, change: v2, own: true, want: coherence.Own, kept: true},
		"L1 does not say":                 {absent: true, change: v2, fail: true, want: coherence.Dropped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, f *fixture) {
				f.sync()
				if !test.absent {
					f.put(test.l1)
				}
				if test.fail {
					f.stampErr = errBroken
				}
				var fence keylock.Fence
				require.NoError(t, f.locks.Raise(&fence, key))
				operation := coherence.New(bound, f.locks, f, f).Operation()
				if test.own {
					operation = f.Operation()
				}
				f.change(test.change, operation)
				assert.True(t, fence.Broken())
				assert.Equal(t, []string{key}, f.forgotten)
				assert.Equal(t, one(test.want), f.processed)
				assert.Equal(t, []bool{test.want == coherence.Dropped}, f.dropped)
				_, ok := f.l1[key]
				assert.Equal(t, test.kept, ok)
				assert.NotZero(t, f.Trusted())
				fence.Lower()
			})
		})
	}
}

// A batch is applied in its order, and told once.
func TestChanged_Batch(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		f.put(v2)
		f.Changed([]backends.Change{
			{Key: key, Kind: tier.Set, Version: v1}, {Key: "other", Kind: tier.Delete, Version: v2}, {Key: key, Kind: tier.Set, Version: v3},
		})
		assert.Equal(t, []string{key, "other", key}, f.forgotten)
		assert.Equal(t, []bool{false, false, true}, f.dropped)
		assert.Equal(t, outcomes{coherence.Dropped: 1, coherence.Absent: 1, coherence.Newer: 1}, f.processed)
	})
}

// holder is an operation of the cache that has the lock of the key. Its steps are gates.
type holder struct {
	f                   *fixture
	stamp               backends.Stamp
	during              func() // while it stores
	after               func() // when L1 has the entry
	storeErr, dropErr   error
	stored, droppedOnce bool
}

func (h *holder) Store() error {
	if h.during != nil {
		h.during()
	}
	if h.storeErr == nil {
		h.f.l1[key] = h.stamp
		h.stored = true
	}
	if h.after != nil {
		h.after()
	}
	return h.storeErr
}

func (h *holder) Drop() error {
	h.droppedOnce = true
	if h.dropErr == nil {
		delete(h.f.l1, key)
	}
	return h.dropErr
}

// A change that is told while an operation of the cache holds the key's lock: at no
// point is something fresh that the change has replaced and that is in sync.
func TestStore(t *testing.T) {
	t.Parallel()
	const (
		before = "before it stores"
		during = "while it stores"
		after  = "when it has stored"
		late   = "when it is done"
	)
	for name, test := range map[string]struct {
		l1, holder, change backends.Version
		at                 string
		own                bool
		want               outcomes // in all
		kept, stored       bool
		fresh              bool // after a change that came before it stores
	}{
		"older, before":         {v1, v2, v3, before, false, one(coherence.Dropped), false, false, false},
		"newer, before":         {v1, v3, v2, before, false, one(coherence.Newer), true, true, false},
		"own, before":           {v1, v2, v2, before, true, one(coherence.Dropped), true, true, false},
		"own, L1 was newer":     {v2, v3, v1, before, true, one(coherence.Own), true, true, true},
		"older, during":         {v1, v2, v3, during, false, one(coherence.Dropped), false, true, true},
		"newer, during":         {v1, v3, v2, during, false, one(coherence.Newer), true, true, true},
		"own, during":           {v1, v2, v2, during, true, one(coherence.Own), true, true, true},
		"older, after":          {v1, v2, v3, after, false, one(coherence.Dropped), false, true, true},
		"own, after":            {v1, v2, v2, after, true, one(coherence.Own), true, true, true},
		"older, late":           {v1, v2, v3, late, false, one(coherence.Dropped), true, true, true},
		"newer, late":           {v1, v3, v2, late, false, one(coherence.Newer), true, true, true},
		"none to store, before": {v1, 0, v2, before, false, one(coherence.Dropped), false, false, false},
		"none to store, late":   {v1, 0, v2, late, false, one(coherence.Dropped), false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, f *fixture) {
				f.sync()
				f.put(test.l1)
				h := &holder{f: f, stamp: backends.Stamp{Version: test.holder, Epoch: f.Epoch()}}
				tell := func() {
					operation := uint64(1)
					if test.own {
						operation = f.Operation()
					}
					f.change(test.change, operation)
				}
				unproven := func() { // a hit must not find both: what it has replaced, and the news that nothing did
					tell()
					time0 := f.Status().Synced
					f.sync()
					assert.Positive(t, f.locks.Unsettled())
					assert.GreaterOrEqual(t, f.Status().Synced, time0)
				}
				var l keylock.Lock
				require.True(t, f.locks.TryAcquire(&l, key))
				switch test.at {
				case before:
					tell()
					assert.Equal(t, test.fresh, f.fresh(), "L1 has what the change replaced")
				case during:
					h.during = unproven
				case after:
					h.after = unproven
				}
				kept, err := f.Store(&l, test.holder, h)
				require.NoError(t, err)
				assert.Equal(t, test.kept, kept)
				assert.Equal(t, test.stored, h.stored)
				if test.at == late {
					tell()
				}
				l.Unlock()
				for i := range f.counted {
					f.counted[i] += f.processed[i]
				}
				assert.Equal(t, test.want, f.counted)
				stamp, ok := f.l1[key]
				assert.Equal(t, ok && stamp.Version.Covers(test.change), f.fresh())
				f.sync()
				assert.Equal(t, ok && stamp.Version.Covers(test.change), f.fresh())
			})
		})
	}
}

// Of several changes that are left with a holder, the last one decides, and each is
// counted once.
func TestStore_CountsEach(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		var l keylock.Lock
		require.True(t, f.locks.TryAcquire(&l, key))
		f.change(v1, 0)
		f.change(v2, 0)
		f.change(v3, 0)
		_, err := f.Store(&l, v2, &holder{f: f})
		require.NoError(t, err)
		l.Unlock()
		assert.Equal(t, outcomes{coherence.Dropped: 1, coherence.Absent: 2}, f.counted)
		assert.Zero(t, f.processed)
	})
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		var l keylock.Lock
		require.True(t, f.locks.TryAcquire(&l, key))
		f.change(v1, 0)
		f.change(v2, 0)
		_, err := f.Store(&l, v3, &holder{f: f})
		require.NoError(t, err)
		l.Unlock()
		assert.Equal(t, outcomes{coherence.Newer: 2}, f.counted)
	})
}

// While an operation stores something that a change has replaced, nothing is in sync.
func TestSynced_WhileUnsettled(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.Lost(backends.LossTrimmed)
		var l keylock.Lock
		require.True(t, f.locks.TryAcquire(&l, key))
		_, err := f.Store(&l, v1, &holder{f: f, during: func() {
			f.change(v2, 0)
			f.sync()
			assert.Zero(t, f.Trusted())
		}})
		require.NoError(t, err)
		l.Unlock()
		f.sync()
		assert.NotZero(t, f.Trusted())
	})
}

// An L1 that does not drop an entry, or ends the goroutine, is not trusted any more.
func TestStore_L1Misbehaves(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		holder  holder
		trusted bool
	}{
		"it refuses to store": {holder{storeErr: errBroken}, true},
		"it refuses to drop":  {holder{dropErr: errBroken, stamp: backends.Stamp{}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, func(t *testing.T, f *fixture) {
				f.sync()
				h := test.holder
				h.f = f
				if h.dropErr != nil {
					h.after = func() { f.change(v2, 0) }
				}
				var l keylock.Lock
				require.True(t, f.locks.TryAcquire(&l, key))
				kept, err := f.Store(&l, v1, &h)
				require.ErrorIs(t, err, errBroken)
				assert.False(t, kept)
				l.Unlock()
				assert.Equal(t, test.trusted, f.Trusted() != 0)
			})
		})
	}
	t.Run("it exits", func(t *testing.T) {
		t.Parallel()
		run(t, func(t *testing.T, f *fixture) {
			f.sync()
			epoch := f.Trusted()
			done := make(chan struct{})
			go func() {
				defer close(done)
				var l keylock.Lock
				assert.True(t, f.locks.TryAcquire(&l, key))
				defer l.Unlock()
				_, _ = f.Store(&l, v1, &holder{f: f, after: func() {
					f.change(v2, 0)
					exit()
				}})
			}()
			<-done
			assert.Zero(t, f.Trusted())
			f.sync()
			assert.Equal(t, epoch+1, f.Trusted(), "nothing is unsettled")
		})
	})
}

// A reader's goroutine that L1 ends has applied no one knows what.
func TestChanged_L1Exits(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		f.sync()
		f.put(v1)
		f.onDrop = exit
		done := make(chan struct{})
		go func() {
			defer close(done)
			f.change(v2, 0)
		}()
		<-done
		assert.Zero(t, f.Trusted())
		var l keylock.Lock
		assert.True(t, f.locks.TryAcquire(&l, key), "the key is not locked")
		l.Unlock()
	})
}

// An operation's number tells the machine that made it.
func TestOperation(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, f *fixture) {
		a, b := f.Operation(), f.Operation()
		assert.NotEqual(t, a, b)
		assert.Equal(t, a>>32, b>>32)
		assert.NotZero(t, a>>32)
	})
}
