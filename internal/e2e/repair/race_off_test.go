//go:build !race

package repair

const slowness = 1
