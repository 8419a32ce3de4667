package badgerbackend_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

const mib = 1 << 20

// requireRefused checks that key cannot be set to a value of the given length,
// in none of the ways, and that the older value stays.
func requireRefused(t *testing.T, b *badgerbackend.Backend, key string, size int, text string) {
	t.Helper()
	entry := backends.Entry[[]byte]{Value: bytes.Repeat([]byte("v"), size)}
	set, stageErr := b.Stage(t.Context(), key, entry)
	assert.Nil(t, set)
	for _, err := range []error{stageErr, b.Set(t.Context(), key, entry)} {
		require.Error(t, err)
		assert.Equal(t, "backends: "+text, err.Error())
		assert.True(t, backends.CertainlyNotApplied(err))
		var typed interface{ ErrorType() string }
		require.ErrorAs(t, err, &typed)
		assert.Contains(t, []string{"too_large", "empty_key"}, typed.ErrorType())
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("k", badgerbackend.MaxKeySize)
	for name, test := range map[string]struct {
		open    func(t *testing.T) *badgerbackend.Backend
		key     string
		size    int // of a value that is taken
		refused string
	}{
		"longest key": {
			open: func(t *testing.T) *badgerbackend.Backend { t.Helper(); return openInMemory(t) },
			key:  longest, size: 100,
		},
		"largest in memory": {
			open: func(t *testing.T) *badgerbackend.Backend { t.Helper(); return openInMemory(t) },
			key:  longest, size: mib - 37,
			refused: "the value has 1048540 bytes, and the store takes 1048539: do not cache it, split it, or keep the store on disk",
		},
		"largest with a small threshold in memory": {
			open: func(t *testing.T) *badgerbackend.Backend {
				t.Helper()
				return openInMemory(t, badgerbackend.WithBadgerOptions(func(o badger.Options) badger.Options { return o.WithValueThreshold(100) }))
			},
			key: "k", size: 100 - 37,
			refused: "the value has 64 bytes, and the store takes 63: do not cache it, split it, or keep the store on disk",
		},
		"largest in a store in memory that was brought": {
			open: func(t *testing.T) *badgerbackend.Backend { t.Helper(); _, b := openDB(t, inMemory()); return b },
			key:  longest, size: mib - 37,
			refused: "the value has 1048540 bytes, and the store takes 1048539: do not cache it, split it, or keep the store on disk",
		},
		"largest with a small threshold in a store in memory that was brought": {
			open: func(t *testing.T) *badgerbackend.Backend {
				t.Helper()
				_, b := openDB(t, inMemory().WithValueThreshold(2000))
				return b
			},
			key: "k", size: 2000 - 37,
			refused: "the value has 1964 bytes, and the store takes 1963: do not cache it, split it, or keep the store on disk",
		},
		"largest on disk": {
			open: func(t *testing.T) *badgerbackend.Backend { t.Helper(); return open(t, t.TempDir()) },
			key:  longest, size: 64*mib - 36,
			refused: "the value has 67108829 bytes, and the store takes 67108828: do not cache it, split it, or raise badger's ValueLogFileSize",
		},
		"largest in a small value log": {
			open: func(t *testing.T) *badgerbackend.Backend {
				t.Helper()
				_, b := openDB(t, badger.DefaultOptions(t.TempDir()).WithValueLogFileSize(mib))
				return b
			},
			key: longest, size: mib - 36,
			refused: "the value has 1048541 bytes, and the store takes 1048540: do not cache it, split it, or raise badger's ValueLogFileSize",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := test.open(t)
			entry := backends.Entry[[]byte]{Value: bytes.Repeat([]byte("v"), test.size)}
			for range 3 { // the value log has files to fill
				mustSet(t, b, test.key, entry)
				requireHit(t, b, test.key, entry)
			}
			if test.refused != "" {
				requireRefused(t, b, test.key, test.size+1, test.refused)
				requireHit(t, b, test.key, entry)
			}
		})
	}
}

