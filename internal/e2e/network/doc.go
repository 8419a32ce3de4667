// Package network is the way of a client to a server, for tests: it can be cut, hold back
// what is sent in either direction and pass it on later, which makes late writes, and
// decide on single commands.
//
//	n, err := network.Start(ctx, server.Addr)
//	n.Meet(func(sent []byte) network.Fate { … })   the next command is lost, or its answer
//	n.Hold(network.Down)                           nothing comes back, until Release
package network
