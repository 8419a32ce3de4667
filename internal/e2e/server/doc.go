// Package server starts real servers for end-to-end tests and benchmarks, on the
// loopback interface and on ports of their own, and stops them by their process
// ids. A server keeps its files in a folder of its own, which goes with it.
package server
