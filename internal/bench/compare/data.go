package compare

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"time"
)

const (
	keyCount  = 100_000 // keys that L2 has
	hotKeys   = 1 << 10 // keys of the benchmarks that stay within L1
	mixL1     = 10_000  // entries of L1, unless said otherwise
	scanL1    = 1_000   // entries of L1 when every read is to miss it
	callers   = 64      // of one missing key
	ttl       = 24 * time.Hour
	valueSize = 256
)

// value is the value of all keys. It is one slice, so that L2 costs the process little,
// and the garbage collector nothing that would differ between libraries.
var value = bytes.Repeat([]byte("v"), valueSize)

// makeKeys returns the keys, in an order that has nothing to do with how hot
// they are: the first is the hottest.
func makeKeys() []string {
	keys := make([]string, keyCount)
	for i := range keys {
		keys[i] = "user:" + strconv.Itoa(i*7919%keyCount)
	}
	return keys
}

// zipf returns indices of keys as a Zipf distribution with the exponent 1.01
// draws them, so that drawing is not measured. They are the same in every run.
func zipf() []uint32 {
	const draws = 1 << 20
	distribution := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.01, 1, keyCount-1) //nolint:gosec // not a secret
	indices := make([]uint32, draws)
	for i := range indices {
		indices[i] = uint32(distribution.Uint64()) //nolint:gosec // below keyCount
	}
	return indices
}
