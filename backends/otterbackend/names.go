package otterbackend

import "go.opentelemetry.io/otel/attribute"

// The instrumentation scope of the metrics.
const scopeName = "github.com/tiercache/tiercache/backends/otterbackend"

// The metrics of a Backend that [New] makes. They begin at 0 when it is made, end
// when it is closed, and have the attribute AttrStore.
const (
	// MetricEntryCount is an observable up-down counter: the entries in the
	// store, expired ones that have not been freed yet included, and with
	// [WithVersions] the deleted ones that are remembered.
	MetricEntryCount = "tiercache.store.entry.count"

	// MetricWeight is an observable up-down counter: the sum of the weights of
	// these entries, in the weigher's unit. It is there with [WithMaximumWeight]
	// only.
	MetricWeight = "tiercache.store.weight"

	// MetricEvictions is an observable counter: the entries that had to make room
	// for others before they expired.
	MetricEvictions = "tiercache.store.evictions"
)

// AttrStore is the name of the store; see [WithName].
const AttrStore = attribute.Key("tiercache.store.name") // string (metric)
