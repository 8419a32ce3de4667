package backendtest_test

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// holdsIf returns a backend that makes a write in spite of its condition where in says so. It
// looks before it writes, and not in one step: in must not say so where the condition holds.
func holdsIf(in func(w *write, stored backends.Answer) bool) func() backends.Backend[string] {
	return writesSo(func(b versioned, w *write) {
		if in(w, b.store.Remembers(w.Key)) {
			w.If = backends.Always
		}
	})
}

// refusesIf returns a backend that refuses a write where in says so.
func refusesIf(reason backends.Refusal, in func(w *write, stored backends.Answer) bool) func() backends.Backend[string] {
	return writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
		if stored := b.store.Remembers(w.Key); in(&w, stored) {
			return backends.Result{Refused: reason, Version: stored.Version, Source: stored.Source}, nil
		}
		return b.client.Write(ctx, &w)
	})
}

// conditionFlaws are backends that decide wrongly.
func conditionFlaws() map[string]flaw {
	return map[string]flaw{
		"conditions are ignored": {
			backend: writesSo(func(_ versioned, w *write) {
				if w.If.Valid() {
					w.If = backends.Always
				}
			}),
			found: []string{
				"conditions-decide", "conditions-are-atomic", "source-versions-decide", "deletions-are-remembered",
				"the-log-has-every-change",
			},
		},
		"a deletion counts as an entry": {
			backend: refusesIf(backends.RefusedCondition, func(w *write, stored backends.Answer) bool {
				return w.If == backends.Absent() && stored.Version != 0
			}),
			found: []string{"conditions-decide", "conditions-are-atomic", "deadlines-are-enforced"},
		},
		"a deletion has its version": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestIs && stored.Found == backends.Miss && w.If.Version == stored.Version
			}),
			found: []string{"conditions-decide"},
		},
		"an older version is taken for the entry's": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestIs && stored.Found == backends.Hit && w.If.Version < stored.Version
			}),
			found: []string{"invalid-writes-are-refused", "conditions-decide", "conditions-are-atomic", "the-log-has-every-change"},
		},
		"not newer sets an absent key": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestNotNewer && stored.Version == 0
			}),
			found: []string{"conditions-decide"},
		},
		"not newer does not delete an absent key": {
			backend: refusesIf(backends.RefusedCondition, func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestNotNewer && stored.Version == 0
			}),
			found: []string{"conditions-decide"},
		},
		"not newer takes the past of a deletion": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestNotNewer && stored.Version != 0 && stored.Found == backends.Miss &&
					w.If.Version.Era() == stored.Version.Era()
			}),
			found: []string{"conditions-decide", "deletions-are-remembered"},
		},
		"not newer must be the version itself": {
			backend: refusesIf(backends.RefusedCondition, func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestNotNewer && stored.Version != 0 && w.If.Version != stored.Version
			}),
			found: []string{"conditions-decide"},
		},
		"eras are compared": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestNotNewer && stored.Version != 0 && w.If.Version > stored.Version
			}),
			found: []string{"conditions-decide"},
		},
		"absent at a version is absent": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestAbsentAt && stored.Found == backends.Miss
			}),
			found: []string{"conditions-decide"},
		},
		"absent at none is absent": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If == backends.AbsentAt(0) && stored.Found == backends.Miss
			}),
			found: []string{"conditions-decide"},
		},
		"absent at a version covers older ones": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestAbsentAt && stored.Version != 0 && stored.Version < w.If.Version && stored.Found == backends.Miss
			}),
			found: []string{"conditions-decide"},
		},
		"absent at a version counts an entry": {
			backend: holdsIf(func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestAbsentAt && stored.Found == backends.Hit && stored.Version == w.If.Version
			}),
			found: []string{"conditions-decide"},
		},
		"absent at none is invalid": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				if w.If == backends.AbsentAt(0) {
					w.If = backends.Is(0)
				}
				return b.client.Write(ctx, &w)
			}),
			found: []string{"conditions-decide"},
		},
		"conditions are decided before the write": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				_, answer, err := b.client.GetIf(ctx, w.Key, 0)
				if err != nil {
					return backends.Result{}, err
				}
				if w.If.Holds(w.Kind == tier.Delete, answer.Version, answer.Found == backends.Hit) {
					time.Sleep(time.Millisecond) // in a bubble: now the others decide too
					w.If = backends.Always
				}
				return b.client.Write(ctx, &w)
			}),
			found: []string{"conditions-are-atomic"},
		},
		"deletions are forgotten at once": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				r, err := b.client.Write(ctx, &w)
				b.store.EvictTombstones()
				return r, err
			}),
			found: []string{
				"versions-rise", "answers-have-what-was-written", "conditions-decide", "source-versions-decide",
				"deletions-are-remembered", "the-log-has-every-change",
			},
		},
		"deletions are forgotten too soon": {
			backend: writesSo(func(_ versioned, w *write) {
				if w.Keep > time.Second {
					w.Keep = time.Second
				}
			}),
			found: []string{"deletions-are-remembered"},
		},
		"source versions are ignored": {
			backend: writesSo(func(b versioned, w *write) {
				if w.Source != 0 {
					w.Source = max(w.Source, b.store.Remembers(w.Key).Source)
				}
			}),
			found: []string{"source-versions-decide"},
		},
		"an equal source version is refused": {
			backend: refusesIf(backends.RefusedSource, func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestAlways && w.Source != 0 && w.Source == stored.Source
			}),
			found: []string{"source-versions-decide"},
		},
		"a write without a source version is refused": {
			backend: refusesIf(backends.RefusedSource, func(w *write, stored backends.Answer) bool {
				return w.If.Test == backends.TestAlways && w.Kind == tier.Set && w.Source == 0 && stored.Source != 0
			}),
			found: []string{"source-versions-decide"},
		},
		"a write without a source version keeps the old one": {
			backend: writesSo(func(b versioned, w *write) {
				if w.Source == 0 {
					w.Source = b.store.Remembers(w.Key).Source
				}
			}),
			found: []string{"source-versions-decide"},
		},
		"the source version comes before the condition": {
			backend: refusesIf(backends.RefusedSource, func(w *write, stored backends.Answer) bool {
				return w.Source != 0 && w.Source < stored.Source
			}),
			found: []string{"source-versions-decide"},
		},
		"source versions lose digits": {
			backend: writesSo(func(_ versioned, w *write) {
				if w.Source < 1<<63 {
					w.Source = uint64(float64(w.Source))
				}
			}),
			found: []string{"source-versions-decide"},
		},
		"source versions are signed": {
			backend: refusesIf(backends.RefusedSource, func(w *write, stored backends.Answer) bool {
				return w.Source >= 1<<63 && stored.Source < 1<<63
			}),
			found: []string{"source-versions-decide"},
		},
		"deletions have no source version": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				r, err := b.client.Write(ctx, &w)
				if err == nil && w.Kind == tier.Delete && r.Applied() && r.Source != 0 {
					b.store.Evict(w.Key)
					w.If, w.Source = backends.Always, 0
					return b.client.Write(ctx, &w)
				}
				return r, err
			}),
			found: []string{"source-versions-decide"},
		},
	}
}
