package server_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/internal/e2e/server"
)

// shell is a server that does as it is told.
func shell(script string) server.Config {
	return server.Config{Program: "sh", Args: []string{"-c", script}, Ready: ready}
}

func failing(script string) server.Config {
	config := shell(script)
	config.Ready = notReady
	return config
}

func TestStartOnPorts(t *testing.T) {
	t.Parallel()
	var tried [][]string
	p, addresses, err := server.StartOnPorts(t.Context(), 2, func(addresses []string) server.Config {
		tried = append(tried, addresses)
		if len(tried) == 1 {
			return failing("echo listen: address already in use; exit 1")
		}
		return shell("exec sleep 600")
	})
	require.NoError(t, err)
	t.Cleanup(p.Stop)
	require.Len(t, tried, 2, "it tries other ports")
	assert.Equal(t, tried[1], addresses)
	assert.Len(t, addresses, 2)
}

func TestStartOnPorts_GivesUp(t *testing.T) {
	t.Parallel()
	for script, attempts := range map[string]int{
		"echo listen: address already in use; exit 1": 3,
		"echo no such flag; exit 1":                   1,
	} {
		tried := 0
		_, _, err := server.StartOnPorts(t.Context(), 1, func([]string) server.Config {
			tried++
			return failing(script)
		})
		require.ErrorContains(t, err, "it has ended", script)
		assert.Equal(t, attempts, tried, script)
	}
}

func TestProcess_ExitCode(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{
		"exit 0": 0, "exit 3": 3, "kill -9 $$": -1,
	} {
		p, err := server.Start(t.Context(), shell(script))
		require.NoError(t, err)
		assert.Equal(t, want, p.ExitCode(), script)
		p.Stop()
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	root, err := server.Root()
	require.NoError(t, err)
	_, err = os.Stat(filepath.Join(root, "internal", "e2e", "server", "root.go"))
	assert.NoError(t, err)
}
