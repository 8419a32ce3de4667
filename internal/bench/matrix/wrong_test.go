package matrix

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/internal/bench/driver"
)

func TestWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		l1, l2 string
		victim bool
		dead   []string
		want   bool
	}{
		"equal":                              {l1: newer, l2: newer},
		"L1 has none":                        {l1: none, l2: newer},
		"both have none":                     {l1: none, l2: none},
		"different":                          {l1: newer, l2: old, want: true},
		"L2 has none":                        {l1: newer, l2: none, want: true},
		"equal, but of a past write":         {l1: old, l2: old, dead: []string{old}, want: true},
		"a past write in L2 alone":           {l1: none, l2: old, dead: []string{old}, want: true},
		"victim: L1 is ahead by design":      {l1: newer, l2: old, victim: true, dead: []string{old}},
		"victim: a reader gets a past write": {l1: none, l2: old, victim: true, dead: []string{old}, want: true},
		"victim: a past write is back in L1": {l1: old, l2: old, victim: true, dead: []string{old}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, wrong(driver.Driver{Victim: test.victim}, test.l1, test.l2, test.dead))
		})
	}
}
