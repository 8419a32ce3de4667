package badgerbackend

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"

	"github.com/tiercache/tiercache/backends"
)

// StoreError is an error of badger. Its text names the reason where it is known
// and is never badger's own, which may quote the key or the value.
type StoreError struct {
	Op  string // "read", "write" or "delete"
	Err error  // of badger

	notApplied bool
}

// Error names the call that failed, and why.
func (e *StoreError) Error() string {
	reason, _ := e.reason()
	return fmt.Sprintf("badgerbackend: the %s failed: %s", e.Op, reason)
}

// Unwrap returns badger's error.
func (e *StoreError) Unwrap() error { return e.Err }

// NotApplied reports whether badger refused the write before it took it on.
// After that it may have been applied, whatever the error.
func (e *StoreError) NotApplied() bool { return e.notApplied }

// Healthy reports whether badger refused this call and goes on serving others: an
// entry that is too large, a key in a banned namespace, a conflict, and a write to
// a store that was opened for reading only.
func (e *StoreError) Healthy() bool {
	switch e.ErrorType() {
	case "too_large", "banned", "conflict", "read_only":
		return true
	default:
		return false
	}
}

// ErrorType returns the value of the attribute error.type: one of "too_large",
// "read_only", "blocked", "banned", "conflict", "no_space", "io", and "badger"
// for all others.
func (e *StoreError) ErrorType() string {
	_, errorType := e.reason()
	return errorType
}

func (e *StoreError) reason() (text, errorType string) {
	for _, known := range []struct {
		err             error
		text, errorType string
	}{
		{badger.ErrTxnTooBig, "the entry is too large for one transaction", "too_large"},
		{badger.ErrReadOnlyTxn, "the store was opened for reading only", "read_only"},
		{badger.ErrBlockedWrites, "the store takes no writes now, because its data is being dropped or it is being closed", "blocked"},
		{badger.ErrBannedKey, "the key is in a namespace that was banned from the store", "banned"},
		{badger.ErrConflict, "another transaction has changed the key", "conflict"},
		{syscall.ENOSPC, syscall.ENOSPC.Error(), "no_space"},
		{syscall.EDQUOT, syscall.EDQUOT.Error(), "no_space"},
		{syscall.EIO, syscall.EIO.Error(), "io"},
	} {
		if is(e.Err, known.err) {
			return known.text, known.errorType
		}
	}
	return fmt.Sprintf("an error of badger (%T)", e.Err), "badger"
}

// is reports whether err comes from target. Badger puts a text in front of most errors
// and drops the chain, so the end of the text is compared too. That is good enough for
// a message, and for nothing else.
func is(err, target error) bool {
	return errors.Is(err, target) || strings.HasSuffix(strings.TrimSpace(err.Error()), target.Error())
}

// readError turns an error of badger's View into one of Get.
func readError(err error) error {
	var damaged *backends.DamagedError
	switch {
	case errors.As(err, &damaged):
		return err
	case is(err, badger.ErrDBClosed):
		return backends.ErrClosed
	default:
		return &StoreError{Op: "read", Err: err}
	}
}

// writeError turns an error of badger's Update into one of Set or Delete.
// Refused says that it came before the commit. The other errors that are certain
// are those that a commit returns, as they are, before it queues the write; once
// queued, a write shares its fate and its error with others, some of which may
// have been applied.
func writeError(op string, err error, refused bool) error {
	if errors.Is(err, badger.ErrDBClosed) {
		return backends.ErrClosed
	}
	certain := refused || errors.Is(err, badger.ErrConflict) ||
		errors.Is(err, badger.ErrBlockedWrites) || errors.Is(err, badger.ErrTxnTooBig)
	return &StoreError{Op: op, Err: err, notApplied: certain}
}

// endedError is the error of a call that was not begun, because its context had
// ended.
func endedError(ctx context.Context) error {
	return backends.NotApplied(fmt.Errorf("badgerbackend: not begun: %w", backends.ContextError(ctx)))
}
