package coherence

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	instances   = 8 // at most
	readersEach = 2 // of an instance
	agents      = instances * readersEach
	keys        = 256
)

// board is memory that all processes of a run share. It outlives one that is killed.
type board struct {
	*header
	mem    []byte
	writes []write        // by their numbers
	reads  [agents][]read // of each reader, by the number of the write
}

// header has the parts of fixed size. Times are of the shared clock; 0 is never.
type header struct {
	next    atomic.Int64 // number of the next write
	stop    atomic.Bool
	trouble atomic.Int64           // odd: something is wrong, or was a moment ago
	ready   [instances]atomic.Bool // the instance was in sync once

	// acked is when an instance had its last write of a key acknowledged.
	acked  [keys][instances]atomic.Int64
	counts [agents]counts
}

// write is one write of a key. It is written by one goroutine.
type write struct {
	begun, acked int64
	key          int32
	by           int32 // the instance
	fate         fate
	removes      bool
}

// fate is the outcome of a write, as far as its caller knows.
type fate int64

const (
	unknown fate = iota // it may be applied at any later time, or not at all
	applied
	refused // it was not made: another one has come in between
)

// read is the hits of one reader on one write. It is written by one goroutine.
type read struct {
	hits      int64
	contested int64 // on a key that another process had replaced within twice the bound

	first, firstEnd int64 // when the first hit began, and ended
	last, lastEnd   int64 // and the last
}

// counts are the reads of one reader, by their answers.
type counts struct {
	quiet [results]int64 // while nothing was wrong
	wild  [results]int64
	_     [64]byte // readers do not share a line of the processor's cache
}

// result is how a read has ended.
type result int

const (
	hit     result = iota // in L1, not flagged
	fromL2                // a hit in L2, or L1's entry that L2 has confirmed
	batched               // a hit of a batch, in either tier
	missed
	flagged
	failed
	results
)

// boardSize is that of a board with room for so many writes.
func boardSize(writes int) int {
	size := int(unsafe.Sizeof(header{})) + writes*int(unsafe.Sizeof(write{})) + agents*writes*int(unsafe.Sizeof(read{}))
	return (size + 4095) &^ 4095
}

// createBoard makes a file that openBoard opens.
func createBoard(path string, writes int) error {
	f, err := os.Create(path) //nolint:gosec // in the test's own folder
	if err != nil {
		return err
	}
	if err := f.Truncate(int64(boardSize(writes))); err != nil {
		return err
	}
	return f.Close()
}

func openBoard(path string, writes int) (*board, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // in the test's own folder
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	mem, err := unix.Mmap(int(f.Fd()), 0, boardSize(writes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED) //nolint:gosec // small
	if err != nil {
		return nil, err
	}
	b := &board{mem: mem}
	at := unsafe.Pointer(&mem[0]) //nolint:gosec // the layout is the same in all processes: they run one program
	b.header = (*header)(at)
	at = unsafe.Add(at, unsafe.Sizeof(header{}))
	b.writes = unsafe.Slice((*write)(at), writes)
	at = unsafe.Add(at, writes*int(unsafe.Sizeof(write{})))
	for i := range b.reads {
		b.reads[i] = unsafe.Slice((*read)(at), writes)
		at = unsafe.Add(at, writes*int(unsafe.Sizeof(read{})))
	}
	return b, nil
}

// close must not be called while somebody uses the board.
func (b *board) close() error { return unix.Munmap(b.mem) }
