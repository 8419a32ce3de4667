package rueidisbackend_test

import (
	"context"
	"net"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/rueidisbackend"
)

// A connection that is lost loses the answers of all that wait for it. Those that were
// answered before are certain, and the others are unknown: two of them are applied.
func TestOutcomes_OneConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t)
		const calls, answered = 10, 3
		s.next(slow(time.Second), pass, pass, swallow, swallow, drop) // all wait behind the first
		errs := make([]error, calls)
		var wg sync.WaitGroup
		for i := range calls {
			wg.Go(func() { errs[i] = b.Set(t.Context(), strconv.Itoa(i), value("v")) })
		}
		wg.Wait()
		nils, applied := 0, 0
		for i, err := range errs {
			has := s.Exists(strconv.Itoa(i))
			if has {
				applied++
			}
			if err == nil {
				nils++
				assert.True(t, has, "applied")
				continue
			}
			assert.False(t, backends.CertainlyNotApplied(err))
			assert.Equal(t, "connection_lost", errorType(t, err))
		}
		assert.Equal(t, answered, nils)
		assert.Equal(t, answered+2, applied)
	})
}

// swallow executes a command and gives no answer, as if that was lost on its way.
func swallow(upstream *peer, _ net.Conn, command []byte) bool {
	_, err := upstream.call(command)
	return err == nil
}

// A reply to something else is not one to the command: it is unknown, although the same
// reply to the command itself would be certain.
func TestOutcomes_RepliesToTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		renewals := 0
		client := s.client(t, func(o *rueidis.ClientOption) {
			o.Dialer.KeepAlive = time.Hour // no PING comes between
			o.AuthCredentialsFn = func(rueidis.AuthCredentialsContext) (rueidis.AuthCredentials, error) {
				renewals++
				if renewals == 1 {
					return rueidis.AuthCredentials{RefreshAfter: time.Now().Add(time.Second)}, nil
				}
				return rueidis.AuthCredentials{Username: "u", Password: "wrong"}, nil
			}
		})
		b := newBackend(t, client, rueidisbackend.WithRetries(0))
		var wg sync.WaitGroup
		// The credentials are renewed during the first one. The client gets the reply to that when the
		// second one is executed, and before it is answered.
		s.next(slow(3*time.Second), slow(time.Second))
		wg.Go(func() { assert.NoError(t, b.Set(t.Context(), "first", value("v"))) })
		time.Sleep(2 * time.Second)
		s.nextAuths(later(500*time.Millisecond, answer("WRONGPASS invalid username-password pair")))
		err := b.Set(t.Context(), "k", value("v")) // waits behind the AUTH
		wg.Wait()
		synctest.Wait()
		assert.Equal(t, 2, renewals)
		assert.Equal(t, "WRONGPASS", errorType(t, err))
		assert.True(t, s.Exists("k"), "it is executed")
		assert.False(t, backends.CertainlyNotApplied(err))
	})
}

// later lets the server go on with the next command meanwhile.
func later(d time.Duration, a act) act {
	return func(upstream *peer, client net.Conn, command []byte) bool {
		go func() {
			time.Sleep(d)
			a(upstream, client, command)
		}()
		return true
	}
}

// slow executes a command, and answers late.
func slow(d time.Duration) act {
	return func(upstream *peer, client net.Conn, command []byte) bool {
		reply, err := upstream.call(command)
		time.Sleep(d)
		if err == nil {
			_, err = client.Write(reply)
		}
		return err == nil
	}
}

// A context that ends costs its own call, and no other.
func TestOutcomes_Context(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t)
		s.next(slow(time.Second))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { assert.NoError(t, b.Set(t.Context(), "slow", value("v"))) })
		synctest.Wait()
		begin := time.Now()
		err := b.Set(ctx, "k", value("v"))
		assert.Equal(t, 100*time.Millisecond, time.Since(begin))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, "timeout", errorType(t, err))
		assert.False(t, backends.CertainlyNotApplied(err), "it waits in the queue of its connection")
		wg.Wait()
		assert.NoError(t, b.Set(t.Context(), "another", value("v")))
		assert.True(t, s.Exists("k"), "it was sent after its call had ended")

		cancel()
		err = b.Set(ctx, "k", value("v"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.True(t, backends.CertainlyNotApplied(err), "it was not begun")
	})
}

// rueidis says the same to a call that came after the client was closed, and to one that
// waited then.
func TestOutcomes_Closed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := s.client(t, nil)
		b := newBackend(t, client)
		client.Close()
		_, _, err := b.Get(t.Context(), "k")
		require.ErrorIs(t, err, backends.ErrClosed)
		assert.Equal(t, "closed", errorType(t, err))
		err = b.Set(t.Context(), "k", value("v"))
		require.ErrorIs(t, err, backends.ErrClosed)
		assert.False(t, backends.CertainlyNotApplied(err))
	})
}

// Reads are repeated too, whatever the failure, and no more often than that.
func TestReads_Retries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		b := s.backend(t)
		require.NoError(t, b.Set(t.Context(), "k", value("v")))
		s.nextGets(drop, answer("LOADING no"), applyThenDrop)
		requireHit(t, b, "k", value("v"))
		s.nextGets(repeat(4, answer("LOADING no"))...)
		_, _, err := b.Get(t.Context(), "k")
		require.EqualError(t, err, "rueidisbackend: get failed after 4 attempts: "+
			"the server answered LOADING: the server is loading its data")
		s.nextGets(answer("OOM no"))
		_, _, err = b.Get(t.Context(), "k")
		require.ErrorContains(t, err, "get failed: the server answered OOM")
		var reply *rueidis.RedisError
		require.ErrorAs(t, err, &reply)

		none := newBackend(t, s.client(t, nil), rueidisbackend.WithRetries(0))
		s.nextGets(drop)
		_, _, err = none.Get(t.Context(), "k")
		require.ErrorContains(t, err, "get failed: the server closed the connection")
		assert.NotErrorIs(t, err, syscall.ECONNREFUSED)
	})
}
