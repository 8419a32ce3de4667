package redis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/e2e/stall"
)

type (
	write  = backends.Write[[]byte]
	result = backends.Result
)

func TestLog_Versions(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	v1 := f.write(t, set("1", write{})).Version
	require.NoError(t, f.Set(t.Context(), key, backends.Entry[[]byte]{Value: []byte("2")}))
	value, a := f.get(t)
	assert.Equal(t, "2", value)
	assert.Equal(t, backends.MakeVersion(v1.Era(), v1.Seq()+1), a.Version, "of the next message")
	v3 := f.write(t, remove(write{})).Version
	assert.Equal(t, backends.MakeVersion(v1.Era(), v1.Seq()+2), v3)
	value, a = f.get(t)
	assert.Empty(t, value)
	assert.Equal(t, backends.Answer{Found: backends.Miss, Version: v3}, a)
	require.NoError(t, f.Delete(t.Context(), key))
	assert.Equal(t, 4, f.messages(t))
	assert.Equal(t, v1.Seq()+3, f.Seen(key).Seq())

	note := backends.Answer{Found: backends.Hit, Source: 7, Operation: 8, Note: []byte("note"), Codec: 9}
	note.Version = f.write(t, set("5", write{Source: 7, Operation: 8, Note: note.Note, Codec: 9})).Version
	_, a = f.get(t)
	assert.Equal(t, note, a)
}

func TestLog_Conditions(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	first := f.write(t, set("1", write{})).Version
	second := f.write(t, set("2", write{})).Version
	third := second + 1
	other := backends.MakeVersion(first.Era()+1, first.Seq())
	earlier := backends.MakeVersion(first.Era()-1, backends.MaxSeq)
	refused := func(v backends.Version) result { return result{Refused: backends.RefusedCondition, Version: v} }
	type state struct {
		name    string
		prepare func(t *testing.T) backends.Version
	}
	live := state{"live", func(t *testing.T) backends.Version { t.Helper(); return f.write(t, set("2", write{})).Version }}
	deleted := state{"deleted", func(t *testing.T) backends.Version { t.Helper(); return f.write(t, remove(write{})).Version }}
	expired := state{"expired", func(t *testing.T) backends.Version {
		t.Helper()
		v := f.write(t, set("x", write{Entry: backends.Entry[[]byte]{ExpiresAt: time.Now().Add(20 * time.Millisecond)}})).Version
		require.Eventually(t, func() bool { got, _ := f.get(t); return got == "" }, patience, time.Millisecond)
		return v
	}}
	none := state{"none", func(t *testing.T) backends.Version { t.Helper(); f.admin(t, "del", valueKey); return 0 }}
	is, notNewer, absentAt := backends.Is, backends.NotNewer, backends.AbsentAt
	for _, test := range []struct {
		state   state
		cond    func(v backends.Version) backends.Condition
		name    string
		set, rm bool
	}{
		{live, func(backends.Version) backends.Condition { return backends.Absent() }, "absent", false, false},
		{deleted, func(backends.Version) backends.Condition { return backends.Absent() }, "absent", true, true},
		{expired, func(backends.Version) backends.Condition { return backends.Absent() }, "absent", true, true},
		{none, func(backends.Version) backends.Condition { return backends.Absent() }, "absent", true, true},
		{live, is, "is", true, true},
		{live, func(v backends.Version) backends.Condition { return is(v - 1) }, "is an older", false, false},
		{live, func(backends.Version) backends.Condition { return is(other) }, "is of another era", false, false},
		{deleted, is, "is", false, false},
		{expired, is, "is", false, false},
		{none, func(backends.Version) backends.Condition { return is(third) }, "is", false, false},
		{live, notNewer, "not newer", true, true},
		{live, func(v backends.Version) backends.Condition { return notNewer(v + 1) }, "not newer than a later one", true, true},
		{live, func(v backends.Version) backends.Condition { return notNewer(v - 1) }, "newer", false, false},
		{live, func(backends.Version) backends.Condition { return notNewer(other) }, "not newer, another era", false, false},
		{live, func(backends.Version) backends.Condition { return notNewer(earlier) }, "not newer, an earlier era", false, false},
		{deleted, notNewer, "not newer", true, true},
		{deleted, func(v backends.Version) backends.Condition { return notNewer(v - 1) }, "newer", false, false},
		{expired, notNewer, "not newer", true, true},
		{none, func(backends.Version) backends.Condition { return notNewer(third) }, "not newer", false, true},
		{live, absentAt, "absent at its version", false, false},
		{live, func(backends.Version) backends.Condition { return absentAt(0) }, "absent at none", false, false},
		{deleted, absentAt, "absent at its version", true, true},
		{deleted, func(v backends.Version) backends.Condition { return absentAt(v - 1) }, "absent at an older", false, false},
		{deleted, func(v backends.Version) backends.Condition { return absentAt(v + 1) }, "absent at a later", false, false},
		{deleted, func(backends.Version) backends.Condition { return absentAt(other) }, "absent at one of another era", false, false},
		{deleted, func(backends.Version) backends.Condition { return absentAt(0) }, "absent at none", false, false},
		{expired, absentAt, "absent at its version", true, true},
		{expired, func(backends.Version) backends.Condition { return absentAt(0) }, "absent at none", false, false},
		{none, absentAt, "absent at none", true, true},
		{none, func(backends.Version) backends.Condition { return absentAt(third) }, "absent at a version", false, false},
	} {
		for kind, holds := range map[string]bool{"set": test.set, "remove": test.rm} {
			stored := test.state.prepare(t)
			before := f.messages(t)
			w := set("new", write{If: test.cond(stored)})
			if kind == "remove" {
				w = remove(write{If: test.cond(stored)})
			}
			name := strings.Join([]string{test.state.name, test.name, kind}, ", ")
			got, err := f.Write(t.Context(), w)
			require.NoError(t, err, name)
			if !holds {
				assert.Equal(t, refused(stored), got, name)
				assert.Equal(t, before, f.messages(t), "%s: a refused write is in the log", name)
				continue
			}
			assert.True(t, got.Applied(), name)
			assert.Greater(t, got.Version, stored, name)
			assert.Equal(t, before+1, f.messages(t), name)
			value, a := f.get(t)
			assert.Equal(t, got.Version, a.Version, name)
			assert.Equal(t, kind == "set", value == "new", name)
		}
	}
}

