package negative_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/negative"
)

func TestSet(t *testing.T) {
	t.Parallel()
	const ttl = time.Minute
	after := func(d time.Duration) { time.Sleep(d) } // in a bubble, whose clock jumps
	for _, test := range []struct {
		name  string
		limit int
		run   func(s *negative.Set)
		want  []string // of a, b, c, d
	}{
		{"nothing", 3, func(*negative.Set) {}, nil},
		{"added", 3, func(s *negative.Set) { add(s, "a", "b") }, []string{"a", "b"}},
		{"full: the first added goes", 3, func(s *negative.Set) { add(s, "a", "b", "c", "d") }, []string{"b", "c", "d"}},
		{"limit 1", 1, func(s *negative.Set) { add(s, "a", "b") }, []string{"b"}},
		{"added again when full: nothing goes", 3, func(s *negative.Set) { add(s, "a", "b", "c", "a") }, []string{"a", "b", "c"}},
		{"added again: it is the last to go", 3, func(s *negative.Set) { add(s, "a", "b", "c", "a", "d") }, []string{"a", "c", "d"}},
		{"dropped", 3, func(s *negative.Set) { add(s, "a", "b"); s.Drop("a") }, []string{"b"}},
		{"an absent key is dropped", 3, func(s *negative.Set) { add(s, "a"); s.Drop("b") }, []string{"a"}},
		{"dropped: its place is free", 3, func(s *negative.Set) { add(s, "a", "b", "c"); s.Drop("b"); add(s, "d") }, []string{"a", "c", "d"}},
		{"dropped and added: it is the last to go", 3, func(s *negative.Set) {
			add(s, "a", "b", "c")
			s.Drop("a")
			add(s, "a", "d")
		}, []string{"a", "c", "d"}},
		{"dropped many times: no place is lost", 3, func(s *negative.Set) {
			for range 100 {
				add(s, "a")
				s.Drop("a")
			}
			add(s, "a", "b", "c")
		}, []string{"a", "b", "c"}},
		{"cleared", 3, func(s *negative.Set) { add(s, "a", "b"); s.Clear() }, nil},
		{"cleared and added", 3, func(s *negative.Set) { add(s, "a", "b"); s.Clear(); add(s, "c", "a", "b") }, []string{"a", "b", "c"}},
		{"just before it expires", 3, func(s *negative.Set) { add(s, "a"); after(ttl - 1) }, []string{"a"}},
		{"expired", 3, func(s *negative.Set) { add(s, "a"); after(ttl) }, nil},
		{"added again: the TTL begins again", 3, func(s *negative.Set) {
			add(s, "a", "b")
			after(ttl - 1)
			add(s, "a")
			after(ttl - 1)
		}, []string{"a"}},
		{"expired and added", 3, func(s *negative.Set) { add(s, "a", "b"); after(ttl); add(s, "a") }, []string{"a"}},
		{"an expired key makes room", 3, func(s *negative.Set) {
			add(s, "a")
			after(ttl / 2)
			add(s, "b", "c")
			after(ttl / 2)
			add(s, "d")
		}, []string{"b", "c", "d"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := negative.New(ttl, test.limit)
				test.run(s)
				var got []string
				for _, key := range []string{"a", "b", "c", "d"} {
					if s.Has(key) {
						got = append(got, key)
					}
				}
				assert.Equal(t, test.want, got)
				assert.Equal(t, len(test.want), s.Len())
			})
		})
	}
}

func add(s *negative.Set, keys ...string) {
	for _, key := range keys {
		s.Add(key)
	}
}

func TestSet_Nil(t *testing.T) {
	t.Parallel()
	for _, s := range []*negative.Set{nil, negative.New(0, 1), negative.New(-1, 1), negative.New(1, 0), negative.New(1, -1)} {
		assert.Nil(t, s)
		s.Add("a")
		assert.False(t, s.Has("a"))
		s.Drop("a")
		s.Clear()
		assert.Zero(t, s.Len())
	}
}

