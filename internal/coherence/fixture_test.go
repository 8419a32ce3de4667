package coherence_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/coherence"
	"github.com/tiercache/tiercache/internal/keylock"
	"github.com/tiercache/tiercache/tier"
)

const (
	bound = time.Second
	key   = "k"
)

var v1, v2, v3 = backends.MakeVersion(1, 1), backends.MakeVersion(1, 2), backends.MakeVersion(1, 3)

// fixture is a machine, the cache that it belongs to, and everything that it says.
type fixture struct {
	*coherence.Machine
	locks *keylock.Table

	mu        sync.Mutex
	l1        map[string]backends.Stamp
	stampErr  error
	dropErr   error
	onDrop    func() // in the middle of Drop
	forgotten []string
	all       int // calls of ForgetAll
	events    []coherence.Event
	onEvent   func(e coherence.Event)
	processed [coherence.Outcomes]int
	dropped   []bool // of the last batch
	counted   [coherence.Outcomes]int
}

func newFixture() *fixture {
	f := &fixture{locks: keylock.NewTable(), l1: make(map[string]backends.Stamp)}
	f.Machine = coherence.New(bound, f.locks, f, f)
	return f
}

func (f *fixture) Stamp(key string) (backends.Stamp, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stamp, ok := f.l1[key]
	return stamp, ok, f.stampErr
}

func (f *fixture) Drop(key string) error {
	if f.onDrop != nil {
		f.onDrop()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dropErr == nil {
		delete(f.l1, key)
	}
	return f.dropErr
}

func (f *fixture) Forget(key string) { f.forgotten = append(f.forgotten, key) }
func (f *fixture) ForgetAll()        { f.all++ }

func (f *fixture) Happened(e coherence.Event) {
	if f.onEvent != nil {
		f.onEvent(e)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = append(f.events, e)
}

func (f *fixture) Processed(b *coherence.Batch) {
	f.dropped = nil
	for i, o := range b.Outcomes {
		if int(o) < coherence.Outcomes {
			f.processed[o]++
		}
		f.dropped = append(f.dropped, b.Dropped(i))
	}
}

func (f *fixture) Counted(outcome coherence.Outcome, n int) { f.counted[outcome] += n }

// put stores an entry in L1 under the version, with the current epoch.
func (f *fixture) put(v backends.Version) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.l1[key] = backends.Stamp{Version: v, Epoch: f.Epoch()}
}

// fresh reports whether a hit of the key would be returned as it is.
func (f *fixture) fresh() bool {
	epoch := f.Trusted()
	stamp, ok, _ := f.Stamp(key)
	return ok && coherence.Fresh(&stamp, epoch)
}

func (f *fixture) change(v backends.Version, operation uint64) {
	f.Changed([]backends.Change{{Key: key, Kind: tier.Set, Version: v, Operation: operation}})
}

func (f *fixture) sync() { f.Synced(time.Now()) }

// happened returns the events since the last call, in short.
func (f *fixture) happened() (texts []string) {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		switch {
		case e.Gap:
			texts = append(texts, "gap "+e.Cause)
		case e.Trusted:
			texts = append(texts, "back "+e.Cause+" "+e.Lasted.String())
		default:
			texts = append(texts, "lost "+e.Cause)
		}
	}
	f.events = nil
	return texts
}

// run runs a test in a bubble, and ends the machine.
func run(t *testing.T, test func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture()
		test(t, f)
		assert.Zero(t, f.locks.Unsettled())
		assert.NoError(t, f.Close(t.Context()))
		assert.NoError(t, f.locks.Close(t.Context()))
	})
}

var errBroken = errors.New("broken")

// exit ends the goroutine, as a failing assertion in a fake does.
func exit() { runtime.Goexit() }
