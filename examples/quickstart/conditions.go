package main

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"syscall"

	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
)

// refusedClaim has two requests claim a key, one after the other.
func refusedClaim(ctx context.Context, s *service, key string) (got string, err error) {
	if _, err := s.claim(ctx, key, ada(1)); err != nil {
		return "", err
	}
	return s.claim(ctx, key, User{Name: "Grace", Version: 1})
}

// claim handles POST /users/{id}: whoever comes first has the id.
func (s *service) claim(ctx context.Context, id string, u User) (got string, err error) {
	ctx, span := s.tracer.Start(ctx, "POST /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	won, stored, err := s.users.SetIfAbsent(ctx, id, u, ttl)
	answer(ctx, span, err)
	return fmt.Sprintf("%v, stored: %t", won.Value, stored), err
}

// contendedUpdate has a second request change the user while the first one makes its
// change.
func contendedUpdate(ctx context.Context, s *service, key string) (got string, err error) {
	var second error
	overtake := sync.OnceFunc(func() { _, _, second = s.rise(ctx, key, func() {}) })
	u, tries, err := s.rise(ctx, key, overtake)
	if err == nil {
		err = second
	}
	return fmt.Sprintf("%v, tries: %d", u, tries), err
}

// rise handles PATCH /users/{id}. It calls meanwhile each time that it has read the user.
func (s *service) rise(ctx context.Context, id string, meanwhile func()) (u User, tries int, err error) {
	ctx, span := s.tracer.Start(ctx, "PATCH /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	u, err = s.users.Update(ctx, id, ttl, func(old User, _ bool) (User, error) {
		tries++
		meanwhile()
		old.Version++
		return old, nil
	})
	answer(ctx, span, err)
	return u, tries, err
}

// failedInBatch writes three users at once, of whom L2 refuses the one at key.
func failedInBatch(ctx context.Context, s *service, key string) (got string, err error) {
	s.tiers.l2.NextAt(tier.Set, 1, backendtest.FailBefore(syscall.ENOSPC))
	ctx, span := s.tracer.Start(ctx, "PUT /users", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	err = s.users.SetMany(ctx, around(key), ttl)
	answer(ctx, span, err)
	return "", err
}

// around returns the users of three keys, of which key is the second.
func around(key string) iter.Seq2[string, User] {
	return func(yield func(key string, u User) bool) {
		_ = yield("before "+key, ada(1)) && yield(key, ada(1)) && yield("after "+key, ada(1))
	}
}
