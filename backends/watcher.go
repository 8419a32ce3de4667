package backends

import (
	"context"
	"time"

	"github.com/tiercache/tiercache/tier"
)

// Watcher is a [Backend] whose changes, by any process, can be followed. It is one only
// if its [Description] says so, in Abilities.Log. All users of one backend share one
// reader.
type Watcher interface {
	// Watch tells sink of the changes from now on, until ctx ends or the backend is
	// closed, and returns the cause. It calls sink from one goroutine at a time.
	// Interruptions do not end it: it goes on when the store can be reached again.
	// An error that wraps [ErrUnsupported] says that the store cannot be watched
	// at all, for instance because a command is not permitted. A nil sink is an
	// error that is certainly not applied, such as [ErrNilSink].
	Watch(ctx context.Context, sink Sink) error

	// Seen returns the greatest version that any reply of the store or any change
	// has shown in the part of the store to which key belongs; 0: none yet.
	Seen(key string) Version
}

// Sink is told of changes. Its methods must return soon and must not call the backend.
type Sink interface {
	// Changed is called with changes in the store's order. It may keep the keys, which are strings,
	// but neither the slice nor the notes after it returns.
	Changed(changes []Change)

	// Synced says that Changed was told of all changes that the store made before asOf, and none
	// was lost. AsOf has a monotonic reading.
	Synced(asOf time.Time)

	// Lost says that changes may have been missed, so that nothing that was read
	// before is known to be current. It is called once for each loss, at any time
	// before the next Synced.
	//
	// After LossDisconnected, LossTrimmed and LossLogReplaced a version that was given before still
	// means the same change. After any other loss the store may give it again, as a server that has
	// lost the end of its log does.
	Lost(cause Loss)
}

// Change is one change of a key, by this process or by another.
type Change struct {
	Key       string
	Kind      tier.Kind // tier.Set or tier.Delete
	Version   Version
	Operation uint64
	Note      []byte
	At        time.Time // by the store's clock; zero: not known
}

// Loss is the reason why changes may have been missed.
type Loss uint8

// The causes.
const (
	LossUnknown       Loss = iota
	LossDisconnected       // the store could not be reached for too long
	LossTrimmed            // the log no longer had the next change
	LossServerChanged      // another server answers: a failover, a restart
	LossLogReplaced        // the log was deleted or begun anew
	LossBehind             // the log is older than a version that was seen
	LossProtocol           // a writer that does not know this log's rules was seen
	LossUnsupported        // the store cannot be watched
)

// Losses is the number of causes, for arrays that are indexed by one.
const Losses = int(LossUnsupported) + 1

// String returns the cause's name in telemetry: "unknown", "disconnected", "trimmed",
// "server_changed", "log_replaced", "behind", "protocol" or "unsupported".
func (l Loss) String() string {
	if int(l) >= Losses {
		return "unknown"
	}
	return [Losses]string{
		"unknown", "disconnected", "trimmed", "server_changed", "log_replaced", "behind", "protocol", "unsupported",
	}[l]
}
