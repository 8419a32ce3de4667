// Package service tests what an operator sees: the service of examples/service runs
// as its own process with a real Redis, is driven over HTTP while Redis stops and
// goes on, and is then looked at as an operator would look at it: through Jaeger's
// and Prometheus' query APIs and in its log.
//
// The servers come from `make e2e-setup`. A test fails when one is missing: what is
// skipped proves nothing.
package service
