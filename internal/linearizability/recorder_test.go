package linearizability

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/anishathalye/porcupine"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// recorder calls a cache and notes its answers. Its clock only counts: in a bubble time
// stands still while things happen. It is safe for concurrent use.
type recorder struct {
	cache *tiercache.Cache[string]

	// readsFail says that a load may come about although there is a value.
	readsFail bool

	// prompt takes a write that failed to be over when it answers.
	prompt bool

	clock  atomic.Int64
	values atomic.Int64

	mu      sync.Mutex
	history []porcupine.Operation
	landed  map[string]int64 // loaded values, and when those who loaded them returned
}

func newRecorder(cache *tiercache.Cache[string]) *recorder {
	return &recorder{cache: cache, landed: make(map[string]int64)}
}

// loadPrefix begins the values that loaders return, and no others.
const loadPrefix = "load "

// value returns one that was never returned before.
func (r *recorder) value(prefix string) string {
	return fmt.Sprint(prefix, r.values.Add(1))
}

func (r *recorder) note(client int, call, end int64, s step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: s, Call: call, Return: end})
}

// begin makes a register hold value before all calls.
func (r *recorder) begin(key, value string) {
	call := r.clock.Add(1)
	r.note(0, call, r.clock.Add(1), step{kind: write, key: key, value: value})
}

func (r *recorder) set(ctx context.Context, client int, key, value string) error {
	call := r.clock.Add(1)
	err := r.cache.Set(ctx, key, value, 0)
	r.wrote(client, call, key, value, err)
	return err
}

func (r *recorder) delete(ctx context.Context, client int, key string) error {
	call := r.clock.Add(1)
	err := r.cache.Delete(ctx, key)
	r.wrote(client, call, key, nothing, err)
	return err
}

func (r *recorder) wrote(client int, call int64, key, value string, err error) {
	end := r.clock.Add(1)
	s := step{kind: write, key: key, value: value}
	if err != nil {
		if noEffect(err) {
			return
		}
		s.maybe = true
		if !r.prompt {
			end = never
		}
	}
	r.note(client, call, end, s)
}

// noEffect reports whether err says that neither tier may have applied a write.
func noEffect(err error) bool {
	var e *tier.WriteError
	if !errors.As(err, &e) {
		return false
	}
	for _, o := range []tier.Outcome{e.L1.Outcome, e.L2.Outcome} {
		if o == tier.Applied || o == tier.Unknown {
			return false
		}
	}
	return true
}

func (r *recorder) get(ctx context.Context, client int, key string, opts ...tiercache.ReadOption) (value string, err error) {
	call := r.clock.Add(1)
	value, ok, err := r.cache.Get(ctx, key, opts...)
	end := r.clock.Add(1)
	if err == nil {
		if !ok {
			value = nothing
		}
		r.note(client, call, end, step{kind: read, key: key, value: value})
	}
	return value, err
}

// loading calls GetOrLoad with a loader that waits for source, if that is not
// nil, and then returns value, or that there is nothing. The value must be new.
func (r *recorder) loading(ctx context.Context, client int, key, value string, source func()) (got string, err error) {
	var ran atomic.Bool
	call := r.clock.Add(1)
	got, err = r.cache.GetOrLoad(ctx, key, 0, func(context.Context, string) (string, error) {
		ran.Store(true)
		if source != nil {
			source()
		}
		if value == nothing {
			return "", backends.ErrNotFound
		}
		return value, nil
	})
	end := r.clock.Add(1)
	switch {
	case errors.Is(err, backends.ErrNotFound):
		if !r.readsFail {
			r.note(client, call, end, step{kind: read, key: key, value: nothing})
		}
	case err != nil && value != nothing, // the loader may run now, or begin only later
		err == nil && ran.Load() && got == value && ctx.Err() != nil: // it may be stored only later
		r.note(client, call, never, r.loaded(step{key: key, value: value, maybe: true}))
	case err == nil && ran.Load() && got == value:
		r.note(client, call, end, r.loaded(step{key: key, value: value}))
		r.land(value, end)
	case err == nil:
		r.note(client, call, end, step{kind: shared, key: key, value: got})
	}
	return got, err
}

// loaded is the step of the caller whose loader it was.
func (r *recorder) loaded(s step) step {
	if r.readsFail {
		s.kind, s.maybe = write, true
	} else {
		s.kind = load
	}
	return s
}

// land notes when a load was over for certain.
func (r *recorder) land(value string, end int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.landed[value] = end
}

// done returns the history, when no call is under way any more. Only now it is
// known which GetOrLoad may have shared a load: one that began before the load
// was over, and answered with a loaded value.
func (r *recorder) done() (history []porcupine.Operation) {
	for _, op := range r.history {
		s := op.Input.(step)
		if s.kind == shared {
			landed, over := r.landed[s.value]
			switch {
			case !strings.HasPrefix(s.value, loadPrefix), over && landed < op.Call:
				s.kind = read
			case r.readsFail:
				continue
			}
			op.Input = s
		}
		history = append(history, op)
	}
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	return history
}

// describe prints a history, a line for each call.
func describe(history []porcupine.Operation) string {
	var b strings.Builder
	for _, op := range history {
		end := fmt.Sprint(op.Return)
		if op.Return == never {
			end = "∞"
		}
		fmt.Fprintf(&b, "%4d–%-4s client %d: %v\n", op.Call, end, op.ClientId, op.Input)
	}
	return b.String()
}
