package guard_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
)

// Not parallel: there is one error handler for all.
func TestReport(t *testing.T) {
	defer otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {})) // the one before cannot be had back
	for name, test := range map[string]struct {
		stranger, handler func()
		told              bool
	}{
		"returns":                 {stranger: func() {}},
		"panics":                  {stranger: func() { panic(io.EOF) }, told: true},
		"panics, so does handler": {stranger: func() { panic(io.EOF) }, handler: func() { panic("!") }, told: true},
		"panics with nil":         {stranger: func() { panic(nil) }, told: true}, //nolint:govet // on purpose
		"panics, handler exits":   {stranger: func() { panic(io.EOF) }, handler: runtime.Goexit, told: true},
		"exits":                   {stranger: runtime.Goexit},
	} {
		t.Run(name, func(t *testing.T) {
			var told error
			otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
				told = err
				if test.handler != nil {
					test.handler()
				}
			}))
			ended := make(chan any, 1)
			go func() {
				defer func() { ended <- recover() }()
				defer guard.Report()
				test.stranger()
			}()
			assert.Nil(t, <-ended)
			if !test.told {
				require.NoError(t, told)
				return
			}
			var p *backends.PanicError
			require.ErrorAs(t, told, &p)
			assert.NotEmpty(t, p.Stack)
		})
	}
}
