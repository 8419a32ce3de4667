package badgerbackend_test

import (
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/badgerbackend"
)

// storedKeys returns the keys of all entries in the store.
func storedKeys(t *testing.T, db *badger.DB) []string {
	t.Helper()
	var keys []string
	require.NoError(t, db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			if key := string(it.Item().Key()); key != "!tiercache:version" {
				keys = append(keys, key)
			}
		}
		return nil
	}))
	return keys
}

func TestKeyPrefix(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ prefix, key, stored string }{
		"none":                 {"", "k", "k"},
		"one":                  {"users:", "k", "users:k"},
		"marks in the key":     {"users:", "!badger!k", "users:!badger!k"},
		"marks in the prefix":  {"!badger!", "k", "!!badger!k"},
		"marks in both":        {"!", "!k", "!!!k"},
		"marks without prefix": {"", "!k", "!!k"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, _ := openDB(t, inMemory())
			b := over(t, db, badgerbackend.WithKeyPrefix(test.prefix))
			requireMiss(t, b, test.key)
			mustSet(t, b, test.key, value("v"))
			assert.Equal(t, []string{test.stored}, storedKeys(t, db))
			requireHit(t, b, test.key, value("v"))
			require.NoError(t, b.Delete(t.Context(), test.key))
			requireMiss(t, b, test.key)
			assert.Equal(t, []string{test.stored}, storedKeys(t, db), "the deletion is remembered at another key")
		})
	}
}

func TestPrefixesKeepCachesApart(t *testing.T) {
	t.Parallel()
	db, plain := openDB(t, inMemory())
	all := map[string]*badgerbackend.Backend{
		"none":   plain,
		"users":  over(t, db, badgerbackend.WithKeyPrefix("users:")),
		"orders": over(t, db, badgerbackend.WithKeyPrefix("orders:")),
		"marked": over(t, db, badgerbackend.WithKeyPrefix("!")),
	}
	for name, b := range all {
		requireMiss(t, b, "k")
		mustSet(t, b, "k", value(name))
	}
	for name, b := range all {
		requireHit(t, b, "k", value(name))
		require.NoError(t, b.Delete(t.Context(), "k"))
		requireMiss(t, b, "k")
	}
}

func TestKeysThatCannotBeStoredWithAPrefix(t *testing.T) {
	t.Parallel()
	const prefix = "users:"
	b := openInMemory(t, badgerbackend.WithKeyPrefix(prefix))
	longest := strings.Repeat("k", badgerbackend.MaxKeySize-len(prefix))
	mustSet(t, b, longest, value("v"))
	requireHit(t, b, longest, value("v"))
	for key, text := range map[string]string{
		"":            "the key is empty: pass a key of at least one byte",
		longest + "k": "the key has 65001 bytes, and the store takes 65000: use a shorter one, for instance a hash of it",
	} {
		requireRefused(t, b, key, 1, text)
		requireMiss(t, b, key)
		require.NoError(t, b.Delete(t.Context(), key))
	}
}

func TestBadOptionsOfNew(t *testing.T) {
	t.Parallel()
	db, _ := openDB(t, inMemory())
	for name, test := range map[string]struct {
		opts []badgerbackend.Option
		text string
	}{
		"long prefix": {
			[]badgerbackend.Option{badgerbackend.WithKeyPrefix(strings.Repeat("p", 1025))},
			"bad option: the key prefix has 1025 bytes: use at most 1024",
		},
		"options for opening": {
			[]badgerbackend.Option{badgerbackend.WithSyncWrites(false), badgerbackend.WithGCInterval(time.Hour), tune(func(*badger.Options) {})},
			"bad option: WithSyncWrites, WithGCInterval, WithBadgerOptions cannot change a store that is open already: " +
				"set it where you open the store, or use Open",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := badgerbackend.New(db, test.opts...)
			require.Nil(t, b)
			require.ErrorIs(t, err, badgerbackend.ErrBadOption)
			require.EqualError(t, err, "badgerbackend: "+test.text)
		})
	}
	over(t, db, nil, badgerbackend.WithLogger(nil), badgerbackend.WithBadgerOptions(nil))
}
