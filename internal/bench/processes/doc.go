// Package processes measures for how long a cache of one process returns, without a
// sign, a value that another process has replaced. Two instances of a library share a
// real Redis, each through a proxy of its own that loses connections, holds bytes back,
// or leads to another server.
//
//	instance A ──▶ proxy ──┐
//	                       ├──▶ redis-server, and for a failover its replica
//	instance B ──▶ proxy ──┘
//
// Some scenarios have a cluster in its place, and each instance a proxy for each node.
//
// Each scenario breaks something and has A change the key; then B reads it every
// millisecond. A read of B is silent and stale if it began after A's change was
// acknowledged, and returned another value, without an error and without a flag.
package processes
