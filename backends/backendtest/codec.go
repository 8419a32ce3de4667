package backendtest

import (
	"iter"
	"reflect"
	"testing"

	"github.com/tiercache/tiercache/backends"
)

// CodecSuite is the conformance suite for codecs: it checks that the values of a type
// come back as they were written, so that both tiers of a cache return equal values.
// Run it in a test of the type:
//
//	backendtest.CodecSuite[User]{
//		Codec:   backends.JSON[User](),
//		Samples: func() []User { return []User{{}, {Name: "Ada", Langs: []string{"en"}}} },
//	}.Run(t)
//
// It finds only the faults that the samples show. Give zero, typical and extreme
// values: nil and empty slices, text that is not ASCII, large numbers, times, and for a
// field that is an interface each type that it holds.
//
// It checks that
//
//   - the codec can be used, if it is a [backends.CodecValidator];
//   - every sample can be encoded, and comes back equal;
//   - Encode does not modify the value, and does not reuse bytes that it has
//     returned;
//   - Decode does not modify the bytes, and does not reuse a value that it has
//     returned;
//   - Decode does not panic on damaged bytes, and refuses at least some of them;
//   - the codec is safe for concurrent use; run the suite with the race detector too.
type CodecSuite[V any] struct {
	// Codec is the codec. Required.
	Codec backends.Codec[V]

	// Samples returns values to try, made anew at each call, the same number each
	// time, and at least one. It must be safe for concurrent use. Required.
	Samples func() []V

	// Equal compares two values. Default: [reflect.DeepEqual], which finds that neither a NaN nor a
	// time with a monotonic clock reading comes back equal.
	Equal func(written, read V) bool

	// Deterministic says that equal values have equal encodings, and makes the suite check it.
	// Default: false.
	Deterministic bool

	// AnyBytes says that all bytes are the encoding of a value, as with
	// [backends.String], so that Decode cannot find damage. Default: false.
	AnyBytes bool

	// Undecodable are bytes that Decode must refuse. Default: none.
	Undecodable [][]byte

	// Unencodable returns values that Encode must refuse. Default: none.
	Unencodable func() []V
}

// Run runs the suite in subtests of t. Failures print samples.
func (s CodecSuite[V]) Run(t *testing.T) {
	t.Helper()
	if s.Codec == nil || s.Samples == nil || len(s.Samples()) == 0 {
		t.Fatal("backendtest: CodecSuite needs Codec and Samples")
	}
	for _, test := range codecTests[V]() {
		t.Run(test.name, func(t *testing.T) { test.run(s.check(t)) })
	}
}

type codecTest[V any] struct {
	name string
	run  func(c codecCheck[V])
}

func codecTests[V any]() []codecTest[V] {
	return []codecTest[V]{
		{"codec-is-usable", testUsable[V]},
		{"samples-are-equal-to-themselves", testSamples[V]},
		{"values-come-back-equal", testRoundTrip[V]},
		{"encode-does-not-modify-the-value", testEncodeModifies[V]},
		{"encode-does-not-reuse-bytes", testEncodeReuses[V]},
		{"decode-does-not-modify-the-bytes", testDecodeModifies[V]},
		{"decode-does-not-reuse-a-value", testDecodeReuses[V]},
		{"decode-survives-damage", testDamage[V]},
		{"decode-refuses-bytes", testUndecodable[V]},
		{"encode-refuses-values", testUnencodable[V]},
		{"equal-values-have-equal-bytes", testDeterministic[V]},
		{"concurrent-use", testConcurrentCodec[V]},
	}
}

// codecCheck binds the suite to one test. The suite's own tests put something
// else in the place of t.
type codecCheck[V any] struct {
	CodecSuite[V]
	t testing.TB
}

func (s CodecSuite[V]) check(tb testing.TB) codecCheck[V] {
	tb.Helper()
	if s.Equal == nil {
		s.Equal = func(a, b V) bool { return reflect.DeepEqual(a, b) }
	}
	return codecCheck[V]{CodecSuite: s, t: tb}
}

// pairs are the samples, made twice: the second is for the codec, and the first to
// compare with.
func (c codecCheck[V]) pairs() iter.Seq2[V, V] {
	return func(yield func(fresh, used V) bool) {
		fresh, used := c.Samples(), c.Samples()
		for i := range min(len(fresh), len(used)) {
			if !yield(fresh[i], used[i]) {
				return
			}
		}
	}
}

// encode and decode turn a panic into a failure that quotes it.
func (c codecCheck[V]) encode(v V) []byte {
	c.t.Helper()
	data, err := c.tryEncode(v)
	if err != nil {
		c.t.Fatalf("Encode of %s: %v", show(v), err)
	}
	return data
}

// tryEncode and tryDecode are not marked as helpers: T.Helper takes a lock, by which calls that
// race would be in order for the race detector.
func (c codecCheck[V]) tryEncode(v V) (data []byte, err error) {
	defer c.fatalPanic("Encode of ", v)
	return c.Codec.Encode(v)
}

func (c codecCheck[V]) decode(data []byte) V {
	c.t.Helper()
	v, err := c.tryDecode(data)
	if err != nil {
		c.t.Fatalf("Decode of %s: %v", show(data), err)
	}
	return v
}

func (c codecCheck[V]) tryDecode(data []byte) (v V, err error) {
	defer c.fatalPanic("Decode of ", data)
	return c.Codec.Decode(data)
}

// fatalPanic is deferred.
func (c codecCheck[V]) fatalPanic(what string, v any) {
	if r := recover(); r != nil {
		c.t.Helper()
		c.t.Fatalf("%s%s: panic: %v", what, show(v), r)
	}
}
