package backendtest_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// paused is a store whose calls may be kept from running, as all is on a busy machine.
type paused struct {
	*client
	pause func()         // called before and after each call
	early time.Duration  // how long before its expiry an entry is a miss
	bend  func(w *write) // changes writes before they are made
}

func (b paused) Get(ctx context.Context, key string) (entry, bool, error) {
	b.pause()
	defer b.pause()
	e, ok, err := b.client.Get(ctx, key)
	if ok && !e.ExpiresAt.IsZero() && e.Expired(time.Now().Add(b.early)) {
		return entry{}, false, err
	}
	return e, ok, err
}

func (b paused) Set(ctx context.Context, key string, e entry) error {
	b.pause()
	defer b.pause()
	return b.client.Set(ctx, key, e)
}

func (b paused) Delete(ctx context.Context, key string) error {
	b.pause()
	defer b.pause()
	return b.client.Delete(ctx, key)
}

func (b paused) Write(ctx context.Context, w *write) (backends.Result, error) {
	if w == nil {
		return b.client.Write(ctx, w)
	}
	b.pause()
	defer b.pause()
	bent := *w
	if b.bend != nil {
		b.bend(&bent)
	}
	return b.client.Write(ctx, &bent)
}

func (b paused) GetIf(ctx context.Context, key string, have backends.Version) (entry, backends.Answer, error) {
	b.pause()
	defer b.pause()
	return b.client.GetIf(ctx, key, have)
}

func (b paused) StoreTime() (now time.Time, within time.Duration, ok bool) {
	b.pause()
	defer b.pause()
	return b.client.StoreTime()
}

// pausedSuite is one for such stores. Each is paused for d where at says so, given how often it
// could have been paused before.
func pausedSuite(b paused, at func(n int64) bool, d time.Duration) backendtest.Suite[string] {
	s := suite(func() backends.Backend[string] {
		var calls atomic.Int64
		b.client = backendtest.NewStore[string]().Client()
		b.pause = func() {
			if at(calls.Add(1) - 1) {
				time.Sleep(d)
			}
		}
		return b
	})
	s.Patience = 2 * d // a bubble does not stop: there it is the call that is late
	return s
}

// A process that is kept from running for two seconds, wherever that happens, is no flaw of a
// backend.
func TestSuite_Paused(t *testing.T) {
	t.Parallel()
	for n := range int64(60) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, pausedSuite(paused{}, func(i int64) bool { return i == n }, 2*time.Second).Failures(t))
		})
	}
}

// Nor does it hide one.
func TestSuite_PausedFindsFlaws(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		backend paused
		found   string
	}{
		"entries expire early":          {paused{early: 701 * time.Millisecond}, "entry-expires"},
		"deletions are forgotten early": {paused{bend: func(w *write) { w.Keep /= 2 }}, "deletions-are-remembered"},
		"deadlines are early":           {paused{bend: func(w *write) { w.Before = w.Before.Add(-2 * time.Second) }}, "deadlines-are-enforced"},
	} {
		for n := int64(0); n < 60; n += 4 {
			t.Run(fmt.Sprintf("%s, %d", name, n), func(t *testing.T) {
				t.Parallel()
				s := pausedSuite(f.backend, func(i int64) bool { return i == n }, 2*time.Second)
				assert.Contains(t, s.Failures(t), f.found)
			})
		}
	}
}

// A process that is always kept from running fails: nothing has been checked.
func TestSuite_AlwaysPaused(t *testing.T) {
	t.Parallel()
	failures := pausedSuite(paused{}, func(int64) bool { return true }, 20*time.Second).Failures(t)
	for _, test := range []string{"entry-expires", "deletions-are-remembered", "deadlines-are-enforced"} {
		assert.Contains(t, fmt.Sprint(failures[test]), "of 10 trials", test)
	}
}
