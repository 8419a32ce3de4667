package readpolicytest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
)

// l1Only does not ask L2.
func l1Only(ctx context.Context, l1, _ readpolicy.Tier) (choice readpolicy.Choice, err error) {
	a, err := l1.Read(ctx)
	if a.Hit {
		return readpolicy.L1, nil
	}
	return readpolicy.None, err
}

// changed is Sequential, but for its answer.
func changed(change func(readpolicy.Choice, error) (readpolicy.Choice, error)) readpolicy.PolicyFunc {
	return func(ctx context.Context, l1, l2 readpolicy.Tier) (choice readpolicy.Choice, err error) {
		return change(readpolicy.Sequential().Read(ctx, l1, l2))
	}
}

// wrongAnswers are policies that do not return what they should.
func wrongAnswers() map[string]bad {
	return map[string]bad{
		"one tier only": {read: l1Only, want: []string{noneHasValue}},
		"nobody is asked": {
			read: func(context.Context, readpolicy.Tier, readpolicy.Tier) (readpolicy.Choice, error) {
				return readpolicy.None, nil
			},
			want: []string{noneHasValue},
		},
		"L2 for want of anything else": {
			read: changed(func(choice readpolicy.Choice, err error) (readpolicy.Choice, error) {
				if choice == readpolicy.None && err == nil {
					return readpolicy.L2, nil
				}
				return choice, err
			}),
			want: []string{chosenHasValue},
		},
		"a tier of which nothing is known yet": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				l1.Go(ctx, func(readpolicy.Answer, error) {})
				a, err := l2.Read(ctx)
				if err == nil && a.Hit {
					return readpolicy.L2, nil
				}
				return readpolicy.L1, nil
			},
			want: []string{chosenHasValue},
		},
		"a third tier": {
			read: changed(func(choice readpolicy.Choice, err error) (readpolicy.Choice, error) {
				if choice == readpolicy.L2 {
					choice++
				}
				return choice, err
			}),
			want: []string{chosenHasValue},
		},
		"an error of L1 ends it": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				a, err := l1.Read(ctx)
				if err != nil || a.Hit {
					return map[bool]readpolicy.Choice{true: readpolicy.L1}[a.Hit], err
				}
				if a, err = l2.Read(ctx); a.Hit {
					return readpolicy.L2, nil
				}
				return readpolicy.None, err
			},
			want: []string{noneHasValue},
		},
		"the first answer": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				first := <-both(ctx, l1, l2)
				if first.hit() {
					return first.tier, nil
				}
				return readpolicy.None, first.err
			},
			want: []string{noneHasValue},
		},
		"the first error calls the other tier off": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				results := both(ctx, l1, l2)
				first := <-results
				if first.err != nil {
					cancel()
				}
				second := <-results
				switch {
				case first.hit():
					return first.tier, nil
				case second.hit():
					return second.tier, nil
				}
				return readpolicy.None, errors.Join(first.err, second.err)
			},
			want: []string{noneHasValue},
		},
		"a value that would end soon": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				return readpolicy.Sequential().Read(ctx, longLived{l1}, longLived{l2})
			},
			want: []string{noneHasValue},
		},
		"an error beside a choice": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				a1, err1 := l1.Read(ctx)
				a2, err2 := l2.Read(ctx)
				switch {
				case a1.Hit:
					return readpolicy.L1, err2
				case a2.Hit:
					return readpolicy.L2, err1
				}
				return readpolicy.None, errors.Join(err1, err2)
			},
			want: []string{choiceIsClean},
		},
		"errors are misses": {
			read: changed(func(choice readpolicy.Choice, _ error) (readpolicy.Choice, error) { return choice, nil }),
			want: []string{errorsKept},
		},
		"only the text of errors": {
			read: changed(func(choice readpolicy.Choice, err error) (readpolicy.Choice, error) {
				if err != nil {
					err = fmt.Errorf("read: %v", err) //nolint:errorlint // it is the flaw
				}
				return choice, err
			}),
			want: []string{errorsKept},
		},
		"only the last error": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				results := both(ctx, l1, l2)
				first, second := <-results, <-results
				switch {
				case first.hit():
					return first.tier, nil
				case second.hit():
					return second.tier, nil
				case second.err != nil:
					return readpolicy.None, second.err
				}
				return readpolicy.None, first.err
			},
			want: []string{errorsKept},
		},
		"the error of L1 is lost": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				if a, _ := l1.Read(ctx); a.Hit {
					return readpolicy.L1, nil
				}
				a, err := l2.Read(ctx)
				if a.Hit {
					return readpolicy.L2, nil
				}
				return readpolicy.None, err
			},
			want: []string{errorsKept},
		},
		"nil when the caller has left": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				results := both(ctx, l1, l2)
				var errs []error
				for range 2 {
					select {
					case r := <-results:
						if r.hit() {
							return r.tier, nil
						}
						errs = append(errs, r.err)
					case <-ctx.Done():
						return readpolicy.None, errors.Join(errs...) // and not ctx.Err
					}
				}
				return readpolicy.None, errors.Join(errs...)
			},
			want: []string{noneHasValue},
		},
		"a miss is an error": {
			read: changed(func(choice readpolicy.Choice, err error) (readpolicy.Choice, error) {
				if choice == readpolicy.None && err == nil {
					err = errors.New("not found")
				}
				return choice, err
			}),
			want: []string{errorHasCause},
		},
	}
}

// longLived is a tier of which short lives are not good enough.
type longLived struct{ readpolicy.Tier }

func (l longLived) Read(ctx context.Context) (answer readpolicy.Answer, err error) {
	answer, err = l.Tier.Read(ctx)
	if !answer.ExpiresAt.IsZero() && time.Until(answer.ExpiresAt) < 2*time.Hour {
		return readpolicy.Answer{}, err
	}
	return answer, err
}
