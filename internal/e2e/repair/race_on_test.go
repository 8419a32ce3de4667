//go:build race

package repair

// slowness is by how much the race detector slows the tests down.
const slowness = 4
