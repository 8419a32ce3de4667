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
	"github.com/tiercache/tiercache/tier"
)

// sequences returns every sequence of outcomes of up to three attempts.
func sequences() (all []string) {
	longest := []string{""}
	for range 3 {
		var longer []string
		for _, s := range longest {
			for _, o := range []rune{applied, failed, lost, ghost} {
				longer = append(longer, s+string(o))
			}
		}
		longest, all = longer, append(all, longer...)
	}
	return all
}

// Every sequence of outcomes, with the number of attempts and the verdict on all of
// them.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ends  string // the attempts that end the repetitions
		retry func(retries int) failsafebackend.Option
	}{
		"WithRetry":       {"alg", func(n int) failsafebackend.Option { return failsafebackend.WithRetry(n, time.Second, time.Minute) }},
		"WithRetryPolicy": {"a", func(n int) failsafebackend.Option { return repeatsAll(n, time.Second) }},
	} {
		for _, sequence := range sequences() {
			for call, w := range writes {
				t.Run(name+" "+call+" "+sequence, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						store := backendtest.NewMap[string]()
						require.NoError(t, store.Set(t.Context(), "k", entry("old")))
						faults := backendtest.WithFaults(store)
						script(faults, w.call, sequence)
						err := w.write(t.Context(), decorate(t, faults, test.retry(len(sequence)-1)))

						attempts := sequence
						if i := strings.IndexAny(sequence, test.ends); i >= 0 {
							attempts = sequence[:i+1]
						}
						assert.Equal(t, len(attempts), faults.Calls(w.call))
						now := store.Snapshot()["k"].Value != "old"
						assert.Equal(t, strings.ContainsAny(attempts, "ag"), now)
						requireVerdict(t, attempts, err)
					})
				})
			}
		}
	}
}

// requireVerdict checks the result after these attempts.
func requireVerdict(t *testing.T, attempts string, err error) {
	t.Helper()
	if strings.ContainsRune(attempts, applied) {
		require.NoError(t, err)
		return
	}
	assert.Equal(t, strings.Trim(attempts, "f") == "", backends.CertainlyNotApplied(err), err)
	last := errLost
	if strings.HasSuffix(attempts, "f") {
		last = backends.NotApplied(errFull)
	}
	if len(attempts) == 1 {
		require.Equal(t, last, err, "it is the backend's own")
		return
	}
	var all *failsafebackend.Error
	require.ErrorAs(t, err, &all)
	assert.Equal(t, len(attempts), all.Attempts)
	assert.Equal(t, last, all.Err)
	assert.NoError(t, all.Stopped)
}

func TestErrorOfOneAttemptIsTheBackends(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]failsafebackend.Option{"no options": nil, "others": all[1:], "a retry that does not help": {failsafebackend.WithRetry(0, 1, 1)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := newFaults()
			faults.Always(tier.Get, backendtest.Lose(errLost))
			faults.Always(tier.Set, backendtest.Lose(errLost))
			faults.Always(tier.Delete, backendtest.FailBefore(errFull))
			b := decorate(t, faults, opts...)
			_, ok, err := b.Get(t.Context(), "k")
			assert.False(t, ok)
			assert.Equal(t, errLost, err)
			assert.Equal(t, errLost, b.Set(t.Context(), "k", entry("v")))
			assert.Equal(t, backends.NotApplied(errFull), b.Delete(t.Context(), "k"))
		})
	}
}

