//go:build !tiercache_sabotage

package keylock

// With these the compiler removes the branches that sabotage_on.go needs.

const noFences = false

func lockKey(key string) string { return key }
