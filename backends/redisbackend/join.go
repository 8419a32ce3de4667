package redisbackend

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// keyLog is what a backend with a log has beside its client.
type keyLog struct {
	partitions []*partition
	scripts    scripts
	clock      storeClock
	hub        hub
}

// joined is the answer to a join.
type joined struct {
	place *place
	last  streamID // of the message that was written, or of the log's last one
}

// Errors of a join; cause.go has their texts.
var (
	errNoIdentity = errors.New("redisbackend: no identity")
	errLastEra    = errors.New("redisbackend: no era left")
)

// placeOf returns the place of a partition's log, and asks the server if it is not known.
func (b *Backend) placeOf(ctx context.Context, p *partition, not *place) (*place, error) {
	if known := p.place.Load(); known != nil && known != not {
		return known, nil
	}
	if err := p.acquire(ctx); err != nil {
		return nil, err
	}
	defer p.release()
	if known := p.place.Load(); known != nil && known != not {
		return known, nil
	}
	j, err := b.log.join(ctx, b.client, p, "")
	return j.place, err
}

// join finds out the place of the log, makes one if there is none that can be continued,
// and writes a message if meta is not empty. The caller has the partition's turn.
func (l *keyLog) join(ctx context.Context, client processor, p *partition, meta string) (joined, error) {
	old := ""
	if known := p.place.Load(); known != nil {
		old = known.text
	}
	seen := backends.Version(p.seen.Load())
	begin := time.Now()
	reply, err := l.scripts.join.run(ctx, client, []string{p.log, p.mark},
		old, strconv.FormatUint(uint64(seen.Era()), 10), strconv.FormatUint(seen.Seq(), 10), rand.Text(), meta)
	end := time.Now()
	if err != nil {
		return joined{}, err
	}
	switch reply {
	case "u":
		return joined{}, errNoIdentity
	case "x":
		return joined{}, errLastEra
	}
	fields, ok := textsOf(reply, 4)
	if !ok {
		return joined{}, errOddReply
	}
	j := joined{place: parsePlace(fields[0])}
	j.last, ok = parseStreamID(fields[1])
	if !ok || j.place == nil || j.last.era != j.place.era {
		return joined{}, errOddReply
	}
	l.observe(begin, end, fields[2], fields[3])
	p.place.Store(j.place)
	p.see(j.last.version())
	return j, nil
}

// observe takes in the server's time, as TIME returns it.
func (l *keyLog) observe(begin, end time.Time, seconds, micros string) {
	if at := storeTime(seconds, micros); !at.IsZero() {
		l.clock.observe(begin, end, at)
	}
}

// storeTime returns the zero time for what is none.
func storeTime(seconds, micros string) time.Time {
	s, err := strconv.ParseInt(seconds, 10, 64)
	us, err2 := strconv.ParseInt(micros, 10, 64)
	if err != nil || err2 != nil {
		return time.Time{}
	}
	return time.Unix(s, us*int64(time.Microsecond))
}

// textsOf returns the n strings of a reply that is an array of them.
func textsOf(reply any, n int) ([]string, bool) {
	array, ok := reply.([]any)
	if !ok || len(array) != n {
		return nil, false
	}
	texts := make([]string, n)
	for i := range array {
		if texts[i], ok = array[i].(string); !ok {
			return nil, false
		}
	}
	return texts, true
}

// streamID is the id of a message.
type streamID struct {
	era uint32
	seq uint64
}

// parseStreamID returns false for an id that is not of a log of ours.
func parseStreamID(id string) (streamID, bool) {
	left, right, ok := strings.Cut(id, "-")
	era, err := strconv.ParseUint(left, 10, 32)
	seq, err2 := strconv.ParseUint(right, 10, 64)
	if !ok || err != nil || err2 != nil || era == 0 || era > backends.MaxEra || seq > backends.MaxSeq {
		return streamID{}, false
	}
	return streamID{uint32(era), seq}, true
}

func (id streamID) version() backends.Version { return backends.MakeVersion(id.era, id.seq) }

func (id streamID) String() string {
	return strconv.FormatUint(uint64(id.era), 10) + "-" + strconv.FormatUint(id.seq, 10)
}
