package backendtest_test

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

func abilityFlaws() map[string]flaw {
	all := make(map[string]flaw)
	for name, abilities := range map[string]backends.Abilities{
		"Versions": {Versions: true}, "Deadlines": {Deadlines: true}, "Batches": {Batches: true},
		"Log": {Log: true}, "Stamps": {Stamps: true}, "Walks": {Walks: true},
	} {
		all["declares "+name+" without the interface"] = flaw{
			backend: func() backends.Backend[string] { return declares{newStore(), abilities} },
			found:   []string{"abilities-have-their-interfaces"},
		}
	}
	return all
}

// versionFlaws are backends whose versions or answers are wrong.
func versionFlaws() map[string]flaw {
	return map[string]flaw{
		"versions do not rise": {
			backend: readsBy(func(ctx context.Context, b versioned, key string, have backends.Version) (entry, backends.Answer, error) {
				e, answer, err := b.client.GetIf(ctx, key, have)
				answer.Version &^= 1
				return e, answer, err
			}),
			found: []string{
				"versions-rise", "answers-have-what-was-written", "invalid-writes-are-refused", "conditions-decide",
				"conditions-are-atomic", "source-versions-decide", "deletions-are-remembered",
				"deadlines-are-enforced", "batches-answer-by-index", "batches-decide-each-element",
				"the-log-has-every-change",
			},
		},
		"versions are used again when the key is forgotten": {
			backend: newBeginsAnew,
			found:   []string{"versions-rise"},
		},
		"a refusal writes": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				r, err := b.client.Write(ctx, &w)
				if !r.Applied() {
					w.If, w.Before, w.Source = backends.Always, time.Time{}, 0
					_, _ = b.client.Write(ctx, &w)
				}
				return r, err
			}),
			found: []string{
				"conditions-decide", "source-versions-decide", "deletions-are-remembered", "deadlines-are-enforced",
				"the-log-has-every-change",
			},
		},
		"a refusal does not tell the version": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				r, err := b.client.Write(ctx, &w)
				if !r.Applied() {
					r.Version = 0
				}
				return r, err
			}),
			found: []string{
				"conditions-decide", "source-versions-decide", "deletions-are-remembered", "deadlines-are-enforced",
				"the-log-has-every-change",
			},
		},
		"a refusal is an error": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				r, err := b.client.Write(ctx, &w)
				if !r.Applied() {
					err = errFlaw
				}
				return r, err
			}),
			found: []string{
				"conditions-decide", "conditions-are-atomic", "source-versions-decide", "deletions-are-remembered",
				"deadlines-are-enforced", "the-log-has-every-change",
			},
		},
		"an invalid write's error does not say that it was not applied": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				r, err := b.client.Write(ctx, &w)
				if err != nil && ctx.Err() == nil {
					err = errFlaw
				}
				return r, err
			}),
			found: []string{"invalid-writes-are-refused"},
		},
		"an invalid condition is none": {
			backend: writesSo(func(_ versioned, w *write) {
				if !w.If.Valid() {
					w.If = backends.Always
				}
			}),
			found: []string{"invalid-writes-are-refused"},
		},
		"operations are lost": {
			backend: writesSo(func(_ versioned, w *write) { w.Operation = 0 }),
			found:   []string{"answers-have-what-was-written", "the-log-has-every-change"},
		},
		"operations of deletions are lost": {
			backend: writesSo(func(_ versioned, w *write) {
				if w.Kind == tier.Delete {
					w.Operation = 0
				}
			}),
			found: []string{"answers-have-what-was-written", "the-log-has-every-change"},
		},
		"notes are lost": {
			backend: writesSo(func(_ versioned, w *write) { w.Note = nil }),
			found:   []string{"answers-have-what-was-written", "invalid-writes-are-refused", "the-log-has-every-change"},
		},
		"codecs are lost": {
			backend: writesSo(func(_ versioned, w *write) { w.Codec = 0 }),
			found:   []string{"answers-have-what-was-written"},
		},
		"expiries are lost": {
			backend: writesSo(func(_ versioned, w *write) { w.Entry.ExpiresAt = time.Time{} }),
			found:   []string{"versions-rise", "answers-have-what-was-written", "conditions-decide", "deletions-are-remembered"},
		},
		"an unchanged value is moved": {
			backend: readsBy(func(ctx context.Context, b versioned, key string, have backends.Version) (entry, backends.Answer, error) {
				e, answer, err := b.client.GetIf(ctx, key, 0)
				if answer.Found == backends.Hit && answer.Version == have {
					answer.Found = backends.Unchanged
				}
				return e, answer, err
			}),
			found: []string{"answers-have-what-was-written"},
		},
		"any version is unchanged": {
			backend: readsBy(func(ctx context.Context, b versioned, key string, have backends.Version) (entry, backends.Answer, error) {
				e, answer, err := b.client.GetIf(ctx, key, 0)
				if answer.Found == backends.Hit && have != 0 {
					answer.Found, answer.Version, e = backends.Unchanged, have, entry{}
				}
				return e, answer, err
			}),
			found: []string{"answers-have-what-was-written"},
		},
		"a deletion is unchanged": {
			backend: readsBy(func(ctx context.Context, b versioned, key string, have backends.Version) (entry, backends.Answer, error) {
				e, answer, err := b.client.GetIf(ctx, key, have)
				if have != 0 && answer.Version == have {
					answer.Found = backends.Unchanged
				}
				return e, answer, err
			}),
			found: []string{"answers-have-what-was-written"},
		},
		"nothing is unchanged": {
			backend: readsBy(func(ctx context.Context, b versioned, key string, _ backends.Version) (entry, backends.Answer, error) {
				return b.client.GetIf(ctx, key, 0)
			}),
			found: []string{"answers-have-what-was-written"},
		},
		"deadlines are ignored": {
			backend: writesSo(func(_ versioned, w *write) { w.Before = time.Time{} }),
			found:   []string{"deadlines-are-enforced"},
		},
		"deadlines are decided last": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				if w.If != backends.Always {
					undated := w
					undated.Before = time.Time{}
					return b.client.Write(ctx, &undated)
				}
				return b.client.Write(ctx, &w)
			}),
			found: []string{"deadlines-are-enforced"},
		},
		"the clock is never known": {
			backend: func() backends.Backend[string] { return clockless{newClient()} },
			found:   []string{"deadlines-are-enforced"},
		},
		"Write quotes its key": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				r, err := b.client.Write(ctx, &w)
				if err != nil {
					err = backends.NotApplied(errors.Join(err, errors.New(w.Key)))
				}
				return r, err
			}),
			found: []string{"errors-quote-no-key-and-no-value"},
		},
		"Write goes on after its context has ended": {
			backend: writesBy(func(ctx context.Context, b versioned, w write) (backends.Result, error) {
				if _, ok := ctx.Deadline(); ok || ctx.Err() != nil {
					time.Sleep(time.Minute)
				}
				return b.client.Write(ctx, &w)
			}),
			found: []string{"calls-end-with-their-contexts"},
		},
	}
}