func TestLog_Sources(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	const big = 1 << 63 // a version that is a negative number, and no text in order
	f.write(t, set("new", write{Source: big + 200}))
	for _, older := range []uint64{1, 255, big, big + 199} {
		for _, w := range []*write{set("old", write{Source: older}), remove(write{Source: older})} {
			r, err := f.Write(t.Context(), w)
			require.NoError(t, err)
			assert.Equal(t, backends.RefusedSource, r.Refused)
			assert.Equal(t, uint64(big+200), r.Source)
			value, a := f.get(t)
			assert.Equal(t, "new", value)
			assert.Equal(t, r.Version, a.Version)
		}
	}
	assert.Equal(t, uint64(big+200), f.write(t, set("equal", write{Source: big + 200})).Source)
	assert.Equal(t, uint64(big+200), f.write(t, remove(write{})).Source, "a delete keeps the source version")
	r, err := f.Write(t.Context(), set("old", write{Source: big + 199}))
	require.NoError(t, err)
	assert.Equal(t, backends.RefusedSource, r.Refused, "of a deleted entry")
	assert.Equal(t, uint64(big+201), f.write(t, remove(write{Source: big + 201})).Source)
	assert.Zero(t, f.write(t, set("none", write{})).Source, "a set without one is accepted")
	f.write(t, set("any", write{Source: 1}))

	// The condition is decided first.
	r, err = f.Write(t.Context(), set("old", write{Source: 0, If: backends.Absent()}))
	require.NoError(t, err)
	assert.Equal(t, backends.RefusedCondition, r.Refused)
	assert.Equal(t, uint64(1), r.Source)
}

