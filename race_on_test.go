//go:build race

package tiercache_test

// raceDetector reports whether the race detector is on.
const raceDetector = true
