package backends_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
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
