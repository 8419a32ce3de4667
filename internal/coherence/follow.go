package coherence

import (
	"context"
	"errors"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/internal/guard"
)

// Pauses before a reader is started again that has ended although it should not.
const (
	firstPause = time.Second
	lastPause  = time.Minute
)

// Follow lets the store tell m of its changes until ctx ends, or until it says that it
// cannot be watched. A reader that panics or ends its goroutine is started again after a
// pause.
func (m *Machine) Follow(ctx context.Context, store backends.Watcher) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		began := time.Now()
		err := m.runReader(ctx, store)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, backends.ErrUnsupported):
			m.lostForGood()
			return
		}
		m.Lost(backends.LossUnknown)
		if time.Since(began) > lastPause {
			pause = firstPause
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// runReader runs the reader until it ends, in a goroutine of its own, which it may end too.
func (m *Machine) runReader(ctx context.Context, store backends.Watcher) error {
	ended := make(chan error, 1)
	go func() {
		err := guard.ErrExited
		defer func() { ended <- err }()
		err = m.watch(ctx, store)
	}()
	return <-ended
}

// lostForGood notes that the store cannot be watched.
func (m *Machine) lostForGood() {
	if m.Status().Cause != backends.LossUnsupported.String() { // the reader may have said so
		m.Lost(backends.LossUnsupported)
	}
}

func (m *Machine) watch(ctx context.Context, store backends.Watcher) (err error) {
	defer guard.Catch(&err)
	return store.Watch(ctx, m)
}
