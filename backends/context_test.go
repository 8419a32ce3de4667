package backends_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// ended is a context that has an error and hides its cause.
type ended struct {
	context.Context
	err error
}

func (e ended) Err() error { return e.err }

func TestContextError(t *testing.T) {
	t.Parallel()
	why := errors.New("why")
	canceled := func(cause error) context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		return ctx
	}
	late := func(cause error) context.Context {
		ctx, cancel := context.WithDeadlineCause(t.Context(), time.Unix(0, 0), cause)
		t.Cleanup(cancel)
		return ctx
	}
	for name, tc := range map[string]struct {
		ctx  context.Context
		text string
		is   []error
	}{
		"canceled":                      {canceled(nil), "context canceled", []error{context.Canceled}},
		"canceled with a cause":         {canceled(why), "context canceled: why", []error{context.Canceled, why}},
		"a cause that says it":          {canceled(fmt.Errorf("%w by %w", context.Canceled, why)), "context canceled by why", []error{context.Canceled, why}},
		"canceled by another deadline":  {canceled(context.DeadlineExceeded), "context canceled: context deadline exceeded", []error{context.Canceled, context.DeadlineExceeded}},
		"a deadline":                    {late(nil), "context deadline exceeded", []error{context.DeadlineExceeded}},
		"a deadline with a cause":       {late(why), "context deadline exceeded: why", []error{context.DeadlineExceeded, why}},
		"a child of a canceled context": {context.WithValue(canceled(why), contextKey{}, 1), "context canceled: why", []error{context.Canceled, why}},
		"another implementation":        {ended{t.Context(), context.Canceled}, "context canceled", []error{context.Canceled}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := backends.ContextError(tc.ctx)
			require.EqualError(t, err, tc.text)
			for _, is := range tc.is {
				assert.ErrorIs(t, err, is)
			}
		})
	}
	require.NoError(t, backends.ContextError(t.Context()))
}

type contextKey struct{}
