package keepinconsistent

import (
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/tiercache/tiercache/tracing"
)

// Sampler returns a sampler that decides as next does, except for spans of caches that
// next drops: they are recorded, and not sampled. A sampler is not told which library
// starts a span, so these are the spans that start with the attribute
// tiercache.cache.name. A nil next is the SDK's default, which samples every trace
// whose parent is sampled or not there.
//
// It is safe for concurrent use if next is.
func Sampler(next sdktrace.Sampler) sdktrace.Sampler {
	if next == nil {
		next = sdktrace.ParentBased(sdktrace.AlwaysSample())
	}
	return sampler{next}
}

type sampler struct{ next sdktrace.Sampler }

// ShouldSample implements [sdktrace.Sampler].
func (s sampler) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	result := s.next.ShouldSample(p)
	if result.Decision == sdktrace.Drop && isOfCache(p.Attributes) {
		result.Decision = sdktrace.RecordOnly
	}
	return result
}

// Description implements [sdktrace.Sampler].
func (s sampler) Description() string { return "KeepInconsistent{" + s.next.Description() + "}" }

func isOfCache(attrs []attribute.KeyValue) bool {
	for _, a := range attrs {
		if a.Key == tracing.AttrCache {
			return true
		}
	}
	return false
}
