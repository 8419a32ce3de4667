package redisbackend

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/tiercache/tiercache/backends"
)

// partition is a part of the keys that has a log of its own. All keys of it, and those of
// its log, are in one slot of a cluster.
type partition struct {
	prefix string // of values
	log    string // key of the log
	mark   string // key of the place

	seen  atomic.Uint64         // the greatest version in any reply or message
	place atomic.Pointer[place] // nil: not known yet
	turn  chan struct{}         // held by the one that asks for the place
}

// place says which log a writer writes. Text is stored in the server, which compares it
// with the writer's; it has the era, the server that began it, and a nonce.
type place struct {
	text string
	era  uint32
	id   string // for XADD: "<era>-*"
	high string // half of the versions: 2 * era
}

// parsePlace returns nil for a text that is none.
func parsePlace(text string) *place {
	digits, _, _ := strings.Cut(text, " ")
	era, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || era == 0 || era > backends.MaxEra {
		return nil
	}
	return &place{text: text, era: uint32(era), id: digits + "-*", high: strconv.FormatUint(2*era, 10)}
}

// spaceVersion is a part of all keys of a backend with a log, so that those without one,
// and those of other rules, do not share entries with it.
const spaceVersion = "v2:"

// newPartitions returns n partitions. Their number is in their keys: backends that
// disagree about it share nothing.
func newPartitions(prefix string, n int) []*partition {
	partitions := make([]*partition, n)
	for i := range partitions {
		base := prefix + spaceVersion + "{" + strconv.Itoa(i) + "/" + strconv.Itoa(n) + "}"
		partitions[i] = &partition{prefix: base + ":", log: base + "log", mark: base + "place", turn: make(chan struct{}, 1)}
	}
	return partitions
}

// see remembers a version that the store has shown.
func (p *partition) see(v backends.Version) {
	for {
		old := p.seen.Load()
		if uint64(v) <= old || p.seen.CompareAndSwap(old, uint64(v)) {
			return
		}
	}
}

// acquire waits for the turn to ask for the place.
func (p *partition) acquire(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return backends.ContextError(ctx)
	}
}

func (p *partition) release() { <-p.turn }

// partitionOf hashes by FNV-1a, which all releases must do alike.
func partitionOf(partitions []*partition, key string) *partition {
	if len(partitions) == 1 {
		return partitions[0]
	}
	const offset, prime = 2166136261, 16777619
	hash := uint32(offset)
	for i := range len(key) {
		hash = (hash ^ uint32(key[i])) * prime
	}
	return partitions[hash%uint32(len(partitions))] //nolint:gosec // at most maxPartitions
}
