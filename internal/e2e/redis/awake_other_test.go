//go:build !linux

package redis_test

import "testing"

// keepAwake does nothing where no work gives way to all other: figures vary more there.
func keepAwake(testing.TB) {}
