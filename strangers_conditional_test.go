package tiercache_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// Operations in which L2 decides.
const (
	opSetIfAbsent   = "set if absent"
	opRefused       = "set if absent, refused"
	opUpdate        = "update"
	opDeleteVersion = "delete version"
	opSourced       = "set with source"
	opSourcedMany   = "set with source, many"
	opLoaded        = "conditional load"
	opRefreshed     = "conditional load, to refresh"
)

// conditionalOperations are those in which L2 decides.
func conditionalOperations() []operation {
	ops := []operation{
		{name: opSetIfAbsent, run: func(s *scenario, ctx context.Context) error {
			_, _, err := s.SetIfAbsent(ctx, secretKey, "value", time.Hour)
			return err
		}},
		{name: opRefused, inL1: true, inL2: true, run: func(s *scenario, ctx context.Context) error {
			_, _, err := s.SetIfAbsent(ctx, secretKey, "value", time.Hour)
			return err
		}},
		{name: opUpdate, inL1: true, inL2: true, run: func(s *scenario, ctx context.Context) error {
			_, err := s.Update(ctx, secretKey, time.Hour, s.change)
			return err
		}},
		{name: opDeleteVersion, inL1: true, inL2: true, run: func(s *scenario, ctx context.Context) error {
			return s.DeleteVersion(ctx, secretKey, 1)
		}},
		{name: opSourced, sourced: true, inL1: true, inL2: true, run: func(s *scenario, ctx context.Context) error {
			return s.Set(ctx, secretKey, "value", time.Hour)
		}},
		{name: opSourcedMany, many: true, sourced: true, inL1: true, inL2: true, run: func(s *scenario, ctx context.Context) error {
			return s.SetMany(ctx, maps.All(map[string]string{secretKey: "value", secretKey + ":2": "value"}), time.Hour)
		}},
		{name: opLoaded, loads: true, run: func(s *scenario, ctx context.Context) error {
			_, err := s.GetOrLoad(ctx, secretKey, time.Hour, s.load)
			return err
		}},
		{name: opRefreshed, loads: true, inL1: true, inL2: true, run: func(s *scenario, ctx context.Context) error {
			_, err := s.GetOrLoad(ctx, secretKey, time.Hour, s.load, tiercache.Refresh())
			return err
		}},
	}
	for i := range ops {
		ops[i].decided, ops[i].writes, ops[i].ttl = true, true, time.Hour
	}
	return ops
}

// conditionalActors are those that are called in no other operation.
func conditionalActors() []actor {
	var all, stored []string
	for _, op := range conditionalOperations() {
		all = append(all, op.name)
		if op.name != opDeleteVersion {
			stored = append(stored, op.name)
		}
	}
	sourced := []string{opSourced, opSourcedMany}
	loads := []string{opLoaded, opRefreshed}
	read := append([]string{opRefused, opUpdate}, loads...)
	return []actor{
		{name: "l2 Write", place: "l2 write", ops: all, errors: true, context: true, writes: true},
		{name: "l2 Write, applied", place: "l2 write, applied", ops: all, errors: true, context: true, writes: true},
		{name: "l2 GetIf", place: "l2 get if", ops: read, errors: true, context: true},
		{name: "l1 Set after l2", place: "l1 set", ops: stored, errors: true, context: true, writes: true},
		{name: "l1 Set after l2, applied", place: "l1 set, applied", ops: stored, errors: true, context: true, writes: true},
		{name: "l1 Delete after l2", place: "l1 delete", ops: []string{opRefused, opDeleteVersion}, errors: true, context: true, writes: true},
		{name: "l1 Get before l2", place: "l1 get", ops: sourced, errors: true, context: true},
		{name: "Encode for l2", place: "codec encode", ops: stored, errors: true, writes: true},
		{name: "Decode of l2", place: "codec decode", ops: []string{opRefused, opUpdate, opRefreshed}, errors: true},
		{name: "loader of a conditional load", place: "loader", ops: loads, errors: true, context: true},
		{name: "function of Update", place: "change", ops: []string{opUpdate}, errors: true},
		{name: "function of WithSourceVersion", place: "source", ops: sourced},
	}
}

func (s *scenario) change(string, bool) (string, error) {
	return "value", s.at(nil, "change") //nolint:staticcheck // it has no context
}

func (s *scenario) source(string) uint64 {
	_ = s.at(nil, "source") //nolint:staticcheck // it has no context
	return 1
}

// strangeStore is an L2 that decides.
type strangeStore struct {
	*backendtest.Client[string]
	s *scenario
}

func (t *strangeStore) Write(ctx context.Context, w *backends.Write[string]) (res backends.Result, err error) {
	if err := t.s.at(ctx, "l2 write"); err != nil {
		return res, err
	}
	if err := t.s.down(); err != nil {
		return res, err
	}
	if res, err = t.Client.Write(ctx, w); err != nil {
		return res, err
	}
	return res, t.s.at(ctx, "l2 write, applied")
}

