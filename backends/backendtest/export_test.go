package backendtest

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// Failures runs the tests of the suite in bubbles. It returns what those that
// fail report, by their names.
func (s Suite[V]) Failures(t *testing.T) map[string][]string {
	t.Helper()
	failures := make(map[string][]string)
	for _, test := range tests[V]() {
		r := new(recorder)
		inBubble(t, r.Errorf, func(t *testing.T) {
			c := s.check(t)
			r.TB, c.t = t, r
			done := make(chan struct{})
			go func() {
				defer close(done)
				test.run(c)
			}()
			<-done
		})
		if r.texts != nil {
			failures[test.name] = r.texts
		}
	}
	return failures
}

// NamesOfTests returns those of all tests of the suite.
func NamesOfTests() (names []string) {
	for _, test := range tests[int]() {
		names = append(names, test.name)
	}
	return names
}

// recorder is a testing.T that only takes down that it should fail.
type recorder struct {
	testing.TB
	mu    sync.Mutex
	texts []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// Failures runs the tests of the suite. It returns what those that fail report,
// by their names. Tests to skip are those in which the codec of a test would be a
// data race.
func (s CodecSuite[V]) Failures(t *testing.T, skip ...string) map[string][]string {
	t.Helper()
	failures := make(map[string][]string)
	for _, test := range codecTests[V]() {
		if slices.Contains(skip, test.name) {
			continue
		}
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			test.run(s.check(r))
		}()
		<-done
		if r.texts != nil {
			failures[test.name] = r.texts
		}
	}
	return failures
}

// NamesOfCodecTests returns those of all tests of the suite for codecs.
func NamesOfCodecTests() (names []string) {
	for _, test := range codecTests[int]() {
		names = append(names, test.name)
	}
	return names
}

// Show is how the suites print a value.
var Show = show
