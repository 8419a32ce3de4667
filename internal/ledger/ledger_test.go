package ledger_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/ledger"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }

func entry(key string, seconds int) *ledger.Entry {
	return &ledger.Entry{Key: key, Operation: uint64(seconds), Base: 7, Since: at(seconds), Until: at(seconds + 5), Fenced: true} //nolint:gosec // not negative
}

func TestOpen(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	_, was, kept := l.Open(entry("k", 1))
	assert.False(t, was)
	assert.True(t, kept)
	got, open := l.Get("k")
	require.True(t, open)
	assert.EqualValues(t, 1, got.Operation)
	_, open = l.Get("other")
	assert.False(t, open)

	closed, was := l.Close("k", ledger.Applied)
	assert.True(t, was)
	assert.Equal(t, at(1), closed.Since)
	_, was = l.Close("k", ledger.Applied)
	assert.False(t, was)
	assert.Zero(t, l.Len())
	s := l.Status(1)
	assert.True(t, s.Balanced())
	assert.EqualValues(t, 1, s.Closed[ledger.Applied])
}

// The key stays open until the later deadline, since the oldest event.
func TestOpen_Replaced(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	older := entry("k", 1)
	older.Until = at(100)
	l.Open(older)
	newer := entry("k", 2)
	newer.Cause = ledger.Kept
	replaced, was, kept := l.Open(newer)
	assert.True(t, was)
	assert.True(t, kept)
	assert.EqualValues(t, 1, replaced.Operation)
	got, _ := l.Get("k")
	assert.EqualValues(t, 2, got.Operation)
	assert.Equal(t, at(1), got.Since)
	assert.Equal(t, at(100), got.Until)
	assert.Equal(t, ledger.Kept, got.Cause)
	keys, next := l.Take(at(99), 1, time.Minute)
	assert.Empty(t, keys)
	assert.Equal(t, at(100), next)
	s := l.Status(0)
	assert.Equal(t, 1, s.Open)
	opened, closed := s.Events()
	assert.EqualValues(t, 2, opened)
	assert.EqualValues(t, 1, closed)
	assert.EqualValues(t, 1, s.Closed[ledger.Superseded])
	assert.Equal(t, 1, s.Causes[ledger.Kept])
	assert.Zero(t, s.Causes[ledger.Unknown])
	assert.True(t, s.Balanced())
}

// A later write that was applied ends no event, because the older one may come last.
func TestRenew(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	l.Renew(entry("k", 1))
	assert.Zero(t, l.Len())
	older := entry("k", 1)
	older.Note = ledger.MakeNote([]byte("note"))
	l.Open(older)
	newer := entry("k", 2)
	newer.Landed, newer.Fenced = true, false
	l.Renew(newer)
	got, _ := l.Get("k")
	assert.True(t, got.Landed)
	assert.False(t, got.Fenced)
	assert.EqualValues(t, 2, got.Operation)
	assert.Equal(t, at(1), got.Since)
	assert.Equal(t, "note", string(got.Note.Bytes()), "of the write that diverged")
	s := l.Status(0)
	opened, _ := s.Events()
	assert.EqualValues(t, 1, opened)
	assert.True(t, s.Balanced())
}

func TestTake(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	for i := range 10 {
		l.Open(entry(strconv.Itoa(i), i))
	}
	keys, next := l.Take(at(7), 2, time.Minute)
	assert.Equal(t, []string{"0", "1"}, keys)
	assert.Equal(t, at(7), next)
	keys, next = l.Take(at(7), 10, time.Minute)
	assert.Equal(t, []string{"2"}, keys)
	assert.Equal(t, at(8), next)
	l.PutOff("0", at(7), true)
	keys, _ = l.Take(at(7), 10, time.Minute)
	assert.Equal(t, []string{"0"}, keys)
	got, _ := l.Get("0")
	assert.Equal(t, 1, got.Attempts())
	l.Extend("0", at(50))
	l.PutOff("0", at(8), true)
	got, _ = l.Get("0")
	assert.Equal(t, at(50), got.Until)
	_, next = l.Take(at(7), 0, time.Minute)
	assert.Equal(t, at(8), next, "of another key")
	l.Shorten("0", at(5))
	l.PutOff("0", at(7), false)
	l.Extend("0", at(1000))
	keys, _ = l.Take(at(70), 10, time.Hour)
	assert.Equal(t, []string{"3", "4", "5", "6", "7", "8", "9"}, keys[:7])
	assert.ElementsMatch(t, []string{"1", "2"}, keys[7:], "the lease has ended")
	for i := range 10 {
		l.Close(strconv.Itoa(i), ledger.Dropped)
	}
	keys, next = l.Take(at(70), 10, time.Hour)
	assert.Empty(t, keys)
	assert.Zero(t, next)
	l.PutOff("0", at(1), true) // it is no longer there
	l.Extend("0", at(1))
}

func TestShorten(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	l.Open(entry("k", 1))
	l.Extend("k", at(50))
	l.Shorten("k", at(10))
	l.Shorten("other", at(10))
	l.PutOff("k", at(12), false)
	keys, _ := l.Take(at(12), 1, time.Minute)
	assert.Equal(t, []string{"k"}, keys)
}

