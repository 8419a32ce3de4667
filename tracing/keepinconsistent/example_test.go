package keepinconsistent_test

import (
	"context"
	"errors"
	"fmt"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/tracing"
	"github.com/tiercache/tiercache/tracing/keepinconsistent"
)

// No trace is sampled, and yet the write that left the tiers different is exported,
// with the calls of its tiers.
func Example() {
	exporter := tracetest.NewInMemoryExporter() // a real one sends spans by OTLP
	tp := sdktrace.NewTracerProvider(
		sdktrace.WithSampler(keepinconsistent.Sampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0)))),
		sdktrace.WithSpanProcessor(keepinconsistent.NewProcessor(sdktrace.NewBatchSpanProcessor(exporter))),
	)
	l2 := backendtest.WithFaults(backendtest.NewMap[string]())
	cache, err := tiercache.New("users", backendtest.NewMap[string](), l2,
		tiercache.WithTelemetry(tracing.Disabled(), tracing.WithTracerProvider(tp)))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	_ = cache.Set(ctx, "42", "Ada", 0) // all is well: nothing is exported
	l2.Next(tier.Set, backendtest.FailBefore(errors.New("refused")))
	fmt.Println(errors.Is(cache.Set(ctx, "42", "Grace", 0), tiercache.ErrInconsistent))

	_ = cache.Close(ctx) // first: its writes are still observed
	_ = tp.ForceFlush(ctx)
	for _, span := range exporter.GetSpans() {
		fmt.Println(span.Name, span.Status.Code)
	}
	_ = tp.Shutdown(ctx)
	// Output:
	// true
	// set users l1 Unset
	// set users l2 Error
	// set users Error
}
