package failsafebackend_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
)

var (
	errLost = errors.New("lost")
	errFull = errors.New("full")
)

// What can become of one attempt.
const (
	applied = 'a' // and said so
	failed  = 'f' // certainly not applied
	lost    = 'l' // not applied, and nobody knows
	ghost   = 'g' // applied, and nobody knows
)

func faultOf(attempt rune) backendtest.Fault {
	switch attempt {
	case applied:
		return nil
	case failed:
		return backendtest.FailBefore(errFull)
	case lost:
		return backendtest.Lose(errLost)
	default:
		return backendtest.ApplyThenFail(errLost)
	}
}

// script queues what becomes of the coming calls.
func script(faults *backendtest.Faults[string], call backendtest.Call, attempts string) {
	for _, attempt := range attempts {
		faults.Next(call, faultOf(attempt))
	}
}

// writes are all ways to write. Each makes a change that can be seen.
var writes = map[string]struct {
	call  backendtest.Call
	write func(ctx context.Context, b backends.Backend[string]) error
}{
	"Set": {backendtest.Set, func(ctx context.Context, b backends.Backend[string]) error {
		return b.Set(ctx, "k", entry("new"))
	}},
	"Delete": {backendtest.Delete, func(ctx context.Context, b backends.Backend[string]) error {
		return b.Delete(ctx, "k")
	}},
	"staged": {backendtest.Set, func(ctx context.Context, b backends.Backend[string]) error {
		set, err := b.(backends.Stager[string]).Stage(ctx, "k", entry("new"))
		if err != nil {
			return err
		}
		return set(ctx)
	}},
}

// Every sequence of outcomes of up to three attempts, against what must be said
// of them together.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	sequences := []string{""}
	for range 3 {
		for _, s := range sequences {
			for _, o := range []rune{applied, failed, lost, ghost} {
				sequences = append(sequences, s+string(o))
			}
		}
	}
	for _, sequence := range sequences {
		if len(sequence) != 3 {
			continue
		}
		for call, w := range writes {
			t.Run(call+" "+sequence, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					store := backendtest.NewMap[string]()
					require.NoError(t, store.Set(t.Context(), "k", entry("old")))
					faults := backendtest.WithFaults(store)
					script(faults, w.call, sequence)
					err := w.write(t.Context(), decorate(t, faults, failsafebackend.WithRetry(2, time.Second, time.Minute)))

					made := len(sequence)
					if i := strings.IndexRune(sequence, applied); i >= 0 {
						made = i + 1
					}
					assert.Equal(t, made, faults.Calls(w.call))
					attempts := sequence[:made]
					now := store.Snapshot()["k"].Value != "old"
					assert.Equal(t, strings.ContainsAny(attempts, "ag"), now)
					if strings.ContainsRune(attempts, applied) {
						require.NoError(t, err)
						return
					}
					var all *failsafebackend.Error
					require.ErrorAs(t, err, &all)
					assert.Equal(t, 3, all.Attempts)
					assert.NoError(t, all.Stopped)
					assert.Equal(t, attempts == "fff", backends.CertainlyNotApplied(err), err)
				})
			})
		}
	}
}

func TestErrorOfOneAttemptIsTheBackends(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]failsafebackend.Option{"no options": nil, "others": all[1:], "a retry that does not help": {failsafebackend.WithRetry(0, 1, 1)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := newFaults()
			faults.Always(backendtest.Get, backendtest.Lose(errLost))
			faults.Always(backendtest.Set, backendtest.Lose(errLost))
			faults.Always(backendtest.Delete, backendtest.FailBefore(errFull))
			b := decorate(t, faults, opts...)
			_, ok, err := b.Get(t.Context(), "k")
			assert.False(t, ok)
			assert.Equal(t, errLost, err)
			assert.Equal(t, errLost, b.Set(t.Context(), "k", entry("v")))
			assert.Equal(t, backends.NotApplied(errFull), b.Delete(t.Context(), "k"))
		})
	}
}

