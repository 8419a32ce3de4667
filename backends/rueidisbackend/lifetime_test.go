package rueidisbackend_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// This is why New refuses a client with a ConnLifetime: a write whose answer is late is
// sent again, and nothing tells. If it fails, rueidis may have changed that.
func TestConnLifetime_SendsWritesTwice(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		client := s.client(t, func(o *rueidis.ClientOption) {
			o.ConnLifetime = time.Second
			o.DisableRetry = true
		})
		s.next(applyThenHang)
		require.NoError(t, client.Do(t.Context(), client.B().Set().Key("k").Value("v").Build()).Error())
		sets := 0
		for _, command := range s.commands() {
			if strings.HasPrefix(command, "SET ") {
				sets++
			}
		}
		assert.Equal(t, 2, sets)
	})
}
