package main

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// scenario is something that happens to a key.
type scenario struct {
	title    string
	key      string
	run      course
	happened string
}

// sharedKey is the one key of the service that is coherent with other processes.
const sharedKey = "48"

// course returns the caller's result: a text, if there was anything but an error or
// nil.
type course func(ctx context.Context, s *service, key string) (got string, err error)

func scenarios() []scenario {
	return []scenario{
		{
			"Both tiers work", "42", write(1),
			"The write went through L1 and L2. Both are in the caller's trace.",
		},
		{
			"L2 refuses the write", "42", l2Refuses,
			"L1 has the new user, and L2, which other instances read, the old one: reported.",
		},
		{
			"L2 applies the write, but its answer never comes", "42", answerLost,
			"L2 has it, but a timeout does not tell: the outcome is unknown, so it is reported.",
		},
		{
			"L2 works again", "42", write(4),
			"The next write of the key reached both tiers, and they are equal again.",
		},
		{
			"A delete leaves a copy behind", "42", copyLeft,
			"L1 dropped the user, and a read would bring it back from L2: this is no success.",
		},
		{
			"Two writers of one key at once", "43", twoWriters,
			"The second request waited for the first, so the second's user is in both tiers.",
		},
		{
			"The caller is cancelled between the tiers", "44", cancelledBetween,
			"The client went away once L1 was written. L2 was written too, in the same trace.",
		},
		{
			"A refill", "44", refill,
			"L1 had evicted the user, the read found it in L2, and so L1 has it again.",
		},
		{
			"A fenced refill", "44", fencedRefill,
			"The refill came too late: a write had begun since L2 was asked. L1 keeps the newer user.",
		},
		{
			"A shared load", "45", sharedLoad,
			"Neither tier had the user, and the second request waited for what the first one loads.",
		},
		{
			"A set-if-absent that is refused", "46", refusedClaim,
			"L2 decides who was first, also among processes. The second request was told who won.",
		},
		{
			"An update that was overtaken", "46", contendedUpdate,
			"L2 refused the first request's change, so it read again: both changes are in the user.",
		},
		{
			"A batch of which L2 refuses one key", "47", failedInBatch,
			"Of three users L2 has two. The error has the outcome of each, and one is reported.",
		},
		{
			"L2, which other processes share, hangs", sharedKey, l2Hangs,
			"L2 is a map here, and stands for Redis. It may still execute the write: reported, and open.",
		},
		{
			"L2 answers again, and the cache repairs the key", sharedKey, l2Answers,
			"L2 refuses the write by now, and nobody has written since: so the cache writes it again.",
		},
	}
}

func ada(version int) User { return User{Name: "Ada", Version: version} }

// write writes and nothing fails.
func write(version int) course {
	return func(ctx context.Context, s *service, key string) (got string, err error) {
		return "", s.put(ctx, key, ada(version))
	}
}

func l2Refuses(ctx context.Context, s *service, key string) (got string, err error) {
	s.tiers.l2.Next(tier.Set, backendtest.FailBefore(syscall.ENOSPC))
	return "", s.put(ctx, key, ada(2))
}

func answerLost(ctx context.Context, s *service, key string) (got string, err error) {
	s.tiers.l2.Next(tier.Set, backendtest.ApplyThenHang())
	return "", s.put(ctx, key, ada(3))
}

func copyLeft(ctx context.Context, s *service, key string) (got string, err error) {
	s.tiers.l2.Next(tier.Delete, backendtest.FailBefore(syscall.EROFS))
	return "", s.remove(ctx, key)
}

// twoWriters holds the first writer between the tiers until the second one has
// begun, and a while longer.
func twoWriters(ctx context.Context, s *service, key string) (got string, err error) {
	gate := backendtest.NewGate()
	s.tiers.l2.Next(tier.Set, backendtest.Chain(gate.Before(), backendtest.Delay(20*time.Millisecond)))

	var requests sync.WaitGroup
	var err1, err2 error
	requests.Go(func() { err1 = s.put(ctx, key, User{Name: "Ada", Version: 1}) })
	select {
	case <-gate.Arrived(): // L1 has Ada, L2 has nobody yet
	case <-ctx.Done():
	}
	requests.Go(func() {
		gate.Open()
		err2 = s.put(ctx, key, User{Name: "Grace", Version: 1})
	})
	requests.Wait()
	return "", errors.Join(err1, err2)
}

// cancelledBetween cancels the request as soon as L1 was written.
func cancelledBetween(ctx context.Context, s *service, key string) (got string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.tiers.l1.Next(tier.Set, func(ctx context.Context, apply func(context.Context) error) error {
		defer cancel()
		return apply(ctx)
	})
	return "", s.put(ctx, key, ada(1))
}
