package coherence

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = int64(time.Millisecond)

// newBoard returns a board that is closed when the test ends, and its file.
func newBoard(tb testing.TB, writes int) (b *board, path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "board")
	require.NoError(tb, createBoard(path, writes))
	b, err := openBoard(path, writes)
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, b.close()) })
	return b, path
}

// The judge itself: which hits are violations.
func TestJudge(t *testing.T) {
	t.Parallel()
	x := int64(bound)
	first := write{begun: 10 * ms, acked: 20 * ms, fate: applied}
	for name, test := range map[string]struct {
		writes []write
		last   int64 // when the last hit on the first write began
		lost   []span
		want   int
	}{
		"never replaced":           {[]write{first}, 100 * x, nil, 0},
		"within the bound":         {[]write{first, {begun: 30 * ms, acked: 40 * ms, fate: applied}}, 40*ms + x, nil, 0},
		"too old":                  {[]write{first, {begun: 30 * ms, acked: 40 * ms, fate: applied}}, 41*ms + x, nil, 1},
		"another key":              {[]write{first, {begun: 30 * ms, acked: 40 * ms, fate: applied, key: 1}}, 41*ms + x, nil, 0},
		"order not known":          {[]write{first, {begun: 15 * ms, acked: 40 * ms, fate: applied}}, 41*ms + x, nil, 0},
		"the first of two":         {[]write{first, {begun: 30 * ms, acked: 400 * ms, fate: applied}, {begun: 35 * ms, acked: 40 * ms, fate: applied}}, 41*ms + x, nil, 1},
		"by a write that failed":   {[]write{first, {begun: 30 * ms, fate: unknown}}, 100 * x, nil, 0},
		"by a write that was lost": {[]write{first, {begun: 30 * ms, acked: 40 * ms, fate: applied}}, 100 * x, []span{{35 * ms, 45 * ms}}, 0},
		"by one after the lost": {[]write{
			first, {begun: 30 * ms, acked: 40 * ms, fate: applied}, {begun: 50 * ms, acked: 60 * ms, fate: applied},
		}, 61*ms + x, []span{{35 * ms, 45 * ms}}, 1},
		"of a write that failed":  {[]write{{begun: 10 * ms, fate: unknown}, {begun: 30 * ms, acked: 40 * ms, fate: applied}}, 100 * x, nil, 0},
		"of a write that L2 lost": {[]write{{begun: 10 * ms, fate: refused}}, 11 * ms, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := newBoard(t, 8)
			copy(b.writes[1:], test.writes)
			b.next.Store(int64(len(test.writes)))
			b.reads[3][1] = read{hits: 7, contested: 2, firstEnd: 21 * ms, last: test.last, lastEnd: test.last + ms}
			v := judge(b, test.lost)
			assert.Len(t, v.violations, test.want)
			assert.EqualValues(t, 7, v.hits)
			assert.EqualValues(t, 2, v.contested)
		})
	}
}

// The register itself: which histories have an explanation.
func TestExplain(t *testing.T) {
	t.Parallel()
	x := int64(bound)
	first := write{begun: 10 * ms, acked: 20 * ms, fate: applied}
	second := write{begun: 30 * ms, acked: 40 * ms, fate: applied}
	at := func(began int64) read { return read{1, 0, began, began + ms, began, began + ms} }
	for name, test := range map[string]struct {
		writes      []write
		reads       map[int]read // of the first write by one reader, of the second by another
		explainable bool
	}{
		"nothing read":         {[]write{first, second}, nil, true},
		"older than the bound": {[]write{first, second}, map[int]read{1: at(42*ms + x)}, false},
		"within the bound":     {[]write{first, second}, map[int]read{1: at(39*ms + x)}, true},
		"before it was written": {
			[]write{first, second}, map[int]read{2: at(20 * ms)}, false,
		},
		"of a deletion":          {[]write{first, {begun: 30 * ms, acked: 40 * ms, fate: applied, removes: true}}, map[int]read{1: at(42*ms + x)}, false},
		"of an unknown outcome":  {[]write{{begun: 10 * ms}, second}, map[int]read{1: at(9 * x)}, true},
		"both, long after":       {[]write{first, second}, map[int]read{1: at(9 * x), 2: at(9 * x)}, false},
		"both, and each is lost": {[]write{{begun: 10 * ms}, {begun: 30 * ms}}, map[int]read{1: at(9 * x), 2: at(9 * x)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := newBoard(t, 8)
			copy(b.writes[1:], test.writes)
			b.next.Store(int64(len(test.writes)))
			for number, r := range test.reads {
				b.reads[number][number] = r
			}
			got := explain(b, nil, 100*bound, []int{0})
			assert.Equal(t, test.explainable, got.explained == 1, got.String())
			assert.Equal(t, test.explainable, got.without == 0, got.String())
			assert.Zero(t, explain(b, []span{{0, 100 * x}}, 100*bound, []int{0}).calls)
		})
	}
}
