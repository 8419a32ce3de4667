package backends_test

import (
	"errors"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

type product struct {
	Name  string
	Price int `json:"price,omitempty"`
}

func roundTrip[V any](t *testing.T, codec backends.Codec[V], value V) {
	t.Helper()
	coded, err := backends.WithCodec(backendtest.NewMap[[]byte](), codec)
	require.NoError(t, err)
	want := backends.Entry[V]{Value: value, ExpiresAt: time.Now().Add(time.Hour)}
	require.NoError(t, coded.Set(t.Context(), "key", want))
	got, ok, err := coded.Get(t.Context(), "key")
	require.NoError(t, err)
	require.True(t, ok)
	assert.Equal(t, want, got)
}

func TestCodecs_RoundTrip(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "text", "\x00", "\xff not UTF-8", "“é”"} {
		roundTrip(t, backends.String(), s)
		roundTrip(t, backends.Bytes(), []byte(s))
	}
	roundTrip(t, backends.Bytes(), nil)
	roundTrip(t, backends.JSON[product](), product{Name: "lamp", Price: 7})
	roundTrip(t, backends.JSON[*product](), &product{Name: "lamp"})
	roundTrip(t, backends.JSON[*product](), nil)
	roundTrip(t, backends.JSON[[]string](), []string{"a", "b"})
	roundTrip(t, backends.JSON[map[string]int](), map[string]int{"a": 1})
}

