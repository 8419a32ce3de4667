package redisbackend_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
)

// failing returns a backend every call of which fails with err.
func failing(t *testing.T, err error, opts ...redisbackend.Option) *redisbackend.Backend {
	t.Helper()
	client := newServer(t).client(t, func(o *redis.Options) { o.MaxRetries = -1; o.Limiter = limiter{err} })
	return newBackend(t, client, opts...)
}

// errCanceledElsewhere ended a context that is not the caller's.
var errCanceledElsewhere = fmt.Errorf("dialing %s: %w", secret, context.Canceled)

// reads are all ways to read.
var reads = map[string][]redisbackend.Option{"header": nil, "raw": {redisbackend.WithRawValues()}}

// Whatever a client may return, the text is this package's own.
func TestWordsForErrorsOfTheClient(t *testing.T) {
	t.Parallel()
	op := func(op string, err error) error {
		return &net.OpError{
			Op: op, Net: "tcp", Err: err,
			Source: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 54321}, Addr: &net.TCPAddr{IP: net.IPv4(10, 9, 8, 7), Port: 6379},
		}
	}
	call := func(name string, errno syscall.Errno) error { return os.NewSyscallError(name, errno) }
	for name, test := range map[string]struct {
		err             error
		text, errorType string
	}{
		"read, reset":               {op("read", call("read", syscall.ECONNRESET)), "read: connection reset", "connection_lost"},
		"write, broken pipe":        {op("write", call("write", syscall.EPIPE)), "write: broken pipe", "connection_lost"},
		"write, aborted":            {op("write", call("write", syscall.ECONNABORTED)), "write: connection aborted", "connection_lost"},
		"read, timeout":             {op("read", os.ErrDeadlineExceeded), "read: timeout", "timeout"},
		"read, ETIMEDOUT":           {op("read", call("read", syscall.ETIMEDOUT)), "read: timeout", "timeout"},
		"read, closed":              {op("read", net.ErrClosed), "read: the connection was closed", "connection_lost"},
		"dial, refused":             {op("dial", call("connect", syscall.ECONNREFUSED)), "dial: connection refused", "connection_refused"},
		"dial, refused and wrapped": {fmt.Errorf("failed to dial %s: %w", secret, op("dial", syscall.ECONNREFUSED)), "dial: connection refused", "connection_refused"},
		"dial, host unreachable":    {op("dial", syscall.EHOSTUNREACH), "dial: host unreachable", "host_unreachable"},
		"dial, network unreachable": {op("dial", syscall.ENETUNREACH), "dial: network unreachable", "network_unreachable"},
		"dial, network down":        {op("dial", syscall.ENETDOWN), "dial: network down", "network_down"},
		"dial, no port":             {op("dial", syscall.EADDRNOTAVAIL), "dial: no local address or port is free", "address_not_available"},
		"dial, files":               {op("dial", syscall.EMFILE), "dial: too many open files", "too_many_open_files"},
		"dial, files of all":        {op("dial", syscall.ENFILE), "dial: too many open files", "too_many_open_files"},
		"dial, access":              {op("dial", syscall.EACCES), "dial: permission denied", "permission_denied"},
		"dial, permission":          {op("dial", syscall.EPERM), "dial: permission denied", "permission_denied"},
		"dial, socket":              {op("dial", syscall.ENOENT), "dial: no such socket", "not_exist"},
		"dial, an odd number":       {op("dial", syscall.EXDEV), "dial: error " + strconv.Itoa(int(syscall.EXDEV)) + " of the operating system", "os_error"},
		"dial, no such host":        {op("dial", &net.DNSError{Err: "no such host", Name: secret, IsNotFound: true}), "dial: host not found", "host_not_found"},
		"dial, slow name server":    {op("dial", &net.DNSError{Err: "i/o timeout", Name: secret, IsTimeout: true}), "dial: timeout", "timeout"},
		"dial, odd name server":     {op("dial", &net.DNSError{Err: "server misbehaving", Name: secret}), "dial: the name server failed", "dns_failure"},
		"another operation":         {op(secret, syscall.EPIPE), "broken pipe", "connection_lost"},
		"end":                       {io.EOF, "the server closed the connection", "connection_lost"},
		"end within a reply":        {io.ErrUnexpectedEOF, "the server closed the connection", "connection_lost"},

		"authority":   {&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "no trusted authority signed the server's certificate", "certificate_unknown_authority"},
		"wrong host":  {x509.HostnameError{Host: secret, Certificate: &x509.Certificate{}}, "the server's certificate is for another host", "certificate_wrong_host"},
		"expired":     {x509.CertificateInvalidError{Reason: x509.Expired, Detail: secret}, "the server's certificate has expired or is not valid yet", "certificate_expired"},
		"not valid":   {x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign, Detail: secret}, "the server's certificate is not valid", "certificate_invalid"},
		"not trusted": {&tls.CertificateVerificationError{Err: errors.New(secret)}, "the server's certificate is not valid", "certificate_invalid"},
		"no TLS":      {tls.RecordHeaderError{Msg: secret}, "the server does not speak TLS", "tls_not_spoken"},

		"pool timeout":   {redis.ErrPoolTimeout, "no connection of the pool was free in time", "pool_timeout"},
		"pool exhausted": {redis.ErrPoolExhausted, "no connection of the pool was free", "pool_timeout"},
		"closed":         {redis.ErrClosed, "the client is closed", "closed"},

		"a number":            {&strconv.NumError{Func: "ParseInt", Num: secret, Err: strconv.ErrSyntax}, "the server's reply cannot be understood", "bad_reply"},
		"a reply that is odd": {fmt.Errorf("redis: can't parse reply=%.100q reading string", secret), "the server's reply cannot be understood", "bad_reply"},
		"an invalid reply":    {fmt.Errorf("redis: invalid reply: %q", secret), "the server's reply cannot be understood", "bad_reply"},
		"an odd type":         {fmt.Errorf("redis: unexpected type=%T for String", secret), "the server's reply cannot be understood", "bad_reply"},

		"a sentinel":         {errors.New(secret), "an error of the client (*errors.errorString)", "_OTHER"},
		"wrapped":            {fmt.Errorf("get %s: %w", secret, errors.New(secret)), "an error of the client (*errors.errorString)", "_OTHER"},
		"joined":             {errors.Join(errors.New(secret)), "an error of the client (*errors.joinError)", "_OTHER"},
		"a type":             {oddError{secret}, "an error of the client (redisbackend_test.oddError)", "redisbackend_test.oddError"},
		"a type, wrapped":    {fmt.Errorf("%s: %w", secret, oddError{secret}), "an error of the client (redisbackend_test.oddError)", "redisbackend_test.oddError"},
		"a type that wraps":  {wrappingError{errors.New(secret)}, "an error of the client (redisbackend_test.wrappingError)", "redisbackend_test.wrappingError"},
		"canceled elsewhere": {op("dial", fmt.Errorf("%w", errCanceledElsewhere)), "dial: canceled", "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				for _, opts := range reads {
					b := failing(t, test.err, append(opts, redisbackend.WithWriteRetries(0))...)
					_, _, err := b.Get(t.Context(), secret)
					for op, err := range map[string]error{
						"get": err, "set": b.Set(t.Context(), secret, value(secret)), "delete": b.Delete(t.Context(), secret),
					} {
						require.EqualError(t, err, "redisbackend: "+op+" failed: "+test.text)
						require.Equal(t, test.errorType, errorType(t, err))
						require.ErrorIs(t, err, test.err)
						require.False(t, backends.FromHealthyStore(err))
					}
				}
			})
		})
	}
}

