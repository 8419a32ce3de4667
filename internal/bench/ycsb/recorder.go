package ycsb

import (
	"context"
	"errors"
	"iter"

	"github.com/pingcap/go-ycsb/pkg/ycsb"
)

// call is an operation on a key.
type call struct {
	kind kind
	key  string
}

// calls are the operations of one thread, without end.
func calls(ctx context.Context, core ycsb.Workload, thread, threads int) iter.Seq2[call, error] {
	return func(yield func(call, error) bool) {
		ctx := core.InitThread(ctx, thread, threads)
		defer core.CleanupThread(ctx)
		r := &recorder{yield: yield}
		for {
			r.did = nil
			err := core.DoTransaction(ctx, r)
			switch {
			case errors.Is(err, errStopped):
				return
			case err != nil:
				yield(call{}, err)
				return
			case len(r.did) == 0:
				continue // an insert, which is yielded already
			}
			c := r.did[0]
			if len(r.did) > 1 {
				c.kind = modify
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

var (
	errStopped = errors.New("ycsb: no more operations are wanted")
	errNever   = errors.New("ycsb: no core workload here does this")
)

// recorder is a database that only records.
type recorder struct {
	yield func(call, error) bool
	did   []call // of the operation under way, but for inserts
}

var _ ycsb.DB = (*recorder)(nil)

// Read records a read.
func (r *recorder) Read(_ context.Context, _, key string, _ []string) (map[string][]byte, error) {
	r.did = append(r.did, call{read, key})
	return nil, nil //nolint:nilnil // a record without fields
}

// Update records an update.
func (r *recorder) Update(_ context.Context, _, key string, _ map[string][]byte) error {
	r.did = append(r.did, call{update, key})
	return nil
}

// Insert yields at once: until it returns, the key is not asked for.
func (r *recorder) Insert(_ context.Context, _, key string, _ map[string][]byte) error {
	if !r.yield(call{insert, key}, nil) {
		return errStopped
	}
	return nil
}

// Scan is not called.
func (*recorder) Scan(context.Context, string, string, int, []string) ([]map[string][]byte, error) {
	return nil, errNever
}

// Delete is not called.
func (*recorder) Delete(context.Context, string, string) error { return errNever }

// InitThread does nothing.
func (*recorder) InitThread(ctx context.Context, _, _ int) context.Context { return ctx }

// CleanupThread does nothing.
func (*recorder) CleanupThread(context.Context) {}

// Close does nothing.
func (*recorder) Close() error { return nil }
