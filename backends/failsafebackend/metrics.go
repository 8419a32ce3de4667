package failsafebackend

import (
	"context"
	"fmt"
	"slices"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// states are the values of [AttrCircuitBreakerState].
var states = []struct {
	state circuitbreaker.State
	value string
}{
	{circuitbreaker.ClosedState, "closed"},
	{circuitbreaker.HalfOpenState, "half_open"},
	{circuitbreaker.OpenState, "open"},
}

// observe makes the state of a breaker observable until the registration ends.
//
// The callback belongs to the registration and not to the instrument: an SDK
// makes one instrument for all backends on a meter, and drops the callbacks that
// come with it a second time.
func observe(cb circuitbreaker.CircuitBreaker[any], c config, desc backends.Description) (metric.Registration, error) {
	provider := c.meterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	meter := provider.Meter(scopeName,
		metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	counter, err := meter.Int64ObservableUpDownCounter(MetricCircuitBreakerCount,
		metric.WithDescription("Number of circuit breakers that are in the state."),
		metric.WithUnit("{circuit_breaker}"))
	if err != nil {
		return nil, fmt.Errorf("failsafebackend: %w", err)
	}
	common := attributes(c.name, desc)
	var options [3]metric.ObserveOption
	for i, s := range states {
		options[i] = metric.WithAttributeSet(attribute.NewSet(append(common, AttrCircuitBreakerState.String(s.value))...))
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		current := cb.State()
		for i, s := range states { // all of them, so that each has a point from the start
			count := int64(0)
			if s.state == current {
				count = 1
			}
			o.ObserveInt64(counter, count, options[i])
		}
		return nil
	}, counter)
	if err != nil {
		return nil, fmt.Errorf("failsafebackend: %w", err)
	}
	return registration, nil
}

// attributes returns those that the points of all states share.
func attributes(name string, desc backends.Description) []attribute.KeyValue {
	switch {
	case name != "":
	case desc.System != "":
		name = desc.System
	default:
		name = "default"
	}
	attrs := []attribute.KeyValue{AttrCircuitBreaker.String(name)}
	if desc.System != "" {
		attrs = append(attrs, semconv.DBSystemNameKey.String(desc.System))
	}
	if desc.ServerAddress != "" {
		attrs = append(attrs, semconv.ServerAddress(desc.ServerAddress))
	}
	if desc.ServerPort != 0 {
		attrs = append(attrs, semconv.ServerPort(desc.ServerPort))
	}
	return slices.Clip(attrs)
}