type oddError struct{ text string }

func (e oddError) Error() string { return e.text }

type wrappingError struct{ err error }

func (e wrappingError) Error() string { return "wrapping " + e.err.Error() }
func (e wrappingError) Unwrap() error { return e.err }

// replies are error replies: their text, and whether the server is healthy.
var replies = map[string]struct {
	text, errorType string
	healthy         bool
}{
	"CROSSSLOT no":                      {"CROSSSLOT: the keys are in different slots", "CROSSSLOT", true},
	"MISCONF no":                        {"MISCONF: the server cannot persist its data and takes no writes", "MISCONF", true},
	"NOPERM no permissions for hunter2": {"NOPERM: the user lacks the permission", "NOPERM", true},
	"NOREPLICAS no":                     {"NOREPLICAS: too few replicas are connected", "NOREPLICAS", true},
	"OOM command not allowed":           {"OOM: the server is out of memory", "OOM", true},
	"READONLY no":                       {"READONLY: the server is a replica for reading only", "READONLY", true},
	"TRYAGAIN no":                       {"TRYAGAIN: the keys are being moved", "TRYAGAIN", true},
	"WRONGTYPE no":                      {"WRONGTYPE: the key holds something other than a string", "WRONGTYPE", true},
	"ERR unknown command hunter2":       {"ERR: the server does not know the command", "ERR", true},
	"ERR invalid expire time in 'set'":  {"ERR: the server does not take the expiry", "ERR", true},
	"ERR string exceeds maximum allowed size (proto-max-bulk-len)": {"ERR: the value is too long for the server", "ERR", true},
	"ERR Protocol error: invalid bulk length":                      {"ERR: the value is too long for the server", "ERR", true},

	"ASK 1 hunter2:1":                   {"ASK: the key is being moved to another node, which could not be asked", "ASK", false},
	"BUSY no":                           {"BUSY: the server is busy with a script", "BUSY", false},
	"CLUSTERDOWN no":                    {"CLUSTERDOWN: the cluster is down", "CLUSTERDOWN", false},
	"DENIED no":                         {"DENIED: the server is in protected mode", "DENIED", false},
	"LOADING no":                        {"LOADING: the server is loading its data", "LOADING", false},
	"MASTERDOWN no":                     {"MASTERDOWN: the server has lost its master", "MASTERDOWN", false},
	"MOVED 1 hunter2":                   {"MOVED: the key is on another node, which could not be asked", "MOVED", false},
	"NOAUTH no":                         {"NOAUTH: the connection is not authenticated", "NOAUTH", false},
	"WRONGPASS no":                      {"WRONGPASS: the user or the password is wrong", "WRONGPASS", false},
	"ERR max number of clients reached": {"ERR: the server has too many clients", "ERR", false},
	"ERR upstream failure hunter2":      {"ERR", "ERR", false},
	"NOSCRIPT hunter2":                  {"NOSCRIPT: the server does not have the script", "NOSCRIPT", true},
	"EXECABORT hunter2":                 {"EXECABORT", "EXECABORT", false},
	"UNBLOCKED hunter2":                 {"UNBLOCKED", "UNBLOCKED", false},

	"HUNTER":               {"", "redis_error", false},
	"HUNTER hunter2":       {"", "redis_error", false},
	"hunter2 is the value": {"", "redis_error", false},
	"":                     {"", "redis_error", false},
	"OOMMM no":             {"", "redis_error", false},
	"err no":               {"", "redis_error", false},
}

