package repair

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
)

// The judge itself: which changes are violations.
func TestJudge(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.Unix(1000, 0).Add(time.Duration(ms) * time.Millisecond) }
	const limit = 250
	write := func(by int, operation uint64, ms int) *request {
		return &request{by: by, key: "k", operation: operation, begun: at(ms), before: at(ms + limit)}
	}
	repair := func(by int, operation uint64, ms int) *request {
		q := write(by, operation, ms)
		q.repair = true
		return q
	}
	removal := repair(0, 9, 400)
	removal.removes = true
	change := func(version backends.Version, operation uint64, ms int) backends.Change {
		return backends.Change{Key: "k", Version: version, Operation: operation, At: at(ms)}
	}
	for name, test := range map[string]struct {
		sent                     []*request
		changes                  []backends.Change
		evicted                  int // when
		overwrote, late, nobodys int
	}{
		"in time":             {sent: []*request{write(0, 1, 0)}, changes: []backends.Change{change(1, 1, limit-1)}},
		"late":                {sent: []*request{write(0, 1, 0)}, changes: []backends.Change{change(1, 1, limit)}, late: 1},
		"by nobody":           {changes: []backends.Change{change(1, 1, 0)}, nobodys: 1},
		"a repair":            {sent: []*request{write(0, 1, 0), repair(0, 1, 400)}, changes: []backends.Change{change(1, 1, 410)}},
		"a late one":          {sent: []*request{write(0, 1, 0), repair(0, 1, 400)}, changes: []backends.Change{change(1, 1, 700)}, late: 1},
		"of what was there":   {sent: []*request{write(1, 2, 0), write(0, 1, 20), repair(0, 1, 400)}, changes: []backends.Change{change(1, 2, 10), change(2, 1, 410)}},
		"of what came later":  {sent: []*request{write(0, 1, 0), write(1, 2, 5), repair(0, 1, 400)}, changes: []backends.Change{change(1, 2, 10), change(2, 1, 410)}, overwrote: 1},
		"of an own later one": {sent: []*request{write(0, 1, 0), write(0, 2, 5), repair(0, 1, 400)}, changes: []backends.Change{change(1, 2, 10), change(2, 1, 410)}, overwrote: 1},
		"a removal":           {sent: []*request{write(0, 1, 0), write(1, 2, 5), removal}, changes: []backends.Change{change(1, 2, 10), change(2, 9, 410)}, overwrote: 1},
		"of what was evicted": {sent: []*request{write(0, 1, 0), write(1, 2, 5), removal}, changes: []backends.Change{change(1, 2, 10), change(2, 9, 410)}, evicted: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &history{sent: test.sent, changes: test.changes}
			if test.evicted > 0 {
				h.evictions = []eviction{{"k", at(test.evicted)}}
			}
			v := judge(h)
			assert.Len(t, v.overwrote, test.overwrote)
			assert.Len(t, v.late, test.late)
			assert.Len(t, v.nobodys, test.nobodys)
		})
	}
}
