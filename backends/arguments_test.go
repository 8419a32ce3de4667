package backends_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

func TestRefuseBatches(t *testing.T) {
	t.Parallel()
	var none context.Context
	for name, tc := range map[string]struct {
		ctx            context.Context
		asked, results int
		err            error
	}{
		"nothing":          {t.Context(), 0, 0, nil},
		"equal":            {t.Context(), 2, 2, nil},
		"no results":       {t.Context(), 2, 0, backends.ErrUnequalBatch},
		"too few results":  {t.Context(), 2, 1, backends.ErrUnequalBatch},
		"too many results": {t.Context(), 1, 2, backends.ErrUnequalBatch},
		"a nil context":    {none, 2, 2, backends.ErrNilContext},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, done := make([]backends.Got[string], tc.results), make([]backends.Done, tc.results)
			assert.Equal(t, tc.err != nil, backends.RefuseReads(tc.ctx, make([]string, tc.asked), got))
			assert.Equal(t, tc.err != nil, backends.RefuseWrites(tc.ctx, make([]backends.Write[string], tc.asked), done))
			for i := range tc.results {
				assert.Equal(t, backends.Got[string]{Err: tc.err}, got[i])
				assert.Equal(t, backends.Done{Err: tc.err}, done[i])
			}
		})
	}
}

func TestContextError_Nil(t *testing.T) {
	t.Parallel()
	var none context.Context
	assert.Equal(t, backends.ErrNilContext, backends.ContextError(none))
}

func TestWrite_CheckNil(t *testing.T) {
	t.Parallel()
	var none *backends.Write[string]
	err := none.Check()
	require.EqualError(t, err, "backends: invalid write: it is nil: pass one")
	assert.True(t, backends.CertainlyNotApplied(err))
}

// reckless is a store that cannot bear a nil context.
type reckless struct{}

func (reckless) Get(ctx context.Context, _ string) (entry backends.Entry[[]byte], ok bool, err error) {
	return entry, false, ctx.Err()
}

func (reckless) Set(ctx context.Context, _ string, _ backends.Entry[[]byte]) error { return ctx.Err() }

func (reckless) Delete(ctx context.Context, _ string) error { return ctx.Err() }

// A codec does not pass a nil context on.
func TestCoded_NilContext(t *testing.T) {
	t.Parallel()
	var none context.Context
	coded, err := backends.WithCodec(reckless{}, backends.String())
	require.NoError(t, err)
	_, _, err = coded.Get(none, "k")
	require.ErrorIs(t, err, backends.ErrNilContext)
	require.ErrorIs(t, coded.Set(none, "k", backends.Entry[string]{}), backends.ErrNilContext)
	require.ErrorIs(t, coded.Delete(none, "k"), backends.ErrNilContext)
	_, err = coded.Stage(none, "k", backends.Entry[string]{})
	require.ErrorIs(t, err, backends.ErrNilContext)
	set, err := coded.Stage(t.Context(), "k", backends.Entry[string]{})
	require.NoError(t, err)
	require.NoError(t, set(t.Context()))
	require.ErrorIs(t, set(none), backends.ErrNilContext)
}

// able has all optional interfaces, and must not be called.
type able struct {
	reckless
	backends.Optional[[]byte]
}

func (able) Describe() backends.Description {
	return backends.Description{Abilities: backends.Abilities{
		Versions: true, Deadlines: true, Batches: true, Log: true, Stamps: true, Walks: true,
	}}
}

func (able) Write(context.Context, *backends.Write[[]byte]) (backends.Result, error) { panic("called") }

func (able) GetIf(context.Context, string, backends.Version) (entry backends.Entry[[]byte], answer backends.Answer, err error) {
	panic("called")
}
func (able) GetMany(context.Context, []string, []backends.Got[[]byte]) { panic("called") }

func (able) WriteMany(context.Context, []backends.Write[[]byte], []backends.Done) { panic("called") }

func (able) Watch(context.Context, backends.Sink) error { panic("called") }

func (able) GetStamped(context.Context, string) (entry backends.Entry[[]byte], stamp backends.Stamp, ok bool, err error) {
	panic("called")
}

func (able) SetStamped(context.Context, string, backends.Entry[[]byte], backends.Stamp) error {
	panic("called")
}

func (able) Walk(context.Context, func(string, backends.Stamp) bool) error { panic("called") }

// What no store can serve does not reach the store, also through a codec.
func TestOptional_BadArguments(t *testing.T) {
	t.Parallel()
	coded, err := backends.WithCodec(able{}, backends.Bytes())
	require.NoError(t, err)
	for name, o := range map[string]interface { //nolint:interfacebloat // all that a decorator has
		backends.Versioned[[]byte]
		backends.Batcher[[]byte]
		backends.Stamped[[]byte]
		backends.Walker
		backends.Watcher
	}{"optional": optional{reckless{}, backends.OptionalOf[[]byte](able{})}, "coded": coded} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var none context.Context
			_, err := o.Write(none, &backends.Write[[]byte]{Key: "k", Kind: tier.Set})
			require.ErrorIs(t, err, backends.ErrNilContext)
			_, err = o.Write(t.Context(), nil)
			var invalid *backends.InvalidWriteError
			require.ErrorAs(t, err, &invalid)
			_, _, err = o.GetIf(none, "k", 0)
			require.ErrorIs(t, err, backends.ErrNilContext)
			_, _, _, err = o.GetStamped(none, "k")
			require.ErrorIs(t, err, backends.ErrNilContext)
			require.ErrorIs(t, o.SetStamped(none, "k", backends.Entry[[]byte]{}, backends.Stamp{}), backends.ErrNilContext)
			require.ErrorIs(t, o.Walk(none, nil), backends.ErrNilContext)
			require.ErrorIs(t, o.Watch(none, nil), backends.ErrNilContext)
			require.ErrorIs(t, o.Watch(t.Context(), nil), backends.ErrNilSink)
			for want, ctx := range map[error]context.Context{backends.ErrNilContext: none, backends.ErrUnequalBatch: t.Context()} {
				got, done := make([]backends.Got[[]byte], 1), make([]backends.Done, 1)
				o.GetMany(ctx, []string{"a", "b"}, got)
				o.WriteMany(ctx, make([]backends.Write[[]byte], 2), done)
				require.ErrorIs(t, got[0].Err, want)
				require.ErrorIs(t, done[0].Err, want)
			}
		})
	}
}

// optional is a decorator that passes everything on.
type optional struct {
	backends.Backend[[]byte]
	backends.Optional[[]byte]
}
