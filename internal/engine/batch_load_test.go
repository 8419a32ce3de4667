package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The watch over the keys of a part ends with the last of its flights, or with the batch.
func TestPart_Ended(t *testing.T) {
	t.Parallel()
	ends := 0
	r := &part{unwatch: func() { ends++ }}
	r.flights.Store(1)
	r.flights.Add(2)
	r.ended()
	r.ended()
	assert.Zero(t, ends)
	r.ended()
	assert.Equal(t, 1, ends)
}
