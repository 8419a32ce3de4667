package server

import "golang.org/x/sys/unix"

// SharedNow returns nanoseconds of the monotonic clock that all processes of this machine
// share. It is safe for concurrent use.
func SharedNow() (int64, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano(), err
}
