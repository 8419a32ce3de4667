package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// Two requests write one user at once, through one instance or two, and reach the cache
// in the other order than the database: the cache has what the database has.
func TestUsers_WritesThatCross(t *testing.T) {
	t.Parallel()
	for name, elsewhere := range map[string]bool{"of one instance": false, "of two instances": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				other := f.users
				if elsewhere {
					other = f.another(t)
				}
				// Ada's is in the database first, and is held on its way to L2.
				older, err := f.users.db.put(t.Context(), user{ID: "7", Name: "Ada"})
				require.NoError(t, err)
				_, err = other.put(t.Context(), user{ID: "7", Name: "Grace"})
				require.NoError(t, err)
				require.NoError(t, f.users.cache.Set(t.Context(), "7", older, f.users.ttl), "it is no failure")

				assert.JSONEq(t, `{"id":"7","name":"Grace"}`, f.stored(t))
				for _, u := range []*users{f.users, other} {
					got, err := u.get(t.Context(), "7")
					require.NoError(t, err)
					assert.Equal(t, "Grace", got.Name)
				}
			})
		})
	}
}

// A deletion keeps out what a reader has loaded before it, in another instance.
func TestUsers_DeleteAgainstLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		other := f.another(t)
		gate := backendtest.NewGate()
		f.l2.Next(tier.Set, gate.Before())
		loaded := make(chan error, 1)
		go func() {
			_, err := f.users.get(t.Context(), "7")
			loaded <- err
		}()
		<-gate.Arrived() // it has the user, and is about to store him
		require.NoError(t, other.remove(t.Context(), "7"))
		gate.Open()
		require.NoError(t, <-loaded)
		assert.Empty(t, f.stored(t))
		_, err := other.get(t.Context(), "7")
		assert.Error(t, err)
	})
}

// A client that gives up after 25 ms leaves the database and the cache equal, wherever
// the write is by then.
func TestUsers_ClientGivesUp(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		database time.Duration // how long its query takes
		l2       time.Duration
		want     string
	}{
		"while the database is written":     {40 * time.Millisecond, 0, "v1"},
		"while L2 is written":               {20 * time.Millisecond, 10 * time.Millisecond, "v2"},
		"while L2 hangs until it times out": {20 * time.Millisecond, time.Hour, "v2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t, func(o *options) { o.databaseDelay, o.coherence = tt.database, time.Second })
				f.follow(t)
				require.Equal(t, 200, f.do(t, "PUT", "/users/7", `{"name":"v1"}`).Code)
				f.l2.Next(tier.Set, backendtest.Delay(tt.l2))
				ctx, cancel := context.WithTimeout(t.Context(), 25*time.Millisecond)
				defer cancel()
				f.serve(newRequest(t, "PUT", "/users/7", `{"name":"v2"}`).WithContext(ctx))
				time.Sleep(time.Minute)

				row, err := f.users.db.get(t.Context(), "7")
				require.NoError(t, err)
				assert.Equal(t, tt.want, row.Name, "the database")
				got, err := f.users.get(t.Context(), "7")
				require.NoError(t, err)
				assert.Equal(t, row, got, "a reader")
				assert.JSONEq(t, `{"id":"7","name":"`+tt.want+`"}`, f.stored(t), "L2")
				assert.Zero(t, f.users.status().Repair.Open)
			})
		})
	}
}
