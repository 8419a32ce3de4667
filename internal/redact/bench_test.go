package redact_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/redact"
)

// hostile are a key and a text that make as much work as there can be.
func hostile() (key, text string) {
	key = strings.Repeat("AÄ\\u0041%41+&amp;\x80", 64<<10/19+1)
	return key[:64<<10], strings.Repeat(`%5Cu0041+&#x5c;x41 %2541 7575 `, 200)
}

func BenchmarkText(b *testing.B) {
	long := strings.Repeat("user:4711:ü ", 64<<10/13)
	hostileKey, hostileText := hostile()
	for _, bench := range []struct{ name, key, text string }{
		{"no key", "user:4711", "dial tcp 10.0.0.1:6379: connect: connection refused"},
		{"key", "user:4711", `WRONGTYPE key "user:4711" holds the wrong kind of value`},
		{"long text", "user:4711", strings.Repeat("connection refused ", 1000)},
		{"long key", long, "no such key: " + long},
		{"hostile", hostileKey, hostileText},
	} {
		b.Run(fmt.Sprintf("case=%s", bench.name), func(b *testing.B) {
			err := errors.New(bench.text)
			b.ReportAllocs()
			for b.Loop() {
				_ = redact.Text(err, bench.key)
			}
		})
	}
}

// The limit is wide, because machines are slow and the race detector is slower.
func TestString_IsBounded(t *testing.T) {
	t.Parallel()
	key, text := hostile()
	for _, tc := range []struct{ text, key string }{
		{text, key},
		{key, key},
		{text, "user:4711"},
		{strings.Repeat("a", 10<<20), strings.Repeat("a", 64<<10)},
		{strings.Repeat("...", 10000), strings.Repeat(".", 6000)},
		{strings.Repeat(`\\`, 5000), strings.Repeat(`\`, 3000)},
	} {
		start := time.Now()
		redact.String(tc.text, tc.key)
		assert.Less(t, time.Since(start), time.Second, "%.20q in %.20q", tc.key, tc.text)
	}
}
