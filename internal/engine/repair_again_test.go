package engine_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

const beat = 250 * time.Millisecond // of the store's signs

// L2 refuses all calls for half a minute, though its changes can be followed. When it
// answers again, the key is closed at once: the failures were not those of the key.
func TestRepair_AnswersAgain(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, s *store, here, _ *instance, r *resolutions) {
		here.down()
		require.Error(t, here.Set(t.Context(), "k", "new", 0))
		here.beat(t, 30*time.Second)
		require.Equal(t, []string{"missing"}, here.open())
		here.up()
		here.beat(t, 2*beat)
		assert.Empty(t, here.open())
		assert.Equal(t, []string{"applied"}, r.take())
		assert.Equal(t, "new", inL2(s))
	})
}

var errType = backends.Healthy(errors.New("a value of another type"))

// L2 answers, and refuses one key: that holds up no other, and the key is tried again ever
// more rarely.
func TestRepair_Refused(t *testing.T) {
	t.Parallel()
	repaired(t, func(t *testing.T, _ *store, here, there *instance, _ *resolutions) {
		here.down()
		for n := range 50 {
			require.Error(t, here.Set(t.Context(), strconv.Itoa(n), "new", 0))
		}
		here.up()
		here.l2.Next(tier.Get, backendtest.FailBefore(errType))
		sync2(t, here, there) // one sign of L2
		assert.Len(t, here.open(), 1)

		here.l2.Always(tier.Get, backendtest.FailBefore(errType))
		before := here.l2.Calls(tier.Get)
		here.beat(t, 10*time.Second)
		assert.Less(t, here.l2.Calls(tier.Get)-before, 10)
		here.up()
		here.beat(t, 15*time.Second)
		assert.Empty(t, here.open())
	})
}