func TestLog_Deadlines(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	stalled := stall.Watch(t)
	stored := f.write(t, set("old", write{Source: 5}))
	for name, w := range map[string]*write{
		"set":         set("late", write{}),
		"conditional": set("late", write{If: backends.Absent()}),
		"remove":      remove(write{}),
	} {
		w.Before = f.storeTime(t)
		before := f.messages(t)
		r, err := f.Write(t.Context(), w)
		require.NoError(t, err, name)
		assert.Equal(t, result{Refused: backends.RefusedLate, Version: stored.Version, Source: 5}, r, name)
		assert.Equal(t, before, f.messages(t), name)
	}
	f.write(t, set("in time", write{Before: f.storeTime(t).Add(time.Minute)}))
	f.write(t, remove(write{Before: f.storeTime(t).Add(time.Minute)}))

	asked := time.Now()
	now, within, ok := f.StoreTime()
	require.True(t, ok)
	told := f.storeTime(t)
	assert.WithinDuration(t, told, now, within+time.Since(asked))
	assert.Less(t, within, 50*time.Millisecond+stalled())
}

func TestLog_Keep(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	ttl := func() time.Duration {
		d, err := f.server.Admin.PTTL(t.Context(), valueKey).Result()
		require.NoError(t, err)
		return d
	}
	stalled := stall.Watch(t)
	within := func() float64 { return float64(time.Second + stalled()) }
	f.write(t, set("v", write{Entry: backends.Entry[[]byte]{ExpiresAt: time.Now().Add(time.Minute)}}))
	assert.InDelta(t, time.Minute+backends.DefaultKeep, ttl(), within())
	f.write(t, set("v", write{}))
	assert.Equal(t, time.Duration(-1), ttl())
	f.write(t, remove(write{Keep: time.Hour}))
	assert.InDelta(t, time.Hour, ttl(), within())
	v := f.write(t, set("v", write{Entry: backends.Entry[[]byte]{ExpiresAt: time.Now().Add(-time.Second)}})).Version
	assert.InDelta(t, backends.DefaultKeep, ttl(), within(), "a set of an expired entry is a delete")
	value, a := f.get(t)
	assert.Empty(t, value)
	assert.Equal(t, backends.Answer{Found: backends.Miss, Version: v}, a)
}

func TestLog_GetIf(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	large := strings.Repeat("x", 1<<16)
	v := f.write(t, set(large, write{Note: []byte("note"), Source: 3})).Version
	sent := func(do func()) int {
		begin := f.admin(t, "info", "stats").(string)
		do()
		return outputOf(t, f.admin(t, "info", "stats").(string)) - outputOf(t, begin)
	}
	assert.Less(t, sent(func() {
		e, a, err := f.GetIf(t.Context(), key, v)
		require.NoError(t, err)
		assert.Zero(t, e)
		assert.Equal(t, backends.Answer{Found: backends.Unchanged, Version: v, Source: 3, Note: []byte("note")}, a)
	}), 10_000, "bytes of a value that has not changed")
	for name, have := range map[string]backends.Version{
		"none": 0, "older": v - 1, "of another era": backends.MakeVersion(v.Era()+1, v.Seq()),
	} {
		e, a, err := f.GetIf(t.Context(), key, have)
		require.NoError(t, err, name)
		assert.Equal(t, backends.Hit, a.Found, name)
		assert.Equal(t, large, string(e.Value), name)
	}
	v = f.write(t, remove(write{})).Version
	_, a, err := f.GetIf(t.Context(), key, v)
	require.NoError(t, err)
	assert.Equal(t, backends.Answer{Found: backends.Miss, Version: v, Source: 3}, a)
	v = f.write(t, set("x", write{Entry: backends.Entry[[]byte]{ExpiresAt: time.Now().Add(20 * time.Millisecond)}})).Version
	require.Eventually(t, func() bool { got, _ := f.get(t); return got == "" }, patience, time.Millisecond)
	_, a, err = f.GetIf(t.Context(), key, v)
	require.NoError(t, err)
	assert.Equal(t, backends.Answer{Found: backends.Miss, Version: v}, a, "expired")
	f.admin(t, "del", valueKey)
	_, a, err = f.GetIf(t.Context(), key, v)
	require.NoError(t, err)
	assert.Zero(t, a)
}
