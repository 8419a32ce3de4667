package redisbackend_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

var errWhy = errors.New("why")

func TestContextThatHasEnded(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.backend(t)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	caused, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(errWhy)
	late, cancelLate := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancelLate()
	for _, test := range []struct {
		ctx             context.Context
		errorType, text string
		is              []error
	}{
		{canceled, "canceled", "context canceled", []error{context.Canceled}},
		{caused, "canceled", "context canceled: why", []error{context.Canceled, errWhy}},
		{late, "timeout", "context deadline exceeded", []error{context.DeadlineExceeded}},
	} {
		_, ok, err := b.Get(test.ctx, "k")
		require.False(t, ok)
		for op, err := range map[string]error{
			"get": err, "set": b.Set(test.ctx, "k", value("v")), "delete": b.Delete(test.ctx, "k"),
		} {
			require.EqualError(t, err, "redisbackend: "+op+" failed: "+test.text)
			for _, is := range test.is {
				require.ErrorIs(t, err, is)
			}
			assert.Equal(t, test.errorType, errorType(t, err))
			assert.True(t, backends.CertainlyNotApplied(err))
		}
	}
	assert.Empty(t, s.commands())
}

// A deadline ends the wait for an answer, and for the next attempt.
func TestContextThatEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		act      act
		attempts int
		certain  bool
	}{
		"while it waits for the answer":          {hang, 1, false},
		"while it waits for the answer, applied": {applyThenHang, 1, false},
		"between attempts":                       {answer("LOADING no"), 2, true},
	} {
		for call, w := range writes {
			t.Run(name+", "+call, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newServer(t)
					require.NoError(t, s.Set(secret, "old"))
					b := s.backend(t, redisbackend.WithWriteRetries(1000))
					s.next(repeat(1001, test.act)...)
					begin := time.Now()
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					err := w.write(ctx, b)
					assert.Equal(t, time.Second, time.Since(begin))
					var failed *redisbackend.Error
					require.ErrorAs(t, err, &failed)
					assert.GreaterOrEqual(t, failed.Attempts, test.attempts)
					assert.Equal(t, test.certain, backends.CertainlyNotApplied(err))
				})
			})
		}
	}
}

// The pauses are those of the client's options.
func TestPauses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		minPause, maxPause time.Duration
		least, most        time.Duration // of four, between five attempts
	}{
		"none":      {-1, -1, 0, 0},
		"growing":   {10 * time.Millisecond, time.Hour, 40 * time.Millisecond, (4*10 + 20 + 40 + 80 + 160) * time.Millisecond},
		"the limit": {time.Second, time.Second, 4 * time.Second, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				client := s.client(t, func(o *redis.Options) {
					o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = 4, test.minPause, test.maxPause
				})
				s.next(repeat(5, answer("LOADING no"))...)
				begin := time.Now()
				err := newBackend(t, client).Set(t.Context(), "k", value("v"))
				require.EqualError(t, err, "redisbackend: set failed after 5 attempts: the server answered LOADING: the server is loading its data")
				assert.GreaterOrEqual(t, time.Since(begin), test.least)
				assert.LessOrEqual(t, time.Since(begin), test.most)
			})
		})
	}
}

func TestConcurrentSafe(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]redisbackend.Option{"header": nil, "raw": {redisbackend.WithRawValues()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			b := s.backend(t, opts...)
			staged, err := b.Stage(t.Context(), "staged once", value("v"))
			require.NoError(t, err)
			var users sync.WaitGroup
			for w := range 8 {
				users.Go(func() {
					for i := range 50 {
						assert.NoError(t, staged(t.Context()))
						key := strconv.Itoa((w + i) % 16)
						assert.NoError(t, b.Set(t.Context(), key, expiring(key, time.Duration(i)*time.Millisecond)))
						got, ok, err := b.Get(t.Context(), key)
						assert.NoError(t, err)
						if ok {
							assert.Equal(t, key, string(got.Value))
						}
						if i%5 == 0 {
							assert.NoError(t, b.Delete(t.Context(), key))
						}
					}
				})
			}
			users.Wait()
		})
	}
}

// An outcome must be true in any order of faults.
func TestConcurrentSafe_Faults(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.backend(t)
	for range 100 {
		s.next(pass, applyThenDrop, answer("OOM no"), drop, answer("READONLY no"))
	}
	var users sync.WaitGroup
	for w := range 4 {
		users.Go(func() {
			key, last := strconv.Itoa(w), ""
			for i := range 50 {
				v := strconv.Itoa(i)
				err := b.Set(t.Context(), key, value(v))
				got, ok, getErr := b.Get(t.Context(), key)
				if !assert.NoError(t, getErr) {
					return
				}
				switch {
				case err == nil:
					assert.Equal(t, v, string(got.Value))
				case backends.CertainlyNotApplied(err):
					assert.Equal(t, last, string(got.Value))
				}
				assert.True(t, ok || last == "")
				last = string(got.Value)
			}
		})
	}
	users.Wait()
}
