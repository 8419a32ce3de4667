package compresscodec_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/compresscodec"
)

var algorithms = []compresscodec.Algorithm{compresscodec.Zstd, compresscodec.S2}

type user struct {
	Name string
	Bio  string
	Tags []string
}

func users() []user {
	return []user{{}, {Name: "Zoë", Tags: []string{"x", ""}}, {Bio: strings.Repeat("Ada wrote it. ", 200)}}
}

func TestCodec_conforms(t *testing.T) {
	t.Parallel()
	for _, algorithm := range algorithms {
		for name, size := range map[string]int{"all": 0, "large": 1000, "none": 1 << 20} {
			t.Run(algorithm.String()+"/"+name, func(t *testing.T) {
				t.Parallel()
				backendtest.CodecSuite[user]{
					Codec:         compresscodec.New(backends.JSON[user](), compresscodec.WithAlgorithm(algorithm), compresscodec.WithMinSize(size)),
					Samples:       users,
					Deterministic: true,
					Undecodable:   [][]byte{nil, {}, {1}, {2}, {3}, {0}, []byte(`{"Name":"Ada"}`)},
				}.Run(t)
			})
		}
	}
}

func TestCodec_compressesFromASizeOn(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		value string
		want  map[compresscodec.Algorithm]byte
	}{
		{"below the minimal size", strings.Repeat("a", 99), map[compresscodec.Algorithm]byte{compresscodec.Zstd: 0, compresscodec.S2: 0}},
		{"from the minimal size on", strings.Repeat("a", 100), map[compresscodec.Algorithm]byte{compresscodec.Zstd: 1, compresscodec.S2: 2}},
		{"nothing to gain", noise(200), map[compresscodec.Algorithm]byte{compresscodec.Zstd: 0, compresscodec.S2: 0}},
	} {
		for _, algorithm := range algorithms {
			t.Run(test.name+"/"+algorithm.String(), func(t *testing.T) {
				t.Parallel()
				codec := compresscodec.New(backends.String(), compresscodec.WithAlgorithm(algorithm), compresscodec.WithMinSize(100))
				data, err := codec.Encode(test.value)
				require.NoError(t, err)
				require.Equal(t, test.want[algorithm], data[0])
				require.LessOrEqual(t, len(data), len(test.value)+1)
				// A codec with other options reads it.
				got, err := compresscodec.New(backends.String()).Decode(data)
				require.NoError(t, err)
				require.Equal(t, test.value, got)
			})
		}
	}
}

// noise returns bytes that cannot be compressed.
func noise(size int) string {
	source := rand.NewChaCha8([32]byte{1})
	data := make([]byte, size)
	_, _ = source.Read(data)
	return string(data)
}

// It is not parallel, because it measures memory.
func TestCodec_limitsTheDecompressedSize(t *testing.T) {
	const limit = 1000
	large := bytes.Repeat([]byte{'a'}, 50<<20) // 50 MiB in a few bytes or KiB
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	var streamed bytes.Buffer // its header has no size
	stream, err := zstd.NewWriter(&streamed)
	require.NoError(t, err)
	_, err = stream.Write(large)
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	small := encoder.EncodeAll(large[:600], nil)
	foreign := compresscodec.New(backends.Bytes(), compresscodec.WithAlgorithm(compresscodec.S2))
	s2d, err := foreign.Encode(large)
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"zstd":             append([]byte{1}, encoder.EncodeAll(large, nil)...),
		"zstd, streamed":   append([]byte{1}, streamed.Bytes()...),
		"zstd, two frames": append(append([]byte{1}, small...), small...),
		"s2":               s2d,
		"as it is":         large[:limit+2],
	} {
		t.Run(name, func(t *testing.T) {
			if name == "as it is" {
				data = append([]byte{0}, data[1:]...)
			}
			codec := compresscodec.New(backends.Bytes(), compresscodec.WithMaxSize(limit))
			before := allocated()
			_, err := codec.Decode(data)
			require.Less(t, allocated()-before, uint64(8<<20))
			var tooLarge *backends.TooLargeError
			require.ErrorAs(t, err, &tooLarge)
			require.Greater(t, tooLarge.Size, int64(limit))
			require.Equal(t, int64(limit), tooLarge.Max)
		})
	}
}