func TestSet_Bounded(t *testing.T) {
	t.Parallel()
	for limit, shards := range map[int]int{1: 1, 127: 1, 128: 2, 1000: 8, 2048: 32, 10_000: 32, 1_000_003: 32} {
		s := negative.New(time.Hour, limit)
		assert.Equal(t, shards, s.Shards())
		for i := range min(4*limit, 100_000) {
			s.Add(fmt.Sprint(i))
			require.LessOrEqual(t, s.Kept(), limit)
		}
		if limit <= 10_000 {
			assert.Greater(t, s.Len(), limit*95/100, "a full one uses what it may")
		}
		s.Clear()
		assert.Zero(t, s.Kept())
	}
}

// The model is a slice of these, in the order in which they were added.
type remembered struct {
	key string
	end time.Time
}

func TestSet_Model(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ limit, keys int }{
		{1, 3}, {5, 8}, {100, 130}, // one shard, which is often full
		{10_000, 40}, // many shards, none of which ever is
	} {
		t.Run(fmt.Sprint(row), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Log("seed", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			synctest.Test(t, func(t *testing.T) {
				s := negative.New(100*time.Millisecond, row.limit)
				var model []remembered
				forget := func(key string) {
					kept := model[:0]
					for _, r := range model {
						if r.key != key && time.Now().Before(r.end) {
							kept = append(kept, r)
						}
					}
					model = kept
				}
				for range 20_000 {
					key := fmt.Sprint(random.IntN(row.keys))
					switch random.IntN(8) {
					case 0, 1, 2:
						s.Add(key)
						forget(key)
						if len(model) == row.limit {
							model = model[1:]
						}
						model = append(model, remembered{key, time.Now().Add(100 * time.Millisecond)})
					case 3:
						s.Drop(key)
						forget(key)
					case 4:
						time.Sleep(time.Duration(random.IntN(10)) * time.Millisecond)
					case 5:
						if random.IntN(100) == 0 {
							s.Clear()
							model = nil
						}
					case 6:
						forget("")
						require.Equal(t, len(model), s.Len())
					default:
						forget("")
						want := false
						for _, r := range model {
							want = want || r.key == key
						}
						require.Equal(t, want, s.Has(key))
					}
					require.LessOrEqual(t, s.Kept(), row.limit)
				}
			})
		})
	}
}

// However many keys have expired, an Add or a Drop removes two of them at most.
func TestSet_RemovesFewAtOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, 120} {
		synctest.Test(t, func(t *testing.T) {
			s := negative.New(time.Minute, 127)
			require.Equal(t, 1, s.Shards())
			for i := range n {
				s.Add(fmt.Sprint(i))
			}
			time.Sleep(time.Minute)
			require.Equal(t, n, s.Kept())
			s.Add("new")
			assert.Equal(t, n-1, s.Kept())
			s.Drop("unknown")
			assert.Equal(t, n-3, s.Kept())
			for s.Kept() > 1 {
				s.Drop("unknown")
			}
			assert.True(t, s.Has("new"))
		})
	}
}

// A full Set needs no more memory, and Has and Drop never do.
func TestSet_Allocs(t *testing.T) {
	s, keys := full(t, 10_000)
	i := 0
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		s.Add(keys[i])
		i++
	}), "Add")
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		s.Has(keys[i])
		s.Drop(keys[i])
	}), "Has and Drop")
}

// full returns a Set whose shards are all full, and keys that it does not have.
func full(tb testing.TB, limit int) (s *negative.Set, keys []string) {
	tb.Helper()
	s = negative.New(time.Hour, limit)
	for i := range 4 * limit {
		s.Add(fmt.Sprint("old:", i))
	}
	keys = make([]string, 8192)
	for i := range keys {
		keys[i] = fmt.Sprint("new:", i)
	}
	return s, keys
}

func TestSet_ConcurrentSafe(t *testing.T) {
	t.Parallel()
	s := negative.New(time.Hour, 1000)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				key := fmt.Sprint(g, ":", i)
				s.Add(key)
				s.Has(key)
				if i%2 == 0 {
					s.Drop(key)
					assert.False(t, s.Has(key))
				}
				if i%500 == 0 {
					s.Len()
					s.Clear()
				}
			}
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, s.Len(), 1000)
}
