//go:build race

package backendtest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
)

// racy counts its writes without a lock.
type racy struct {
	*store
	writes int
}

func (b *racy) Set(ctx context.Context, key string, e entry) error {
	b.writes++
	return b.store.Set(ctx, key, e)
}

func TestSuite_FindsDataRace(t *testing.T) {
	if isChild(t) {
		s := suite(func() backends.Backend[string] { return &racy{store: newStore()} })
		s.Bubble = false
		s.Run(t)
		return
	}
	t.Parallel()
	out := child(t, "TestSuite_FindsDataRace", "concurrent-use", "set-replaces")
	assert.Contains(t, out, "WARNING: DATA RACE")
	assert.Contains(t, out, "--- FAIL: TestSuite_FindsDataRace/concurrent-use")
	assert.Contains(t, out, "--- PASS: TestSuite_FindsDataRace/set-replaces")
}

func TestCodecSuite_FindsDataRace(t *testing.T) {
	if isChild(t) {
		encoded := 0 // without a lock
		codecSuite(of{encode: func(u *user) ([]byte, error) {
			encoded++
			return backends.JSON[*user]().Encode(u)
		}}).Run(t)
		return
	}
	t.Parallel()
	out := child(t, "TestCodecSuite_FindsDataRace", "concurrent-use", "values-come-back-equal")
	assert.Contains(t, out, "WARNING: DATA RACE")
	assert.Contains(t, out, "--- FAIL: TestCodecSuite_FindsDataRace/concurrent-use")
	assert.Contains(t, out, "--- PASS: TestCodecSuite_FindsDataRace/values-come-back-equal")
}
