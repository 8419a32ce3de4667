// Package bench compares tiercache with other libraries of the same kind.
//
// Package driver makes every library into the same small set of functions. Package
// matrix runs scripts of faults and interleavings against them and prints the states of
// the two tiers. Package compare measures them. The commands cmd/matrix and cmd/compare
// print Markdown; docs/divergence.md and docs/benchmarks.md show their output.
package bench
