package expiry_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/expiry"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	latest := time.Unix(0, math.MaxInt64)
	for name, tc := range map[string]struct {
		at    time.Time
		nanos int64
		back  time.Time
	}{
		"never":                      {time.Time{}, expiry.Never, time.Time{}},
		"an instant":                 {time.Unix(1, 2), 1_000_000_002, time.Unix(1, 2)},
		"another time zone":          {time.Unix(1, 2).In(time.FixedZone("", 3600)), 1_000_000_002, time.Unix(1, 2)},
		"the first nanosecond":       {time.Unix(0, 1), 1, time.Unix(0, 1)},
		"the Unix epoch":             {time.Unix(0, 0), 1, time.Unix(0, 1)},
		"before the epoch":           {time.Unix(-1, 999_999_999), 1, time.Unix(0, 1)},
		"one nanosecond after zero":  {time.Time{}.Add(1), 1, time.Unix(0, 1)},
		"the year 1500":              {time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC), 1, time.Unix(0, 1)},
		"the last whole second":      {time.Unix(math.MaxInt64/1_000_000_000, 0), math.MaxInt64, latest},
		"the second before the last": {time.Unix(math.MaxInt64/1_000_000_000-1, 5), 9223372035_000_000_005, time.Unix(9223372035, 5)},
		"the year 9999":              {time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), math.MaxInt64, latest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.nanos, expiry.Encode(tc.at))
			assert.Equal(t, tc.back, expiry.Decode(tc.nanos))
		})
	}
}
