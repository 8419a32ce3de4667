package server_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

func ready(context.Context) error { return nil }

func notReady(context.Context) error { return errors.New("nobody answers") }

func TestStart_Missing(t *testing.T) {
	t.Parallel()
	_, err := server.Start(t.Context(), server.Config{Program: "no-such-server", Ready: ready})
	require.ErrorIs(t, err, server.ErrMissing)
	assert.ErrorContains(t, err, "make e2e-setup")
}

func TestStart_Ends(t *testing.T) {
	t.Parallel()
	_, err := server.Start(t.Context(), server.Config{
		Program: "sh", Args: []string{"-c", "echo a wrong flag; exit 1"}, Ready: notReady,
	})
	require.ErrorContains(t, err, "it has ended")
	assert.ErrorContains(t, err, "a wrong flag")
}

func TestProcess_Stop(t *testing.T) {
	t.Parallel()
	p, err := server.Start(t.Context(), server.Config{Program: "sleep", Args: []string{"600"}, Ready: ready})
	require.NoError(t, err)
	require.NoError(t, p.Pause())
	p.Stop() // also one that is paused
	p.Stop() // again
	p.Kill()
}

func TestFreePorts(t *testing.T) {
	t.Parallel()
	ports, err := server.FreePorts(t.Context(), 3)
	require.NoError(t, err)
	require.Len(t, ports, 3)
	assert.NotEqual(t, ports[0], ports[1])
	assert.NotEqual(t, ports[1], ports[2])
}
