package rueidisbackend_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
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

const secret = "hunter2"

// modes are the ways in which rueidis sends commands.
var modes = map[string]func(o *rueidis.ClientOption){
	"always by the pipeline": nil,
	"as it comes":            func(o *rueidis.ClientOption) { o.AlwaysPipelining = false },
	"RESP2":                  func(o *rueidis.ClientOption) { o.AlwaysRESP2 = true },
}

// outcome is that of one write.
type outcome struct {
	acts  []act
	dials []error // with a connection that was lost before

	succeeds  bool
	certain   bool
	applied   bool // whether the server really has it, which need not be known
	attempts  int
	errorType string
}

func lost(errorType string, applied bool, acts ...act) outcome {
	return outcome{acts: acts, applied: applied, attempts: 1, errorType: errorType}
}

func refused(errorType string, attempts int, acts ...act) outcome {
	return outcome{acts: acts, certain: true, attempts: attempts, errorType: errorType}
}

func repeat(n int, a act) (acts []act) {
	for range n {
		acts = append(acts, a)
	}
	return acts
}

// errLookUp is a dial whose host is not known.
var errLookUp = &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Name: secret, IsNotFound: true}}

// A call is repeated up to three times.
var outcomes = map[string]outcome{
	"at once": {succeeds: true, applied: true},

	// One attempt. A write that may have been applied is not repeated, although it
	// could be.
	"lost after it was applied":  lost("connection_lost", true, applyThenDrop),
	"lost before it was applied": lost("connection_lost", false, drop),
	"no answer, applied":         lost("timeout", true, applyThenHang),
	"no answer, not applied":     lost("timeout", false, hang),
	"an odd error, applied":      lost("ERR", true, applyThenAnswer("ERR upstream failure")),
	"an odd word, applied":       lost("redis_error", true, applyThenAnswer("hunter2 is what it is")),

	// rueidis leaves the word ERR out, and then it looks like a refusal.
	"an odd error with a word that says more, applied": lost("ERR", true, applyThenAnswer("ERR OOM in the proxy")),

	"OOM":                     refused("OOM", 1, answer("OOM command not allowed")),
	"WRONGTYPE":               refused("WRONGTYPE", 1, answer("WRONGTYPE Operation against a key")),
	"NOPERM":                  refused("NOPERM", 1, answer("NOPERM no permissions for 'hunter2'")),
	"NOAUTH":                  refused("NOAUTH", 1, answer("NOAUTH Authentication required.")),
	"MISCONF":                 refused("MISCONF", 1, answer("MISCONF Redis is configured to save")),
	"MOVED":                   refused("MOVED", 1, answer("MOVED 3999 10.0.0.1:6381")),
	"CROSSSLOT":               refused("CROSSSLOT", 1, answer("CROSSSLOT Keys in request")),
	"unknown command":         refused("ERR", 1, answer("ERR unknown command 'set', with args beginning with: 'hunter2'")),
	"too long for the server": refused("ERR", 1, answer("ERR string exceeds maximum allowed size (proto-max-bulk-len)")),

	// Refusals that may pass are repeated, and refused for good in the end.
	"LOADING":        refused("LOADING", 4, repeat(4, answer("LOADING Redis is loading"))...),
	"TRYAGAIN":       refused("TRYAGAIN", 4, repeat(4, answer("TRYAGAIN Multiple keys request"))...),
	"READONLY, once": {acts: []act{answer("READONLY You can't write")}, succeeds: true, applied: true},
	"LOADING, then lost": {
		acts: []act{answer("LOADING Redis is loading"), applyThenDrop}, applied: true, attempts: 2, errorType: "connection_lost",
	},

	// No connection.
	"refused connection":       {dials: []error{errRefused, errRefused, errRefused, errRefused}, certain: true, attempts: 4, errorType: "connection_refused"},
	"refused connection, once": {dials: []error{errRefused}, succeeds: true, applied: true},
	"no such host":             {dials: []error{errLookUp, errLookUp, errLookUp, errLookUp}, certain: true, attempts: 4, errorType: "host_not_found"},

	// A connection whose function has no answer that is known: it may have been anything.
	"an odd dial": {dials: []error{errors.New(secret)}, attempts: 1, errorType: "_OTHER"},
	"a dial within another error": {
		dials: []error{fmt.Errorf("renewing: %w", errRefused)}, attempts: 1, errorType: "connection_refused",
	},
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for mode, change := range modes {
		for name, o := range outcomes {
			for _, remove := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/delete=%t", mode, name, remove), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { o.check(t, change, remove) })
				})
			}
		}
	}
}

func (o outcome) check(t *testing.T, change func(o *rueidis.ClientOption), remove bool) {
	t.Helper()
	s := newServer(t)
	b := newBackend(t, s.client(t, change))
	require.NoError(t, b.Set(t.Context(), secret, value("old")))
	if o.dials != nil {
		s.cut()
		synctest.Wait()
		if change != nil { // a connection without a reader notices its end when it is used
			_, _, _ = b.Get(t.Context(), secret)
			s.cut()
			synctest.Wait()
		}
	}
	s.nextDials(o.dials...)
	s.next(o.acts...)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var err error
	if remove {
		err = b.Delete(ctx, secret)
	} else {
		err = b.Set(ctx, secret, value("new"))
	}
	stored, _ := s.Get(secret)
	want := "old"
	if o.applied {
		want = map[bool]string{false: "new", true: ""}[remove]
	}
	assert.True(t, strings.HasSuffix(stored, want) && (want != "" || stored == ""), "the server has %q", stored)
	if o.succeeds {
		require.NoError(t, err)
		return
	}
	var failed *rueidisbackend.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, o.certain, backends.CertainlyNotApplied(err), err.Error())
	assert.Equal(t, o.errorType, failed.ErrorType(), err.Error())
	assert.Equal(t, o.attempts, failed.Attempts)
	assert.NotContains(t, err.Error(), secret)
}

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
		s.next(slow(3 * time.Second)) // the credentials are renewed meanwhile
		wg.Go(func() { assert.NoError(t, b.Set(t.Context(), "first", value("v"))) })
		time.Sleep(2 * time.Second)
		s.nextAuths(answer("WRONGPASS invalid username-password pair"))
		err := b.Set(t.Context(), "k", value("v")) // waits behind the AUTH
		wg.Wait()
		synctest.Wait()
		assert.Equal(t, 2, renewals)
		assert.Equal(t, "WRONGPASS", errorType(t, err))
		assert.True(t, s.Exists("k"), "it is executed")
		assert.False(t, backends.CertainlyNotApplied(err))
	})
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
