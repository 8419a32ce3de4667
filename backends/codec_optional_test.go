package backends_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// numbered is a codec with a number.
type numbered struct{ backends.Codec[float64] }

func (numbered) CodecID() uint8 { return 200 }

// newCoded returns a Coded over a store of bytes with versions, and the store.
func newCoded(t *testing.T) (*backends.Coded[float64], *backendtest.Client[[]byte]) {
	t.Helper()
	store := backendtest.NewStore[[]byte]().Client()
	coded, err := backends.WithCodec(store, backends.WithVerify(numbered{backends.JSON[float64]()}, 1, nil))
	require.NoError(t, err)
	return coded, store
}

func TestCoded_WriteAndGetIf(t *testing.T) {
	t.Parallel()
	coded, store := newCoded(t)
	w := backends.Write[float64]{
		Key: "key", Kind: tier.Set, Entry: backends.Entry[float64]{Value: 1.5, ExpiresAt: time.Now().Add(time.Hour)},
		If: backends.Absent(), Source: 3, Before: time.Now().Add(time.Hour), Keep: time.Hour, Operation: 7, Note: []byte("note"),
	}
	made, err := coded.Write(t.Context(), &w)
	require.NoError(t, err)
	require.True(t, made.Applied())
	assert.Zero(t, w.Codec, "w is not changed")

	raw, answer, err := store.GetIf(t.Context(), "key", 0)
	require.NoError(t, err)
	assert.JSONEq(t, "1.5", string(raw.Value))
	assert.Equal(t, w.Entry.ExpiresAt, raw.ExpiresAt)
	want := backends.Answer{Found: backends.Hit, Version: made.Version, Source: 3, Operation: 7, Note: []byte("note"), Codec: 200}
	assert.Equal(t, want, answer)
	entry, answer, err := coded.GetIf(t.Context(), "key", 0)
	require.NoError(t, err)
	assert.Equal(t, w.Entry, entry)
	assert.Equal(t, want, answer)

	entry, answer, err = coded.GetIf(t.Context(), "key", made.Version)
	require.NoError(t, err)
	assert.Zero(t, entry)
	assert.Equal(t, backends.Unchanged, answer.Found)

	refused, err := coded.Write(t.Context(), &w)
	require.NoError(t, err)
	assert.Equal(t, backends.Result{Refused: backends.RefusedCondition, Version: made.Version, Source: 3}, refused)
	late := w
	late.If, late.Before = backends.Always, time.Now().Add(-time.Hour)
	refused, err = coded.Write(t.Context(), &late)
	require.NoError(t, err)
	assert.Equal(t, backends.RefusedLate, refused.Refused)
	w.If, w.Codec = backends.Is(made.Version), 201
	made, err = coded.Write(t.Context(), &w)
	require.NoError(t, err)
	assert.True(t, made.Applied())
	_, answer, _ = store.GetIf(t.Context(), "key", 0)
	assert.Equal(t, uint8(201), answer.Codec, "the write's own number comes first")
}

func TestCoded_Write_Errors(t *testing.T) {
	t.Parallel()
	coded, store := newCoded(t)
	bad := backends.Write[float64]{Key: "key", Kind: tier.Set, Entry: backends.Entry[float64]{Value: math.NaN()}}
	_, err := coded.Write(t.Context(), &bad)
	var encode *backends.EncodeError
	require.ErrorAs(t, err, &encode)
	bad.Kind = tier.Delete
	made, err := coded.Write(t.Context(), &bad)
	require.NoError(t, err, "a Delete encodes nothing")
	assert.True(t, made.Applied())
	bad.Kind = tier.Load
	_, err = coded.Write(t.Context(), &bad)
	var invalid *backends.InvalidWriteError
	require.ErrorAs(t, err, &invalid)

	require.NoError(t, store.Set(t.Context(), "key", backends.Entry[[]byte]{Value: []byte("x")}))
	_, answer, err := coded.GetIf(t.Context(), "key", 0)
	var decode *backends.DecodeError
	require.ErrorAs(t, err, &decode)
	assert.Zero(t, answer)
}

// A value that cannot be encoded, or decoded, fails alone.
func TestCoded_Batches(t *testing.T) {
	t.Parallel()
	coded, store := newCoded(t)
	require.NoError(t, store.Set(t.Context(), "damaged", backends.Entry[[]byte]{Value: []byte("x")}))
	set := func(key string, v float64) backends.Write[float64] {
		return backends.Write[float64]{Key: key, Kind: tier.Set, Entry: backends.Entry[float64]{Value: v}}
	}
	for name, writes := range map[string][]backends.Write[float64]{
		"some": {set("a", 1), set("bad", math.NaN()), {Key: "damaged2", Kind: tier.Delete}, set("b", 2)},
		"none": {set("bad", math.NaN())}, // which the store is not asked for
	} {
		done := make([]backends.Done, len(writes))
		coded.WriteMany(t.Context(), writes, done)
		last := store.Seen("") - 3 // three are made in the first batch
		for i, d := range done {
			if writes[i].Key == "bad" {
				var encode *backends.EncodeError
				require.ErrorAs(t, d.Err, &encode, name)
				continue
			}
			require.NoError(t, d.Err)
			last++
			assert.Equal(t, last, d.Result.Version, "%s: %d", name, i)
		}
		if name == "none" {
			continue
		}
		got := make([]backends.Got[float64], 4)
		coded.GetMany(t.Context(), []string{"b", "damaged", "absent", "a"}, got)
		assert.InDelta(t, 2, got[0].Entry.Value, 0)
		assert.Equal(t, done[3].Result.Version, got[0].Answer.Version)
		var decode *backends.DecodeError
		require.ErrorAs(t, got[1].Err, &decode)
		assert.Zero(t, got[1].Answer)
		assert.Equal(t, backends.Got[float64]{}, got[2])
		assert.InDelta(t, 1, got[3].Entry.Value, 0)
	}
}

