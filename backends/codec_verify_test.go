package backends_test

import (
	"errors"
	"strings"
	"sync"
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
		"not equal":         {trimming{}, true, ": the value that was decoded again is not equal to it"},
		"cannot be decoded": {trimming{decodeErr: secretive{}}, true, ": what it was encoded to cannot be decoded (backends_test.secretive)"},
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

// What JSON changes without an error is found.
func TestWithVerify_FindsWhatJSONChanges(t *testing.T) {
	t.Parallel()
	type private struct{ n int }
	for name, err := range map[string]error{
		"a number in an interface": verify[any](7),
		"a struct in an interface": verify[any](product{Name: "lamp"}),
		"an unexported field":      verify(private{n: 1}),
		"an empty slice": verify(struct {
			S []int `json:",omitempty"`
		}{S: []int{}}),
		"a pointer to nil": verify(new(*int)),
		"an embedded time": verify(struct {
			time.Time
			Name string
		}{Name: "lamp"}),
	} {
		assert.ErrorIs(t, err, backends.ErrLossy, name)
	}
}

func verify[V any](v V) error {
	_, err := backends.WithVerify(backends.JSON[V](), 1, nil).Encode(v)
	return err
}

func TestWithVerify_Refused(t *testing.T) {
	t.Parallel()
	for want, codec := range map[string]backends.Codec[string]{
		backends.ErrNilCodec.Error():                                        backends.WithVerify[string](nil, 1, nil),
		"backends: WithVerify is to check one in 0 values: give 1 or more":  backends.WithVerify(backends.String(), 0, nil),
		"backends: WithVerify is to check one in -1 values: give 1 or more": backends.WithVerify(backends.String(), -1, nil),
		"backends: the codec cannot be used":                                backends.WithVerify[string](unusable{}, 1, nil),
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
