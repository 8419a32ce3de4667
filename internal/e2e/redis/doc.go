// Package redis tests tiercache with real Redis servers as L2: the conformance of
// the backend, what becomes of both tiers under faults of servers and networks,
// and what an operation costs beside the client's own. It needs redis-server in
// the path, and fails without; there is nothing here to import.
package redis