// Keys whose attempts have failed are due again, and those that are being repaired are not.
func TestHurry(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	for _, key := range []string{"failed", "early", "now"} {
		l.Open(entry(key, 1))
	}
	keys, _ := l.Take(at(10), 9, time.Minute)
	require.Len(t, keys, 3)
	l.PutOff("failed", at(100), true)
	l.PutOff("early", at(100), true)
	l.Extend("early", at(20))
	l.Hurry()
	keys, next := l.Take(at(10), 9, time.Minute)
	assert.Equal(t, []string{"failed"}, keys)
	assert.Equal(t, at(20), next)
	got, _ := l.Get("failed")
	assert.Zero(t, got.Attempts())
}

func TestNote(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{0: 0, 1: 1, 25: 25, 26: 0} {
		data := bytes.Repeat([]byte{7}, size)
		n := ledger.MakeNote(data)
		assert.Equal(t, data[:want], n.Bytes())
	}
}

func TestVoid(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	l.Open(entry("k", 1))
	l.Void()
	got, _ := l.Get("k")
	assert.Zero(t, got.Base)
	l.Open(entry("k", 2))
	got, _ = l.Get("k")
	assert.Zero(t, got.Base, "the write began before")
	after := entry("k", 3)
	after.Generation = l.Generation()
	l.Renew(after)
	got, _ = l.Get("k")
	assert.NotZero(t, got.Base)
}

// Where there is no room, the event ends at once, and is counted.
func TestLimits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits ledger.Limits
		key    string
		room   int
	}{
		"entries": {ledger.Limits{Entries: 3}, "k", 3},
		"bytes":   {ledger.Limits{Bytes: 4096}, strings.Repeat("k", 1000), 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := ledger.New(test.limits)
			for i := range 5 {
				_, _, kept := l.Open(entry(fmt.Sprint(test.key, i), i))
				assert.Equal(t, i < test.room, kept)
			}
			_, was, kept := l.Open(entry(test.key+"0", 9))
			assert.True(t, was && kept, "one that is open needs no room")
			s := l.Status(100)
			assert.Equal(t, test.room, s.Open)
			assert.Len(t, s.Entries, test.room)
			assert.EqualValues(t, 2, s.Full)
			assert.EqualValues(t, 2, s.Closed[ledger.Dropped])
			assert.True(t, s.Balanced())
			l.Close(test.key+"0", ledger.Applied)
			_, _, kept = l.Open(entry(test.key+"x", 9))
			assert.True(t, kept, "there is room again")
		})
	}
}

// The entries of a status are the oldest ones, in order; those of one instant go by their keys.
func TestStatus_Entries(t *testing.T) {
	t.Parallel()
	l := ledger.New(ledger.Limits{})
	assert.Zero(t, l.Status(9).Oldest)
	keys := []string{"d", "c", "b", "a", "h", "g", "f", "e"} // the first four are newer
	for i, key := range keys {
		l.Open(entry(key, 2-i/4))
	}
	all := []string{"e", "f", "g", "h", "a", "b", "c", "d"}
	for n := range 10 {
		s := l.Status(n)
		got := []string{}
		for i := range s.Entries {
			got = append(got, s.Entries[i].Key)
		}
		assert.Equal(t, all[:min(n, len(all))], got, "of %d", n)
		assert.Equal(t, at(1), s.Oldest)
	}
}

// Whatever happens, opened - closed = open.
func TestBalance(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // it is to repeat itself
	l := ledger.New(ledger.Limits{Entries: 20})
	for i := range 20_000 {
		key := strconv.Itoa(random.IntN(40))
		switch random.IntN(7) {
		case 0, 1:
			e := entry(key, i)
			e.Cause = ledger.Cause(random.IntN(ledger.Causes)) //nolint:gosec // it is small
			l.Open(e)
		case 2:
			l.Renew(entry(key, i))
		case 3:
			l.Close(key, ledger.Resolution(random.IntN(ledger.Resolutions))) //nolint:gosec // it is small
		case 4:
			keys, _ := l.Take(at(i), random.IntN(3), time.Minute)
			for _, key := range keys {
				l.PutOff(key, at(i+random.IntN(20)), true)
			}
		case 5:
			l.Pass(ledger.Stale, ledger.Dropped)
			l.Hurry()
		default:
			l.Extend(key, at(i+random.IntN(20)))
		}
		s := l.Status(0)
		require.True(t, s.Balanced())
		sum := 0
		for _, n := range s.Causes {
			sum += n
		}
		require.Equal(t, s.Open, sum)
		require.Equal(t, s.Open, l.Len())
	}
}

// 10,000 entries without values take at most 4 MB.
func TestMemory(t *testing.T) {
	l := ledger.New(ledger.Limits{})
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("tenant-%03d:customer:%016d", i%100, i)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i, key := range keys {
		_, _, kept := l.Open(entry(strings.Clone(key), i))
		require.True(t, kept)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	size := after.HeapAlloc - before.HeapAlloc
	t.Logf("%d bytes", size)
	assert.Less(t, size, uint64(4_000_000))
	assert.Equal(t, 10_000, l.Len())
	runtime.KeepAlive(keys)
}
