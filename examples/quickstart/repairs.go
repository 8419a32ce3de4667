package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// patience is far longer than a repair takes: the rest of a deadline.
const patience = 10 * time.Second

// l2Hangs writes a user whom another process has written before. L2 answers nothing
// until it is let go on, and never gets the write.
func l2Hangs(ctx context.Context, s *service, key string) (got string, err error) {
	if err := s.writeElsewhere(ctx, key, ada(1)); err != nil {
		return "", err
	}
	s.tiers.l2.Always(tier.Set, backendtest.Hang())
	s.tiers.l2.Always(tier.Get, s.hung.Before()) // the repair asks
	return "", s.put(ctx, key, ada(2))
}

// l2Answers lets L2 go on, and waits for the repair, which the cache makes by itself.
func l2Answers(ctx context.Context, s *service, _ string) (got string, err error) {
	s.tiers.l2.Clear()
	s.hung.Open()
	if err := s.awaitRepair(ctx); err != nil {
		return "", err
	}
	r := s.users.Status().Repair
	return fmt.Sprintf("open keys: %d, closed: %d", r.Open, r.Closed), nil
}

// writeElsewhere writes L2 as another process does, and has this one know of it.
func (s *service) writeElsewhere(ctx context.Context, key string, u User) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	entry := backends.Entry[User]{Value: u, ExpiresAt: time.Now().Add(ttl)}
	if err := s.tiers.shared.Client().Set(ctx, key, entry); err != nil {
		return err
	}
	select {
	case <-s.tiers.log.Watched():
	case <-ctx.Done():
		return fmt.Errorf("the changes in L2 are not followed: %w", ctx.Err())
	}
	if !s.tiers.log.Sync() {
		return errors.New("the changes in L2 cannot be followed")
	}
	return nil
}

// awaitRepair waits until a span of a repair has ended.
func (s *service) awaitRepair(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for !s.tel.has("repair users") {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("the key was not repaired: %w", ctx.Err())
		}
	}
	return nil
}
