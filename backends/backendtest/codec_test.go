package backendtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

func users() []*user {
	marks := make(map[string]int)
	for i := range 20 {
		marks[fmt.Sprint("mark ", i)] = i
	}
	return []*user{
		{Name: "Ada", Langs: []string{"fr", "en"}, Marks: marks},
		{},
		{Name: "“é”", Langs: []string{"fr", "en"}, Data: []byte("\x00\xff")},
	}
}

// codecSuite returns the suite for users, with all that it can ask.
func codecSuite(codec backends.Codec[*user]) backendtest.CodecSuite[*user] {
	return backendtest.CodecSuite[*user]{
		Codec: codec, Samples: users, Deterministic: true,
		Undecodable: [][]byte{nil, []byte("{")},
		Unencodable: func() []*user { return []*user{{Name: "Z\xfcrich"}} },
	}
}

func TestCodecSuite_GoodCodecs(t *testing.T) {
	t.Parallel()
	t.Run("JSON", func(t *testing.T) {
		t.Parallel()
		codecSuite(backends.JSON[*user]()).Run(t)
	})
	t.Run("WithVerify", func(t *testing.T) {
		t.Parallel()
		codecSuite(backends.WithVerify(backends.JSON[*user](), 2, nil)).Run(t)
	})
	t.Run("String", func(t *testing.T) {
		t.Parallel()
		backendtest.CodecSuite[string]{
			Codec: backends.String(), AnyBytes: true, Deterministic: true,
			Samples: func() []string { return []string{"", "a", "Z\xfcrich"} },
		}.Run(t)
	})
	t.Run("Bytes", func(t *testing.T) {
		t.Parallel()
		backendtest.CodecSuite[[]byte]{
			Codec: backends.Bytes(), AnyBytes: true, Deterministic: true,
			Samples: func() [][]byte { return [][]byte{nil, {}, []byte("Z\xfcrich")} },
		}.Run(t)
	})
}

func TestCodecSuite_FindsFlaws(t *testing.T) {
	t.Parallel()
	for name, f := range codecFlaws() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := codecSuite(f.codec)
			if !slices.Contains(f.found, "encode-refuses-values") {
				s.Unencodable = nil // encoding/json alone refuses nothing
			}
			var skip []string
			if f.races {
				skip = append(skip, "concurrent-use")
			}
			failures := s.Failures(t, skip...)
			for _, texts := range failures {
				for _, text := range texts {
					assert.NotContains(t, text, "\n")
				}
			}
			assert.ElementsMatch(t, f.found, slices.Collect(maps.Keys(failures)), "%v", failures)
		})
	}
}

// Every test of the suite finds a flaw, so none of them is empty.
func TestCodecSuite_EveryTestFindsAFlaw(t *testing.T) {
	t.Parallel()
	found := map[string]bool{"samples-are-equal-to-themselves": true} // see below
	for _, f := range codecFlaws() {
		for _, name := range f.found {
			found[name] = true
		}
	}
	assert.ElementsMatch(t, backendtest.NamesOfCodecTests(), slices.Collect(maps.Keys(found)))
}

// Changes by encoding/json itself, in samples of the types that are known for it.
func TestCodecSuite_FindsWhatJSONChanges(t *testing.T) {
	t.Parallel()
	finds(t, json.RawMessage("{ }"))
	finds(t, any(7))
	finds(t, struct{ n int }{1})
	finds(t, map[string]any{"at": []byte("a")})
	finds(t, time.Now())
	finds(t, "Z\xfcrich")
}

func finds[V any](t *testing.T, sample V) {
	t.Helper()
	failures := backendtest.CodecSuite[V]{
		Codec:   backends.JSON[V](),
		Samples: func() []V { return []V{sample} },
	}.Failures(t)
	require.Contains(t, failures, "values-come-back-equal", "%T", sample)
}

