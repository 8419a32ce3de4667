package badgerbackend_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
)

func requireDamaged(t *testing.T, b *badgerbackend.Backend, key string, secrets ...string) {
	t.Helper()
	_, ok, err := b.Get(t.Context(), key)
	require.False(t, ok)
	var damaged *backends.DamagedError
	require.ErrorAs(t, err, &damaged)
	assert.Equal(t, "damaged", damaged.ErrorType())
	for _, secret := range append(secrets, key) {
		assert.NotContains(t, err.Error(), secret)
	}
}

func TestDamagedHeader(t *testing.T) {
	t.Parallel()
	db, b := openDB(t, inMemory())
	for name, stored := range map[string]string{
		"empty":        "",
		"short":        "\xC1\x00\x00",
		"another's":    `{"secret": 1}`,
		"wrong format": "\xC2\x00\x00\x00\x00\x00\x00\x00\x00secret",
		"bad expiry":   "\xC1\x80\x00\x00\x00\x00\x00\x00\x00secret",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := "key of " + name
			damage := func() {
				require.NoError(t, db.Update(func(txn *badger.Txn) error { return txn.Set([]byte(key), []byte(stored)) }))
			}
			damage()
			requireDamaged(t, b, key, "secret")
			mustSet(t, b, key, value("new"))
			requireHit(t, b, key, value("new"))
			damage()
			require.NoError(t, b.Delete(t.Context(), key))
			requireMiss(t, b, key)
		})
	}
}

// Badger does not return an error when it cannot read a value from its value
// log, but no bytes. That must not pass for an empty value.
func TestDamagedValueLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	small := badgerbackend.WithBadgerOptions(func(o badger.Options) badger.Options {
		return o.WithValueThreshold(1 << 10).WithValueLogFileSize(1 << 20)
	})
	b := open(t, dir, small)
	secret := bytes.Repeat([]byte("secret"), 1<<10)
	for _, key := range []string{"key one", "key two"} {
		mustSet(t, b, key, value(string(secret)))
	}
	require.NoError(t, b.Close())

	logs, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	require.NoError(t, err)
	require.Len(t, logs, 1)
	info, err := os.Stat(logs[0])
	require.NoError(t, err)
	require.NoError(t, os.Truncate(logs[0], info.Size()-100))

	b = open(t, dir, small)
	requireHit(t, b, "key one", value(string(secret)))
	requireDamaged(t, b, "key two", "secret")
}
