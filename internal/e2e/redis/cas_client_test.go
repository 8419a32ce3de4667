package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/internal/e2e/server"
	"github.com/tiercache/tiercache/tier"
)

// casClient makes calls one after the other, and notes them.
type casClient struct {
	cache       *tiercache.Cache[string]
	process, id int
	values      int // that it has written
	history     casHistory
}

// random makes random calls of a round.
func (c *casClient) random(ctx context.Context, round casRound) error {
	rng := rand.New(rand.NewPCG(round.Seed, uint64(c.process*casClients+c.id))) //nolint:gosec // it guards nothing
	calls := []func(ctx context.Context, key string) error{
		c.update, c.update, c.update, c.setIfAbsent, c.setIfAbsent, c.set, c.remove, c.get, c.getEntry,
	}
	c.history = nil
	for range casCalls {
		if err := calls[rng.IntN(len(calls))](ctx, round.Keys[rng.IntN(len(round.Keys))]); err != nil {
			return err
		}
	}
	return nil
}

// note makes a call, and notes its step. A call that certainly changed nothing is not noted.
func (c *casClient) note(do func() (casStep, error)) error {
	begin, err := server.SharedNow()
	if err != nil {
		return err
	}
	s, failure := do()
	end, err := server.SharedNow()
	if err != nil {
		return err
	}
	if failure != nil {
		var e *tier.WriteError
		if !errors.As(failure, &e) {
			return nil // it was not written
		}
		switch e.L2.Outcome {
		case tier.Unknown:
			s.Maybe, end = true, never
		case tier.Applied: // L1 has failed
			return failure
		default:
			return nil
		}
	}
	c.history = append(c.history, casCall{Process: c.process, Client: c.id, Step: s, Begin: begin, End: end})
	return nil
}

// value returns one that no client has written before.
func (c *casClient) value() string {
	c.values++
	return fmt.Sprintf("%d.%d.%d", c.process, c.id, c.values)
}

func (c *casClient) set(ctx context.Context, key string) error {
	value := c.value()
	return c.note(func() (casStep, error) {
		return casStep{Key: key, To: value, Any: true}, c.cache.Set(ctx, key, value, 0)
	})
}

func (c *casClient) remove(ctx context.Context, key string) error {
	return c.note(func() (casStep, error) {
		return casStep{Key: key, Any: true}, c.cache.Delete(ctx, key)
	})
}

func (c *casClient) setIfAbsent(ctx context.Context, key string) error {
	value := c.value()
	return c.note(func() (casStep, error) {
		won, stored, err := c.cache.SetIfAbsent(ctx, key, value, 0)
		if err == nil && !stored {
			return casStep{Key: key, From: won.Value, Refused: true}, nil
		}
		return casStep{Key: key, To: value}, err
	})
}

func (c *casClient) update(ctx context.Context, key string) error {
	value := c.value()
	return c.note(func() (casStep, error) {
		s := casStep{Key: key, To: value}
		_, err := c.cache.Update(ctx, key, 0, func(old string, _ bool) (string, error) {
			s.From = old
			return value, nil
		})
		return s, err
	})
}

// get asks L2, because L1 of one process does not follow the writes of another here.
func (c *casClient) get(ctx context.Context, key string) error {
	return c.note(func() (casStep, error) {
		value, _, err := c.cache.Get(ctx, key, tiercache.SkipL1())
		return casStep{Key: key, From: value, To: value}, err
	})
}

// getEntry does too.
func (c *casClient) getEntry(ctx context.Context, key string) error {
	return c.note(func() (casStep, error) {
		e, _, err := c.cache.GetEntry(ctx, key, tiercache.SkipL1())
		return casStep{Key: key, From: e.Value, To: e.Value}, err
	})
}
