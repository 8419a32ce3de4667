package tiercachetest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tiercachetest"
)

// Two processes share L2 and nothing else.
func ExampleNewProcess() {
	t := exampleTB{}
	store := backendtest.NewStore[string]()
	here, there := tiercachetest.NewProcess(t, store), tiercachetest.NewProcess(t, store)
	fmt.Println(here.Set(context.Background(), "user:42", "Ada", time.Hour))
	fmt.Println(there.Holds("user:42"))
	fmt.Println(there.Get(context.Background(), "user:42"))
	// Output:
	// <nil>
	//  Ada
	// Ada true <nil>
}

func TestProcess_Abilities(t *testing.T) {
	t.Parallel()
	p := tiercachetest.NewProcess(t, backendtest.NewStore[string]())
	assert.NotNil(t, backends.AsStamped[string](p.L1))
	assert.NotNil(t, backends.AsWalker(p.L1))
	assert.NotNil(t, backends.AsVersioned[string](p.L2))
	assert.NotNil(t, backends.AsBatcher[string](p.L2))
	assert.NotNil(t, backends.AsClocked(p.L2))
	assert.NotNil(t, backends.AsWatcher(p.L2))
}

func TestProcess_Faults(t *testing.T) {
	t.Parallel()
	store := backendtest.NewStore[string]()
	p := tiercachetest.NewProcess(t, store)
	p.L2.Next(tier.Set, backendtest.Lose(errRefused))
	require.ErrorIs(t, p.Set(t.Context(), "k", "v", 0), errRefused)
	l1, l2 := p.Holds("k")
	assert.Equal(t, []string{"v", ""}, []string{l1, l2})
	require.NoError(t, p.Set(t.Context(), "k", "w", 0))
	assert.Len(t, store.Log(), 1)
	assert.Equal(t, 2, p.L2.Calls(tier.Set))
}

func TestProcess_Close(t *testing.T) {
	t.Parallel()
	tb := &testTB{TB: t}
	p := tiercachetest.NewProcess(tb, backendtest.NewStore[string]())
	require.NoError(t, p.Close(t.Context()))
	tb.end()
	assert.Empty(t, tb.failures)
	require.Error(t, p.Set(t.Context(), "k", "v", 0))
}
