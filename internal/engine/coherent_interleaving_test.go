package engine_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// replace writes a value in another process, and tells this one of it.
func replace(t *testing.T, here, there *instance) {
	t.Helper()
	there.set(t, "new")
	require.True(t, here.client.Sync())
}

// A change of another process that is told in the middle of something. Afterwards no hit
// in L1 shows what it has replaced.
func TestCoherence_Interleavings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		opts  []tiercache.Option
		run   func(t *testing.T, s *store, here, there *instance)
		reads []string // afterwards
	}{
		"during a refill, before L1 is written": {nil, func(t *testing.T, _ *store, here, there *instance) {
			there.set(t, "old")
			require.True(t, here.client.Sync())
			gate := backendtest.NewGate()
			here.l1.Next(tier.Set, gate.Before())
			during(t, gate, func() { assert.Equal(t, "old (l2)", here.read(t)) }, func() {
				there.set(t, "new")
				here.client.Deliver(-1)
				here.client.Heartbeat()
			})
		}, []string{"new (l2)", "new (l1)"}},
		"during a refill, after L1 was written": {nil, func(t *testing.T, _ *store, here, there *instance) {
			there.set(t, "old")
			require.True(t, here.client.Sync())
			gate := backendtest.NewGate()
			here.l1.Next(tier.Set, gate.After())
			during(t, gate, func() { assert.Equal(t, "old (l2)", here.read(t)) }, func() {
				there.set(t, "new")
				here.client.Deliver(-1)
				hit := func() bool {
					_, ok, err := here.GetEntry(t.Context(), "k", tiercache.SkipL2())
					require.NoError(t, err)
					return ok
				}
				assert.True(t, hit(), "within the bound")
				time.Sleep(bound + time.Nanosecond)
				here.client.Heartbeat()
				assert.False(t, hit(), "nothing is in sync while the refill is under way")
			})
		}, []string{"new (l2)", "new (l1)"}},
		"between L2's answer and the refill": {nil, func(t *testing.T, _ *store, here, there *instance) {
			there.set(t, "old")
			require.True(t, here.client.Sync())
			gate := backendtest.NewGate()
			here.l2.Next(tier.Get, gate.After())
			during(t, gate, func() { assert.Equal(t, "old (l2)", here.read(t)) }, func() { replace(t, here, there) })
		}, []string{"new (l2)", "new (l1)"}},
		"during a write that L2 orders later": {nil, func(t *testing.T, _ *store, here, there *instance) {
			gate := backendtest.NewGate()
			here.l2.Next(tier.Set, gate.Before())
			during(t, gate, func() { here.set(t, "newest") }, func() {
				replace(t, here, there)
				assert.Equal(t, "new (l2)", here.read(t), "what L1 has is not decided")
			})
		}, []string{"newest (l1)"}},
		"during a write that L2 orders earlier": {nil, func(t *testing.T, _ *store, here, there *instance) {
			gate := backendtest.NewGate()
			here.l2.Next(tier.Set, gate.After())
			during(t, gate, func() { here.set(t, "old") }, func() {
				replace(t, here, there)
				assert.Equal(t, "new (l2)", here.read(t))
			})
		}, []string{"new (l2)", "new (l1)"}},
		"during a write of L2 first": {
			[]tiercache.Option{tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First))},
			func(t *testing.T, _ *store, here, there *instance) {
				here.set(t, "older")
				gate := backendtest.NewGate()
				here.l2.Next(tier.Set, gate.After())
				during(t, gate, func() { here.set(t, "old") }, func() {
					replace(t, here, there)
					assert.Equal(t, "new (l2)", here.read(t), "L1 had what was replaced, and the write is slow")
				})
			},
			[]string{"new (l2)", "new (l1)"},
		},
		"during a write that L2 refuses": {nil, func(t *testing.T, _ *store, here, there *instance) {
			gate := backendtest.NewGate()
			here.l2.Next(tier.Set, backendtest.Chain(gate.Before(), backendtest.FailBefore(errDown)))
			during(t, gate, func() { require.Error(t, here.Set(t.Context(), "k", "refused", 0)) },
				func() { replace(t, here, there) })
		}, []string{"new (l2)", "new (l1)"}},
		"none, and L2 refuses a write": {nil, func(t *testing.T, _ *store, here, there *instance) {
			there.set(t, "new")
			here.l2.Next(tier.Set, backendtest.FailBefore(errDown))
			require.Error(t, here.Set(t.Context(), "k", "refused", 0))
			assert.Zero(t, here.stamp(t).Version)
		}, []string{"new (l2)", "new (l1)"}},
		"while an answer is lost": {nil, func(t *testing.T, _ *store, here, _ *instance) {
			here.l2.Next(tier.Set, backendtest.ApplyThenFail(context.DeadlineExceeded))
			require.Error(t, here.Set(t.Context(), "k", "v", 0))
			require.True(t, here.client.Sync())
			assert.Equal(t, "v (l2)", here.read(t))
			assert.Equal(t, "v (l2)", here.read(t), "another request may still arrive")
			time.Sleep(2 * tiercache.DefaultWriteTimeout)
			require.True(t, here.client.Sync())
		}, []string{"v (l2)", "v (l1)"}},
		"during a load": {nil, func(t *testing.T, _ *store, here, there *instance) {
			gate := backendtest.NewGate()
			load := func() {
				value, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
					return "loaded", gate.Before()(ctx, func(context.Context) error { return nil })
				})
				assert.NoError(t, err)
				assert.Equal(t, "loaded", value)
			}
			during(t, gate, load, func() {
				replace(t, here, there)
				value, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) { return "again", nil })
				require.NoError(t, err)
				assert.Equal(t, "new", value, "it does not join the load that began before")
			})
		}, []string{"new (l1)"}},
		"a deletion during a load": {nil, func(t *testing.T, s *store, here, there *instance) {
			gate := backendtest.NewGate()
			load := func() {
				value, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
					return "old row", gate.Before()(ctx, func(context.Context) error { return nil })
				})
				assert.NoError(t, err)
				assert.Equal(t, "old row", value)
			}
			during(t, gate, load, func() {
				require.NoError(t, there.Delete(t.Context(), "k"))
				require.True(t, here.client.Sync())
			})
			assert.Empty(t, s.Snapshot(), "the message of the deletion fences the load off")
		}, []string{"none", "none"}},
		"of a key that was not found": {[]tiercache.Option{tiercache.WithNegativeTTL(time.Hour)}, func(t *testing.T, _ *store, here, there *instance) {
			none := func(context.Context, string) (string, error) { return "", backends.ErrNotFound }
			_, err := here.GetOrLoad(t.Context(), "k", time.Hour, none)
			require.ErrorIs(t, err, backends.ErrNotFound)
			replace(t, here, there)
			value, err := here.GetOrLoad(t.Context(), "k", time.Hour, none)
			require.NoError(t, err)
			assert.Equal(t, "new", value)
		}, []string{"new (l1)"}},
		"while a key is not found": {[]tiercache.Option{tiercache.WithNegativeTTL(time.Hour)}, func(t *testing.T, _ *store, here, there *instance) {
			gate := backendtest.NewGate()
			during(t, gate, func() {
				_, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) (string, error) {
					_ = gate.Before()(ctx, func(context.Context) error { return nil })
					return "", backends.ErrNotFound
				})
				assert.ErrorIs(t, err, backends.ErrNotFound)
			}, func() { replace(t, here, there) })
			value, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(context.Context, string) (string, error) { return "again", nil })
			require.NoError(t, err)
			assert.Equal(t, "new", value)
		}, []string{"new (l1)"}},
		"while a suspect entry is compared with L2": {nil, func(t *testing.T, s *store, here, there *instance) {
			there.set(t, "old")
			require.True(t, here.client.Sync())
			here.read(t)
			s.Trim(0)
			there.set(t, "old")
			s.Trim(0)
			require.True(t, here.client.Sync())
			gate := backendtest.NewGate()
			here.l2.Next(tier.Get, gate.After())
			during(t, gate, func() { assert.Equal(t, "old (l2)", here.read(t)) }, func() { replace(t, here, there) })
		}, []string{"new (l2)", "new (l1)"}},
		"of an expired copy": {[]tiercache.Option{tiercache.WithStaleIfError(time.Hour)}, func(t *testing.T, _ *store, here, there *instance) {
			require.NoError(t, here.Set(t.Context(), "k", "old", time.Second))
			time.Sleep(2 * time.Second)
			require.NoError(t, there.Delete(t.Context(), "k"))
			require.True(t, here.client.Sync())
			here.l2.Next(tier.Get, backendtest.FailBefore(errDown))
		}, []string{"error", "none"}},
		"lost while a read is under way": {nil, func(t *testing.T, s *store, here, there *instance) {
			there.set(t, "old")
			require.True(t, here.client.Sync())
			gate := backendtest.NewGate()
			here.l2.Next(tier.Get, gate.After())
			during(t, gate, func() { assert.Equal(t, "old (l2)", here.read(t)) }, func() {
				there.set(t, "new")
				s.Trim(0)
				require.True(t, here.client.Sync())
			})
		}, []string{"new (l2)", "new (l1)"}},
		"lost while a write is under way": {nil, func(t *testing.T, s *store, here, there *instance) {
			gate := backendtest.NewGate()
			here.l2.Next(tier.Set, gate.After())
			during(t, gate, func() { here.set(t, "old") }, func() {
				there.set(t, "new")
				s.Trim(0)
				require.True(t, here.client.Sync())
			})
		}, []string{"new (l2)", "new (l1)"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			two(t, func(t *testing.T, s *store, here, there *instance) {
				test.run(t, s, here, there)
				here.client.Sync()
				synctest.Wait()
				for _, want := range test.reads {
					assert.Equal(t, want, here.read(t))
				}
			}, test.opts...)
		})
	}
}

// during makes a call that stops at the gate, and does something meanwhile.
func during(t *testing.T, gate *backendtest.Gate, call, meanwhile func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call()
	}()
	<-gate.Arrived()
	meanwhile()
	gate.Open()
	<-done
	synctest.Wait()
}
