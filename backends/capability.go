package backends

import "context"

// Description describes a store. All fields may be empty.
type Description struct {
	// System is the store's name as in OpenTelemetry's db.system.name, for
	// instance "redis". Leave it empty for a store that is no database.
	System string

	// ServerAddress and ServerPort locate a remote store: a host name, an IP address or
	// the path of a Unix socket, and a port (0: none).
	ServerAddress string
	ServerPort    int

	// GetOperation, SetOperation and DeleteOperation are the names of the commands
	// that the store is sent, as in OpenTelemetry's db.operation.name: "GET", for
	// instance. Leave them empty where there are none.
	GetOperation, SetOperation, DeleteOperation string

	// Local says that the store is a library that keeps its data on a disk of this machine. Its
	// calls have a timeout, because a disk may hang, but their spans are internal, because no
	// client sends them to a server.
	Local bool

	// InProcess says that calls never leave the process and never wait for
	// anything outside of it, neither a network nor a disk. The writes of such
	// a store run without a timeout.
	InProcess bool

	// Instrumented says that the store's client emits spans of its own. The spans of
	// its tier are then internal, and do not name the store and its address: the
	// client's spans do.
	Instrumented bool

	// Abilities are the optional interfaces whose promises hold.
	Abilities Abilities
}

// Abilities say which optional interfaces of a [Backend] keep their promises. A
// decorator has the methods of all of them, but can do no more than the store below;
// so an interface counts only if its ability is declared. A decorator that forwards an
// interface, as [Optional] helps to, passes its ability on, and clears the others.
type Abilities struct {
	// Versions: the store is a [Versioned], remembers the versions of deleted and
	// expired entries, and compares source versions.
	Versions bool

	// Deadlines: the store refuses a write after [Write.Before], and is a [Clocked].
	Deadlines bool

	// Batches: the store is a [Batcher].
	Batches bool

	// Log: the store is a [Watcher]; every write is in its log, those by Set and
	// Delete included.
	Log bool

	// Stamps: the store is a [Stamped].
	Stamps bool

	// Walks: the store is a [Walker].
	Walks bool

	// StaleReads: reads may be answered by replicas that lag behind.
	StaleReads bool
}

// Describer is a [Backend] that describes itself. A cache calls it once, in New. It treats a
// backend that is not a Describer as remote.
type Describer interface {
	// Describe returns the store's description, the same at every call.
	Describe() Description
}

// Stager is a [Backend] that can prepare a write before it is made: encode the
// value, check its size and the length of the key. A cache stages a Set in all
// tiers before it touches the first of them, so that a value that cannot be
// written changes nothing.
type Stager[V any] interface {
	// Stage prepares the Set of entry at key and returns the function that
	// makes it. Stage must not touch the store. The returned function obeys the
	// rules of Set, also that for a nil context, is called any number of times, also
	// after an error and from more than one goroutine, and may never be called.
	Stage(ctx context.Context, key string, entry Entry[V]) (set func(ctx context.Context) error, err error)
}

// ValueGetter is a [Backend] that can return the value alone. An entry is large, and
// copying it takes most of the time of a hit in a fast L1.
type ValueGetter[V any] interface {
	// GetValue returns what Get returns, without the expiry.
	GetValue(ctx context.Context, key string) (value V, ok bool, err error)
}

// DescriptionOf returns the description of a backend of any type, or the zero
// Description when it does not describe itself.
func DescriptionOf(backend any) Description {
	if d, ok := backend.(Describer); ok {
		return d.Describe()
	}
	return Description{}
}
