package badgerbackend

import (
	"fmt"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"
)

// defaultMinFreeSpace is stated in the doc of WithMinFreeSpace.
const defaultMinFreeSpace = 256 << 20

// A figure of the free space is used for spaceInterval, because other programs
// write to the disk too, or until a share of the minimum was written, because
// badger writes each byte several times.
const (
	spaceInterval = 250 * time.Millisecond
	spaceShare    = 16 // a 16th
)

// NoSpaceError says that the disk is nearly full, so that the store refused
// a write, or was not opened. See [WithMinFreeSpace].
type NoSpaceError struct {
	Op   string // "write", "delete", "open" or "garbage collection"
	Free uint64 // free bytes of the disk
	Min  uint64 // free bytes that this Op needs
}

// Error gives both figures and a remedy.
func (e *NoSpaceError) Error() string {
	return fmt.Sprintf("badgerbackend: the %s was refused: the disk has %d bytes left, and the store needs %d, "+
		"because badger ends the process on a full disk: free some space, or lower WithMinFreeSpace", e.Op, e.Free, e.Min)
}

// NotApplied returns true: the store was not touched.
func (e *NoSpaceError) NotApplied() bool { return true }

// Healthy returns true: a store that refuses writes still answers reads, so a circuit
// breaker must not close it off.
func (e *NoSpaceError) Healthy() bool { return true }

// ErrorType returns the value of the attribute error.type.
func (e *NoSpaceError) ErrorType() string { return "no_space" }

// space watches the free space of the disk of a store. It is safe for concurrent
// use.
type space struct {
	minimum uint64
	free    func() (uint64, error) // nil: nothing is watched

	mu      sync.Mutex
	at      time.Time // when left was found out
	left    uint64
	written uint64 // since then
}

// newSpace watches the disk of the store with these options.
func newSpace(c config, opts badger.Options) *space {
	s := &space{minimum: c.minFreeSpace}
	if s.minimum > 0 && !opts.InMemory && !opts.ReadOnly {
		dirs := folders(opts)
		s.free = func() (uint64, error) { return leastFree(c.freeSpace, dirs) }
	}
	return s
}

// leastFree returns the free space of the folder that has least.
func leastFree(freeSpace func(dir string) (uint64, error), dirs []string) (uint64, error) {
	least, err := freeSpace(dirs[0])
	for _, dir := range dirs[1:] {
		if err != nil {
			break
		}
		var free uint64
		free, err = freeSpace(dir)
		least = min(least, free)
	}
	return least, err
}

// check returns a [*NoSpaceError] if there is no room for size bytes. Anything but a
// write may use half of the reserve: a delete needs little, and without it the store
// would go on serving old values; the garbage collection frees space in the end.
func (s *space) check(op string, size int) error {
	if s.free == nil {
		return nil
	}
	minimum := s.minimum
	if op != "write" {
		minimum /= 2
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	fresh := !s.at.IsZero() && now.Sub(s.at) < spaceInterval && s.written < s.minimum/spaceShare
	if !fresh || (s.written > 0 && !s.fits(size, minimum)) {
		left, err := s.free()
		if err != nil {
			// A system that does not report free space must not stop writes.
			s.at = time.Time{}
			return nil
		}
		s.at, s.left, s.written = now, left, 0
	}
	if !s.fits(size, minimum) {
		return &NoSpaceError{Op: op, Free: s.left, Min: minimum}
	}
	s.written += uint64(size) //nolint:gosec // a length
	return nil
}

func (s *space) fits(size int, minimum uint64) bool {
	left := s.left - min(s.left, s.written)
	return left >= minimum && left-minimum >= uint64(size) //nolint:gosec // a length
}
