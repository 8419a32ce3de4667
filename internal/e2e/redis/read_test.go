package redis_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/writepolicy"
)

// What somebody else has put at a key is an error and no value, and a Set or a
// Delete mends it.
func TestKeyOfAnotherType(t *testing.T) {
	t.Parallel()
	for kind, write := range writes {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			s := newFaultFixture(t, fault{direct: true}, writepolicy.Sequential(), nil)
			require.NoError(t, s.server.Admin.RPush(t.Context(), key, "a", "b").Err())
			value, ok, err := s.Get(t.Context(), key)
			require.Error(t, err)
			assert.False(t, ok)
			assert.Empty(t, value)
			var typed interface{ ErrorType() string }
			require.ErrorAs(t, err, &typed)
			assert.Equal(t, "WRONGTYPE", typed.ErrorType())

			require.NoError(t, write.do(t.Context(), s.fixture))
			l1, l2 := s.holds(t)
			assert.Equal(t, [2]string{write.value, write.value}, [2]string{l1, l2})
			s.event(t, false)
		})
	}
}

// A read while Redis is gone is an error, not a miss, unless L1 has the value.
func TestGet_NoRedis(t *testing.T) {
	t.Parallel()
	s := newFaultFixture(t, fault{direct: true, server: durable}, writepolicy.Sequential(), nil)
	s.put(t)
	s.server.Kill()
	value, ok, err := s.Get(t.Context(), key)
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, oldValue, value)
	_, ok, err = s.Get(t.Context(), "another key")
	require.Error(t, err)
	assert.False(t, ok)
	s.event(t, false)

	require.NoError(t, s.server.Restart(t.Context()))
	s.goesOn(t)
}
