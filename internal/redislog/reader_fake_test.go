package redislog

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

var errDown = errors.New("the server is down")

// fakeLog is a log, and its server, in memory.
type fakeLog struct {
	mu       sync.Mutex
	era      uint32
	seq      uint64 // of the newest message
	messages []Message
	token    string // of the server
	place    string
	replica  bool
	down     bool          // connections fail
	hangs    bool          // calls end with their contexts
	delay    time.Duration // of answers to heartbeats
	seen     backends.Version
	changed  chan struct{}
	applied  []time.Time // when each change was made, by its operation; zero: it is undone
	calls    []string
	failJoin error
}

func newFakeLog() *fakeLog {
	l := &fakeLog{era: 500, token: "a", changed: make(chan struct{})}
	l.beginEra()
	return l
}

// beginEra makes the log anew.
func (l *fakeLog) beginEra() {
	l.era, l.seq, l.messages = l.era+1, 0, nil
	l.place = strconv.Itoa(int(l.era)) + " " + l.token + " nonce"
	l.append(Message{kind: messageInit})
}

// append adds a message. The caller has the lock, or is alone.
func (l *fakeLog) append(m Message) streamID {
	l.seq++
	m.id = streamID{l.era, l.seq}
	if m.isChange() {
		m.change.Version, m.change.Operation = m.id.version(), uint64(len(l.applied))
		l.applied = append(l.applied, time.Now())
		l.seen = max(l.seen, m.id.version())
	}
	l.messages = append(l.messages, m)
	close(l.changed)
	l.changed = make(chan struct{})
	return m.id
}

func (l *fakeLog) do(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *fakeLog) write() {
	l.do(func() { l.append(Message{kind: messageSet, change: backends.Change{Key: "k", Kind: tier.Set}}) })
}

// trim drops all but the newest n messages.
func (l *fakeLog) trim(n int) {
	l.do(func() { l.messages = l.messages[max(0, len(l.messages)-n):] })
}

// failOver makes another server the master, which lacks the newest n messages and uses
// their numbers again. Their changes are undone, so no reader has to be told of them:
// what they replaced is in L2 again.
func (l *fakeLog) failOver(n int) {
	l.do(func() {
		n = max(0, min(n, len(l.messages)-1))
		for _, m := range l.messages[len(l.messages)-n:] {
			if m.isChange() {
				l.applied[m.change.Operation] = time.Time{}
			}
		}
		l.messages = l.messages[:len(l.messages)-n]
		l.seq -= uint64(n)
		l.token += "'"
	})
}

// flush deletes everything; the next join begins an era.
func (l *fakeLog) flush() { l.do(func() { l.messages = nil }) }

func (l *fakeLog) connect(context.Context) (logConn, func(), error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, nil, errDown
	}
	return &fakeConn{log: l}, func() {}, nil
}

type fakeConn struct{ log *fakeLog }

// begin returns with the lock unless the call fails.
func (c *fakeConn) begin(ctx context.Context, name string) error {
	l := c.log
	l.mu.Lock()
	l.calls = append(l.calls, name)
	switch {
	case l.hangs:
		l.mu.Unlock()
		<-ctx.Done()
		return ctx.Err()
	case l.down:
		l.mu.Unlock()
		return errDown
	}
	return nil
}

func (c *fakeConn) join(ctx context.Context, meta string) (joined, error) {
	if err := c.begin(ctx, "join "+meta); err != nil {
		return joined{}, err
	}
	l := c.log
	defer l.mu.Unlock()
	if l.failJoin != nil {
		return joined{}, l.failJoin
	}
	if l.replica {
		return joined{}, ErrNotMaster
	}
	if len(l.messages) == 0 || l.seen > l.messages[len(l.messages)-1].id.version() || strings.Fields(l.place)[1] != l.token {
		l.beginEra()
	}
	id := l.append(Message{kind: meta[0], protocol: meta[1:]})
	return joined{place: parsePlace(l.place), last: id}, nil
}

func (c *fakeConn) beat(ctx context.Context) (beat, error) {
	if err := c.begin(ctx, "beat"); err != nil {
		return beat{}, err
	}
	l := c.log
	b := beat{token: l.token, master: !l.replica, place: l.place}
	if n := len(l.messages); n > 0 {
		b.head = l.messages[n-1].id
	}
	delay := l.delay
	l.mu.Unlock()
	sleep(ctx, delay)
	return b, nil
}

func (c *fakeConn) read(ctx context.Context, after streamID, block time.Duration) ([]Message, error) {
	end := time.NewTimer(block)
	defer end.Stop()
	for {
		if err := c.begin(ctx, "read"); err != nil {
			return nil, err
		}
		l := c.log
		var found []Message
		for _, m := range l.messages {
			if m.id.version() > after.version() && len(found) < ReadCount {
				found = append(found, m)
			}
		}
		changed := l.changed
		l.mu.Unlock()
		if len(found) > 0 {
			return found, nil
		}
		select {
		case <-changed:
		case <-end.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// fakeHub is the hub of a fake log.
func fakeHub(l *fakeLog) *Hub {
	return &Hub{
		watchError: func(err error) error {
			if errors.Is(err, ErrReaderEnded) {
				return err
			}
			return errors.Join(err, backends.ErrUnsupported)
		},
		readers: func(tell teller) []*reader {
			return []*reader{{
				tell: tell, connect: l.connect, failed: func(context.Context) {},
				forGood: func(error) bool { return false },
				see:     func(backends.Version) {},
				seen: func() (v backends.Version) {
					l.do(func() { v = l.seen })
					return v
				},
			}}
		},
	}
}
