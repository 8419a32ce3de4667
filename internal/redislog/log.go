package redislog

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"time"
)

// Limits of the options of a log.
const (
	DefaultLength = 10_000
	MinLength     = 100
	MaxLength     = 100_000_000
	MaxPartitions = 1024

	// MaxSpaceSize is the most that a log adds to the prefix of keys.
	MaxSpaceSize = len(spaceVersion) + len("{1023/1024}:")
)

// Log is what a backend with a log has beside its client.
type Log struct {
	Partitions []*Partition

	scripts scripts
	clock   storeClock
}

// New returns a log of n partitions, which keep at least length messages each.
func New(prefix string, n, length int) *Log {
	return &Log{Partitions: NewPartitions(prefix, n), scripts: newScripts(length)}
}

// Of returns the partition of a key.
func (l *Log) Of(key string) *Partition { return PartitionOf(l.Partitions, key) }

// Errors of a log. Their texts are for developers: adapters have their own.
var (
	// ErrNoIdentity says that INFO does not tell which server answers.
	ErrNoIdentity = errors.New("redislog: no identity")

	// ErrLastEra says that no greater era is left.
	ErrLastEra = errors.New("redislog: no era left")

	// ErrNotMaster is the end of a connection to a server that is a replica.
	ErrNotMaster = errors.New("redislog: the server is a replica")

	// ErrUnsteady is the error of a write that met another log each time it was tried.
	ErrUnsteady = errors.New("redislog: unsteady log")

	// ErrReaderEnded says that a sink has ended the goroutine of a reader.
	ErrReaderEnded = errors.New("redislog: a sink ended the reader's goroutine")

	// ErrOddReply says that a reply is not that of the script.
	ErrOddReply = errors.New("the server's reply is not that of the script")
)

// joined is the answer to a join.
type joined struct {
	place *Place
	last  streamID // of the message that was written, or of the log's last one
}

// PlaceOf returns the place of a partition's log, and asks the server if it is not known,
// or if it is not, a place that the log has left.
func (l *Log) PlaceOf(ctx context.Context, server Runner, p *Partition, not *Place) (*Place, error) {
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
	j, err := l.join(ctx, server, p, "")
	return j.place, err
}

// join finds out the place of the log, makes one if there is none that can be continued,
// and writes a message if meta is not empty. The caller has the partition's turn.
func (l *Log) join(ctx context.Context, server Runner, p *Partition, meta string) (joined, error) {
	old := ""
	if known := p.place.Load(); known != nil {
		old = known.text
	}
	seen := p.Seen()
	begin := time.Now()
	reply, err := server.Run(ctx, Call{l.scripts.join, 2, []string{
		p.Log, p.Mark,
		old, strconv.FormatUint(uint64(seen.Era()), 10), strconv.FormatUint(seen.Seq(), 10), rand.Text(), meta,
	}})
	end := time.Now()
	if err != nil {
		return joined{}, err
	}
	switch reply {
	case "u":
		return joined{}, ErrNoIdentity
	case "x":
		return joined{}, ErrLastEra
	}
	fields, ok := textsOf(reply, 4)
	if !ok {
		return joined{}, ErrOddReply
	}
	j := joined{place: parsePlace(fields[0])}
	j.last, ok = parseStreamID(fields[1])
	if !ok || j.place == nil || j.last.era != j.place.era {
		return joined{}, ErrOddReply
	}
	l.observe(begin, end, fields[2], fields[3])
	p.place.Store(j.place)
	p.See(j.last.version())
	return j, nil
}

// beat asks for the state of the server and of the log.
func (l *Log) beat(ctx context.Context, server Runner, p *Partition) (beat, error) {
	begin := time.Now()
	reply, err := server.Run(ctx, Call{l.scripts.beat, 2, []string{p.Log, p.Mark}})
	end := time.Now()
	if err != nil {
		return beat{}, err
	}
	if reply == "u" {
		return beat{}, ErrNoIdentity
	}
	fields, ok := textsOf(reply, 6)
	if !ok {
		return beat{}, ErrOddReply
	}
	b := beat{token: fields[0], master: fields[1] == "master", place: fields[2]}
	b.head, _ = parseStreamID(fields[3]) // the zero one is that of no log
	l.observe(begin, end, fields[4], fields[5])
	return b, nil
}

// observe takes in the server's time, as TIME returns it.
func (l *Log) observe(begin, end time.Time, seconds, micros string) {
	l.Observe(begin, end, storeTime(seconds, micros))
}

// Observe takes in that the server's clock was at some instant between begin and end what
// a reply says; the zero time says nothing.
func (l *Log) Observe(begin, end, at time.Time) {
	if !at.IsZero() {
		l.clock.observe(begin, end, at)
	}
}

// StoreTime estimates the server's clock; see [backends.Clocked].
func (l *Log) StoreTime() (now time.Time, within time.Duration, ok bool) { return l.clock.estimate() }

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
