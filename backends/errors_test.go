package backends_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

// says is an error that says of itself whether it was applied.
type says struct {
	notApplied bool
	err        error
}

func (s says) Error() string    { return "says" }
func (s says) Unwrap() error    { return s.err }
func (s says) NotApplied() bool { return s.notApplied }

// causes wraps several errors without being errors.Join's.
type causes []error

func (c causes) Error() string   { return "causes" }
func (c causes) Unwrap() []error { return c }

func TestCertainlyNotApplied(t *testing.T) {
	t.Parallel()
	full := errors.New("full")
	certain := backends.NotApplied(full)
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"nil":                     {nil, false},
		"a plain error":           {full, false},
		"NotApplied":              {certain, true},
		"NotApplied, wrapped":     {fmt.Errorf("set: %w", fmt.Errorf("store: %w", certain)), true},
		"NotApplied, as text":     {fmt.Errorf("set: %v", certain), false}, //nolint:errorlint // it does not wrap
		"one that says yes":       {says{notApplied: true}, true},
		"one that says no":        {says{notApplied: false}, false},
		"no around yes":           {says{notApplied: false, err: certain}, false},
		"yes around no":           {says{notApplied: true, err: says{notApplied: false}}, true},
		"no around yes, wrapped":  {fmt.Errorf("set: %w", says{notApplied: false, err: certain}), false},
		"an encode error":         {&backends.EncodeError{Err: full}, true},
		"a decode error":          {&backends.DecodeError{Err: full}, false},
		"a panic":                 {&backends.PanicError{Value: "full"}, false},
		"a panic with NotApplied": {&backends.PanicError{Value: certain}, false},
		"a panic, wrapped":        {fmt.Errorf("set: %w", &backends.PanicError{Value: certain}), false},

		"joined, all":               {errors.Join(certain, &backends.EncodeError{Err: full}), true},
		"joined, the first":         {errors.Join(certain, full), false},
		"joined, the last":          {errors.Join(full, certain), false},
		"joined, wrapped":           {fmt.Errorf("set: %w", errors.Join(certain, certain)), true},
		"joined, nested":            {errors.Join(certain, errors.Join(certain, full)), false},
		"two verbs, all":            {fmt.Errorf("%w and %w", certain, certain), true},
		"two verbs, one":            {fmt.Errorf("%w and %w", certain, full), false},
		"several causes, none":      {causes{}, false},
		"several causes, one nil":   {causes{certain, nil}, false},
		"NotApplied around several": {backends.NotApplied(errors.Join(full, full)), true},

		"a dial":                    {&net.OpError{Op: "dial", Err: full}, false},
		"a dial that timed out":     {&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, false},
		"a dial, wrapped":           {fmt.Errorf("set: %w", &net.OpError{Op: "dial", Err: full}), false},
		"a read":                    {&net.OpError{Op: "read", Err: full}, false},
		"a read that was reset":     {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, false},
		"a write":                   {&net.OpError{Op: "write", Err: syscall.EPIPE}, false},
		"a connection refused":      {syscall.ECONNREFUSED, false},
		"refused, as a system call": {os.NewSyscallError("connect", syscall.ECONNREFUSED), false},
		"a connection reset":        {syscall.ECONNRESET, false},
		"a host not found":          {&net.DNSError{IsNotFound: true}, false},
		"a name server's timeout":   {&net.DNSError{IsTimeout: true}, false},
		"the end of a connection":   {io.EOF, false},
		"a closed connection":       {net.ErrClosed, false},
		"a deadline":                {context.DeadlineExceeded, false},
		"a cancellation":            {context.Canceled, false},
		"a deadline, said to be":    {backends.NotApplied(context.DeadlineExceeded), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.want, backends.CertainlyNotApplied(tc.err))
		})
	}
}

// A connection that ends, and one that is refused: the client may have tried
// before, and lost the answer.
func TestCertainlyNotApplied_RealConnections(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not wait
	require.NoError(t, err)
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.Close()
		}
	}()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	assert.False(t, backends.CertainlyNotApplied(err))
	require.NoError(t, conn.Close())
	_, err = conn.Write([]byte("x"))
	require.Error(t, err)
	assert.False(t, backends.CertainlyNotApplied(err))

	require.NoError(t, listener.Close())
	_, err = dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
	require.Error(t, err)
	assert.False(t, backends.CertainlyNotApplied(err))
}

func TestNotApplied(t *testing.T) {
	t.Parallel()
	require.NoError(t, backends.NotApplied(nil))
	full := errors.New("full")
	err := backends.NotApplied(full)
	require.ErrorIs(t, err, full)
	assert.EqualError(t, err, "full")
}

func TestPanicError(t *testing.T) {
	t.Parallel()
	catch := func(f func()) (err *backends.PanicError) {
		defer func() { err = &backends.PanicError{Value: recover(), Stack: []byte("stack")} }()
		f()
		return nil
	}
	cause := errors.New("cannot handle " + secret)
	var m map[string]int
	for name, tc := range map[string]struct {
		err   *backends.PanicError
		want  string
		cause error
	}{
		"a string":  {catch(func() { panic("cannot handle " + secret) }), "panic (string)", nil},
		"an error":  {catch(func() { panic(cause) }), "panic (*errors.errorString)", cause},
		"a struct":  {catch(func() { panic(product{Name: secret}) }), "panic (backends_test.product)", nil},
		"a nil map": {catch(func() { m[secret] = 1 }), "panic: assignment to entry in nil map", nil},
		"an index": {
			catch(func() { _ = []int{}[len(secret)] }),
			"panic: runtime error: index out of range [7] with length 0", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.EqualError(t, tc.err, tc.want)
			assert.NotContains(t, tc.err.Error(), secret)
			assert.Equal(t, "panic", tc.err.ErrorType())
			assert.False(t, tc.err.NotApplied())
			if tc.cause != nil {
				assert.ErrorIs(t, tc.err, tc.cause)
			}
		})
	}
	assert.NoError(t, errors.Unwrap(&backends.PanicError{Value: "text"}))
}
