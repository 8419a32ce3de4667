package backends_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
)

func TestStoreErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err             error
		text, errorType string
		certain         bool
	}{
		"an empty key": {backends.ErrEmptyKey, "backends: the key is empty: pass a key of at least one byte", "empty_key", true},
		"a nil context": {
			backends.ErrNilContext, "backends: the context is nil: pass one, such as context.Background()", "invalid_argument", true,
		},
		"a nil sink": {
			backends.ErrNilSink, "backends: the sink is nil: pass one that is to be told of changes", "invalid_argument", true,
		},
		"an unequal batch": {
			backends.ErrUnequalBatch,
			"backends: the slices of the batch differ in length: pass one result for each key or write", "invalid_argument", true,
		},
		"a closed backend": {backends.ErrClosed, "backends: the backend is closed: open another one", "closed", true},
		"too large": {
			&backends.TooLargeError{What: "key", Size: 3, Max: 2},
			"backends: the key has 3 bytes, and the store takes 2", "too_large", true,
		},
		"too large, with advice": {
			&backends.TooLargeError{What: "value", Size: 3, Max: 2, Advice: "split it"},
			"backends: the value has 3 bytes, and the store takes 2: split it", "too_large", true,
		},
		"damaged": {
			&backends.DamagedError{Reason: "too short"},
			"backends: the stored bytes are too short: set or delete the key to get rid of them", "damaged", false,
		},
		"damaged, with advice": {
			&backends.DamagedError{Reason: "too short", Advice: "store raw values"},
			"backends: the stored bytes are too short: set or delete the key to get rid of them, or store raw values", "damaged", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.EqualError(t, tc.err, tc.text)
			assert.Equal(t, tc.certain, backends.CertainlyNotApplied(tc.err))
			assert.Equal(t, tc.errorType, tc.err.(interface{ ErrorType() string }).ErrorType())
		})
	}
}
