package backendtest_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// sink takes down the calls that it gets.
type sink struct{ told []string }

func (s *sink) Changed(changes []backends.Change) {
	text := "changed"
	for _, c := range changes {
		text += " " + c.Key
	}
	s.told = append(s.told, text)
}

func (s *sink) Synced(time.Time)         { s.told = append(s.told, "synced") }
func (s *sink) Lost(cause backends.Loss) { s.told = append(s.told, "lost: "+cause.String()) }

// take returns the calls since the last take.
func (s *sink) take() []string {
	told := s.told
	s.told = nil
	return told
}

// watch lets a sink watch c until the test ends.
func watch(t *testing.T, c *client, s backends.Sink) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.Watch(t.Context(), s) }()
	<-c.Watched()
	t.Cleanup(func() { assert.ErrorIs(t, <-done, context.Canceled) })
}

func TestClient_Deliver(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c, other, told := s.Client(), s.Client(), new(sink)
	put(t, other, set("before", "1"))
	assert.Zero(t, c.Deliver(-1), "nobody watches")
	assert.False(t, c.Sync())
	watch(t, c, told)
	for _, key := range []string{"a", "b", "c", "d"} {
		put(t, other, set(key, "2"))
	}
	assert.Empty(t, told.take(), "nothing happens by itself")
	assert.Equal(t, 4, c.Pending())
	assert.Equal(t, 1, c.Deliver(1))
	assert.Equal(t, []string{"changed a"}, told.take())
	assert.False(t, c.Heartbeat(), "there is more")
	assert.Empty(t, told.take())
	assert.Equal(t, 2, c.Deliver(2))
	assert.Equal(t, []string{"changed b c"}, told.take())
	assert.True(t, c.Sync())
	assert.Equal(t, []string{"changed d", "synced"}, told.take())
	assert.Zero(t, c.Deliver(-1))
	assert.Empty(t, told.take())
}

// keeper keeps what it must not keep.
type keeper struct {
	sink
	seen, kept []backends.Change
}

func (k *keeper) Changed(changes []backends.Change) {
	k.kept = changes
	for _, c := range changes {
		c.Note = slices.Clone(c.Note)
		k.seen = append(k.seen, c)
	}
}

func TestClient_Deliver_Change(t *testing.T) {
	t.Parallel()
	c, told := newClient(), new(keeper)
	watch(t, c, told)
	w := set("key", "value")
	w.Operation, w.Note = 7, []byte("note")
	v := put(t, c, w)
	c.Deliver(-1)
	require.Len(t, told.seen, 1)
	assert.False(t, told.seen[0].At.IsZero())
	told.seen[0].At = time.Time{}
	assert.Equal(t, backends.Change{Key: "key", Kind: tier.Set, Version: v, Operation: 7, Note: []byte("note")}, told.seen[0])
	assert.Zero(t, told.kept[0], "it must not be kept")
}

// Each cause is found by delivering and by a heartbeat, is told once, and reading then
// goes on at the end of the log.
func TestClient_Losses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lose  func(s *backendtest.Store[string])
		cause backends.Loss
	}{
		"trimmed":     {func(s *backendtest.Store[string]) { s.Trim(1) }, backends.LossTrimmed},
		"failed over": {func(s *backendtest.Store[string]) { s.Failover() }, backends.LossServerChanged},
		"failed over to one that lagged": {func(s *backendtest.Store[string]) {
			s.LoseTail(2)
			s.Failover()
		}, backends.LossServerChanged},
		"log deleted": {func(s *backendtest.Store[string]) { s.DeleteLog() }, backends.LossLogReplaced},
		"flushed":     {func(s *backendtest.Store[string]) { s.Flush() }, backends.LossLogReplaced},
	} {
		for way, find := range map[string]func(c *client){
			"delivering": func(c *client) { c.Deliver(-1) },
			"heartbeat":  func(c *client) { c.Heartbeat() },
		} {
			t.Run(name+", "+way, func(t *testing.T) {
				t.Parallel()
				s := backendtest.NewStore[string]()
				c, other, told := s.Client(), s.Client(), new(sink)
				watch(t, c, told)
				for _, key := range []string{"a", "b"} {
					put(t, other, set(key, "1"))
				}
				tc.lose(s)
				find(c)
				assert.Equal(t, []string{"lost: " + tc.cause.String()}, told.take())
				assert.True(t, c.Sync())
				put(t, other, set("c", "2"))
				assert.True(t, c.Sync())
				assert.Equal(t, []string{"synced", "changed c", "synced"}, told.take())
			})
		}
	}
}

// A log that is older than an answer of the store shows it at the heartbeat alone.
func TestClient_Losses_Behind(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c, told := s.Client(), new(sink)
	watch(t, c, told)
	v := put(t, c, set("a", "1"))
	assert.Equal(t, v, c.Seen("a"))
	s.LoseTail(1)
	assert.Zero(t, c.Deliver(-1))
	assert.Empty(t, told.take())
	assert.True(t, c.Sync())
	assert.Equal(t, []string{"lost: behind", "synced"}, told.take())
}

func TestClient_Disconnect(t *testing.T) {
	t.Parallel()
	s := backendtest.NewStore[string]()
	c, told := s.Client(), new(sink)
	watch(t, c, told)
	c.Disconnect()
	put(t, c, set("a", "1"))
	assert.False(t, c.Sync())
	assert.Empty(t, told.take())
	c.Lose(backends.LossDisconnected)
	assert.Equal(t, []string{"lost: disconnected"}, told.take())
	put(t, c, set("b", "2"))
	c.Reconnect()
	assert.True(t, c.Sync())
	assert.Equal(t, []string{"changed b", "synced"}, told.take(), "reading goes on where it was")
}

func TestClient_Watch_WhileDisconnected(t *testing.T) {
	t.Parallel()
	c, told := newClient(), new(sink)
	c.Disconnect()
	watch(t, c, told)
	put(t, c, set("a", "1"))
	c.Reconnect()
	put(t, c, set("b", "2"))
	assert.True(t, c.Sync())
	assert.Equal(t, []string{"changed b", "synced"}, told.take())
}

func TestClient_Watch_SeveralSinks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, first, second := newClient(), new(sink), new(sink)
		watch(t, c, first)
		put(t, c, set("a", "1"))
		c.Deliver(-1)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Watch(ctx, second) }()
		synctest.Wait()
		put(t, c, set("b", "2"))
		assert.True(t, c.Sync())
		assert.Equal(t, []string{"changed b", "synced"}, second.take(), "from its beginning on")
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		put(t, c, set("c", "3"))
		assert.True(t, c.Sync())
		assert.Empty(t, second.take(), "it has left")
		assert.Equal(t, []string{"changed a", "changed b", "synced", "changed c", "synced"}, first.take())
	})
}

func TestClient_DenyWatch(t *testing.T) {
	t.Parallel()
	c := newClient()
	c.DenyWatch()
	require.ErrorIs(t, c.Watch(t.Context(), new(sink)), backends.ErrUnsupported)
}
