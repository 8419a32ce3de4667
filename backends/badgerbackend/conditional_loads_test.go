package badgerbackend_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// Two caches over one database: what one of them deletes or sets while the other one loads
// is not replaced.
func TestConditionalLoads(t *testing.T) {
	t.Parallel()
	type cache = tiercache.Cache[[]byte]
	for name, test := range map[string]struct {
		change  func(ctx context.Context, there *cache) error
		on, off string
	}{
		"deleted": {func(ctx context.Context, there *cache) error { return there.Delete(ctx, "k") }, "", "old"},
		"set": {func(ctx context.Context, there *cache) error {
			return there.Set(ctx, "k", []byte("new"), time.Hour)
		}, "new", "old"},
		"nothing": {func(context.Context, *cache) error { return nil }, "old", "old"},
	} {
		for option, want := range map[string]string{"on": test.on, "off": test.off} {
			for begin, opts := range map[string][]tiercache.ReadOption{"a miss": nil, "a refresh": {tiercache.Refresh()}} {
				t.Run(name+"/"+option+"/"+begin, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						db := openInMemory(t)
						process := func(opts ...tiercache.Option) *cache {
							c, err := tiercache.New("users", backendtest.NewMap[[]byte](), backends.Backend[[]byte](db), opts...)
							require.NoError(t, err)
							return c
						}
						here, there := process(), process()
						if option == "on" {
							here = process(tiercache.WithConditionalLoads())
						}
						if opts != nil {
							require.NoError(t, there.Set(t.Context(), "k", []byte("first"), time.Hour))
						}
						_, err := here.GetOrLoad(t.Context(), "k", time.Hour, func(ctx context.Context, _ string) ([]byte, error) {
							return []byte("old"), test.change(ctx, there)
						}, opts...)
						require.NoError(t, err)
						for _, read := range [][]tiercache.ReadOption{{tiercache.SkipL1()}, nil} {
							got, _, err := here.Get(t.Context(), "k", read...)
							require.NoError(t, err)
							assert.Equal(t, want, string(got))
						}
					})
				})
			}
		}
	}
}
