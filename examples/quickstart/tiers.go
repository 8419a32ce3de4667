package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/badgerbackend"
	"github.com/tiercache/tiercache/backends/otterbackend"
)

// User is a value of the cache.
type User struct {
	Name    string
	Version int
}

// String returns, for instance, "Ada (v2)".
func (u User) String() string { return fmt.Sprintf("%s (v%d)", u.Name, u.Version) }

// tiers are two stores, each wrapped by the fault kit for tests, so that the scenarios can
// make them fail. Without faults it passes every call on.
type tiers struct {
	l1, l2 *backendtest.Faults[User]
	behind backends.Backend[User] // l2 without its faults
	closes []func() error         // in this order

	shared *backendtest.Store[User]  // of openShared
	log    *backendtest.Client[User] // this process's way to it
}

// openTiers opens otter, in this process, and badger, in a temporary folder.
func openTiers() (t *tiers, err error) {
	t = new(tiers)
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	if err := t.openL1(); err != nil {
		return t, err
	}
	// L2 keeps bytes, so it needs a codec.
	dir, err := os.MkdirTemp("", "tiercache-quickstart-")
	if err != nil {
		return t, err
	}
	badger, err := badgerbackend.Open(dir)
	if err != nil {
		return t, errors.Join(err, os.RemoveAll(dir))
	}
	t.closes = append(t.closes, badger.Close, func() error { return os.RemoveAll(dir) })
	if t.behind, err = backends.WithCodec(badger, backends.JSON[User]()); err != nil {
		return t, err
	}
	t.l2 = backendtest.WithFaults(t.behind)
	return t, nil
}

// openShared opens otter, and a map that stands for a Redis with a log of its changes.
func openShared() (*tiers, error) {
	t := &tiers{shared: backendtest.NewStore[User]()}
	t.log = t.shared.Client()
	t.behind, t.l2 = t.log, backendtest.WithFaults[User](t.log)
	if err := t.openL1(); err != nil {
		return nil, err
	}
	return t, nil
}

// openL1 opens a store that keeps the values as they are.
func (t *tiers) openL1() error {
	otter, err := otterbackend.New[User](otterbackend.WithMaximumSize(1000))
	if err != nil {
		return err
	}
	t.closes = append(t.closes, otter.Close)
	t.l1 = backendtest.WithFaults(otter)
	return nil
}

func (t *tiers) close() error {
	var errs []error
	for _, f := range t.closes {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

// holding is the value that one tier holds at a key.
type holding struct {
	entry backends.Entry[User]
	ok    bool
}

func (h holding) String() string {
	if !h.ok {
		return "nothing"
	}
	return h.entry.Value.String()
}

func (h holding) equal(other holding) bool {
	return h.ok == other.ok && h.entry.Value == other.entry.Value && h.entry.ExpiresAt.Equal(other.entry.ExpiresAt)
}

// read asks each tier itself, past the cache.
func (t *tiers) read(ctx context.Context, key string) (l1, l2 holding, err error) {
	ctx = context.WithoutCancel(ctx)
	var err1, err2 error
	l1.entry, l1.ok, err1 = t.l1.Get(ctx, key)
	l2.entry, l2.ok, err2 = t.behind.Get(ctx, key)
	return l1, l2, errors.Join(err1, err2)
}
