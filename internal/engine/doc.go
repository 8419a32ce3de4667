// Package engine is the working half of a cache; package tiercache is its face.
//
// A write is a value that goes through these steps, in stage.go, write.go and, from the
// return on, write_end.go:
//
//	stage    both tiers prepare the entry; what cannot be written changes nothing
//	lock     the write waits for the lock of its key
//	policy   the write policy calls the two tiers, each a policyTier
//	return   the tally says whether the tiers may differ, and the caller gets its error
//	finish   when the last call of a tier has ended: event, observers, unlock
//
// The tally (package internal/tally) is a value without a lock. A policy may let
// calls of tiers go on after it has returned; then the write is handed over to the
// last of them (inflight.go).
//
// A read asks L1 (lookup.go, the only place that does), then L2 (ask.go, and askshared.go
// for reads that share the call), behind a fence
// that a write of its key breaks, and refills L1 (read.go). A load shares a read and a
// loader among all callers of a key: load.go, load_share.go and load_wait.go have the
// callers, load_run.go the load that they share, on package internal/flight, and
// load_write.go its write.
// lifetime.go alone decides which entries are fresh.
// load_condition.go has the condition by which L2 may decide the write of a load.
//
// direct.go has a shorter way for a Set by the default policy with telemetry off. It joins
// the steps above as soon as anything goes wrong.
//
// With coherence, package internal/coherence follows the writes of other processes:
// coherent.go is its target, coherent_read.go asks whether a hit is fresh, and
// coherent_write.go gives entries the versions that L2 issues.
//
// Backends and other foreign code are behind package internal/guard.
package engine
