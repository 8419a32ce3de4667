package main

import (
	"context"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// withoutRoots makes no span that would begin a trace. The Redis client gets it: the
// reader of the log belongs to no request, and asks several times a second.
type withoutRoots struct{ trace.TracerProvider }

// Tracer implements trace.TracerProvider.
func (p withoutRoots) Tracer(name string, opts ...trace.TracerOption) trace.Tracer {
	return childTracer{p.TracerProvider.Tracer(name, opts...)}
}

// childTracer starts children only.
type childTracer struct{ trace.Tracer }

// Start implements trace.Tracer.
func (t childTracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, noop.Span{}
	}
	return t.Tracer.Start(ctx, name, opts...) //nolint:spancheck // the caller ends it
}
