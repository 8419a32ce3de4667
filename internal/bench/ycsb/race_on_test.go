//go:build race

package ycsb_test

// threads is 1, because a library that is compared has a data race of its own: jetcache-go
// draws random numbers in its L1 without a lock.
const threads = 1
