package redislog

import (
	"strings"
	"time"

	"github.com/tiercache/tiercache/backends"
)

// follower decides, for one partition, whether all messages of the log were seen. It does
// no input or output, and knows no clock.
//
// Two facts prove it together. Messages are numbered without holes, so one that is not
// the next was preceded by a loss. And a heartbeat shows the log's newest message and
// the server's identity at one instant: if the server is the same, and its log ends not
// before the newest version that any of its replies has shown, then all changes until
// then are among the messages up to that one.
type follower struct {
	place string   // of the log, as it was at the join
	token string   // identifies the server and its history
	last  streamID // the newest message that was seen

	// The heartbeat whose newest message is not seen yet.
	waiting bool
	head    streamID
	asOf    time.Time

	// catchingUp says that the connection was lost, and that it is not known yet
	// whether the log still has what comes next.
	catchingUp bool
}

// beat is the answer to a heartbeat.
type beat struct {
	token  string
	master bool
	place  string
	head   streamID // zero: the log has no messages
}

// finding is a follower's conclusion. At most one of its fields is set.
type finding struct {
	synced time.Time // all changes before it were seen; zero: nothing new is known
	lost   bool
	cause  backends.Loss
}

func loss(cause backends.Loss) finding { return finding{lost: true, cause: cause} }

// followFrom returns a follower that has joined at the message j.last.
func followFrom(j joined) follower {
	_, rest, _ := strings.Cut(j.place.text, " ")
	token, _, _ := strings.Cut(rest, " ")
	return follower{place: j.place.text, token: token, last: j.last}
}

// onBeat takes in the answer to a heartbeat that was sent at the instant sent. Seen is the
// greatest version that any reply had shown before that.
func (f *follower) onBeat(sent time.Time, seen backends.Version, b beat) finding {
	switch {
	case b.token != f.token:
		return loss(backends.LossServerChanged)
	case b.place != f.place, b.head.era != f.last.era:
		return loss(backends.LossLogReplaced)
	case b.head.seq < f.last.seq, b.head.version() < seen:
		return loss(backends.LossBehind)
	case b.head == f.last:
		f.waiting, f.catchingUp = false, false
		return finding{synced: sent}
	case !f.waiting: // an older one comes first: it will be reached sooner
		f.waiting, f.head, f.asOf = true, b.head, sent
	}
	return finding{}
}

// onMessages takes in the messages behind the last one, and returns how many of them
// are to be told. It may be all of them when there is a loss too.
func (f *follower) onMessages(messages []Message) (tell int, found finding) {
	for i := range messages {
		m := &messages[i]
		switch {
		case m.id.era != f.last.era:
			return i, loss(backends.LossLogReplaced)
		case m.id.seq != f.last.seq+1 && f.catchingUp:
			return i, loss(backends.LossDisconnected)
		case m.id.seq != f.last.seq+1:
			return i, loss(backends.LossTrimmed)
		}
		f.last = m.id
	}
	if f.waiting && f.last.seq >= f.head.seq {
		f.waiting, f.catchingUp = false, false
		return len(messages), finding{synced: f.asOf}
	}
	return len(messages), finding{}
}

// onDisconnect takes in that the connection was lost. The position stays.
func (f *follower) onDisconnect() { f.waiting, f.catchingUp = false, true }
