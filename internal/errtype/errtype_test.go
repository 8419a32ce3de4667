package errtype_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/errtype"
)

var errPlain = errors.New("plain")

func TestOf(t *testing.T) {
	t.Parallel()
	_, errNumber := strconv.Atoi("x")
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		// Errors that name themselves.
		"its own name":                       {named("breaker_open"), "breaker_open"},
		"its own name, wrapped":              {fmt.Errorf("set: %w", named("breaker_open")), "breaker_open"},
		"its own name, inside a type":        {&MyError{named("lost")}, "lost"},
		"the outer of two names":             {errors.Join(errPlain, wrapper{named("outer")}, named("next")), "outer"},
		"a reply of a server":                {named("WRONGTYPE"), "WRONGTYPE"},
		"a name with all characters":         {named("aZ09_./*-"), "aZ09_./*-"},
		"a number as a name":                 {named("503"), "503"},
		"an empty name":                      {named(""), "_OTHER"},
		"a name with a space":                {named("user 42"), "_OTHER"},
		"a name with a line break":           {named("lost\n"), "_OTHER"},
		"a name with a colon":                {named("user:42"), "_OTHER"},
		"a name that is not ASCII":           {named("größe"), "_OTHER"},
		"a name that is not UTF-8":           {named("a\xff"), "_OTHER"},
		"a name with a zero byte":            {named("a\x00"), "_OTHER"},
		"a name of punctuation":              {named("..."), "_OTHER"},
		"the longest name":                   {named(strings.Repeat("a", 64)), strings.Repeat("a", 64)},
		"an overlong name":                   {named(strings.Repeat("a", 65)), "_OTHER"},
		"a bad name hides what is inside":    {fmt.Errorf("%w", wrapper{named("user 42")}), "_OTHER"},
		"a bad name, and another branch":     {errors.Join(named(""), io.EOF), "eof"},
		"_OTHER, and another branch":         {errors.Join(named("_OTHER"), named("lost")), "lost"},
		"a panic":                            {&backends.PanicError{Value: syscall.EPIPE}, "panic"},
		"a value that cannot be encoded":     {&backends.EncodeError{Err: errPlain}, "encode"},
		"bytes that cannot be decoded":       {&backends.DecodeError{Err: io.EOF}, "decode"},
		"New":                                {errtype.New("closed", "the cache is closed"), "closed"},
		"New, with a bad name":               {errtype.New("not good", "text"), "_OTHER"},
		"no error":                           {nil, "_OTHER"},
		"a backend that names what it wraps": {backends.NotApplied(named("refused")), "refused"},

		// Error numbers.
		"ENOSPC":                {syscall.ENOSPC, "no_space"},
		"ENOSPC of a file":      {&fs.PathError{Op: "write", Path: "/secret/42", Err: syscall.ENOSPC}, "no_space"},
		"EDQUOT":                {syscall.EDQUOT, "quota_exceeded"},
		"EROFS":                 {syscall.EROFS, "read_only"},
		"EIO":                   {syscall.EIO, "io"},
		"EACCES":                {syscall.EACCES, "permission_denied"},
		"EPERM":                 {syscall.EPERM, "permission_denied"},
		"ENOENT":                {&fs.PathError{Err: syscall.ENOENT}, "not_exist"},
		"EMFILE":                {os.NewSyscallError("accept", syscall.EMFILE), "too_many_open_files"},
		"ENOMEM":                {syscall.ENOMEM, "out_of_memory"},
		"ECONNREFUSED":          {syscall.ECONNREFUSED, "connection_refused"},
		"ECONNREFUSED, dialing": {refused, "connection_refused"},
		"ECONNREFUSED, at a URL": {
			&url.Error{Op: "Get", URL: "http://10.0.0.1:41712", Err: refused}, "connection_refused",
		},
		"ECONNRESET":   {syscall.ECONNRESET, "connection_reset"},
		"ECONNABORTED": {syscall.ECONNABORTED, "connection_aborted"},
		"EPIPE":        {&net.OpError{Op: "write", Err: syscall.EPIPE}, "broken_pipe"},
		"ETIMEDOUT":    {syscall.ETIMEDOUT, "timeout"},
		"EHOSTUNREACH": {syscall.EHOSTUNREACH, "host_unreachable"},
		"ENETUNREACH":  {syscall.ENETUNREACH, "network_unreachable"},
		"EADDRINUSE":   {syscall.EADDRINUSE, "address_in_use"},
		"EAGAIN":       {syscall.EAGAIN, "try_again"},
		"EAGAIN of a socket, which is no timeout": {
			&net.OpError{Op: "read", Err: syscall.EAGAIN}, "try_again",
		},
		"EINTR":                {syscall.EINTR, "interrupted"},
		"an unknown number":    {syscall.Errno(54321), "os_error"},
		"number 0":             {syscall.Errno(0), "os_error"},
		"two numbers":          {errors.Join(syscall.EPIPE, syscall.ECONNRESET), "broken_pipe"},
		"numbers in two lines": {fmt.Errorf("%w, then %w", errPlain, syscall.EPIPE), "broken_pipe"},

		// Sentinels.
		"EOF":                    {io.EOF, "eof"},
		"EOF, wrapped":           {fmt.Errorf("read: %w", io.EOF), "eof"},
		"EOF in a type":          {&MyError{io.EOF}, "eof"},
		"unexpected EOF":         {io.ErrUnexpectedEOF, "unexpected_eof"},
		"a closed connection":    {&net.OpError{Op: "read", Err: net.ErrClosed}, "closed"},
		"a closed file":          {os.ErrClosed, "closed"},
		"a closed pipe":          {io.ErrClosedPipe, "closed"},
		"a short write":          {io.ErrShortWrite, "short_write"},
		"not there":              {os.ErrNotExist, "not_exist"},
		"there already":          {os.ErrExist, "already_exists"},
		"no permission":          {os.ErrPermission, "permission_denied"},
		"not supported":          {errors.ErrUnsupported, "not_supported"},
		"an error that is EOF":   {alias{io.EOF}, "eof"},
		"an error that is late":  {wrapper{alias{context.DeadlineExceeded}}, "timeout"},
		"any other sentinel":     {errPlain, "_OTHER"},
		"a wrapped sentinel":     {fmt.Errorf("set: %w", errPlain), "_OTHER"},
		"joined sentinels":       {errors.Join(errPlain, errors.New("b")), "_OTHER"},
		"texts that look alike":  {lookAlike, "_OTHER"},
		"a join inside a join":   {errors.Join(errPlain, errors.Join(errPlain, io.EOF)), "eof"},
		"a join with a nil":      {Many{nil, io.EOF}, "eof"},
		"a join of nothing":      {Many{}, "errtype_test.Many"},
		"a sentinel in a number": {&strconv.NumError{Err: strconv.ErrSyntax}, "*strconv.NumError"},

		// Deadlines and cancellations.
		"a deadline":                       {context.DeadlineExceeded, "timeout"},
		"a deadline, wrapped":              {fmt.Errorf("set: %w", context.DeadlineExceeded), "timeout"},
		"a deadline of a connection":       {&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "timeout"},
		"a cancellation":                   {context.Canceled, "canceled"},
		"a cancellation, wrapped":          {wrapper{fmt.Errorf("set: %w", context.Canceled)}, "canceled"},
		"a cancellation and its cause":     {fmt.Errorf("%w: %w", context.Canceled, errPlain), "canceled"},
		"a cancellation by a deadline":     {fmt.Errorf("%w: %w", context.Canceled, context.DeadlineExceeded), "timeout"},
		"a deadline and its cause":         {fmt.Errorf("%w: %w", context.DeadlineExceeded, named("breaker_open")), "timeout"},
		"a method Timeout":                 {late{}, "timeout"},
		"a method Timeout, wrapped":        {&url.Error{Op: "Get", Err: late{}}, "timeout"},
		"a method Timeout around a name":   {late{named("pool_timeout")}, "pool_timeout"},
		"a method Timeout around a type":   {late{&MyError{}}, "timeout"},
		"a method Timeout that says false": {&url.Error{Op: "Get", Err: &MyError{}}, "*errtype_test.MyError"},

		// Names, certificates and TLS.
		"a host that is not there":   {&net.OpError{Err: &net.DNSError{IsNotFound: true, Name: "redis.example"}}, "host_not_found"},
		"a resolver that is slow":    {&net.DNSError{IsTimeout: true}, "timeout"},
		"a lookup that was canceled": {&net.DNSError{UnwrapErr: context.Canceled}, "canceled"},
		"a resolver that failed":     {&net.DNSError{Err: "server misbehaving"}, "dns_failure"},
		"an unknown authority":       {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "certificate_unknown_authority"},
		"another host":               {x509.HostnameError{Host: "10.0.0.1"}, "certificate_wrong_host"},
		"an expired certificate":     {x509.CertificateInvalidError{Reason: x509.Expired}, "certificate_expired"},
		"an invalid certificate":     {x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, "certificate_invalid"},
		"a certificate that failed":  {&tls.CertificateVerificationError{Err: errPlain}, "certificate_invalid"},
		"an alert":                   {tls.AlertError(42), "tls_alert"},
		"no TLS":                     {tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, "tls_not_spoken"},

		// Types.
		"a type":                         {&MyError{}, "*errtype_test.MyError"},
		"a type, wrapped":                {fmt.Errorf("set: %w", &MyError{}), "*errtype_test.MyError"},
		"a type, and another branch":     {errors.Join(errPlain, &MyError{}, io.EOF), "*errtype_test.MyError"},
		"the outer of two types":         {&MyError{&json.SyntaxError{}}, "*errtype_test.MyError"},
		"a type of the standard library": {errNumber, "*strconv.NumError"},
		"a type with an argument":        {Generic[map[string]json.Number]{}, "errtype_test.Generic"},
		"an unexported leaf":             {leaf{}, "errtype_test.leaf"},
		"an unexported wrapper":          {wrapper{&MyError{}}, "*errtype_test.MyError"},
		"an unexported wrapper of text":  {wrapper{errPlain}, "_OTHER"},
		"an unexported wrapper of none":  {wrapper{}, "_OTHER"},
		"a carrier of a type":            {&url.Error{Op: "Get", Err: &MyError{}}, "*errtype_test.MyError"},
		"a carrier of text":              {&url.Error{Op: "Get", Err: errPlain}, "*url.Error"},
		"a carrier of a carrier":         {&url.Error{Op: "Get", Err: &net.OpError{Err: errPlain}}, "*url.Error"},
		"many":                           {Many{errPlain}, "errtype_test.Many"},
		"no type at all":                 {struct{ error }{errPlain}, "_OTHER"},
		"an overlong type":               {leafWithAnOverlongNameThatNobodyWouldWantToSeeInAMetricOfTheService{}, "_OTHER"},
		"a type that is not ASCII":       {größe{}, "_OTHER"},
		"a run-time error":               {runtimeError(), "panic"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := errtype.Of(tc.err)
			assert.Equal(t, tc.want, got)
			assert.True(t, errtype.Valid(got))
		})
	}
}

func runtimeError() (err error) {
	defer func() { err = recover().(error) }()
	var none []int
	_ = none[len(os.Args)]
	return nil
}

func TestNew_IsASentinel(t *testing.T) {
	t.Parallel()
	a, b := errtype.New("closed", "closed"), errtype.New("closed", "closed")
	assert.EqualError(t, a, "closed")
	assert.ErrorIs(t, fmt.Errorf("get: %w", a), a)
	assert.NotErrorIs(t, a, b)
}

// A handshake with a server that knows nothing of the client's version.
func TestOf_AlertOfAPeer(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	go func() { _, _ = io.Copy(io.Discard, server) }()
	go func() { _, _ = server.Write([]byte{21, 3, 3, 0, 2, 2, 40}) }() // handshake_failure
	err := tls.Client(client, &tls.Config{ServerName: "redis.example"}).HandshakeContext(t.Context())
	assert.Equal(t, "tls_alert", errtype.Of(err), "%T: %v", err, err)
}