// countingSink counts changes.
type countingSink struct{ changes int }

func (s *countingSink) Changed(changes []backends.Change) { s.changes += len(changes) }
func (s *countingSink) Synced(time.Time)                  {}
func (s *countingSink) Lost(backends.Loss)                {}

func TestCoded_Watch(t *testing.T) {
	t.Parallel()
	coded, store := newCoded(t)
	ctx, cancel := context.WithCancel(t.Context())
	sink, done := new(countingSink), make(chan error)
	go func() { done <- coded.Watch(ctx, sink) }()
	<-store.Watched()
	require.NoError(t, coded.Set(t.Context(), "key", backends.Entry[float64]{}))
	assert.Equal(t, store.Seen("key"), coded.Seen("key"))
	assert.NotZero(t, coded.Seen("key"))
	_, _, ok := coded.StoreTime()
	assert.True(t, ok)
	store.Deliver(-1)
	assert.Equal(t, 1, sink.changes)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
}

func TestCoded_Stamps(t *testing.T) {
	t.Parallel()
	store := backendtest.NewMap[[]byte]()
	coded, err := backends.WithCodec(store, backends.JSON[float64]())
	require.NoError(t, err)
	require.NotNil(t, backends.AsStamped[float64](coded))
	stamp := backends.Stamp{Version: 1, Source: 2, Epoch: 3}
	require.NoError(t, coded.SetStamped(t.Context(), "key", backends.Entry[float64]{Value: 1.5}, stamp))
	entry, got, ok, err := coded.GetStamped(t.Context(), "key")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.InDelta(t, 1.5, entry.Value, 0)
	assert.Equal(t, stamp, got)
	var walked []string
	require.NoError(t, coded.Walk(t.Context(), func(key string, s backends.Stamp) bool {
		assert.Equal(t, stamp, s)
		walked = append(walked, key)
		return true
	}))
	assert.Equal(t, []string{"key"}, walked)

	var encode *backends.EncodeError
	require.ErrorAs(t, coded.SetStamped(t.Context(), "key", backends.Entry[float64]{Value: math.NaN()}, stamp), &encode)
	require.NoError(t, store.Set(t.Context(), "key", backends.Entry[[]byte]{Value: []byte("x")}))
	var decode *backends.DecodeError
	_, _, ok, err = coded.GetStamped(t.Context(), "key")
	require.ErrorAs(t, err, &decode)
	assert.False(t, ok)
}

// A decorator has the methods also over a store that cannot serve them.
func TestOptional_OfAPlainBackend(t *testing.T) {
	t.Parallel()
	plain := backendtest.NewMap[[]byte]().Described(backends.Description{})
	coded, err := backends.WithCodec(plain, backends.JSON[float64]())
	require.NoError(t, err)
	assert.Nil(t, backends.AsVersioned[float64](coded))
	assert.Nil(t, backends.AsBatcher[float64](coded))
	assert.Nil(t, backends.AsClocked(coded))
	assert.Nil(t, backends.AsWatcher(coded))
	assert.Nil(t, backends.AsStamped[float64](coded))
	assert.Nil(t, backends.AsWalker(coded))

	ctx := t.Context()
	writes := []backends.Write[float64]{{Key: "key", Kind: tier.Set}, {Key: "key", Kind: tier.Delete}}
	_, writeErr := coded.Write(ctx, &writes[0])
	_, _, getErr := coded.GetIf(ctx, "key", 0)
	got, done := make([]backends.Got[float64], 1), make([]backends.Done, 2)
	coded.GetMany(ctx, []string{"key"}, got)
	coded.WriteMany(ctx, writes, done)
	_, _, _, stampErr := coded.GetStamped(ctx, "key")
	for call, err := range map[string]error{
		"Write": writeErr, "GetIf": getErr, "GetMany": got[0].Err, "WriteMany": done[0].Err, "WriteMany, the second": done[1].Err,
		"GetStamped": stampErr, "SetStamped": coded.SetStamped(ctx, "key", backends.Entry[float64]{}, backends.Stamp{}),
		"Watch": coded.Watch(ctx, nil), "Walk": coded.Walk(ctx, nil),
	} {
		require.ErrorIs(t, err, backends.ErrUnsupported, call)
		assert.True(t, backends.CertainlyNotApplied(err), call)
		assert.True(t, backends.FromHealthyStore(err), call)
	}
	assert.Zero(t, coded.Seen("key"))
	_, _, ok := coded.StoreTime()
	assert.False(t, ok)
	assert.Empty(t, plain.Snapshot())
}
