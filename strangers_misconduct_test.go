package tiercache_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// misconduct is what somebody else's code may do.
type misconduct struct {
	name string
	kind misconductKind
	do   func(s *scenario, ctx context.Context) error

	plain   bool // there is nothing special in the value of the panic, or in the error
	decided bool // it needs an L2 that decides
}

type misconductKind int

const (
	panics   misconductKind = iota
	exits                   // the goroutine, by runtime.Goexit
	fails                   // with an error
	hangs                   // until the context ends
	reenters                // calls the cache
)

func misconducts() []misconduct {
	all := []misconduct{
		{name: "goexit", kind: exits, do: func(*scenario, context.Context) error {
			runtime.Goexit()
			return nil
		}},
		{name: "hang", kind: hangs, do: func(_ *scenario, ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}},
	}
	for name, value := range map[string]any{
		"string":                      "at " + secretKey,
		"error":                       errors.New("at " + secretKey),
		"nil":                         nil,
		"error that cannot be read":   (*nilError)(nil),
		"run-time error of its own":   ownRuntimeError{},
		"error that panics with such": panickingError{panickingError{(*nilError)(nil)}},
	} {
		all = append(all, misconduct{name: "panic with " + name, kind: panics, plain: name == "string", do: func(*scenario, context.Context) error {
			panic(value)
		}})
	}
	all = append(all, misconduct{name: "panic with run-time error", kind: panics, do: func(*scenario, context.Context) error {
		var none []int
		_ = none[len(secretKey)]
		return nil
	}})
	for name, err := range badErrors() {
		all = append(all, misconduct{name: "error " + name, kind: fails, plain: name == "that quotes the key", do: func(*scenario, context.Context) error { return err }})
	}
	for name, call := range callsBack() {
		all = append(all, misconduct{name: "calls " + name, kind: reenters, decided: strings.HasPrefix(name, "Update"), do: func(s *scenario, ctx context.Context) error {
			if !s.entering.CompareAndSwap(false, true) {
				return nil
			}
			defer s.entering.Store(false)
			s.entries++
			if s.entries > maxEntries {
				return nil
			}
			if ctx == nil {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(context.Background(), time.Second)
				defer cancel()
			}
			err := call(s, ctx)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.reenter = append(s.reenter, err)
			return nil
		}})
	}
	return all
}

const otherKey = "other"

// maxEntries bounds the calls back. A report of a detached write may call the cache, and
// the write that it makes may be reported in the same way: without an end, by design.
const maxEntries = 10

// callsBack are the ways to call the cache.
func callsBack() map[string]func(s *scenario, ctx context.Context) error {
	return map[string]func(s *scenario, ctx context.Context) error{
		"Set of the key":    func(s *scenario, ctx context.Context) error { return s.Set(ctx, secretKey, "inner", 0) },
		"Delete of the key": func(s *scenario, ctx context.Context) error { return s.Delete(ctx, secretKey) },
		"Get of the key": func(s *scenario, ctx context.Context) error {
			_, _, err := s.Get(ctx, secretKey)
			return err
		},
		"GetOrLoad of the key": func(s *scenario, ctx context.Context) error {
			_, err := s.GetOrLoad(ctx, secretKey, time.Hour, s.load)
			return err
		},
		"Set of another key": func(s *scenario, ctx context.Context) error { return s.Set(ctx, otherKey, "inner", 0) },
		"GetOrLoad of another key": func(s *scenario, ctx context.Context) error {
			_, err := s.GetOrLoad(ctx, otherKey, time.Hour, s.load)
			return err
		},
		"SetMany of the key and another": func(s *scenario, ctx context.Context) error {
			return s.SetMany(ctx, maps.All(map[string]string{secretKey: "inner", otherKey: "inner"}), 0)
		},
		"GetOrLoadMany of the key and another": func(s *scenario, ctx context.Context) error {
			_, err := s.GetOrLoadMany(ctx, []string{otherKey, secretKey}, time.Hour, s.loadMany)
			return err
		},
		"Update of the key": func(s *scenario, ctx context.Context) error {
			_, err := s.Update(ctx, secretKey, 0, func(string, bool) (string, error) { return "inner", nil })
			return err
		},
		"Close": func(s *scenario, ctx context.Context) error { return s.Close(ctx) },
	}
}

// badErrors are errors that are hard to read. Their texts quote the key.
func badErrors() map[string]error {
	deep := errors.New("at " + secretKey)
	for range 1000 {
		deep = &listError{text: "at " + secretKey, next: []error{deep}}
	}
	wide := errors.New("at " + secretKey)
	for range 60 {
		wide = &listError{text: "at " + secretKey, next: []error{wide, wide}}
	}
	cycle := &listError{text: "at " + secretKey}
	cycle.next = []error{cycle}
	chain := &selfError{}
	chain.next = chain
	return map[string]error{
		"that quotes the key":         errors.New("at " + secretKey),
		"that was not applied":        backends.NotApplied(errors.New("at " + secretKey)),
		"typed nil":                   (*nilError)(nil),
		"typed nil, wrapped":          fmt.Errorf("wrapped: %w", &listError{text: "at " + secretKey, next: []error{(*nilError)(nil)}}),
		"typed nil, not applied":      backends.NotApplied((*nilError)(nil)),
		"that panics with such":       panickingError{(*nilError)(nil)},
		"whose Unwrap panics":         badError{unwrap: true},
		"whose Is panics":             badError{is: true},
		"whose As panics":             badError{as: true},
		"whose ErrorType panics":      badError{errorType: true},
		"whose NotApplied panics":     badNotAppliedError{},
		"whose Outcome panics":        badOutcomeError{},
		"whose wrapped Is panics":     fmt.Errorf("wrapped: %w", badError{is: true}),
		"that wraps itself":           chain,
		"that wraps itself in a list": cycle,
		"1,000 deep":                  deep,
		"of 2^60 branches":            wide,
	}
}

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// panickingError panics with its value.
type panickingError struct{ value any }

func (e panickingError) Error() string { panic(e.value) }

type ownRuntimeError struct{}

func (ownRuntimeError) Error() string { panic("at " + secretKey) }
func (ownRuntimeError) RuntimeError() {}

// listError is an error with a list of errors.
type listError struct {
	text string
	next []error
}

func (e *listError) Error() string   { return e.text }
func (e *listError) Unwrap() []error { return e.next }

type selfError struct{ next error }

func (*selfError) Error() string   { return "at " + secretKey }
func (e *selfError) Unwrap() error { return e.next }

// badError is an error with a method that panics.
type badError struct{ unwrap, is, as, errorType bool }

func (badError) Error() string { return "at " + secretKey }

func (e badError) Unwrap() error {
	panicIf(e.unwrap)
	return nil
}

func (e badError) Is(error) bool {
	panicIf(e.is)
	return false
}

func (e badError) As(any) bool {
	panicIf(e.as)
	return false
}

func (e badError) ErrorType() string {
	panicIf(e.errorType)
	return "bad"
}

type badNotAppliedError struct{}

func (badNotAppliedError) Error() string    { return "at " + secretKey }
func (badNotAppliedError) NotApplied() bool { panic("at " + secretKey) }

func panicIf(b bool) {
	if b {
		panic("at " + secretKey)
	}
}

type badOutcomeError struct{}

func (badOutcomeError) Error() string         { return "at " + secretKey }
func (badOutcomeError) Outcome() tier.Outcome { panic("at " + secretKey) }
