package badgerbackend_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func TestStoreErrors(t *testing.T) {
	t.Parallel()
	const secret = "the key or the value"
	// Badger puts texts in front of errors and drops the chain.
	flat := func(err error) error { return fmt.Errorf("DB::Get key: %q err: %+v", secret, err) } //nolint:errorlint // as badger does
	for name, test := range map[string]struct {
		err       error
		refused   bool
		certain   bool
		errorType string
		text      string
	}{
		"too big":             {badger.ErrTxnTooBig, false, true, "too_large", "the entry is too large for one transaction"},
		"read-only":           {badger.ErrReadOnlyTxn, true, true, "read_only", "the store was opened for reading only"},
		"blocked":             {badger.ErrBlockedWrites, false, true, "blocked", "the store takes no writes now, because its data is being dropped or it is being closed"},
		"banned":              {badger.ErrBannedKey, true, true, "banned", "the key is in a namespace that was banned from the store"},
		"conflict":            {badger.ErrConflict, false, true, "conflict", "another transaction has changed the key"},
		"unknown, refused":    {errors.New(secret), true, true, "badger", "an error of badger (*errors.errorString)"},
		"unknown, committing": {errors.New(secret), false, false, "badger", "an error of badger (*errors.errorString)"},
		"full disk":           {&wrapped{secret, syscall.ENOSPC}, false, false, "no_space", "no space left on device"},
		"full disk, flat":     {flat(syscall.ENOSPC), false, false, "no_space", "no space left on device"},
		"full disk, line":     {fmt.Errorf("%s, error: %w%c", secret, syscall.ENOSPC, '\n'), false, false, "no_space", "no space left on device"},
		"I/O":                 {flat(syscall.EIO), false, false, "io", "input/output error"},
		// Badger's text tells the reason, but not that the write was refused.
		"blocked, flat": {flat(badger.ErrBlockedWrites), false, false, "blocked", "the store takes no writes now, because its data is being dropped or it is being closed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := badgerbackend.WriteError("write", test.err, test.refused)
			require.EqualError(t, err, "badgerbackend: the write failed: "+test.text)
			assert.NotContains(t, err.Error(), secret)
			assert.Equal(t, test.certain, backends.CertainlyNotApplied(err))
			var storeErr *badgerbackend.StoreError
			require.ErrorAs(t, err, &storeErr)
			assert.Equal(t, test.errorType, storeErr.ErrorType())
			healthy := []string{"too_large", "banned", "conflict", "read_only"}
			assert.Equal(t, slices.Contains(healthy, test.errorType), backends.FromHealthyStore(err))
			require.ErrorIs(t, err, test.err)

			err = badgerbackend.ReadError(test.err)
			require.EqualError(t, err, "badgerbackend: the read failed: "+test.text)
		})
	}
	require.ErrorIs(t, badgerbackend.ReadError(flat(badger.ErrDBClosed)), backends.ErrClosed)
}

type wrapped struct {
	text string
	err  error
}

func (e *wrapped) Error() string { return e.text + ": " + e.err.Error() }
func (e *wrapped) Unwrap() error { return e.err }

func TestReadOnlyStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := open(t, dir)
	mustSet(t, b, "k", value("v"))
	require.NoError(t, b.Close())

	b = open(t, dir, badgerbackend.WithBadgerOptions(func(o badger.Options) badger.Options { return o.WithReadOnly(true) }))
	requireHit(t, b, "k", value("v"))
	for _, err := range []error{b.Set(t.Context(), "k", value("w")), b.Delete(t.Context(), "k")} {
		var storeErr *badgerbackend.StoreError
		require.ErrorAs(t, err, &storeErr)
		require.Equal(t, "read_only", storeErr.ErrorType())
		require.True(t, backends.CertainlyNotApplied(err))
	}
	requireHit(t, b, "k", value("v"))
}

func TestBannedNamespace(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, badger.DefaultOptions(t.TempDir()).WithNamespaceOffset(0))
	require.NoError(t, db.BanNamespace(1))
	const key = "\x00\x00\x00\x00\x00\x00\x00\x01 key"
	err := b.Set(t.Context(), key, value("v"))
	require.EqualError(t, err, "badgerbackend: the write failed: the key is in a namespace that was banned from the store")
	require.True(t, backends.CertainlyNotApplied(err))
	_, _, err = b.Get(t.Context(), key)
	require.EqualError(t, err, "badgerbackend: the read failed: the key is in a namespace that was banned from the store")
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	b := openInMemory(t)
	mustSet(t, b, "k", value("old"))
	set, err := b.Stage(t.Context(), "k", value("new"))
	require.NoError(t, err)

	reason := errors.New("the user went away")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	caused, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(reason)
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(1, 0))
	t.Cleanup(cancelLate)
	for name, test := range map[string]struct {
		ctx  context.Context
		want []error
		text string
	}{
		"cancelled":  {cancelled, []error{context.Canceled}, "badgerbackend: not begun: context canceled"},
		"with cause": {caused, []error{context.Canceled, reason}, "badgerbackend: not begun: context canceled: the user went away"},
		"deadline":   {late, []error{context.DeadlineExceeded}, "badgerbackend: not begun: context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ok, getErr := b.Get(test.ctx, "k")
			require.False(t, ok)
			_, stageErr := b.Stage(test.ctx, "k", value("new"))
			for call, err := range map[string]error{
				"Get": getErr, "Stage": stageErr, "Set": b.Set(test.ctx, "k", value("new")),
				"staged": set(test.ctx), "Delete": b.Delete(test.ctx, "k"),
			} {
				require.EqualError(t, err, test.text, call)
				for _, want := range test.want {
					require.ErrorIs(t, err, want, call)
				}
				require.True(t, backends.CertainlyNotApplied(err), call)
			}
			requireHit(t, b, "k", value("old"))
		})
	}
}
