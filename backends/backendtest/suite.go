package backendtest

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Suite is the conformance suite: the promises of a backend on which a cache relies.
// Run it in a test of the adapter:
//
//	backendtest.Suite[[]byte]{
//		New:   func(t *testing.T) backends.Backend[[]byte] { return open(t) },
//		Value: func(i int) []byte { return fmt.Append(nil, i) },
//	}.Run(t)
//
// It checks all that [backends.Backend] and its optional interfaces promise. Interfaces that need
// an ability are tested if the backend declares it; see [backends.Abilities]. Keys are of 1 to
// MaxKeySize bytes, and any bytes, NUL, line breaks and invalid UTF-8 included. Errors may quote
// neither key nor value, in any encoding; the suite sees those of calls whose context has ended and
// of keys that are too long, and with Break those of a store that fails.
//
// Failures print values, strings and bytes as quoted text.
//
// Outside of a bubble, a busy machine may keep the process from running at any point. A check of a
// time that such a pause has used up is made again, and fails if that is so each time.
type Suite[V any] struct {
	// New returns an empty backend with room for at least 100 entries. It
	// should release it by t.Cleanup. Required.
	New func(t *testing.T) backends.Backend[V]

	// Value returns a value that differs for each i from 0 to a million. To find
	// values in errors, the suite looks for the digits of i, or else for the whole
	// value as %v prints it, if that is not too short. Required.
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

	// Precision is how long after its expiry an entry may still be returned. The suite waits that
	// long before it reports that an entry has not expired. If it is not 0, the time that the Set
	// took is added: a store may count the TTL from its arrival. Default: 0.
	Precision time.Duration

	// MaxKeySize is the size in bytes of the longest key that the suite stores. It must be at least
	// 16. Default: 200.
	MaxKeySize int

	// Patience is how soon a call must return after its context has ended. A pause of the whole
	// process counts for a tenth of it at most. Default: 1 s.
	Patience time.Duration

	// Break makes the store of b fail, for instance by closing it, so that the suite sees its
	// errors. The suite calls b afterwards. Default: such errors are not checked.
	Break func(t *testing.T, b backends.Backend[V])

	// Hang makes the store of b stop answering, for instance by holding a lock or stopping a
	// server, until the test ends: release it by t.Cleanup. The suite calls b afterwards, and each
	// call must end with its context. Default: this is not checked.
	Hang func(t *testing.T, b backends.Backend[V])

	// Sync makes b tell those who watch it of all changes and that they are in sync.
	// It is for stores that do so only when a test asks, such as [Store]. Default: the
	// suite waits until b does it by itself.
	Sync func(t *testing.T, b backends.Backend[V])
}

// Defaults, stated in the docs of Suite.
const (
	defaultMaxKeySize = 200
	minMaxKeySize     = 16
	defaultPatience   = time.Second
)

// Run runs the suite, each test with a backend of its own.
func (s Suite[V]) Run(t *testing.T) {
	t.Helper()
	if s.New == nil || s.Value == nil {
		t.Fatal("backendtest: Suite needs New and Value")
	}
	if s.MaxKeySize != 0 && s.MaxKeySize < minMaxKeySize {
		t.Fatalf("backendtest: Suite.MaxKeySize is %d: it must be %d at least", s.MaxKeySize, minMaxKeySize)
	}
	for _, test := range tests[V]() {
		t.Run(test.name, func(t *testing.T) {
			if s.Bubble {
				inBubble(t, t.Errorf, func(t *testing.T) { test.run(s.check(t)) })
			} else {
				test.run(s.check(t))
			}
		})
	}
}

// inBubble runs f in a bubble. Calls that block for ever would end the bubble with
// a panic; it becomes a report.
func inBubble(t *testing.T, report func(format string, args ...any), f func(t *testing.T)) {
	t.Helper()
	defer func() {
		if v := recover(); v != nil {
			if !strings.HasPrefix(fmt.Sprint(v), "deadlock:") {
				panic(v)
			}
			report("the backend has blocked a goroutine for ever")
		}
	}()
	synctest.Test(t, f)
}

type test[V any] struct {
	name string
	run  func(c check[V])
}

func tests[V any]() []test[V] {
	return []test[V]{
		{"miss-is-no-error", testMiss[V]},
		{"get-returns-what-was-set", testSetGet[V]},
		{"set-replaces", testReplace[V]},
		{"keys-are-independent", testKeys[V]},
		{"delete-removes", testDelete[V]},
		{"delete-of-an-absent-key-is-no-error", testDeleteAbsent[V]},
		{"entry-expires", testExpiry[V]},
		{"expired-entry-is-a-miss", testAlreadyExpired[V]},
		{"set-replaces-the-expiry", testReplaceExpiry[V]},
		{"calls-end-with-their-contexts", testContext[V]},
		{"calls-end-while-the-store-hangs", testHang[V]},
		{"outcome-under-a-cancelled-context", testCancelled[V]},
		{"errors-quote-no-key-and-no-value", testErrors[V]},
		{"a-nil-context-is-refused", testNilContext[V]},
		{"bad-arguments-are-refused", testArguments[V]},
		{"staging-writes-nothing", testStage[V]},
		{"description-does-not-change", testDescription[V]},
		{"concurrent-use", testConcurrent[V]},
		{"writes-are-atomic", testAtomic[V]},
		{"abilities-have-their-interfaces", testAbilities[V]},
		{"versions-rise", testVersions[V]},
		{"answers-have-what-was-written", testAnswers[V]},
		{"invalid-writes-are-refused", testInvalid[V]},
		{"conditions-decide", testConditions[V]},
		{"conditions-are-atomic", testRaces[V]},
		{"source-versions-decide", testSources[V]},
		{"deletions-are-remembered", testDeletions[V]},
		{"deadlines-are-enforced", testDeadlines[V]},
		{"batches-answer-by-index", testBatches[V]},
		{"batches-decide-each-element", testBatchDecisions[V]},
		{"the-log-has-every-change", testLog[V]},
		{"stamps-stay-with-their-values", testStamps[V]},
		{"a-walk-visits-every-entry", testWalk[V]},
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
