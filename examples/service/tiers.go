package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// stores are the stores of the two tiers.
type stores struct {
	l1 *otterbackend.Backend[user]
	l2 backends.Backend[[]byte]

	closeL2 func() error

	link *link // to Redis; nil without -faults
}

// openStores opens otter, and Redis when there is an address, else badger.
func openStores(ctx context.Context, opts options, tel *telemetry) (*stores, error) {
	l1, err := otterbackend.New[user](otterbackend.WithMaximumSize(opts.l1Size))
	if err != nil {
		return nil, err
	}
	s := &stores{l1: l1}
	if opts.faults {
		s.link = newLink()
	}
	if opts.redis != nil {
		s.l2, s.closeL2, err = openRedis(ctx, opts, s.link, tel)
	} else {
		s.l2, s.closeL2, err = openBadger(opts.dir)
	}
	if err != nil {
		return nil, errors.Join(err, l1.Close())
	}
	return s, nil
}

// close is for after the cache's end.
func (s *stores) close() error { return errors.Join(s.l1.Close(), s.closeL2()) }

// openBadger opens a folder, or a temporary one that goes when it is closed.
func openBadger(dir string) (store backends.Backend[[]byte], closer func() error, err error) {
	remove := func() error { return nil }
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tiercache-service-"); err != nil {
			return nil, nil, fmt.Errorf("folder of badger: %w", err)
		}
		remove = func() error { return os.RemoveAll(dir) }
	}
	b, err := badgerbackend.Open(dir)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return b, func() error { return errors.Join(b.Close(), remove()) }, nil
}
