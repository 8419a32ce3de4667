// Package rediserr describes the errors of a Redis server and of the network to it, for the
// adapters of all clients: the phrases of their texts, the values of error.type, and which
// replies say that a write was certainly not executed.
package rediserr