func TestCodecSuite_Samples(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	s := backendtest.CodecSuite[int]{
		Codec:   backends.JSON[int](),
		Samples: func() []int { return []int{int(n.Add(1))} },
	}
	assert.Equal(t, []string{
		"sample 0, made twice, is not equal to itself: 1, then 2: give Equal, or samples that stay the same",
	}, s.Failures(t)["samples-are-equal-to-themselves"])
	s.Samples = func() []int { return make([]int, n.Add(1)) }
	assert.NotEmpty(t, s.Failures(t)["samples-are-equal-to-themselves"])
}

func TestCodecSuite_Equal(t *testing.T) {
	t.Parallel()
	now := time.Now() // with a monotonic clock reading
	s := backendtest.CodecSuite[time.Time]{
		Codec:   backends.JSON[time.Time](),
		Samples: func() []time.Time { return []time.Time{now} },
	}
	assert.NotEmpty(t, s.Failures(t))
	s.Equal = time.Time.Equal
	assert.Empty(t, s.Failures(t))
}

func TestCodecSuite_AnyBytes(t *testing.T) {
	t.Parallel()
	s := backendtest.CodecSuite[string]{Codec: backends.String(), Samples: func() []string { return []string{"a"} }}
	assert.Len(t, s.Failures(t), 1)
	s.AnyBytes = true
	assert.Empty(t, s.Failures(t))
}

func TestCodecSuite_Deterministic(t *testing.T) {
	t.Parallel()
	s := codecSuite(codecFlaws()["the keys come as they like"].codec)
	assert.Len(t, s.Failures(t), 1)
	s.Deterministic = false
	assert.Empty(t, s.Failures(t), "it is asked only when it is claimed")
}

func TestCodecSuite_ReportsFailures(t *testing.T) {
	if isChild(t) {
		s := codecSuite(codecFlaws()["a field is lost"].codec)
		s.Unencodable = nil
		s.Run(t)
		return
	}
	t.Parallel()
	out := child(t, "TestCodecSuite_ReportsFailures", ".*")
	assert.Contains(t, out, "--- FAIL: TestCodecSuite_ReportsFailures/values-come-back-equal")
	assert.Contains(t, out, `Data:"\x00\xff" Marks:map[]} came back as &{Name:"“é”" Langs:["fr" "en"] Data:nil Marks:map[]}`)
	assert.Equal(t, len(backendtest.NamesOfCodecTests())-2, strings.Count(out, "--- PASS: TestCodecSuite_ReportsFailures/"), out)
}

func TestCodecSuite_NeedsCodecAndSamples(t *testing.T) {
	if isChild(t) {
		backendtest.CodecSuite[string]{Codec: backends.String()}.Run(t)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestCodecSuite_NeedsCodecAndSamples"), "backendtest: CodecSuite needs Codec and Samples")
}

func TestShow(t *testing.T) {
	t.Parallel()
	type inner struct {
		B    []byte
		next *inner
	}
	self := &inner{B: []byte("a")}
	self.next = self
	for want, v := range map[string]any{
		`"a\n\xff"`:                      []byte("a\n\xff"),
		`"raw"`:                          json.RawMessage("raw"),
		`"text"`:                         "text",
		`nil`:                            []byte(nil),
		`7`:                              7,
		`[1 2]`:                          []int{1, 2},
		`{B:"b" next:&{B:nil next:nil}}`: inner{B: []byte("b"), next: &inner{}},
		`map["k":["a" 1 nil]]`:           map[string]any{"k": []any{[]byte("a"), 1, nil}},
		`1s`:                             time.Second,
		`a\nb`:                           fmt.Errorf("a\nb"), //nolint:perfsprint // it is as good as any
		`"` + strings.Repeat("x", 299) + `... (402 bytes)`: bytes.Repeat([]byte("x"), 400),
	} {
		assert.Equal(t, want, backendtest.Show(v))
	}
	assert.Contains(t, backendtest.Show(self), "...")
}
