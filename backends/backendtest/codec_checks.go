package backendtest

import (
	"bytes"
	"slices"
	"sync"

	"github.com/tiercache/tiercache/backends"
)

func testUsable[V any](c codecCheck[V]) {
	if v, ok := c.Codec.(backends.CodecValidator); ok {
		if err := v.Validate(); err != nil {
			c.t.Fatalf("Validate: %v", err)
		}
	}
}

// testSamples keeps the other tests from blaming the codec.
func testSamples[V any](c codecCheck[V]) {
	first, again := c.Samples(), c.Samples()
	if len(first) != len(again) {
		c.t.Fatalf("Samples returned %d values, then %d", len(first), len(again))
	}
	for i := range first {
		if !c.Equal(first[i], again[i]) {
			c.t.Errorf("sample %d, made twice, is not equal to itself: %s, then %s: give Equal, or samples that stay the same",
				i, show(first[i]), show(again[i]))
		}
	}
}

func testRoundTrip[V any](c codecCheck[V]) {
	for want, v := range c.pairs() {
		if got := c.decode(c.encode(v)); !c.Equal(want, got) {
			c.t.Errorf("%s came back as %s", show(want), show(got))
		}
	}
}

func testEncodeModifies[V any](c codecCheck[V]) {
	for fresh, v := range c.pairs() {
		c.encode(v)
		if !c.Equal(fresh, v) {
			c.t.Errorf("Encode made of %s: %s", show(fresh), show(v))
		}
	}
}

func testEncodeReuses[V any](c codecCheck[V]) {
	var all, copies [][]byte
	for range 2 {
		for _, v := range c.Samples() {
			data := c.encode(v)
			all, copies = append(all, data), append(copies, bytes.Clone(data))
		}
	}
	for i := range all {
		if !bytes.Equal(all[i], copies[i]) {
			c.t.Errorf("a later Encode changed bytes that were returned: %s became %s", show(copies[i]), show(all[i]))
		}
	}
}

func testDecodeModifies[V any](c codecCheck[V]) {
	for _, v := range c.Samples() {
		data := c.encode(v)
		before := bytes.Clone(data)
		c.decode(data)
		if !bytes.Equal(before, data) {
			c.t.Errorf("Decode made of %s: %s", show(before), show(data))
		}
	}
}

func testDecodeReuses[V any](c codecCheck[V]) {
	var encodings [][]byte
	var values, decoded []V
	for fresh, v := range c.pairs() {
		data := bytes.Clone(c.encode(v))
		got := c.decode(bytes.Clone(data))
		if c.Equal(fresh, got) { // if not, that is for another test to say
			encodings, values, decoded = append(encodings, data), append(values, fresh), append(decoded, got)
		}
	}
	for _, data := range slices.Backward(encodings) {
		c.decode(bytes.Clone(data))
		_, _ = c.tryDecode(bytes.Clone(data[:len(data)/2]))
	}
	for i := range values {
		if !c.Equal(values[i], decoded[i]) {
			c.t.Errorf("a later Decode changed a value that was returned: %s became %s", show(values[i]), show(decoded[i]))
		}
	}
}

// testDamage does not require that all damage is found: a codec without a checksum
// cannot detect that "12" was cut to "1".
func testDamage[V any](c codecCheck[V]) {
	tried, refused := 0, 0
	for _, v := range c.Samples() {
		for _, data := range damaged(c.encode(v)) {
			before := bytes.Clone(data)
			_, err := c.tryDecode(data)
			if !bytes.Equal(before, data) {
				c.t.Errorf("Decode made of damaged bytes %s: %s", show(before), show(data))
			}
			tried++
			if err != nil {
				refused++
			}
		}
	}
	if refused == 0 && !c.AnyBytes {
		c.t.Errorf("Decode returned no error for any of %d damaged encodings: say AnyBytes if all bytes are values", tried)
	}
}

// maxDamages is at how many places an encoding is damaged.
const maxDamages = 400

// damaged returns data cut, with bytes flipped, with more behind it, and bytes
// that have nothing to do with it.
func damaged(data []byte) (all [][]byte) {
	all = [][]byte{
		nil,
		{},
		{0},
		[]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff"), []byte("{"), []byte("<!doctype html>"),
		append(bytes.Clone(data), data...), append(bytes.Clone(data), 0xff),
	}
	step := max(1, len(data)/maxDamages)
	for i := 0; i < len(data); i += step {
		all = append(all, bytes.Clone(data[:i]), bytes.Clone(data[i+1:]))
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			d := bytes.Clone(data)
			d[i] ^= flip
			all = append(all, d)
		}
	}
	return all
}

func testUndecodable[V any](c codecCheck[V]) {
	for _, data := range c.Undecodable {
		if v, err := c.tryDecode(data); err == nil {
			c.t.Errorf("Decode of %s: %s, want an error", show(data), show(v))
		}
	}
}

func testUnencodable[V any](c codecCheck[V]) {
	if c.Unencodable == nil {
		return
	}
	for _, v := range c.Unencodable() {
		if data, err := c.tryEncode(v); err == nil {
			c.t.Errorf("Encode of %s: %s, want an error", show(v), show(data))
		}
	}
}

func testDeterministic[V any](c codecCheck[V]) {
	const times = 30 // the keys of a map of two come in the same order once in 2^30
	if !c.Deterministic {
		return
	}
	var first [][]byte
	for _, v := range c.Samples() {
		first = append(first, bytes.Clone(c.encode(v)))
	}
	for range times {
		for i, v := range c.Samples() {
			if data := c.encode(v); i < len(first) && !bytes.Equal(first[i], data) {
				c.t.Fatalf("%s was encoded to %s, then to %s", show(v), show(first[i]), show(data))
			}
		}
	}
}

func testConcurrentCodec[V any](c codecCheck[V]) {
	const workers, rounds = 8, 25
	samples := c.Samples() // shared: Encode must not modify them
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			fresh := c.Samples()
			for i := range rounds {
				n := (w + i) % min(len(samples), len(fresh))
				v := samples[n]
				data, err := c.tryEncode(v)
				if err != nil {
					c.t.Errorf("Encode of %s: %v", show(v), err)
					return
				}
				got, err := c.tryDecode(data)
				if err != nil || !c.Equal(fresh[n], got) {
					c.t.Errorf("%s, encoded while others were: Decode of %s: %s, %v", show(v), show(data), show(got), err)
					return
				}
			}
		})
	}
	wg.Wait()
}
