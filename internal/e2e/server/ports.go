package server

import (
	"context"
	"net"
	"strconv"
	"strings"
)

// startAttempts is how often a server is started on other ports.
const startAttempts = 3

// StartOnPorts starts a server as [Start] does, on n addresses of the loopback
// interface whose ports were free a moment ago, and again on others when one was
// taken meanwhile: by another test, or as the local port of some connection. It
// returns the addresses that the server has.
func StartOnPorts(ctx context.Context, n int, config func(addresses []string) Config) (process *Process, addresses []string, err error) {
	for attempt := 1; ; attempt++ {
		ports, err := FreePorts(ctx, n)
		if err != nil {
			return nil, nil, err
		}
		addresses = make([]string, n)
		for i, port := range ports {
			addresses[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		}
		p, err := Start(ctx, config(addresses))
		if err == nil {
			return p, addresses, nil
		}
		// The error has what the server has printed, which is all it tells.
		if attempt == startAttempts || !strings.Contains(err.Error(), "address already in use") {
			return nil, nil, err
		}
	}
}
