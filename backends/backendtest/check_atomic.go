package backendtest

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// How often two goroutines write one key while others read it.
const (
	minWrites = 10
	writeTime = 200 * time.Millisecond
	readers   = 3

	maxWrites     = 300
	maxWritesFast = 2000 // of a store in the process
)

// patientReads is how often a reader reads, while no write ends, before it pauses.
const patientReads = 2000

// pauses let a reader look between two steps of a write, however slow they are. It
// pauses only while no write ends: in a bubble no time passes while somebody
// works, so it would miss all writes that are fast.
var pauses = []time.Duration{
	10 * time.Microsecond, 100 * time.Microsecond, time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond,
}

// testAtomic writes two entries, which differ in value and expiry, over each other. A
// reader must see the one or the other, and never neither. The other tests check
// backends that cannot even do that one after the other.
func testAtomic[V any](c check[V]) {
	entries := []backends.Entry[V]{
		{Value: c.Value(111111), ExpiresAt: time.Now().Add(time.Hour)},
		{Value: c.Value(222222)},
	}
	for _, entry := range slices.Concat(entries, entries[:1]) {
		if c.b.Set(c.t.Context(), "k", entry) != nil || c.parts("k", []backends.Entry[V]{entry}) != "" {
			return
		}
	}
	writes := maxWrites
	if backends.DescriptionOf(c.b).InProcess {
		writes = maxWritesFast
	}
	var ended atomic.Int64 // writes
	done := make(chan struct{})
	var writing, reading sync.WaitGroup
	for range readers {
		reading.Go(func() { c.readWhole("k", entries, &ended, done) })
	}
	for _, entry := range entries {
		writing.Go(func() {
			start := time.Now()
			for i := 0; i < minWrites || i < writes && time.Since(start) < writeTime; i++ {
				if err := c.b.Set(c.t.Context(), "k", entry); err != nil {
					c.t.Errorf("Set: %v", err)
					return
				}
				ended.Add(1)
				runtime.Gosched()
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	if parts := c.parts("k", entries); parts != "" {
		c.t.Errorf("in the end: %s", parts)
	}
}

// readWhole reads until done is closed or something is wrong.
func (c check[V]) readWhole(key string, entries []backends.Entry[V], ended *atomic.Int64, done <-chan struct{}) {
	var last int64
	for idle, paused := 0, 0; ; idle++ {
		if parts := c.parts(key, entries); parts != "" {
			c.t.Errorf("while Set replaces an entry: %s", parts)
			return
		}
		if now := ended.Load(); now != last {
			last, idle = now, 0
		}
		pause := time.Duration(0)
		if idle >= patientReads {
			pause = pauses[paused%len(pauses)]
			paused++
		}
		if !waitFor(pause, done) {
			return
		}
	}
}

// waitFor returns false when done is closed first. Without a pause it lets others
// work.
func waitFor(pause time.Duration, done <-chan struct{}) bool {
	if pause == 0 {
		runtime.Gosched()
		select {
		case <-done:
			return false
		default:
			return true
		}
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-done:
		return false
	case <-timer.C:
		return true
	}
}

// parts describes the value at key if it is none of the entries, and returns "" if it
// is one.
func (c check[V]) parts(key string, entries []backends.Entry[V]) string {
	entry, ok, err := c.b.Get(c.t.Context(), key)
	if err != nil || !ok {
		return fmt.Sprintf("Get: %t, %v, want a hit", ok, err)
	}
	value, ok, err := c.value(key)
	if err != nil || !ok {
		return fmt.Sprintf("GetValue: %t, %v, want a hit", ok, err)
	}
	known, match := false, false
	for _, e := range entries {
		known = known || c.Equal(value, e.Value)
		match = match || c.Equal(entry.Value, e.Value) && sameExpiry(entry.ExpiresAt, e.ExpiresAt, c.Precision)
	}
	if known && match {
		return ""
	}
	var want []string
	for _, e := range entries {
		want = append(want, showEntry(e))
	}
	if !match {
		return "Get: " + showEntry(entry) + ", want " + strings.Join(want, ", or ")
	}
	return "GetValue: " + show(value) + ", want that of " + strings.Join(want, ", or ")
}

func showEntry[V any](e backends.Entry[V]) string {
	if e.ExpiresAt.IsZero() {
		return show(e.Value) + " without an expiry"
	}
	return show(e.Value) + " that expires at " + e.ExpiresAt.String()
}

// sameExpiry allows for a store that rounds to milliseconds, or to more.
func sameExpiry(a, b time.Time, precision time.Duration) bool {
	return a.IsZero() == b.IsZero() && a.Sub(b).Abs() < max(time.Millisecond, precision)
}
