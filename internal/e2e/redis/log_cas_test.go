package redis_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/redisbackend"
	"github.com/tiercache/tiercache/internal/e2e/server"
)

// Many processes that each add 1 by compare-and-set lose no addition, also while the log
// is begun anew and scripts are forgotten.
func TestLog_CompareAndSet(t *testing.T) {
	t.Parallel()
	f := newLogFixture(t)
	const processes, each = 4, 250
	var wg sync.WaitGroup
	for range processes {
		_, b := loggedAt(t, f.server.Addr)
		wg.Go(func() {
			for range each {
				addOne(t, b)
			}
		})
	}
	disturb(t, f.server, &wg)
	value, _ := f.get(t)
	assert.Equal(t, strconv.Itoa(processes*each), value)
}

// addOne adds 1. No write of it has an unknown outcome.
func addOne(t *testing.T, b *redisbackend.Backend) {
	t.Helper()
	for {
		e, a, err := b.GetIf(t.Context(), key, 0)
		if err != nil {
			continue
		}
		n, _ := strconv.Atoi(string(e.Value))
		w := set(strconv.Itoa(n+1), write{If: backends.Is(a.Version)})
		if a.Found == backends.Miss {
			w.If = backends.Absent()
		}
		r, err := b.Write(t.Context(), w)
		if err == nil && r.Applied() {
			return
		}
		if err != nil && !assert.True(t, backends.CertainlyNotApplied(err), err) {
			return
		}
	}
}

func disturb(t *testing.T, s *server.Redis, wg *sync.WaitGroup) {
	t.Helper()
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		switch i % 3 {
		case 0:
			require.NoError(t, s.Admin.ScriptFlush(t.Context()).Err())
		case 1:
			require.NoError(t, s.Admin.Del(t.Context(), placeKey).Err())
		default:
			require.NoError(t, s.Admin.Ping(t.Context()).Err())
		}
	}
}
