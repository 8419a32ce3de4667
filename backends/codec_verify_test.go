package backends_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// trimming loses white space, and fails when a test says so.
type trimming struct{ encodeErr, decodeErr error }

func (c trimming) Encode(v string) ([]byte, error) { return []byte(v), c.encodeErr }
func (c trimming) Decode(data []byte) (string, error) {
	return strings.TrimSpace(string(data)), c.decodeErr
}

func TestWithVerify_ChecksTheFirstAndOneInN(t *testing.T) {
	t.Parallel()
	for every, want := range map[int]string{1: "xxxxxxxx", 2: "x.x.x.x.", 3: "x..x..x.", 100: "x......."} {
		codec := backends.WithVerify(trimming{}, every, nil)
		var got strings.Builder
		for range 8 {
			data, err := codec.Encode(" " + secret)
			if err == nil {
				assert.Equal(t, " "+secret, string(data))
				got.WriteByte('.')
				continue
			}
			assert.Nil(t, data)
			require.ErrorIs(t, err, backends.ErrLossy)
			got.WriteByte('x')
		}
		assert.Equal(t, want, got.String(), "one in %d", every)
	}
}

func TestWithVerify_Errors(t *testing.T) {
	t.Parallel()
	store := backendtest.NewMap[[]byte]()
	set := func(codec backends.Codec[string]) error {
		coded, err := backends.WithCodec(store, codec)
		require.NoError(t, err)
		return coded.Set(t.Context(), "key", backends.Entry[string]{Value: " " + secret})
	}
	for name, tc := range map[string]struct {
		codec trimming
		lossy bool
		want  string
	}{
		"not equal":         {trimming{}, true, ": the decoded value is not equal to the written one"},
		"cannot be decoded": {trimming{decodeErr: secretive{}}, true, ": the codec cannot decode its own encoding (backends_test.secretive)"},
		"cannot be encoded": {trimming{encodeErr: secretive{}}, false, " (backends_test.secretive)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := set(backends.WithVerify(tc.codec, 1, nil))
			require.EqualError(t, err, "backends: the value cannot be encoded"+tc.want)
			var encodeErr *backends.EncodeError
			require.ErrorAs(t, err, &encodeErr)
			assert.Equal(t, tc.lossy, errors.Is(err, backends.ErrLossy))
			assert.Empty(t, store.Snapshot())
		})
	}
}

func TestWithVerify_Equal(t *testing.T) {
	t.Parallel()
	type login struct{ At time.Time }
	now := login{At: time.Now()} // with a monotonic clock reading, which JSON drops
	_, err := backends.WithVerify(backends.JSON[login](), 1, nil).Encode(now)
	require.ErrorIs(t, err, backends.ErrLossy)

	sameTime := func(written, read login) bool { return written.At.Equal(read.At) }
	codec := backends.WithVerify(backends.JSON[login](), 1, sameTime)
	data, err := codec.Encode(now)
	require.NoError(t, err)
	got, err := codec.Decode(data)
	require.NoError(t, err)
	assert.True(t, sameTime(now, got))
}

// It finds the changes that JSON's documentation lists.
func TestWithVerify_FindsWhatJSONChanges(t *testing.T) {
	t.Parallel()
	type private struct{ n int }
	finds[any](t, 7)
	finds[any](t, int64(1)<<53)
	finds[any](t, product{Name: "lamp"})
	finds[any](t, map[string]int{"a": 1})
	finds[any](t, []string{"a"})
	finds[any](t, []byte("a"))
	finds[any](t, time.Unix(0, 0))
	finds[any](t, (*product)(nil))
	finds(t, struct{ A any }{[]string(nil)})
	finds(t, private{n: 1})
	finds(t, struct {
		N int `json:"-"`
	}{1})
	finds(t, struct {
		left
		right
	}{left{1}, right{2}})
	finds(t, new(atomic.Int64), func(v *atomic.Int64) { v.Store(1) })
	finds(t, struct {
		time.Time
		Name string
	}{Name: "lamp"})
	finds(t, time.Now())
	finds(t, time.Date(1930, time.May, 1, 0, 0, 0, 0, time.FixedZone("AMT", 19*60+32)))
	finds(t, struct {
		S []int `json:",omitempty"`
	}{[]int{}})
	finds(t, struct {
		M map[string]int `json:",omitempty"`
	}{map[string]int{}})
	finds(t, new(*int))
	finds(t, json.RawMessage("[ ]"))
	finds(t, json.RawMessage(`"<>& "`))
	finds(t, json.RawMessage("\"\u2028\""))
	finds(t, json.RawMessage(nil))
	finds(t, json.Number(""))
}

// left and right have fields of one name.
type (
	left  struct{ N int }
	right struct{ N int }
)

func finds[V any](t *testing.T, v V, change ...func(v V)) {
	t.Helper()
	for _, f := range change {
		f(v)
	}
	_, err := backends.JSON[V]().Encode(v)
	require.NoError(t, err, "%T", v)
	_, err = backends.WithVerify(backends.JSON[V](), 1, nil).Encode(v)
	require.ErrorIs(t, err, backends.ErrLossy, "%T", v)
}

func TestWithVerify_Refused(t *testing.T) {
	t.Parallel()
	for want, codec := range map[string]backends.Codec[string]{
		backends.ErrNilCodec.Error():                                  backends.WithVerify[string](nil, 1, nil),
		"backends: WithVerify checks one in 0 values: use 1 or more":  backends.WithVerify(backends.String(), 0, nil),
		"backends: WithVerify checks one in -1 values: use 1 or more": backends.WithVerify(backends.String(), -1, nil),
		"backends: the codec cannot be used":                          backends.WithVerify[string](unusable{}, 1, nil),
	} {
		coded, err := backends.WithCodec(backendtest.NewMap[[]byte](), codec)
		assert.Nil(t, coded)
		require.EqualError(t, err, want)
		_, err = codec.Encode("")
		require.EqualError(t, err, want)
		_, err = codec.Decode(nil)
		require.EqualError(t, err, want)
	}
}

// unusable is a codec that says so.
type unusable struct{}

func (unusable) Encode(string) ([]byte, error) { return nil, nil }
func (unusable) Decode([]byte) (string, error) { return "", nil }
func (unusable) Validate() error {
	return errors.New("backends: the codec cannot be used")
}

func TestWithVerify_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	codec := backends.WithVerify(trimming{}, 4, nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	failed := 0
	for range 8 {
		wg.Go(func() {
			for range 100 {
				if _, err := codec.Encode(" a"); err != nil {
					mu.Lock()
					failed++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, 8*100/4, failed)
}
