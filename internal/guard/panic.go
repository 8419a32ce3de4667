package guard

import (
	"errors"
	"runtime/debug"

	"go.opentelemetry.io/otel"

	"github.com/tiercache/tiercache/backends"
)

// ErrExited is the error of a call that neither returned nor panicked: the called
// function ended its goroutine.
var ErrExited = errors.New("the call ended its goroutine by runtime.Goexit")

// Catch turns a panic into an error. It is deferred by the function that calls a
// stranger and returns its error.
func Catch(err *error) {
	if v := recover(); v != nil {
		*err = panicError(v)
	}
}

// Report gives a panic to OpenTelemetry's error handler. It is deferred by functions
// that call a stranger whose error nobody waits for.
func Report() {
	if v := recover(); v != nil {
		report(panicError(v))
	}
}

// report survives an error handler that panics: no other handler could report it.
func report(err error) {
	defer func() { _ = recover() }()
	otel.Handle(err)
}

func panicError(v any) error {
	return &backends.PanicError{Value: v, Stack: debug.Stack()}
}
