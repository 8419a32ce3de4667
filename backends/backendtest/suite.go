package backendtest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Suite is the conformance suite: what a cache relies on in a backend. Run it in
// a test of the adapter:
//
//	backendtest.Suite[[]byte]{
//		New:   func(t *testing.T) backends.Backend[[]byte] { return open(t) },
//		Value: func(i int) []byte { return fmt.Append(nil, i) },
//	}.Run(t)
type Suite[V any] struct {
	// New returns an empty backend with room for at least 100 entries. It
	// should release it by t.Cleanup. Required.
	New func(t *testing.T) backends.Backend[V]

	// Value returns a value that differs for each i. Required.
	Value func(i int) V

	// Equal compares two values. Default: reflect.DeepEqual.
	Equal func(a, b V) bool

	// Advance lets d pass for the backend and for time.Now. Default: it waits,
	// which takes no time in a Bubble.
	Advance func(t *testing.T, d time.Duration)

	// Bubble runs each test, New included, in a testing/synctest bubble, where
	// waiting takes no time. All that the backend starts must then begin in New
	// and end in t.Cleanup, and it must not wait for anything outside of the
	// process. Default: false.
	Bubble bool

	// Precision is how much longer than it should an entry may live. The suite
	// waits that long before it calls an entry immortal. Default: 0.
	Precision time.Duration
}

// Run runs the suite, each test with a backend of its own.
func (s Suite[V]) Run(t *testing.T) {
	t.Helper()
	if s.New == nil || s.Value == nil {
		t.Fatal("backendtest: Suite needs New and Value")
	}
	for _, test := range tests[V]() {
		t.Run(test.name, func(t *testing.T) {
			if s.Bubble {
				synctest.Test(t, func(t *testing.T) { test.run(s.check(t)) })
			} else {
				test.run(s.check(t))
			}
		})
	}
}

type test[V any] struct {
	name string
	run  func(c check[V])
}

func tests[V any]() []test[V] {
	return []test[V]{
		{"a miss is not an error", testMiss[V]},
		{"get returns what was set", testSetGet[V]},
		{"set replaces", testReplace[V]},
		{"keys are independent", testKeys[V]},
		{"delete removes", testDelete[V]},
		{"deleting an absent key is not an error", testDeleteAbsent[V]},
		{"an entry expires", testExpiry[V]},
		{"an expired entry is a miss", testAlreadyExpired[V]},
		{"set replaces the expiry", testReplaceExpiry[V]},
		{"a cancelled context is no lie", testCancelled[V]},
		{"staging touches nothing", testStage[V]},
		{"the description does not change", testDescription[V]},
		{"concurrent use", testConcurrent[V]},
	}
}

func wait(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
