package backendtest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
)

// Failures runs the tests of the suite in bubbles. It returns what those that
// fail report, by their names.
func (s Suite[V]) Failures(t *testing.T) map[string][]string {
	t.Helper()
	failures := make(map[string][]string)
	for _, test := range tests[V]() {
		synctest.Test(t, func(t *testing.T) {
			r := &recorder{TB: t}
			c := s.check(t)
			c.t = r
			done := make(chan struct{})
			go func() {
				defer close(done)
				test.run(c)
			}()
			<-done
			if r.texts != nil {
				failures[test.name] = r.texts
			}
		})
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
