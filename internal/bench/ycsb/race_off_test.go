//go:build !race

package ycsb_test

const threads = 4
