// Package bench compares tiercache with other libraries of the same kind.
//
// Package driver makes every library into the same small set of functions. Package
// matrix runs scripts of faults and interleavings against them and prints the states of
// the two tiers. Package compare measures them, and package ycsb does so with workloads
// that others have defined. The commands of the same names print Markdown;
// docs/divergence.md and docs/benchmarks.md show their output.
package bench