// The breaker opens between attempts: the outcome of the attempts counts.
func TestBreakerOpensMidway(t *testing.T) {
	t.Parallel()
	simple, user := failsafebackend.WithRetry(5, time.Millisecond, time.Millisecond), repeatsAll(5, time.Millisecond)
	for name, test := range map[string]struct {
		sequence string
		retry    failsafebackend.Option
		certain  bool
	}{
		"f": {"f", simple, true}, "ff": {"ff", simple, true}, "fff": {"fff", simple, true},
		"user's, f": {"f", user, true}, "user's, l": {"l", user, false}, "user's, g": {"g", user, false},
		"user's, ff": {"ff", user, true}, "user's, fg": {"fg", user, false},
		"user's, lf": {"lf", user, false}, "user's, gf": {"gf", user, false},
	} {
		for call, w := range writes {
			t.Run(call+" "+name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					faults := newFaults()
					made := len(test.sequence)
					script(faults, w.call, test.sequence)
					b := decorate(t, faults, test.retry, failsafebackend.WithCircuitBreaker(made, time.Minute))
					err := w.write(t.Context(), b)
					assert.Equal(t, test.certain, backends.CertainlyNotApplied(err), err)
					var stopped *failsafebackend.Error
					require.ErrorAs(t, err, &stopped)
					assert.Equal(t, made, stopped.Attempts)
					assert.Equal(t, circuitbreaker.ErrOpen, stopped.Stopped)
					require.ErrorIs(t, err, circuitbreaker.ErrOpen)
					require.ErrorIs(t, err, stopped.Err)
					assert.Equal(t, made, faults.Calls(w.call))

					requireOpen(t, w.write(t.Context(), b)) // and now none is made at all
					assert.Equal(t, made, faults.Calls(w.call))
				})
			})
		}
	}
}

// The end of the retries does not ask the breaker that it opened.
func TestBreakerOpensWithTheLast(t *testing.T) {
	t.Parallel()
	for _, sequence := range []string{"l", "g", "fl", "fg"} {
		for call, w := range writes {
			t.Run(call+" "+sequence, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					faults := newFaults()
					script(faults, w.call, sequence)
					b := decorate(t, faults,
						failsafebackend.WithRetry(5, time.Millisecond, time.Millisecond),
						failsafebackend.WithCircuitBreaker(len(sequence), time.Minute))
					requireVerdict(t, sequence, w.write(t.Context(), b))
					requireOpen(t, w.write(t.Context(), b))
				})
			})
		}
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		faults.Always(tier.Set, backendtest.FailBefore(errFull))
		faults.Always(tier.Get, backendtest.Lose(errLost))
		retry := failsafebackend.WithRetry(2, time.Millisecond, time.Millisecond)
		err := decorate(t, faults, retry).Set(t.Context(), "key", entry("value"))
		require.EqualError(t, err, "failsafebackend: set failed after 3 attempts: full")
		script(faults, tier.Set, "fl")
		err = decorate(t, faults, retry).Set(t.Context(), "key", entry("value"))
		require.EqualError(t, err, "failsafebackend: set failed after 2 attempts: lost")

		b := decorate(t, faults, retry, failsafebackend.WithCircuitBreaker(1, time.Minute))
		_, _, err = b.Get(t.Context(), "key")
		require.EqualError(t, err, "failsafebackend: get failed after 1 attempt: lost; then circuit breaker open")
		require.EqualError(t, b.Delete(t.Context(), "key"), "failsafebackend: delete refused without an attempt: circuit breaker open")
	})
}

// The classifier also decides which attempts are repeated.
func TestClassifier(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithRetry(2, 1, 1),
			failsafebackend.WithClassifier(func(err error) bool { return errors.Is(err, errLost) }),
			failsafebackend.WithClassifier(nil))
		script(faults, tier.Set, "lll")
		assert.True(t, backends.CertainlyNotApplied(b.Set(t.Context(), "k", entry("v"))))
		assert.Equal(t, 3, faults.Calls(tier.Set))

		script(faults, tier.Delete, "lf")
		assert.False(t, backends.CertainlyNotApplied(b.Delete(t.Context(), "k")))
		assert.Equal(t, 2, faults.Calls(tier.Delete))
	})
}

// A context that ends while a call waits for the bulkhead.
func TestContextEndsInBulkhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		gate := backendtest.NewGate()
		faults.Next(tier.Set, gate.Before())
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
