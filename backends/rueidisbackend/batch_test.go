package rueidisbackend_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
	"github.com/tiercache/tiercache/tier"
)

// reads are all ways to read.
var reads = map[string][]rueidisbackend.Option{"header": nil, "raw": {rueidisbackend.WithRawValues()}}

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
	for mode, change := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				b := newBackend(t, s.client(t, change), rueidisbackend.WithRetries(2))
				_, writes, done, _ := batchOf(5)
				s.next(pass, answer("OOM no"), answer("LOADING no"), applyThenAnswer("ERR odd"))
				b.WriteMany(t.Context(), writes, done)
				for i, want := range []struct{ applied, certain bool }{
					{true, false}, {false, true}, {true, false}, {true, false}, {true, false},
				} {
					assert.Equal(t, want.applied, s.Exists(writes[i].Key), i)
					assert.Equal(t, i == 1 || i == 3, done[i].Err != nil, i)
					assert.Equal(t, want.certain, backends.CertainlyNotApplied(done[i].Err), i)
				}
			})
		})
	}
}

// A connection that is lost within a batch: nothing that is said is wrong, and with the
// pipeline the changes that were answered are known.
func TestBatches_Lost(t *testing.T) {
	t.Parallel()
	for mode, change := range modes {
		for at := range 6 {
			t.Run(mode+"/"+strconv.Itoa(at), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					b := newBackend(t, s.client(t, change))
					_, writes, done, _ := batchOf(6)
					s.next(append(repeat(at, pass), applyThenDrop)...)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					b.WriteMany(ctx, writes, done)
					for i := range writes {
						has := s.Exists(writes[i].Key)
						assert.Equal(t, i <= at, has, i)
						assert.Equal(t, mode != "as it comes" && i < at, done[i].Err == nil, i)
						assert.False(t, backends.CertainlyNotApplied(done[i].Err), i)
					}
				})
			})
		}
	}
}

// Whatever part of a batch reaches the server, or of its answers the client, no outcome is
// wrong.
func TestBatches_CutAnywhere(t *testing.T) {
	t.Parallel()
	const most = 5000 // more than is sent
	for mode, change := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			successes, failures := 0, 0
			for bytes := 1; bytes < most; bytes++ {
				whole := false
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					o := s.options()
					if change != nil {
						change(&o)
					}
					b, limit := cutClient(t, s, o)
					_, writes, done, _ := batchOf(4)
					limit(bytes)
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					b.WriteMany(ctx, writes, done)
					whole = true
					for i := range writes {
						has := s.Exists(writes[i].Key)
						switch err := done[i].Err; {
						case err == nil:
							successes++
							require.True(t, has, "applied, but not there: %d bytes", bytes)
						case backends.CertainlyNotApplied(err):
							require.False(t, has, "failed, but there: %d bytes", bytes)
							fallthrough
						default:
							failures++
							whole = false
						}
					}
				})
				if whole {
					break
				}
			}
			assert.Positive(t, failures)
			assert.Positive(t, successes, "it is cut long before its end")
		})
	}
}
