package keylock

import (
	"slices"
	"strconv"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// The list of waiters is cut on both sides of a waiter's neighbours. Who walks it
// from an end does not get to that waiter: remove must not.
func TestEntry_RemoveDoesNotWalk(t *testing.T) {
	t.Parallel()
	var e entry
	locks := make([]Lock, 7) // the holder, and six waiters
	for i := range locks {
		assert.Equal(t, i == 0, e.add(&locks[i]))
	}
	locks[1].next, locks[6].prev = nil, nil
	e.remove(&locks[4])
	assert.Same(t, &locks[5], locks[3].next)
	assert.Same(t, &locks[3], locks[5].prev)
	assert.Equal(t, 6, e.writes)
}

func TestEntry_Remove(t *testing.T) {
	t.Parallel()
	for _, removed := range [][]int{{1}, {2}, {3}, {1, 2}, {3, 2}, {1, 3}, {2, 1, 3}, {2, 3, 1}} {
		var e entry
		locks := make([]Lock, 4) // the holder, and three waiters
		for i := range locks {
			e.add(&locks[i])
		}
		for _, i := range removed {
			e.remove(&locks[i])
		}
		for i := range locks {
			if i > 0 && !slices.Contains(removed, i) {
				assert.Same(t, &locks[i], e.next(), "%v removed", removed)
			}
		}
		assert.Nil(t, e.next())
		assert.Equal(t, entry{}, e)
		assert.Equal(t, make([]Lock, 4), locks, "nothing is left in them")
	}
}

// Fences are cut off in the same way. And a write does not visit those that an
// earlier one has broken.
func TestEntry_FencesDoNotWalk(t *testing.T) {
	t.Parallel()
	var e entry
	fences := make([]Fence, 6)
	for i := range fences {
		e.link(&fences[5-i]) // in front of the others
	}
	fences[0].next, fences[5].prev = nil, nil
	e.unlink(&fences[3])
	assert.Same(t, &fences[4], fences[2].next)
	assert.Same(t, &fences[2], fences[4].prev)

	e = entry{}
	fences = make([]Fence, 3)
	for i := range fences {
		e.link(&fences[i])
	}
	e.breakFences(&fences[1])
	for i := range fences {
		assert.Equal(t, i != 1, fences[i].Broken())
	}
	assert.Same(t, &fences[1], e.fences)
	assert.Nil(t, fences[1].next)
	e.breakFences(nil)
	assert.Nil(t, e.fences)
}

// Buckets that shared a cache line would slow each other down.
func TestBucket_FillsCacheLine(t *testing.T) {
	t.Parallel()
	assert.Equal(t, uintptr(64), unsafe.Sizeof(bucket{}))
}

// A bucket that was crowded gives its memory back.
func TestBucket_Shrinks(t *testing.T) {
	t.Parallel()
	tb := NewTable()
	locks := make([]Lock, 40*buckets)
	for i := range locks {
		assert.NoError(t, tb.Acquire(t.Context(), &locks[i], string(rune(i))+"k"))
	}
	for i := range locks {
		locks[i].Unlock()
	}
	for i := range tb.buckets {
		b := &tb.buckets[i]
		assert.False(t, b.grown)
		assert.LessOrEqual(t, int(b.spares), maxSpares)
		assert.Empty(t, b.entries)
	}
	assert.True(t, tb.Untouched())
}

// Only a map that was large is dropped: a small one serves again.
func TestBucket_KeepsASmallMap(t *testing.T) {
	t.Parallel()
	for _, n := range []int{largeMap, largeMap + 1} {
		tb := NewTable()
		b := tb.bucket("k")
		for range 2 { // the second time with what the first one left
			locks := make([]Lock, n)
			for i, next := 0, 0; i < n; next++ {
				if key := strconv.Itoa(next); tb.bucket(key) == b {
					assert.NoError(t, tb.Acquire(t.Context(), &locks[i], key))
					i++
				}
			}
			for i := range locks {
				locks[i].Unlock()
			}
			assert.Equal(t, n <= largeMap, b.entries != nil, "after %d keys", n)
			assert.Equal(t, maxSpares, int(b.spares), "after %d keys", n)
		}
	}
}
