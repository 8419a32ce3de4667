package rueidisbackend

import "errors"

var (
	// ErrNilClient is returned by [New] when it was given no client.
	ErrNilClient = errors.New("rueidisbackend: the client is nil: pass one made by rueidis.NewClient")

	// ErrConnLifetime is returned by [New] for a client with a ConnLifetime. When a
	// connection has lived so long and does not answer for a second, rueidis sends the
	// commands that wait for it once more, writes too, whether the server has them or not.
	// One of them may then be executed late, after a newer write, and no error tells.
	ErrConnLifetime = errors.New("rueidisbackend: the client may send a write twice when the lifetime of its connection ends: " +
		"use one without ConnLifetime")

	// ErrReplicaReads is returned by [New] for a client that sends commands to replicas:
	// SendToReplicas or ReplicaOnly is set. Replicas lag, and L1 would keep their old values.
	ErrReplicaReads = errors.New("rueidisbackend: the client reads from replicas, which may return overwritten values: " +
		"use one without SendToReplicas and ReplicaOnly")

	// ErrNoKeyPrefix is returned by [New] when it was given neither [WithKeyPrefix]
	// nor [WithoutKeyPrefix].
	ErrNoKeyPrefix = errors.New("rueidisbackend: no key prefix is given: values of another type under the same key " +
		"would be read as if they were these: use WithKeyPrefix with a prefix for each type, " +
		"or WithoutKeyPrefix if nothing else uses the database")

	// ErrBadOption is wrapped by the errors of [New] that name a wrong option.
	ErrBadOption = errors.New("rueidisbackend: bad option")
)
