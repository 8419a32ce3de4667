package repair

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// seedOf is TIERCACHE_SEED, or new at every run.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("TIERCACHE_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err, "TIERCACHE_SEED must be a number")
	}
	t.Logf("TIERCACHE_SEED=%d", seed)
	return seed
}

// lasts is TIERCACHE_CHAOS, for instance 60s.
func lasts(t *testing.T, otherwise time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv("TIERCACHE_CHAOS")
	if text == "" {
		return otherwise
	}
	d, err := time.ParseDuration(text)
	require.NoError(t, err, "TIERCACHE_CHAOS must be a duration")
	return d
}

// room is added to limits of time, for a machine that is busy, or a program that the race
// detector makes slow.
func room(d time.Duration) time.Duration {
	if os.Getenv("TIERCACHE_NIGHTLY") != "" && slowness == 1 {
		return 0
	}
	return slowness * d
}

// report logs figures, and adds them to the file TIERCACHE_REPORT, which is printed also
// when the test passes.
func report(t *testing.T, format string, args ...any) {
	t.Helper()
	text := fmt.Sprintf(format, args...)
	t.Log(text)
	path := os.Getenv("TIERCACHE_REPORT")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if !assert.NoError(t, err) {
		return
	}
	_, err = fmt.Fprintf(f, "%s: %s\n", t.Name(), text)
	assert.NoError(t, err)
	assert.NoError(t, f.Close())
}
