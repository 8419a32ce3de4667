package badgerbackend_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/internal/header"
)

func putRaw(t *testing.T, db *badger.DB, key, stored string) {
	t.Helper()
	require.NoError(t, db.Update(func(txn *badger.Txn) error { return txn.Set([]byte(key), []byte(stored)) }))
}

// Entries of earlier releases are read, and are entries without a version.
func TestEarlierFormat(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, inMemory())
	for key, test := range map[string]struct {
		stored string
		want   backends.Entry[[]byte]
	}{
		"never":   {"\xC1\x00\x00\x00\x00\x00\x00\x00\x00v", value("v")},
		"expires": {"\xC1\x70\x00\x00\x00\x00\x00\x00\x01value", backends.Entry[[]byte]{Value: []byte("value"), ExpiresAt: time.Unix(0, 0x7000000000000001)}},
		"latest":  {"\xC1\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", backends.Entry[[]byte]{Value: []byte{}, ExpiresAt: time.Unix(0, math.MaxInt64)}},
	} {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			putRaw(t, db, key, test.stored)
			requireHit(t, b, key, test.want)
			_, answer, err := b.GetIf(t.Context(), key, 1)
			require.NoError(t, err)
			require.Equal(t, backends.Answer{Found: backends.Hit}, answer)
			requireVersionless(t, b, key)
			requireApplied(t, b, set(key, "new"))
			requireHit(t, b, key, value("new"))
		})
	}
	putRaw(t, db, "expired", "\xC1\x00\x00\x00\x00\x00\x00\x00\x01v")
	requireMiss(t, b, "expired")
	w := set("expired", "new")
	w.If = backends.Absent()
	requireApplied(t, b, w)
}

// No condition holds for bytes of which no version is known, and other writes replace
// them.
func TestConditionsOnForeignBytes(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, inMemory())
	putRaw(t, db, "k", `{"secret": 1}`)
	_, answer, err := b.GetIf(t.Context(), "k", 0)
	var damaged *backends.DamagedError
	require.ErrorAs(t, err, &damaged)
	require.Zero(t, answer)
	requireVersionless(t, b, "k")
	w := set("k", "new")
	w.Source = 1
	requireApplied(t, b, w)
	putRaw(t, db, "k", "\xC1\x82\xFF foreign")
	requireApplied(t, b, remove("k"))
	requireMiss(t, b, "k")
}

// requireVersionless checks that no condition holds for the entry at key.
func requireVersionless(t *testing.T, b backends.Versioned[[]byte], key string) {
	t.Helper()
	for _, w := range []write{set(key, "new"), remove(key)} {
		for _, condition := range []backends.Condition{backends.Absent(), backends.Is(1), backends.NotNewer(math.MaxUint64)} {
			w.If = condition
			require.Equal(t, backends.Result{Refused: backends.RefusedCondition}, mustWrite(t, b, w))
		}
	}
}

// An entry is remembered for a while after its expiry, and its space is freed then.
func TestExpiryBeyondTheLastInstant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := openInMemory(t)
		latest := time.Unix(0, math.MaxInt64)
		w := set("k", "v")
		w.Entry.ExpiresAt, w.Keep = latest, math.MaxInt64
		requireApplied(t, b, w)
		requireHit(t, b, "k", w.Entry)
		w = remove("k")
		w.Keep = math.MaxInt64
		version := requireApplied(t, b, w)
		time.Sleep(time.Minute)
		_, answer, err := b.GetIf(t.Context(), "k", 0)
		require.NoError(t, err)
		require.Equal(t, backends.Answer{Version: version}, answer)
	})
}

// Bytes are refused with a text that quotes none of them, or are of exactly one format.
func FuzzDecode(f *testing.F) {
	rest := strings.Repeat("\x00", header.Size-4)
	for _, stored := range []string{
		"", "\xC1", "\xC1\x00\x00", "\xC1\x00\x00\x00\x00\x00\x00\x00\x00", "\xC1\x17\x9A\x3B\x2C\x1D\x0E\x0F\x10value",
		"\xC1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFvalue", "\xC1\x82\x00\x00" + rest + "value", "\xC1\x82\x01\x00" + rest,
		`{"json": "of another writer"}`,
	} {
		f.Add([]byte(stored))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		expiresAt, version, value, err := badgerbackend.Decode(data)
		require.Equal(t, before, data, "the bytes were changed")
		if err != nil {
			var damaged *backends.DamagedError
			require.ErrorAs(t, err, &damaged)
			return
		}
		require.GreaterOrEqual(t, expiresAt, int64(0))
		if header.Earlier(data) {
			require.Zero(t, version)
			require.Equal(t, data[9:], value)
			return
		}
		h, same, err := header.Decode(data)
		require.NoError(t, err)
		require.Equal(t, h.Version, version)
		require.Equal(t, same, value)
	})
}
