// Package telemetry makes the spans, metrics and log records of a cache. Package
// tracing has their names and the options; this package has the machinery.
//
// A [Telemetry] observes one cache. Attribute sets and options are built once,
// with it, because options that are built inline allocate at every call. A [Write]
// or a [Read] observes one operation, and a [TierCall] one call of a tier within
// it. Each is a value that the engine embeds in the operation, so that it costs no
// allocation of its own.
//
// Providers run foreign code: span processors, log processors, handlers of
// slog, and the formatter of keys may panic. The calls into them are guarded one by
// one, in guarded.go: the panic goes to OpenTelemetry's error handler, and the
// operation goes on without that piece of telemetry.
package telemetry
