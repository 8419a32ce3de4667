// Package repair has tests of the repair of keys whose tiers differ, on a real Redis:
// several caches share it, each with a client and a network of its own, while commands,
// answers and the server itself fail.
//
//   - When all is quiet, nothing is open within two heartbeats, the tiers are equal, and
//     at every scrape the differences opened less those closed were those open.
//   - A request that arrives after its deadline has no effect.
//   - No repair replaces newer data: a judge reads the server's log, which has all changes
//     in their order, and knows of each write when it was sent.
//   - Many keys are closed soon, with a bounded number of requests at a time.
//   - The scrubber finds what is wrong, and nothing else.
//
// To check the judge, some runs break the repair on purpose, and then it must find
// violations.
//
// TIERCACHE_CHAOS is how long the history of random writes is, TIERCACHE_SCRUBS how many
// entries are compared, and TIERCACHE_SEED repeats the order of a run. TIERCACHE_REPORT is
// a file for the figures. TIERCACHE_NIGHTLY makes limits of time stricter.
package repair
