package backendtest

import (
	"context"
	"slices"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Fault decides the fate of one call. It gets the call's context and apply, which makes the real
// call. It may call apply at once, late or not at all, and returns the error that the caller sees.
// When apply's error is returned for a Get, the caller gets what apply read.
//
// A Fault that is used for more than one call must be safe for concurrent use;
// those of this package are.
type Fault func(ctx context.Context, apply func(ctx context.Context) error) error

// FailBefore fails with err, marked by [backends.NotApplied]: the store was not
// touched, and the caller knows it.
func FailBefore(err error) Fault {
	return func(context.Context, func(context.Context) error) error {
		return backends.NotApplied(err)
	}
}

// Lose fails with err and does not touch the store, but the caller does not know it.
func Lose(err error) Fault {
	return func(context.Context, func(context.Context) error) error { return err }
}

// ApplyThenFail makes the call and then fails with err, as when the answer is
// lost on its way back.
func ApplyThenFail(err error) Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		if applyErr := apply(ctx); applyErr != nil {
			return applyErr
		}
		return err
	}
}

// Hang does not touch the store and returns [backends.ContextError] when the
// context ends. A cache gives the writes of a backend that describes itself as
// in-process no deadline, so there it hangs for ever; see [Faults.Described].
func Hang() Fault {
	return func(ctx context.Context, _ func(context.Context) error) error {
		<-ctx.Done()
		return backends.ContextError(ctx)
	}
}

// ApplyThenHang makes the call, and then hangs until the context ends, like
// [Hang].
func ApplyThenHang() Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		if err := apply(ctx); err != nil {
			return err
		}
		<-ctx.Done()
		return backends.ContextError(ctx)
	}
}

// Delay waits for d and then makes the call. When the context ends first, it
// returns [backends.ContextError] without touching the store.
func Delay(d time.Duration) Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return apply(ctx)
		case <-ctx.Done():
			return backends.ContextError(ctx)
		}
	}
}

// Panic panics with value and does not touch the store.
func Panic(value any) Fault {
	return func(context.Context, func(context.Context) error) error { panic(value) }
}

// ApplyThenPanic makes the call and then panics with value.
func ApplyThenPanic(value any) Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		if err := apply(ctx); err != nil {
			return err
		}
		panic(value)
	}
}

// Chain makes each fault wrap the next, and the last wrap the call:
// Chain(Delay(d), ApplyThenFail(err)) waits, applies, then fails.
func Chain(faults ...Fault) Fault {
	return func(ctx context.Context, apply func(context.Context) error) error {
		for _, fault := range slices.Backward(faults) {
			next := apply
			apply = func(ctx context.Context) error { return fault(ctx, next) }
		}
		return apply(ctx)
	}
}
