package otterbackend_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends/otterbackend"
)

func TestBadOptions(t *testing.T) {
	t.Parallel()
	weigher := func(string, string) uint32 { return 1 }
	for name, test := range map[string]struct {
		opts []otterbackend.Option
		want []string
	}{
		"no size": {
			[]otterbackend.Option{otterbackend.WithMaximumSize(0)},
			[]string{"the maximum size is 0: it must be positive"},
		},
		"negative size": {
			[]otterbackend.Option{otterbackend.WithMaximumSize(-1)},
			[]string{"the maximum size is -1: it must be positive"},
		},
		"size and weight": {
			[]otterbackend.Option{otterbackend.WithMaximumSize(1), otterbackend.WithMaximumWeight(1, weigher)},
			[]string{"both a maximum size and a maximum weight are set: choose one of them"},
		},
		"no weight": {
			[]otterbackend.Option{otterbackend.WithMaximumWeight(0, weigher)},
			[]string{"the maximum weight is 0: it must be positive"},
		},
		"no weigher": {
			[]otterbackend.Option{otterbackend.WithMaximumWeight[string](1, nil)},
			[]string{"the weigher is nil: a maximum weight needs one"},
		},
		"weigher of another type": {
			[]otterbackend.Option{otterbackend.WithMaximumWeight(1, func(string, []byte) uint32 { return 1 })},
			[]string{"the weigher is a func(string, []uint8) uint32, but the backend keeps values of type string: give it a parameter of that type"},
		},
		"several": {
			[]otterbackend.Option{otterbackend.WithMaximumSize(0), otterbackend.WithInitialCapacity(-1)},
			[]string{"the initial capacity is -1: it must not be negative", "the maximum size is 0: it must be positive"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := otterbackend.New[string](test.opts...)
			require.Nil(t, b)
			require.ErrorIs(t, err, otterbackend.ErrBadOption)
			for _, want := range test.want {
				require.ErrorContains(t, err, "otterbackend: bad option: "+want)
			}
		})
	}
}
