// Package coherence has tests of tiercache.WithCoherence on a real Redis: several
// processes share it while connections, processes and the server itself fail.
//
// Every hit in L1 is checked. A value is the number of its write, so memory that all
// processes share (board) tells for each write when it began and when it was
// acknowledged, and for each reader and write when it was read first and last. From these
// the judge knows of every hit whether it was older than the bound:
//
//	write w       ├──────┤acknowledged
//	write w'                 ├──────┤acknowledged      w' has replaced w
//	                                ├── bound ──┤
//	hit on w                              ok      ✗ a violation
//
// It never needs to know more than the last hit on each write. All times are of the one
// monotonic clock of the machine. To check the judge, some runs break the coherence of
// the instances on purpose, and then it must find violations.
//
// TIERCACHE_CHAOS is how long the chaos lasts, and TIERCACHE_SEED repeats its order.
// TIERCACHE_REPORT is a file for the figures. TIERCACHE_NIGHTLY makes limits of time
// stricter.
package coherence
