package otterbackend_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/otterbackend"
)

func TestClosingWaitsForUpkeep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tasks otterbackend.Tasks
		gate := make(chan struct{})
		tasks.Run(func() { <-gate }) // does not block: it has a goroutine

		var closed atomic.Bool
		go func() {
			tasks.Close()
			closed.Store(true)
		}()
		synctest.Wait()
		require.False(t, closed.Load(), "Close has not waited for a goroutine")

		done := false
		tasks.Run(func() { done = true })
		require.True(t, done, "a task after Close was not run by its caller")

		close(gate)
		synctest.Wait()
		require.True(t, closed.Load())
	})
}
