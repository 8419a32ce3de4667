package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tracing"
)

// writeTimeout is how long a write of L2 may take: short, because one of the
// scenarios waits for it to pass.
const writeTimeout = 500 * time.Millisecond

// bound is how old a user may be that another process has replaced: long, because the
// scenarios say when the log is read.
const bound = time.Minute

// ttl is that of all users.
const ttl = time.Hour

// service stands for a program that keeps users in a cache. Its handlers start a
// span, as those of an HTTP server do, and the cache's spans are in that trace.
type service struct {
	users  *tiercache.Cache[User]
	tiers  *tiers
	tracer trace.Tracer
	tel    *telemetry
	hung   *backendtest.Gate // of reads of L2 while it hangs

	mu       sync.Mutex
	reported []tiercache.Inconsistency
}

// newService makes one whose L2 only this process has.
func newService(tel *telemetry) (*service, error) {
	t, err := openTiers()
	if err != nil {
		return nil, err
	}
	return newServiceOver(t, tel)
}

// newCoherentService makes one whose L2 other processes share. Its cache follows their
// changes, and repairs keys.
func newCoherentService(tel *telemetry) (*service, error) {
	t, err := openShared()
	if err != nil {
		return nil, err
	}
	return newServiceOver(t, tel, tiercache.WithCoherence(bound, tiercache.AskL2))
}

func newServiceOver(t *tiers, tel *telemetry, opts ...tiercache.Option) (s *service, err error) {
	s = &service{tiers: t, tracer: tel.tracers.Tracer("quickstart"), tel: tel, hung: backendtest.NewGate()}
	s.users, err = tiercache.New("users", t.l1, t.l2, append(opts,
		tiercache.WithWriteTimeout(writeTimeout),
		tiercache.WithInconsistencyHook(s.onInconsistency),
		tiercache.WithTelemetry(
			tracing.WithTracerProvider(tel.tracers),
			tracing.WithMeterProvider(tel.meters),
			tracing.WithLoggerProvider(tel.logs),
		))...)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return s, nil
}

// close waits for the writes that are under way before it closes the tiers. Keys that are
// still open are no error of this program: a scenario has left them so.
func (s *service) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*writeTimeout)
	defer cancel()
	err := s.users.Close(ctx)
	if errors.Is(err, tiercache.ErrDiverged) {
		err = nil
	}
	return errors.Join(err, s.tiers.close())
}

// put handles PUT /users/{id}.
func (s *service) put(ctx context.Context, id string, u User) error {
	ctx, span := s.tracer.Start(ctx, "PUT /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	err := s.users.Set(ctx, id, u, ttl)
	answer(ctx, span, err)
	return err
}

// remove handles DELETE /users/{id}.
func (s *service) remove(ctx context.Context, id string) error {
	ctx, span := s.tracer.Start(ctx, "DELETE /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	err := s.users.Delete(ctx, id)
	answer(ctx, span, err)
	return err
}

// get handles GET /users/{id} where the cache is all there is.
func (s *service) get(ctx context.Context, id string) (u User, ok bool, err error) {
	ctx, span := s.tracer.Start(ctx, "GET /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	u, ok, err = s.users.Get(ctx, id)
	answer(ctx, span, err)
	return u, ok, err
}

// getOrLoad handles GET /users/{id} where load asks the database.
func (s *service) getOrLoad(ctx context.Context, id string, load func(context.Context, string) (User, error)) (User, error) {
	ctx, span := s.tracer.Start(ctx, "GET /users/{id}", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	u, err := s.users.GetOrLoad(ctx, id, ttl, load)
	answer(ctx, span, err)
	return u, err
}

// answer sets the status of a handler's span, which the cache never does.
func answer(ctx context.Context, span trace.Span, err error) {
	switch {
	case errors.Is(err, tiercache.ErrInconsistent):
		span.SetStatus(codes.Error, "tiers may differ")
	case err != nil:
		span.SetStatus(codes.Error, "no success")
	case ctx.Err() != nil:
		span.SetStatus(codes.Error, "client is gone")
	}
}

// onInconsistency is the cache's hook. A service could tell somebody here.
func (s *service) onInconsistency(_ context.Context, i tiercache.Inconsistency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reported = append(s.reported, i)
}

// inconsistencies returns the arguments of the hook so far.
func (s *service) inconsistencies() []tiercache.Inconsistency {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.reported)
}
