package readpolicytest_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
)

// besides is Sequential, but for what it does besides.
func besides(do func(ctx context.Context, l1, l2 readpolicy.Tier)) readpolicy.PolicyFunc {
	return func(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
		do(ctx, l1, l2)
		return readpolicy.Sequential().Read(ctx, l1, l2)
	}
}

// wrongCalls are policies that call the tiers as they should not, or do not come
// to an end.
func wrongCalls() map[string]bad {
	return map[string]bad{
		"a read after the answer": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				defer time.AfterFunc(time.Second, func() { _, _ = l1.Read(ctx) })
				return readpolicy.Sequential().Read(ctx, l1, l2)
			},
			want: []string{noLateCalls},
		},
		"a read begun after the answer": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				defer time.AfterFunc(time.Second, func() { l2.Go(ctx, func(readpolicy.Answer, error) {}) })
				return readpolicy.Sequential().Read(ctx, l1, l2)
			},
			want: []string{noLateCalls},
		},
		"a goroutine of its own goes on": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				return readpolicy.Race().Read(ctx, detached{l1}, detached{l2})
			},
			want: []string{onlyGoGoesOn},
		},
		"waits for an answer that does not come": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				results := both(ctx, l1, l2)
				for r := range results {
					if r.hit() {
						return r.tier, nil
					}
				}
				return readpolicy.None, nil
			},
			want: []string{mustReturn},
		},
		"asks for ever": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				for {
					if choice, err := readpolicy.Sequential().Read(ctx, l1, l2); err == nil {
						return choice, nil
					}
					time.Sleep(10 * time.Second)
				}
			},
			want: []string{mustReturn},
		},
		"done blocks": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				results := make(chan readpolicy.Answer)
				l2.Go(ctx, func(a readpolicy.Answer, _ error) { results <- a }) // nobody may receive it
				a, err := l1.Read(ctx)
				if err == nil && a.Hit {
					return readpolicy.L1, nil
				}
				<-results
				return readpolicy.Sequential().Read(ctx, l1, l2)
			},
			want: []string{doneReturns},
		},
		"done panics": {
			read: besides(func(ctx context.Context, l1, _ readpolicy.Tier) {
				l1.Go(ctx, func(readpolicy.Answer, error) { panic("flaw") })
			}),
			want: []string{doneNoPanic},
		},
		"done calls a tier": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				results := make(chan result, 1)
				l1.Go(ctx, func(a readpolicy.Answer, err error) {
					r := result{readpolicy.L1, a, err}
					if !r.hit() {
						a, err2 := l2.Read(ctx)
						r = result{readpolicy.L2, a, errors.Join(err, err2)}
						if r.answer.Hit {
							r.err = nil
						}
					}
					results <- r
				})
				r := <-results
				if r.hit() {
					return r.tier, nil
				}
				return readpolicy.None, r.err
			},
			want: []string{doneIsQuiet},
		},
		"another context": {
			read: func(_ context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				return readpolicy.Parallel().Read(context.Background(), l1, l2) //nolint:usetesting,contextcheck // it is the flaw
			},
			want: []string{ownContext},
		},
		"no context": {
			read: func(_ context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				return readpolicy.Sequential().Read(nil, l1, l2) //nolint:staticcheck,contextcheck // it is the flaw
			},
			want: []string{ownContext},
		},
		"the context of the first read": {
			read: firstContext(),
			want: []string{ownContext},
		},
		"panics": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				choice, err := readpolicy.Sequential().Read(ctx, l1, l2)
				if err != nil {
					panic(err)
				}
				return choice, nil
			},
			want: []string{mustNotPanic},
		},
		"ends its goroutine": {
			read: besides(func(context.Context, readpolicy.Tier, readpolicy.Tier) { runtime.Goexit() }),
			want: []string{mustNotPanic},
		},
		"leaves a goroutine": {
			read: besides(func(context.Context, readpolicy.Tier, readpolicy.Tier) {
				go func() { <-make(chan struct{}) }()
			}),
			want: []string{noGoroutines},
		},
	}
}

// detached is a tier whose reads are not begun with Go.
type detached struct{ readpolicy.Tier }

func (d detached) Go(ctx context.Context, done func(answer readpolicy.Answer, err error)) {
	go func() { done(d.Read(ctx)) }()
	time.Sleep(time.Millisecond) // until it has begun
}

// firstContext keeps the context that it was given first.
func firstContext() readpolicy.PolicyFunc {
	var once sync.Once
	var kept context.Context
	return func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
		once.Do(func() { kept = ctx }) //nolint:fatcontext // it is the flaw
		return readpolicy.Sequential().Read(kept, l1, l2)
	}
}
