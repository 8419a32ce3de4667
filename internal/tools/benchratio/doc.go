// Benchratio compares Go benchmarks of one run with each other: each benchmark
// with a baseline that does the same work by hand. The benchmark budgets of
// this repository are ratios, because a ratio of two benchmarks of one run
// holds on any machine, and nanoseconds do not.
//
// Usage:
//
//	benchratio -budgets FILE [-check] [-room FACTOR] [RESULTS ...]
//
// It reads the output of go test -bench from the files RESULTS, or from the
// standard input, and prints a table. With -check it exits with status 1 when a
// budget is exceeded, and also when the input cannot tell: a check that passes
// because a benchmark was renamed would be no check. Errors of usage, and files
// that cannot be read or parsed, exit with status 2.
//
// # Repetitions
//
// The i-th repetition of a benchmark is compared with the i-th repetition of
// its baseline, and the median of these ratios counts. Record the input in
// rounds, each of which runs every benchmark once (go test -bench . -count 1,
// several times), rather than with -count 10, which runs one benchmark ten
// times before it starts the next: then a machine that is slow for a while
// slows both sides of a ratio.
//
// # Budgets
//
// A line of the budgets file names a benchmark, its baseline, and any number of
// limits:
//
//	BenchmarkSet/telemetry=off  BenchmarkByHand/telemetry=off  time<=2.5x allocs<=0
//	BenchmarkSet/telemetry=on   BenchmarkByHand/telemetry=on   time<=1.15x allocs<=1x
//	BenchmarkSet/telemetry=*    BenchmarkByHand/telemetry=off
//
// A limit that ends in x is a multiple of the baseline, so allocs<=1x means no more
// allocations than the baseline. A plain number is absolute; time has no absolute
// limits. A line without limits only lists. A benchmark may be a pattern in the syntax
// of [path.Match], in which * stands for anything but a slash; a pattern passes over
// benchmarks that an earlier line has listed. Names are written without the GOMAXPROCS
// suffix (-8), and "Benchmark" may be left out. Empty lines, and comments after a #,
// are ignored.
//
// The factor -room (default 1) widens the limits of time, for machines that are
// busy with other work. Allocations do not vary, so their limits are never
// widened.
package main
