package tiercache_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// A reader has read the old value in L2 and is about to store it in L1. A write
// comes and is done before it does, or in the middle of it. L1 must not get the
// old value after it.
func TestRefillDoesNotOverwriteAWrite(t *testing.T) {
	t.Parallel()
	for _, remove := range []bool{false, true} {
		name := map[bool]string{false: "Set", true: "Delete"}[remove]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				f := held(t, tiercache.WithWritePolicy(p))
				gate := backendtest.NewGate()
				f.L2.Next(tier.Get, gate.After())
				read := make(chan string)
				go func() {
					value, _, err := f.Get(t.Context(), "k")
					assert.NoError(t, err)
					read <- value
				}()
				<-gate.Arrived()
				if remove {
					require.NoError(t, f.Delete(t.Context(), "k"))
				} else {
					require.NoError(t, f.Set(t.Context(), "k", "new", 0))
				}
				synctest.Wait() // a policy may answer before it has written both tiers
				gate.Open()
				value := <-read
				if l1, _ := f.Holds("k"); l1 != "" {
					assert.Equal(t, "new", value, "it was overtaken, and whoever comes later finds the new value")
				} else {
					assert.Equal(t, "old", value, "it began before the write")
				}
				require.NoError(t, f.Close(t.Context()))
				l1, l2 := f.Holds("k")
				assert.NotEqual(t, "old", l1)
				assert.NotEqual(t, "old", l2)
			})
		})
	}
}

// The write has begun before the read, and ends between the read of L2 and the
// refill.
func TestRefillDoesNotOverwriteAWriteUnderWay(t *testing.T) {
	t.Parallel()
	for _, heldIn := range []string{"l1", "l2"} {
		t.Run("held in "+heldIn, func(t *testing.T) {
			t.Parallel()
			forEachPolicy(t, func(t *testing.T, p writepolicy.Policy) {
				f := held(t, tiercache.WithWritePolicy(p), tiercache.WithWriteTimeout(time.Hour))
				writing, reading := backendtest.NewGate(), backendtest.NewGate()
				call, faults := tier.Set, f.L2
				if heldIn == "l1" {
					faults = f.L1
					if writepolicy.NameOf(p) == "write_around" {
						call = tier.Delete
					}
				}
				faults.Next(call, writing.Before())
				f.L1.Next(tier.Get, backendtest.Hang()) // as if evicted, whatever was written
				f.L2.Next(tier.Get, reading.After())

				go func() { assert.NoError(t, f.Set(t.Context(), "k", "new", 0)) }()
				<-writing.Arrived()
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					_, _, _ = f.Get(ctx, "k")
				}()
				synctest.Wait()
				cancel() // L1 answers with an error, and L2 is asked
				synctest.Wait()
				writing.Open()
				synctest.Wait()
				reading.Open()
				<-done
				require.NoError(t, f.Close(t.Context()))
				l1, l2 := f.Holds("k")
				assert.NotEqual(t, "old", l1)
				assert.Equal(t, "new", l2)
			})
		})
	}
}
