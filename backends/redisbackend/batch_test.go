package redisbackend_test

import (
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/tier"
)

func batchOf(n int) (keys []string, writes []backends.Write[[]byte], done []backends.Done, got []backends.Got[[]byte]) {
	for i := range n {
		keys = append(keys, "key:"+strconv.Itoa(i))
		writes = append(writes, backends.Write[[]byte]{Key: keys[i], Kind: tier.Set, Entry: value(strconv.Itoa(i))})
	}
	return keys, writes, make([]backends.Done, n), make([]backends.Got[[]byte], n)
}

func TestBatches(t *testing.T) {
	t.Parallel()
	for name, opts := range reads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newServer(t).backend(t, opts...)
				keys, writes, done, got := batchOf(300)
				writes[7].Kind, writes[8].If, writes[9].Key, writes[10].Source = tier.Delete, backends.Absent(), "", 7
				b.WriteMany(t.Context(), writes, done)
				b.GetMany(t.Context(), keys, got)
				for i := range keys {
					switch i {
					case 7:
						assert.NoError(t, done[i].Err)
					case 8, 10:
						require.ErrorIs(t, done[i].Err, backends.ErrUnsupported)
					case 9:
						require.ErrorIs(t, done[i].Err, backends.ErrEmptyKey)
					default:
						require.NoError(t, done[i].Err)
						require.Equal(t, backends.Got[[]byte]{Entry: writes[i].Entry, Answer: backends.Answer{Found: backends.Hit}}, got[i])
						continue
					}
					require.Equal(t, backends.Got[[]byte]{}, got[i])
				}
			})
		})
	}
}

// Each change has the outcome that a single write would have. Those that may have been
// applied are not repeated, and the others are.
func TestBatches_Outcomes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t, redisbackend.WithWriteRetries(2))
		_, writes, done, _ := batchOf(6)
		s.next(pass, answer("OOM no"), answer("LOADING no"), applyThenAnswer("ERR odd"), applyThenDrop)
		b.WriteMany(t.Context(), writes, done)
		for i, want := range []struct{ applied, certain bool }{
			{true, false}, {false, true}, {true, false}, {true, false}, {true, false}, {false, false},
		} {
			stored, err := s.Get(writes[i].Key)
			assert.Equal(t, want.applied, err == nil, "%d: %s", i, stored)
			switch i {
			case 0, 2:
				require.NoError(t, done[i].Err, i)
			default:
				require.Error(t, done[i].Err)
				assert.Equal(t, want.certain, backends.CertainlyNotApplied(done[i].Err), "%d: %v", i, done[i].Err)
			}
		}
		var failed *redisbackend.Error
		require.ErrorAs(t, done[1].Err, &failed)
		assert.Equal(t, 1, failed.Attempts)
	})
}

func TestBatches_Damaged(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.backend(t)
	require.NoError(t, s.Set("key:1", "hunter2"))
	keys, writes, done, got := batchOf(3)
	b.WriteMany(t.Context(), writes[:1], done[:1])
	b.GetMany(t.Context(), keys, got)
	assert.Equal(t, backends.Hit, got[0].Answer.Found)
	var damaged *backends.DamagedError
	require.ErrorAs(t, got[1].Err, &damaged)
	assert.NoError(t, got[2].Err)
}

func TestBatches_NoServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t)
		s.stop()
		keys, writes, done, got := batchOf(3)
		b.WriteMany(t.Context(), writes, done)
		b.GetMany(t.Context(), keys, got)
		for i := range keys {
			require.Error(t, done[i].Err)
			assert.True(t, backends.CertainlyNotApplied(done[i].Err))
			require.Error(t, got[i].Err)
		}
	})
}
