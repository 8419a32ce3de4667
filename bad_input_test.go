package tiercache_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// A nil context gets an error, whatever operation it is passed to.
func TestNilContext(t *testing.T) {
	t.Parallel()
	var none context.Context
	load := func(context.Context, string) (string, error) { return "v", nil }
	loadMany := func(context.Context, []string) (map[string]string, error) { return nil, nil } //nolint:nilnil // it is not called
	for name, call := range map[string]func(n node) error{
		"get":           func(n node) error { _, _, err := n.Get(none, "k"); return err },
		"get entry":     func(n node) error { _, _, err := n.GetEntry(none, "k"); return err },
		"get or load":   func(n node) error { _, err := n.GetOrLoad(none, "k", time.Hour, load); return err },
		"set":           func(n node) error { return n.Set(none, "k", "v", time.Hour) },
		"delete":        func(n node) error { return n.Delete(none, "k") },
		"set if absent": func(n node) error { _, _, err := n.SetIfAbsent(none, "k", "v", 0); return err },
		"update": func(n node) error {
			_, err := n.Update(none, "k", 0, func(string, bool) (string, error) { return "v", nil })
			return err
		},
		"delete version":   func(n node) error { return n.DeleteVersion(none, "k", 1) },
		"get many":         func(n node) error { _, err := n.GetMany(none, []string{"k"}); return err },
		"set many":         func(n node) error { return n.SetMany(none, valued([]string{"k"}, "v"), 0) },
		"delete many":      func(n node) error { return n.DeleteMany(none, []string{"k"}) },
		"get or load many": func(n node) error { _, err := n.GetOrLoadMany(none, []string{"k"}, 0, loadMany); return err },
		"repair":           func(n node) error { return n.Repair(none, "k") },
		"backend get":      func(n node) error { _, _, err := n.AsBackend().Get(none, "k"); return err },
		"backend set":      func(n node) error { return n.AsBackend().Set(none, "k", backends.Entry[string]{}) },
		"backend delete":   func(n node) error { return n.AsBackend().Delete(none, "k") },
		"backend stage": func(n node) error {
			_, err := n.AsBackend().(backends.Stager[string]).Stage(none, "k", backends.Entry[string]{})
			return err
		},
		"close": func(n node) error { return n.Close(none) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			require.NoError(t, n.Set(t.Context(), "k", "v", 0))
			err := call(n)
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			assert.ErrorContains(t, err, "the context is nil")
		})
	}
}

// An L1 that ignores contexts does not make a hit of a call without one.
func TestNilContext_CarelessL1(t *testing.T) {
	t.Parallel()
	var none context.Context
	for name, opt := range map[string]tiercache.Option{
		"values": nil, "entries": tiercache.WithStaleIfError(time.Hour),
		"stamps": tiercache.WithCoherence(time.Minute, tiercache.AskL2),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l2 := backendtest.NewStore[string]().Client()
			c, err := tiercache.New("users", careless{backendtest.NewMap[string]()}, l2, opt)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, c.Close(context.WithoutCancel(t.Context()))) })
			if name == "stamps" {
				<-l2.Watched()
				require.True(t, l2.Sync())
			}
			require.NoError(t, c.Set(t.Context(), "k", "v", 0))
			_, ok, err := c.Get(t.Context(), "k")
			require.NoError(t, err)
			require.True(t, ok)
			_, ok, err = c.Get(none, "k")
			require.ErrorIs(t, err, tiercache.ErrInvalid)
			assert.False(t, ok)
		})
	}
}

// careless ignores contexts.
type careless struct{ *backendtest.Map[string] }

func (b careless) Get(_ context.Context, key string) (entry backends.Entry[string], ok bool, err error) {
	return b.Map.Get(context.TODO(), key)
}

func (b careless) GetValue(_ context.Context, key string) (value string, ok bool, err error) {
	return b.Map.GetValue(context.TODO(), key)
}

func (b careless) GetFresh(_ context.Context, key string, epoch uint32) (value string, ok bool, err error) {
	return b.Map.GetFresh(context.TODO(), key, epoch)
}

// The result of a constructor whose error nobody looked at is named. A nil pointer whose
// methods do without a receiver is a backend like any other.
func TestNew_NilPointer(t *testing.T) {
	t.Parallel()
	var none *backendtest.Map[string]
	_, err := tiercache.New[string]("users", none, backendtest.NewMap[string]())
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	require.ErrorContains(t, err, "l1 is a nil *backendtest.Map")
	_, err = tiercache.New[string]("users", backendtest.NewMap[string](), none)
	require.ErrorIs(t, err, tiercache.ErrInvalid)
	require.ErrorContains(t, err, "l2 is a nil *backendtest.Map")

	var empty *nowhere
	c, err := tiercache.New[string]("users", empty, backendtest.NewMap[string]())
	require.NoError(t, err)
	require.NoError(t, c.Close(t.Context()))
}

// nowhere keeps nothing.
type nowhere struct{}

func (*nowhere) Get(context.Context, string) (none backends.Entry[string], ok bool, err error) {
	return none, false, nil
}
func (*nowhere) Set(context.Context, string, backends.Entry[string]) error { return nil }
func (*nowhere) Delete(context.Context, string) error                      { return nil }
