// Package jaeger is the module of the Jaeger that the end-to-end tests ask for
// traces. It holds no code: its go.mod says which version, and that it is a tool.
//
// It is Jaeger 1, the last of its line, because its all-in-one program needs no
// configuration file; OTLP and the query API are the same in Jaeger 2.
package jaeger
