// Package keepinconsistent keeps the spans of operations after which the tiers of a
// cache may differ, although their traces were not sampled.
//
// A sampler decides at the start of a trace, when nobody knows yet that a write will fail. The log
// record of the inconsistency has the cause and the id of the trace, but there are no spans to look
// at. This package has two parts, and needs both:
//
//	tp := sdktrace.NewTracerProvider(
//		sdktrace.WithSampler(keepinconsistent.Sampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01)))),
//		sdktrace.WithSpanProcessor(keepinconsistent.NewProcessor(sdktrace.NewBatchSpanProcessor(exporter))),
//	)
//
// [Sampler] makes the spans of caches record even where their trace is not sampled. They are
// recorded for this process alone: the context that other services get still says that the trace is
// not sampled, and spans of other libraries are not touched.
//
// [Processor] holds these spans until their operation is over, and drops them then, unless one of
// them tells of an inconsistency. In that case all spans of the operation go to the next processor,
// marked as sampled. An operation is the outermost span of a cache and all spans below it,
// including a load that writes the tiers and writes that a policy does not wait for.
//
// # What is kept
//
// Only spans of caches are kept, so the parent of an operation's span is missing from the backend,
// and so is the span of an instrumented client of L2. Spans that were kept are not a sample: when
// you compute rates from spans, leave out those without a sampled parent.
//
// # Limits
//
// The processor holds a bounded number of spans and bytes, and no operation longer than a bounded
// time. Beyond a limit it still keeps the span that tells of the inconsistency, but not the other
// spans of its operation. [Processor.Stats] counts the spans that were lost.
//
// Recording a span costs time, whether or not it is kept. docs/sampling.md in the
// repository has the price, and the alternative: a collector that samples at the end of
// a trace.
package keepinconsistent