// allocated returns the bytes that this process has allocated since it began.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestCodec_refusesToWriteWhatNobodyReads(t *testing.T) {
	t.Parallel()
	codec := compresscodec.New(backends.String(), compresscodec.WithMaxSize(100))
	_, err := codec.Encode(strings.Repeat("a", 100))
	require.NoError(t, err)
	_, err = codec.Encode(strings.Repeat("a", 101))
	require.EqualError(t, err, "backends: the value has 101 bytes, and the store takes 100: pass compresscodec.WithMaxSize to everybody who reads it")
}

// TestCodec_findsDamage flips each bit of compressed values.
func TestCodec_findsDamage(t *testing.T) {
	t.Parallel()
	for _, algorithm := range algorithms {
		codec := compresscodec.New(backends.String(), compresscodec.WithAlgorithm(algorithm), compresscodec.WithMinSize(0))
		value := strings.Repeat("Ada wrote it. ", 20)
		data, err := codec.Encode(value)
		require.NoError(t, err)
		for i := 8; i < 8*len(data); i++ { // another first byte names another way
			changed := bytes.Clone(data)
			changed[i/8] ^= 1 << (i % 8)
			got, err := codec.Decode(changed)
			if err == nil { // some bits of a frame's header mean nothing
				require.Equal(t, value, got, "%s, bit %d", algorithm, i)
			}
		}
		for i := range data {
			_, err := codec.Decode(data[:i])
			require.Error(t, err, "%s, the first %d bytes", algorithm, i)
		}
	}
}

func TestCodec_isADecodeErrorOfTheStore(t *testing.T) {
	t.Parallel()
	store := backendtest.NewMap[[]byte]()
	cache, err := backends.WithCodec(store, compresscodec.New(backends.String()))
	require.NoError(t, err)
	for text, data := range map[string]string{
		"empty, and have no leading byte":    "",
		"compressed in a way that this":      "secret",
		"no intact compressed value: set or": "\x01secret",
	} {
		require.NoError(t, store.Set(t.Context(), "k", backends.Entry[[]byte]{Value: []byte(data)}))
		_, _, err = cache.Get(t.Context(), "k")
		var decode *backends.DecodeError
		require.ErrorAs(t, err, &decode)
		require.ErrorContains(t, err, "the stored bytes are "+text)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestCodec_Validate(t *testing.T) {
	t.Parallel()
	for text, codec := range map[string]*compresscodec.Codec[string]{
		"the codec to compress is missing":   compresscodec.New[string](nil),
		"there is no algorithm 7":            compresscodec.New(backends.String(), compresscodec.WithAlgorithm(7)),
		"the minimal size is -1 bytes":       compresscodec.New(backends.String(), compresscodec.WithMinSize(-1)),
		"the maximal size is 0 bytes":        compresscodec.New(backends.String(), compresscodec.WithMaxSize(0)),
		"WithVerify checks one in 0 values:": compresscodec.New(backends.WithVerify(backends.String(), 0, nil)),
	} {
		_, err := backends.WithCodec(backendtest.NewMap[[]byte](), codec)
		require.ErrorContains(t, err, text)
		_, err = codec.Encode("")
		require.ErrorContains(t, err, text)
		_, err = codec.Decode(nil)
		require.ErrorContains(t, err, text)
	}
	require.NoError(t, compresscodec.New(backends.String(), nil).Validate())
}

// FuzzDecode decodes any bytes: it neither panics nor exceeds the limit. What it reads, it writes
// and reads again.
func FuzzDecode(f *testing.F) {
	codecs := make([]*compresscodec.Codec[[]byte], len(algorithms))
	for i, algorithm := range algorithms {
		codecs[i] = compresscodec.New(backends.Bytes(), compresscodec.WithAlgorithm(algorithm), compresscodec.WithMinSize(0), compresscodec.WithMaxSize(1<<16))
		for _, seed := range []string{"", "a", strings.Repeat("Ada wrote it. ", 20)} {
			data, err := codecs[i].Encode([]byte(seed))
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Add(append([]byte{2, 0, 0, 0, 0}, s2.Encode(nil, []byte("a"))...))
	f.Fuzz(func(t *testing.T, data []byte) {
		plain, err := codecs[0].Decode(data)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(plain), 1<<16)
		for _, codec := range codecs {
			again, err := codec.Encode(plain)
			require.NoError(t, err)
			got, err := codec.Decode(again)
			require.NoError(t, err)
			require.True(t, bytes.Equal(plain, got))
		}
	})
}
