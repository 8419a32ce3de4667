package backendtest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

func TestMap_Conforms(t *testing.T) {
	t.Parallel()
	suite(func() backends.Backend[string] { return backendtest.NewMap[string]() }).Run(t)
}

func TestFaults_Conforms(t *testing.T) {
	t.Parallel()
	for name, create := range map[string]func() backends.Backend[string]{
		"over a plain backend": func() backends.Backend[string] { return backendtest.WithFaults(newStore()) },
		"over a Stager": func() backends.Backend[string] {
			return backendtest.WithFaults(backendtest.WithFaults(newStore()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(create).Run(t)
		})
	}
}

// Faults and Coded pass on all that the store can do.
func TestDecorators_Conform(t *testing.T) {
	t.Parallel()
	c := suite(nil)
	var behind interface{ Sync() bool }
	c.Sync = func(*testing.T, backends.Backend[string]) { behind.Sync() }
	c.New = func(t *testing.T) backends.Backend[string] {
		t.Helper()
		store := backendtest.NewStore[[]byte]().Client()
		behind = store
		coded, err := backends.WithCodec(backendtest.WithFaults(store), backends.String())
		require.NoError(t, err)
		require.Equal(t, store.Describe(), coded.Describe())
		return coded
	}
	c.Run(t)
	c.New = func(t *testing.T) backends.Backend[string] {
		t.Helper()
		coded, err := backends.WithCodec(backendtest.WithFaults(backendtest.NewMap[[]byte]()), backends.String())
		require.NoError(t, err)
		return coded
	}
	c.Run(t)
}