func TestCodecs_Bytes(t *testing.T) {
	t.Parallel()
	data, err := backends.JSON[product]().Encode(product{Name: "lamp"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Name":"lamp"}`, string(data))

	data, err = backends.String().Encode("\xff")
	require.NoError(t, err)
	assert.Equal(t, []byte{0xff}, data)

	value := []byte("value")
	data, err = backends.Bytes().Encode(value)
	require.NoError(t, err)
	assert.Same(t, &value[0], &data[0], "it copies nothing")
}

func TestWithCodec_NilArguments(t *testing.T) {
	t.Parallel()
	coded, err := backends.WithCodec(nil, backends.String())
	require.ErrorIs(t, err, backends.ErrNilBackend)
	assert.Nil(t, coded)
	coded, err = backends.WithCodec[string](backendtest.NewMap[[]byte](), nil)
	require.ErrorIs(t, err, backends.ErrNilCodec)
	assert.Nil(t, coded)
}

func TestWithCodec_Conforms(t *testing.T) {
	t.Parallel()
	for name, store := range map[string]func() backends.Backend[[]byte]{
		"over a plain store": func() backends.Backend[[]byte] { return backendtest.NewMap[[]byte]() },
		"over a Stager": func() backends.Backend[[]byte] {
			return backendtest.WithFaults(backendtest.NewMap[[]byte]())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backendtest.Suite[string]{
				New: func(t *testing.T) backends.Backend[string] {
					t.Helper()
					coded, err := backends.WithCodec(store(), backends.String())
					require.NoError(t, err)
					return coded
				},
				Value:  strconv.Itoa,
				Bubble: true,
			}.Run(t)
		})
	}
}

const secret = "hunter2"

// secretive is an error that quotes the value.
type secretive struct{}

func (secretive) Error() string { return "cannot handle " + secret }

// failing is a codec that fails.
type failing struct{}

func (failing) Encode(string) ([]byte, error) { return nil, secretive{} }
func (failing) Decode([]byte) (string, error) { return secret, secretive{} }

func TestWithCodec_EncodeError(t *testing.T) {
	t.Parallel()
	store := backendtest.WithFaults(backendtest.NewMap[[]byte]())
	coded, err := backends.WithCodec(store, failing{})
	require.NoError(t, err)

	setErr := coded.Set(t.Context(), "key", backends.Entry[string]{Value: secret})
	staged, stageErr := coded.Stage(t.Context(), "key", backends.Entry[string]{Value: secret})
	assert.Nil(t, staged)
	for _, err := range []error{setErr, stageErr} {
		var encodeErr *backends.EncodeError
		require.ErrorAs(t, err, &encodeErr)
		assert.Equal(t, secretive{}, encodeErr.Err)
		require.ErrorIs(t, err, secretive{})
		require.EqualError(t, err, "backends: the value cannot be encoded (backends_test.secretive)")
		assert.Equal(t, "encode", encodeErr.ErrorType())
		assert.True(t, backends.CertainlyNotApplied(err))
	}
	assert.Zero(t, store.Calls(tier.Set)+store.Calls(tier.Stage), "the store was not called")
}

func TestWithCodec_DecodeError(t *testing.T) {
	t.Parallel()
	store := backendtest.NewMap[[]byte]()
	coded, err := backends.WithCodec(store, failing{})
	require.NoError(t, err)
	require.NoError(t, store.Set(t.Context(), "key", backends.Entry[[]byte]{Value: []byte(secret)}))

	entry, ok, err := coded.Get(t.Context(), "key")
	assert.Zero(t, entry)
	assert.False(t, ok)
	var decodeErr *backends.DecodeError
	require.ErrorAs(t, err, &decodeErr)
	require.ErrorIs(t, err, secretive{})
	require.EqualError(t, err, "backends: the stored bytes cannot be decoded (backends_test.secretive)")
	assert.Equal(t, "decode", decodeErr.ErrorType())
}

func TestJSON_Errors(t *testing.T) {
	t.Parallel()
	numbers, err := backends.WithCodec(backendtest.NewMap[[]byte](), backends.JSON[float64]())
	require.NoError(t, err)
	err = numbers.Set(t.Context(), "key", backends.Entry[float64]{Value: math.Inf(1)})
	require.EqualError(t, err, "backends: the value cannot be encoded: json: a float64 is not a finite number")

	store := backendtest.NewMap[[]byte]()
	products, err := backends.WithCodec(store, backends.JSON[product]())
	require.NoError(t, err)
	for _, data := range []string{secret, `{"Name":"` + secret, `{"Name":1}`, `"` + secret + `"`, ""} {
		require.NoError(t, store.Set(t.Context(), "key", backends.Entry[[]byte]{Value: []byte(data)}))
		_, ok, err := products.Get(t.Context(), "key")
		assert.False(t, ok)
		var decodeErr *backends.DecodeError
		require.ErrorAs(t, err, &decodeErr)
		assert.NotContains(t, err.Error(), secret)
	}
}

func TestWithCodec_PassesStoreErrorsOn(t *testing.T) {
	t.Parallel()
	store := backendtest.WithFaults(backendtest.NewMap[[]byte]())
	coded, err := backends.WithCodec(store, backends.String())
	require.NoError(t, err)
	down := errors.New("down")
	for _, call := range []tier.Kind{tier.Get, tier.Set, tier.Delete, tier.Stage} {
		store.Always(call, backendtest.Lose(down))
	}
	_, ok, err := coded.Get(t.Context(), "key")
	assert.False(t, ok)
	assert.Equal(t, down, err)
	assert.Equal(t, down, coded.Set(t.Context(), "key", backends.Entry[string]{}))
	assert.Equal(t, down, coded.Delete(t.Context(), "key"))
	_, err = coded.Stage(t.Context(), "key", backends.Entry[string]{})
	assert.Equal(t, down, err)
}

// plain hides all but the three methods.
type plain struct{ backends.Backend[[]byte] }

func TestWithCodec_Stage(t *testing.T) {
	t.Parallel()
	for name, hide := range map[string]bool{"a Stager": false, "not a Stager": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inner := backendtest.NewMap[[]byte]()
			faults := backendtest.WithFaults(inner)
			var store backends.Backend[[]byte] = faults
			if hide {
				store = plain{faults}
			}
			coded, err := backends.WithCodec(store, backends.String())
			require.NoError(t, err)

			want := backends.Entry[string]{Value: "value", ExpiresAt: time.Now().Add(time.Hour)}
			set, err := coded.Stage(t.Context(), "key", want)
			require.NoError(t, err)
			assert.Empty(t, inner.Snapshot(), "staging touches nothing")
			assert.Zero(t, faults.Calls(tier.Set))
			assert.Equal(t, !hide, faults.Calls(tier.Stage) == 1, "it is forwarded to a Stager")

			for i := range 2 {
				require.NoError(t, set(t.Context()))
				assert.Equal(t, i+1, faults.Calls(tier.Set))
				assert.Equal(t, backends.Entry[[]byte]{Value: []byte("value"), ExpiresAt: want.ExpiresAt}, inner.Snapshot()["key"])
			}
			assert.Equal(t, !hide, faults.Calls(tier.Stage) == 1)
		})
	}
}

func TestWithCodec_Describe(t *testing.T) {
	t.Parallel()
	desc := backends.Description{
		System: "redis", ServerAddress: "cache.internal", ServerPort: 6379, InProcess: true, Instrumented: true,
	}
	store := backendtest.WithFaults(backendtest.NewMap[[]byte]()).Described(desc)
	coded, err := backends.WithCodec(store, backends.String())
	require.NoError(t, err)
	assert.Equal(t, desc, coded.Describe())
	assert.Equal(t, desc, backends.DescriptionOf(coded))

	coded, err = backends.WithCodec(plain{store}, backends.String())
	require.NoError(t, err)
	assert.Zero(t, coded.Describe(), "a store that does not describe itself")
	assert.Zero(t, backends.DescriptionOf(nil))
}