// An entry that Stage accepts must not be too big for badger's transaction, which it
// computes in two ways, neither of which is public.
func TestTransactionSize(t *testing.T) {
	t.Parallel()
	small := func(o badger.Options) badger.Options { return o.WithMemTableSize(mib).WithValueThreshold(150_000) }
	for name, create := range map[string]func(t *testing.T) *badgerbackend.Backend{
		"on disk": func(t *testing.T) *badgerbackend.Backend {
			t.Helper()
			return open(t, t.TempDir(), badgerbackend.WithBadgerOptions(small))
		},
		"in memory": func(t *testing.T) *badgerbackend.Backend {
			t.Helper()
			return openInMemory(t, badgerbackend.WithBadgerOptions(small))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := create(t)
			const batch = mib * 15 / 100
			key := strings.Repeat("k", 60_000)
			refused := 0
			for size := batch - len(key) - 120; size < batch-len(key); size++ {
				set, err := b.Stage(t.Context(), key, backends.Entry[[]byte]{Value: make([]byte, size)})
				if err != nil {
					var tooLarge *backends.TooLargeError
					require.ErrorAs(t, err, &tooLarge)
					require.Equal(t, "entry", tooLarge.What)
					require.ErrorContains(t, err, "raise badger's MemTableSize")
					refused++
					continue
				}
				require.NoError(t, set(t.Context()), "%d bytes were staged and refused later", size)
			}
			require.Positive(t, refused)
			require.Less(t, refused, 97, "refused although there was room")
		})
	}
}

func TestKeysThatCannotBeStored(t *testing.T) {
	t.Parallel()
	long := func(n int, first string) string { return first + strings.Repeat("k", n-len(first)) }
	for name, test := range map[string]struct{ key, text string }{
		"empty": {"", "the key is empty: pass a key of at least one byte"},
		"too long": {
			long(badgerbackend.MaxKeySize+1, ""),
			"the key has 65001 bytes, and the store takes 65000: use a shorter one, for instance a hash of it",
		},
		"too long with its escape": {
			long(badgerbackend.MaxKeySize, "!"),
			"the key has 65001 bytes, and the store takes 65000: use a shorter one, for instance a hash of it",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := openInMemory(t)
			requireRefused(t, b, test.key, 1, test.text)
			requireMiss(t, b, test.key)
			require.NoError(t, b.Delete(t.Context(), test.key))
			require.NoError(t, b.Close())
			require.ErrorIs(t, b.Delete(t.Context(), test.key), backends.ErrClosed)
		})
	}
}

// Badger keeps keys that begin with !badger! for itself; a cache may not care.
func TestReservedKeys(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, inMemory())
	keys := []string{"!badger!", "!badger!txn", "!badger!banned", "!!badger!", "!!!badger!", "!", "!!", "!a", "!!a", "badger!"}
	for _, key := range keys {
		requireMiss(t, b, key)
		mustSet(t, b, key, value(key))
	}
	for _, key := range keys {
		requireHit(t, b, key, value(key))
	}
	for i, key := range keys {
		require.NoError(t, b.Delete(t.Context(), key))
		requireMiss(t, b, key)
		for _, other := range keys[i+1:] {
			requireHit(t, b, other, value(other))
		}
	}
	for _, stored := range storedKeys(t, db) {
		assert.True(t, strings.HasPrefix(stored, "!!") || stored == "badger!", "the key %q is not escaped", stored)
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	b := openInMemory(t)
	for name, set := range map[string][]byte{"nil": nil, "empty": {}, "format byte": {0xC1}} {
		mustSet(t, b, name, backends.Entry[[]byte]{Value: set})
		requireHit(t, b, name, backends.Entry[[]byte]{Value: append([]byte{}, set...)})
	}

	mustSet(t, b, "local", backends.Entry[[]byte]{ExpiresAt: time.Unix(math.MaxInt32, 123_456_789).UTC()})
	requireHit(t, b, "local", backends.Entry[[]byte]{Value: []byte{}, ExpiresAt: time.Unix(math.MaxInt32, 123_456_789)})
}

func TestBytesAreCopied(t *testing.T) {
	t.Parallel()
	_, inTables := openDB(t, badger.DefaultOptions(t.TempDir()))
	_, inValueLog := openDB(t, badger.DefaultOptions(t.TempDir()).WithValueThreshold(1))
	for name, b := range map[string]*badgerbackend.Backend{
		"memory": openInMemory(t), "tables": inTables, "value log": inValueLog,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := []byte("mine")
			set, err := b.Stage(t.Context(), "k", backends.Entry[[]byte]{Value: mine})
			require.NoError(t, err)
			copy(mine, "XXXX")
			require.NoError(t, set(t.Context()))
			got, _, err := b.Get(t.Context(), "k")
			require.NoError(t, err)
			copy(got.Value, "YYYY")
			requireHit(t, b, "k", value("mine"))
		})
	}
}
