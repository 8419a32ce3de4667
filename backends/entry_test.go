package backends_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
)

func TestEntry_Expired(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, time.March, 29, 1, 59, 59, 999_999_999, time.UTC)
	east := time.FixedZone("east", 3*60*60)
	for name, tc := range map[string]struct {
		expiresAt, now time.Time
		want           bool
	}{
		"never":                            {time.Time{}, end, false},
		"never, at the beginning of time":  {time.Time{}, time.Time{}, false},
		"never, said in another time zone": {time.Time{}.In(east), end, false},
		"a nanosecond before":              {end, end.Add(-1), false},
		"at the instant":                   {end, end, true},
		"a nanosecond after":               {end, end.Add(1), true},
		"before, in another time zone":     {end.In(east), end.Add(-1), false},
		"at it, in another time zone":      {end.In(east), end, true},
		"the first instant that is not 0":  {time.Time{}.Add(1), end, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, backends.Entry[string]{ExpiresAt: tc.expiresAt}.Expired(tc.now))
		})
	}
}
