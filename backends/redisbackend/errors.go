package redisbackend

import (
	"errors"
	"fmt"
)

var (
	// ErrNilClient is returned by [New] when it was given no client.
	ErrNilClient = errors.New("redisbackend: the client is nil: pass one made by redis.NewClient, " +
		"redis.NewClusterClient or redis.NewUniversalClient")

	// ErrEndlessCalls is returned by [New] for a client whose calls may never
	// end: it has no ReadTimeout or no WriteTimeout, and does not heed contexts.
	ErrEndlessCalls = errors.New("redisbackend: a call of this client may never end: " +
		"set ContextTimeoutEnabled in its options, or both ReadTimeout and WriteTimeout")

	// ErrClientCache is returned by [New] for a client with a client-side cache.
	// Such a client reads what was there before its own writes for as long as
	// the server's message is on its way, and a first tier would keep that.
	ErrClientCache = errors.New("redisbackend: the client has a cache of its own, which may return what was overwritten: " +
		"use one without ClientSideCache and ClientSideCacheConfig")

	// ErrBadOption is wrapped by the errors of [New] that say what is wrong with
	// which option.
	ErrBadOption = errors.New("redisbackend: bad option")

	// ErrEmptyKey is returned by Set and Stage when the key is empty. Nothing
	// was applied.
	ErrEmptyKey error = &refusedError{"redisbackend: the key is empty: use another", "empty_key"}

	// ErrWithdrawn is what a client's hook sees when it sends a write once more
	// after Set or Delete has returned. It is never returned by a [Backend].
	ErrWithdrawn = errors.New("redisbackend: the write has ended and was not sent again")
)

// refusedError is for what is never sent.
type refusedError struct{ text, errorType string }

func (e *refusedError) Error() string     { return e.text }
func (e *refusedError) NotApplied() bool  { return true }
func (e *refusedError) ErrorType() string { return e.errorType }

// TooLargeError says that Redis cannot store a key or a value. It is returned by
// Set and Stage before anything is sent.
type TooLargeError struct {
	What string // "key" or "value"
	Size int    // its length in bytes
	Max  int    // what the server takes
}

// Error gives both lengths and says what can be done.
func (e *TooLargeError) Error() string {
	advice := "use a shorter one, for instance a hash of it"
	if e.What == "value" {
		advice = "do not cache it, or split it"
	}
	return fmt.Sprintf("redisbackend: the %s has %d bytes, and Redis takes %d: %s", e.What, e.Size, e.Max, advice)
}

// NotApplied returns true: nothing was sent.
func (e *TooLargeError) NotApplied() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *TooLargeError) ErrorType() string { return "too_large" }

// DamagedError is an error of Get: what is stored at the key was written by
// something else, or by a later release, or was cut or changed. Writing or
// deleting the key mends it.
type DamagedError struct{ reason string }

// Error says what is wrong, without the stored bytes.
func (e *DamagedError) Error() string {
	return "redisbackend: the stored bytes are " + e.reason +
		": set or delete the key to get rid of them, or use WithRawValues for values of other programs"
}

// ErrorType returns the value of the attribute error.type.
func (e *DamagedError) ErrorType() string { return "damaged" }
