//go:build tiercache_sabotage

package keylock

import (
	"strconv"
	"sync/atomic"
)

// The build tag is for tests that check the checker of linearizability: it must
// find the violations that come about without locks, or without fences.

var (
	noLocks, noFences bool
	uniqueKeys        atomic.Uint64
)

// Sabotage switches locks and fences of all tables off, or on again. No operation
// may be under way.
func Sabotage(withoutLocks, withoutFences bool) { noLocks, noFences = withoutLocks, withoutFences }

// lockKey is the key that is locked in place of key: one that nobody else has, if
// there are no locks.
func lockKey(key string) string {
	if noLocks {
		return strconv.FormatUint(uniqueKeys.Add(1), 36)
	}
	return key
}
