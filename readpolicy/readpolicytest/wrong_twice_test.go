package readpolicytest_test

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/readpolicy"
)

// wrongTwice are policies with one mistake that has consequences, which break other
// demands.
func wrongTwice() map[string]bad {
	return map[string]bad{
		"done panics before it tells": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				told := make(chan struct{})
				l1.Go(ctx, func(readpolicy.Answer, error) { panic("flaw") })
				<-told
				return readpolicy.Sequential().Read(ctx, l1, l2)
			},
			want: []string{doneNoPanic, mustReturn},
		},
		"both reads come after the answer": {
			read: func(ctx context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				time.AfterFunc(time.Second, func() { _, _ = l1.Read(ctx) })
				time.AfterFunc(time.Second, func() { _, _ = l2.Read(ctx) })
				return readpolicy.None, nil
			},
			want: []string{noLateCalls, noneHasValue},
		},
		"a context of its own, and its error is lost": {
			read: func(_ context.Context, l1, l2 readpolicy.Tier) (readpolicy.Choice, error) {
				ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // it is the flaw
				cancel()
				choice, _ := readpolicy.Sequential().Read(ctx, l1, l2) //nolint:contextcheck // it is the flaw
				return choice, nil
			},
			want: []string{ownContext, errorsKept},
		},
	}
}