// The breaker opens between attempts: what the attempts left behind counts.
func TestBreakerOpensMidway(t *testing.T) {
	t.Parallel()
	for sequence, certain := range map[string]bool{"f": true, "l": false, "g": false, "ff": true, "fg": false, "lf": false, "gf": false} {
		for call, w := range writes {
			t.Run(call+" "+sequence, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					faults := newFaults()
					script(faults, w.call, sequence)
					b := decorate(t, faults,
						failsafebackend.WithRetry(5, time.Millisecond, time.Millisecond),
						failsafebackend.WithCircuitBreaker(len(sequence), time.Minute))
					err := w.write(t.Context(), b)
					assert.Equal(t, certain, backends.CertainlyNotApplied(err), err)
					var stopped *failsafebackend.Error
					require.ErrorAs(t, err, &stopped)
					assert.Equal(t, len(sequence), stopped.Attempts)
					assert.Equal(t, circuitbreaker.ErrOpen, stopped.Stopped)
					require.ErrorIs(t, err, circuitbreaker.ErrOpen)
					require.ErrorIs(t, err, stopped.Err)
					assert.Equal(t, len(sequence), faults.Calls(w.call))

					err = w.write(t.Context(), b) // and now none is made at all
					var refused *failsafebackend.RefusedError
					require.ErrorAs(t, err, &refused)
					assert.Equal(t, "circuit_breaker_open", refused.ErrorType())
					assert.True(t, backends.CertainlyNotApplied(err))
					assert.Equal(t, len(sequence), faults.Calls(w.call))
				})
			})
		}
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		faults.Always(backendtest.Set, backendtest.Lose(errLost))
		faults.Always(backendtest.Get, backendtest.Lose(errLost))
		retry := failsafebackend.WithRetry(2, time.Millisecond, time.Millisecond)
		err := decorate(t, faults, retry).Set(t.Context(), "key", entry("value"))
		require.EqualError(t, err, "failsafebackend: set failed after 3 attempts: lost")

		b := decorate(t, faults, retry, failsafebackend.WithCircuitBreaker(1, time.Minute))
		_, _, err = b.Get(t.Context(), "key")
		require.EqualError(t, err, "failsafebackend: get failed after 1 attempt: lost; then circuit breaker open")
		require.EqualError(t, b.Delete(t.Context(), "key"), "failsafebackend: delete refused without an attempt: circuit breaker open")
	})
}

func TestClassifier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		faults.Always(backendtest.Set, backendtest.Lose(errLost))
		b := decorate(t, faults, failsafebackend.WithRetry(1, 1, 1),
			failsafebackend.WithClassifier(func(err error) bool { return errors.Is(err, errLost) }),
			failsafebackend.WithClassifier(nil))
		assert.True(t, backends.CertainlyNotApplied(b.Set(t.Context(), "k", entry("v"))))
	})
}

// A context that ends while a call waits for the bulkhead.
func TestContextEndsInBulkhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		gate := backendtest.NewGate()
		faults.Next(backendtest.Set, gate.Before())
		b := decorate(t, faults, failsafebackend.WithBulkhead(1, time.Hour))
		go func() { _ = b.Set(t.Context(), "other", entry("v")) }()
		<-gate.Arrived()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := b.Set(ctx, "k", entry("v"))
		var refused *failsafebackend.RefusedError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "timeout", refused.ErrorType())
		assert.True(t, backends.CertainlyNotApplied(err))

		full := decorate(t, faults, failsafebackend.WithBulkheadPolicy(func() bulkhead.Bulkhead[any] {
			b := bulkhead.New[any](1)
			b.TryAcquirePermit()
			return b
		}()))
		err = full.Set(t.Context(), "k", entry("v"))
		require.ErrorAs(t, err, &refused)
		require.ErrorIs(t, err, bulkhead.ErrFull)
		assert.Equal(t, "bulkhead_full", refused.ErrorType())
		assert.True(t, backends.CertainlyNotApplied(err))
		gate.Open()
	})
}
