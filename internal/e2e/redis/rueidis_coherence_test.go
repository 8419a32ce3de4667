package redis_test

import (
	"testing"
)

// Instances over rueidis, and one beside one over go-redis, are coherent.
func TestRueidis_Coherence(t *testing.T) {
	t.Parallel()
	t.Run("both", func(t *testing.T) {
		t.Parallel()
		s := startRedis(t)
		checkCoherence(t, s, newCoherentOver(t, rueidisAt(t, s.Addr)), newCoherentOver(t, rueidisAt(t, s.Addr)))
	})
	t.Run("beside go-redis", func(t *testing.T) {
		t.Parallel()
		s := startRedis(t)
		checkCoherence(t, s, newCoherentOver(t, rueidisAt(t, s.Addr)), newCoherent(t, s))
	})
	t.Run("go-redis beside it", func(t *testing.T) {
		t.Parallel()
		s := startRedis(t)
		checkCoherence(t, s, newCoherent(t, s), newCoherentOver(t, rueidisAt(t, s.Addr)))
	})
}
