package redislog

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// Partition is a part of the keys that has a log of its own. All keys of it, and those of
// its log, are in one slot of a cluster.
type Partition struct {
	Prefix string // of values
	Log    string // key of the log
	Mark   string // key of the place

	seen  atomic.Uint64         // the greatest version in any reply or message
	place atomic.Pointer[Place] // nil: not known yet
	turn  chan struct{}         // held by the one that asks for the place
}

// Place says which log a writer writes. Text is stored in the server, which compares it
// with the writer's; it has the era, the server that began it, and a nonce.
type Place struct {
	text string
	era  uint32
	id   string // for XADD: "<era>-*"
	high string // half of the versions: 2 * era
}

// parsePlace returns nil for a text that is none.
func parsePlace(text string) *Place {
	digits, _, _ := strings.Cut(text, " ")
	era, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || era == 0 || era > backends.MaxEra {
		return nil
	}
	return &Place{text: text, era: uint32(era), id: digits + "-*", high: strconv.FormatUint(2*era, 10)}
}

// spaceVersion is a part of all keys of a backend with a log, so that those without one,
// and those of other rules, do not share entries with it.
const spaceVersion = "v2:"

// NewPartitions returns n partitions. Their number is in their keys: backends that
// disagree about it share nothing.
func NewPartitions(prefix string, n int) []*Partition {
	partitions := make([]*Partition, n)
	for i := range partitions {
		base := prefix + spaceVersion + "{" + strconv.Itoa(i) + "/" + strconv.Itoa(n) + "}"
		partitions[i] = &Partition{Prefix: base + ":", Log: base + "log", Mark: base + "place", turn: make(chan struct{}, 1)}
	}
	return partitions
}

// See remembers a version that the store has shown, unless its era cannot be: the version is then
// of damaged bytes, or of foreign ones. Readers begin an era that is greater than any which
// was seen, so eras would be used up, or the last one would be.
func (p *Partition) See(v backends.Version) {
	for {
		old := p.seen.Load()
		if uint64(v) <= old || v.Era() != backends.Version(old).Era() && !p.mayBe(v.Era()) {
			return
		}
		if p.seen.CompareAndSwap(old, uint64(v)) {
			return
		}
	}
}

// eraEpoch is the instant of era 0, in Unix time.
const eraEpoch = 1_577_836_800

// maxAhead is by how many seconds the era of another server may be ahead of all that is known
// here: its clock is wrong by years.
const maxAhead = 10 * 365 * 24 * 60 * 60

// mayBe reports whether the store may have an era, which is the second since 2020 in which
// it was begun, by the server's clock, or a little more.
func (p *Partition) mayBe(era uint32) bool {
	known := max(0, time.Now().Unix()-eraEpoch)
	if at := p.place.Load(); at != nil {
		known = max(known, int64(at.era))
	}
	return int64(era) <= known+maxAhead
}

// Seen returns the greatest version that the store has shown, or 0.
func (p *Partition) Seen() backends.Version { return backends.Version(p.seen.Load()) }

// Knows reports whether v is of the era that the log is known to have.
func (p *Partition) Knows(v backends.Version) bool {
	at := p.place.Load()
	return v != 0 && at != nil && at.era == v.Era()
}

// acquire waits for the turn to ask for the place.
func (p *Partition) acquire(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return backends.ContextError(ctx)
	}
}

func (p *Partition) release() { <-p.turn }

// PartitionOf hashes by FNV-1a, which all releases must do alike.
func PartitionOf(partitions []*Partition, key string) *Partition {
	if len(partitions) == 1 {
		return partitions[0]
	}
	const offset, prime = 2166136261, 16777619
	hash := uint32(offset)
	for i := range len(key) {
		hash = (hash ^ uint32(key[i])) * prime
	}
	return partitions[hash%uint32(len(partitions))] //nolint:gosec // at most MaxPartitions
}
