package failsafebackend

import (
	"context"
	"fmt"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/tracing"
)

// observe makes the state of a breaker observable until the registration ends.
func observe(cb circuitbreaker.CircuitBreaker[any], c config, desc backends.Description) (metric.Registration, error) {
	provider := c.meterProvider
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	meter := provider.Meter(scopeName,
		metric.WithInstrumentationVersion(tracing.Version), metric.WithSchemaURL(tracing.SchemaURL))
	gauge, err := meter.Int64ObservableGauge(MetricCircuitBreakerState,
		metric.WithDescription("State of the circuit breaker: 0 closed, 1 half-open, 2 open."),
		metric.WithUnit("1"))
	if err != nil {
		return nil, fmt.Errorf("failsafebackend: %w", err)
	}
	attrs := metric.WithAttributeSet(attributes(c.name, desc))
	registration, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(gauge, stateValue(cb.State()), attrs)
		return nil
	}, gauge)
	if err != nil {
		return nil, fmt.Errorf("failsafebackend: %w", err)
	}
	return registration, nil
}

func attributes(name string, desc backends.Description) attribute.Set {
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
	return attribute.NewSet(attrs...)
}

// stateValue orders the states by how bad they are, other than failsafe-go.
func stateValue(s circuitbreaker.State) int64 {
	switch s {
	case circuitbreaker.ClosedState:
		return 0
	case circuitbreaker.HalfOpenState:
		return 1
	default:
		return 2
	}
}