func TestWordsForReplies(t *testing.T) {
	t.Parallel()
	for reply, want := range replies {
		t.Run(reply, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				text := "the server answered " + want.text
				if want.text == "" {
					text = "the server answered with an error that is not listed"
				}
				s := newServer(t)
				client := s.client(t, func(o *redis.Options) { o.MaxRetries = -1 })
				b := newBackend(t, client, redisbackend.WithWriteRetries(0))
				s.next(answer(reply), answer(reply), answer(reply))
				s.nextGets(answer(reply), answer(reply))
				_, _, err := b.Get(t.Context(), secret)
				_, _, rawErr := newBackend(t, client, redisbackend.WithRawValues()).Get(t.Context(), secret)
				for _, err := range []error{err, rawErr, b.Set(t.Context(), secret, value(secret)), b.Delete(t.Context(), secret)} {
					var failed *redisbackend.Error
					require.ErrorAs(t, err, &failed)
					require.EqualError(t, err, "redisbackend: "+failed.Op+" failed: "+text)
					assert.Equal(t, want.errorType, errorType(t, err))
					assert.Equal(t, want.healthy, backends.FromHealthyStore(err))
				}
			})
		})
	}
}

// However many words a server invents, there are as many series as documented.
func TestErrorTypesAreBounded(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for i := range 5000 {
		err := &redisbackend.Error{Op: "set", Err: reply(strings.Repeat(string(rune('A'+i%26)), 1+i/26%32) + "X no")}
		seen[err.ErrorType()] = true
		assert.NotContains(t, err.Error(), "X")
	}
	assert.Equal(t, map[string]bool{"redis_error": true}, seen)
}

type reply string

func (r reply) Error() string { return string(r) }
func (reply) RedisError()     {}
