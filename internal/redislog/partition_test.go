package redislog

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tier"
)

// Running servers have these keys: they must not change.
func TestPartitions(t *testing.T) {
	t.Parallel()
	one := NewPartitions("shop:", 1)
	require.Len(t, one, 1)
	assert.Equal(t, "shop:v2:{0/1}:", one[0].Prefix)
	assert.Equal(t, "shop:v2:{0/1}log", one[0].Log)
	assert.Equal(t, "shop:v2:{0/1}place", one[0].Mark)
	many := NewPartitions("", MaxPartitions)
	assert.Len(t, many[MaxPartitions-1].Prefix, MaxSpaceSize)
	for key, want := range map[string]string{
		"": "{5/16}", "a": "{12/16}", "user:4711": "{11/16}", "\xff\x00": "{10/16}",
	} {
		assert.Contains(t, PartitionOf(NewPartitions("", 16), key).Prefix, want, "%q", key)
	}
	used := make(map[*Partition]int)
	sixteen := NewPartitions("", 16)
	for i := range 1600 {
		used[PartitionOf(sixteen, "user:"+strconv.Itoa(i))]++
	}
	for _, n := range used {
		assert.InDelta(t, 100, n, 40)
	}
	assert.Len(t, used, 16)
}

func TestPartition_Seen(t *testing.T) {
	t.Parallel()
	var p Partition
	for _, v := range []backends.Version{3, 1, 5, 4, 0} {
		p.See(v)
	}
	assert.Equal(t, backends.Version(5), p.Seen())
}

// An era that no server can have is not remembered, unless the log itself has one that is close.
func TestPartition_SeenEra(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in the year 2000
		var p Partition
		p.See(backends.MakeVersion(maxAhead, 7))
		assert.Equal(t, backends.MakeVersion(maxAhead, 7), p.Seen())
		p.See(backends.MakeVersion(maxAhead+1, 1))
		p.See(backends.MakeVersion(backends.MaxEra, 1))
		assert.Equal(t, backends.MakeVersion(maxAhead, 7), p.Seen())

		p.place.Store(parsePlace("1000000000 t n"))
		p.See(backends.MakeVersion(1_000_000_000+maxAhead+1, 1))
		assert.Equal(t, backends.MakeVersion(maxAhead, 7), p.Seen())
		p.See(backends.MakeVersion(1_000_000_000+maxAhead, 1))
		assert.Equal(t, backends.MakeVersion(1_000_000_000+maxAhead, 1), p.Seen())

		time.Sleep(80 * 365 * 24 * time.Hour)
		p.See(backends.MakeVersion(backends.MaxEra, 1))
		assert.Equal(t, backends.MakeVersion(backends.MaxEra, 1), p.Seen())
	})
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	assert.Equal(t, &Place{text: "500 t n", era: 500, id: "500-*", high: "1000"}, parsePlace("500 t n"))
	assert.Equal(t, "4294967294", parsePlace("2147483647 t n").high)
	for _, bad := range []string{"", "0 t n", "-1 t n", "2147483648 t n", "x", " 500"} {
		assert.Nil(t, parsePlace(bad), bad)
	}
}

func TestStreamID(t *testing.T) {
	t.Parallel()
	id, ok := parseStreamID("500-7")
	require.True(t, ok)
	assert.Equal(t, streamID{500, 7}, id)
	assert.Equal(t, "500-7", id.String())
	assert.Equal(t, backends.MakeVersion(500, 7), id.version())
	for _, bad := range []string{"", "500", "500-", "-7", "0-1", "1795000000000-0", "500-8589934592", "500-x", "x-7"} {
		_, ok := parseStreamID(bad)
		assert.False(t, ok, bad)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("500-7", "key", "s\x00\x00\x00\x00\x00\x00\x00\x07note", "1795000000", "123456")
	f.Add("500-8", "key", "d\x00\x00\x00\x00\x00\x00\x00\x07", "1795000000", "123456")
	f.Add("500-0", "", "i", "1", "2")
	f.Add("500-1", "", "h1", "1", "2")
	f.Add("500-1", "", "a2", "1", "2")
	f.Add("500-1", "", "", "", "")
	f.Fuzz(func(t *testing.T, id, key, meta, seconds, micros string) {
		fields := map[string]string{"k": key, "m": meta, "s": seconds, "u": micros}
		m := ParseMessage(id, func(name string) string { return fields[name] })
		switch {
		case m.isChange():
			assert.Equal(t, key, m.change.Key)
			assert.Equal(t, m.id.version(), m.change.Version)
			assert.Equal(t, m.kind == messageDelete, m.change.Kind == tier.Delete)
			assert.Equal(t, meta, messageMeta(m.kind, m.change.Operation, m.change.Note))
			assert.False(t, m.isForeign())
		case m.kind == 0:
			assert.True(t, m.isForeign())
		default:
			assert.Zero(t, m.change)
		}
	})
}