func (t *strangeStore) WriteMany(ctx context.Context, writes []backends.Write[string], done []backends.Done) {
	for i := range writes {
		done[i].Result, done[i].Err = t.Write(ctx, &writes[i])
	}
}

func (t *strangeStore) GetIf(ctx context.Context, key string, have backends.Version) (entry backends.Entry[string], answer backends.Answer, err error) {
	if err := t.s.at(ctx, "l2 get if"); err != nil {
		return entry, answer, err
	}
	return t.Client.GetIf(ctx, key, have)
}

// byteStore is a strangeStore of bytes.
type byteStore struct{ *strangeStore }

var _ backends.Versioned[[]byte] = byteStore{}

func (t byteStore) Get(ctx context.Context, key string) (entry backends.Entry[[]byte], ok bool, err error) {
	entry, answer, err := t.GetIf(ctx, key, 0)
	return entry, answer.Found == backends.Hit, err
}

func (t byteStore) Set(ctx context.Context, key string, entry backends.Entry[[]byte]) error {
	_, err := t.Write(ctx, &backends.Write[[]byte]{Key: key, Kind: tier.Set, Entry: entry})
	return err
}

func (t byteStore) Write(ctx context.Context, w *backends.Write[[]byte]) (backends.Result, error) {
	return t.strangeStore.Write(ctx, &backends.Write[string]{
		Key: w.Key, Kind: w.Kind, If: w.If, Source: w.Source, Before: w.Before, Keep: w.Keep,
		Entry: backends.Entry[string]{Value: string(w.Entry.Value), ExpiresAt: w.Entry.ExpiresAt},
	})
}

func (t byteStore) WriteMany(ctx context.Context, writes []backends.Write[[]byte], done []backends.Done) {
	for i := range writes {
		done[i].Result, done[i].Err = t.Write(ctx, &writes[i])
	}
}

func (t byteStore) GetIf(ctx context.Context, key string, have backends.Version) (backends.Entry[[]byte], backends.Answer, error) {
	e, answer, err := t.strangeStore.GetIf(ctx, key, have)
	return backends.Entry[[]byte]{Value: []byte(e.Value), ExpiresAt: e.ExpiresAt}, answer, err
}

func (t byteStore) GetMany(ctx context.Context, keys []string, got []backends.Got[[]byte]) {
	for i, key := range keys {
		got[i].Entry, got[i].Answer, got[i].Err = t.GetIf(ctx, key, 0)
	}
}

// decidingL2 is the L2 of an operation in which L2 decides.
func (s *scenario) decidingL2(t *testing.T) backends.Backend[string] {
	t.Helper()
	store := backendtest.NewStore[string]()
	s.stored2 = store.Snapshot
	l2 := &strangeStore{store.Client(), s}
	s.fill2 = l2.Set
	if s.actor.place != "codec encode" && s.actor.place != "codec decode" {
		return l2
	}
	coded, err := backends.WithCodec(byteStore{l2}, backends.Codec[string](strangeCodec{s}))
	require.NoError(t, err)
	return coded
}

func (s *scenario) decidedOptions() []tiercache.Option {
	switch {
	case s.op.sourced:
		return []tiercache.Option{tiercache.WithSourceVersion(s.source)}
	case s.op.loads:
		return []tiercache.Option{tiercache.WithConditionalLoads()}
	default:
		return nil
	}
}

// checkDecidedEnd: the caller gets an error exactly when L2, the codec or the caller's own
// function has failed, or the copy in L1 that has to go may be there.
func (s *scenario) checkDecidedEnd(t *testing.T, got outcome) {
	t.Helper()
	failed := got.err != nil || got.exited
	switch {
	case s.misconduct.kind == reenters || s.actor.l2Down:
	case s.op.loads && s.actor.place == "loader":
		assert.True(t, failed)
	case s.op.loads && s.misconduct.kind != exits && s.misconduct.kind != hangs:
		assert.False(t, failed, "the loader has made good for the tiers: %v", got.err)
	case s.op.loads: // where a call ends or never does, the caller may have left
	case s.actor.telemetry:
		assert.True(t, !failed || s.misconduct.kind == exits, "it has no part in the result: %v", got.err)
	case s.actor.place == "l1 set", s.actor.place == "l1 set, applied":
		assert.Equal(t, got.exited, failed, "L2 has decided: %v", got.err)
	case s.actor.place == "l1 get":
		ended := s.misconduct.kind == exits || s.misconduct.kind == hangs
		assert.Equal(t, ended, failed, "L2 is asked whatever L1 says: %v", got.err)
	default:
		assert.True(t, failed)
	}
}
