package otterbackend

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/maypok86/otter/v2"
	"go.opentelemetry.io/otel/metric"
)

// defaultMaximumSize is stated in the docs of New and WithMaximumSize.
const defaultMaximumSize = 10_000

// defaultName is stated in the doc of WithName.
const defaultName = "otter"

// Option configures a [Backend] that [New] makes.
type Option interface{ apply(c config) config }

type config struct {
	size            int
	hasSize         bool
	weight          uint64
	weigher         any // func(string, V) uint32
	hasWeight       bool
	initialCapacity int
	name            string
	meterProvider   metric.MeterProvider
	versions        bool
}

func newConfig(opts []Option) config {
	c := config{size: defaultMaximumSize, name: defaultName}
	for _, opt := range opts {
		if opt != nil {
			c = opt.apply(c)
		}
	}
	return c
}

type optionFunc func(c config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithMaximumSize bounds the number of entries, expired ones that have not been
// freed yet included. It must be positive. Default: 10 000. It cannot be used
// together with [WithMaximumWeight].
//
// For a moment the store may hold a few more, until the upkeep has caught up with
// writes of several goroutines.
func WithMaximumSize(entries int) Option {
	return optionFunc(func(c config) config {
		c.size, c.hasSize = entries, true
		return c
	})
}

// WithMaximumWeight bounds the sum of the weights of all entries, instead of
// their number. It must be positive, and weigher must not be nil and must take
// values of the type that the backend keeps. The unit is the weigher's: bytes,
// for instance.
//
// The weigher is called once for every Set, and possibly by several goroutines
// at once. An entry that weighs nothing is never evicted; one that weighs more
// than the maximum is not kept. The weigher must not use the backend. A deleted entry
// that [WithVersions] remembers weighs 1.
func WithMaximumWeight[V any](maximum uint64, weigher func(key string, value V) uint32) Option {
	return optionFunc(func(c config) config {
		c.weight, c.hasWeight, c.weigher = maximum, true, weigher
		return c
	})
}

// WithInitialCapacity sizes the store for a number of entries from the start,
// which saves it from growing in steps and costs the memory at once. It must not
// be negative. Default: 0, which starts small.
func WithInitialCapacity(entries int) Option {
	return optionFunc(func(c config) config {
		c.initialCapacity = entries
		return c
	})
}

// WithName names the store in the metrics, to distinguish several: the figures of
// stores with one name are added up. Default, and for "": "otter".
func WithName(name string) Option {
	return optionFunc(func(c config) config {
		if name != "" {
			c.name = name
		}
		return c
	})
}

// WithMeterProvider sets where metrics go. Default, and with nil: the global
// provider.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return optionFunc(func(c config) config {
		if provider != nil {
			c.meterProvider = provider
		}
		return c
	})
}

// WithVersions gives each change a version, remembers those of deleted and expired
// entries, and decides conditions: the store becomes a [backends.Versioned]. That is for
// a store that is itself the lower tier, or takes the place of one in a test. Default: off,
// because each entry then takes 96 bytes more, and a deleted or expired one keeps its
// place for [backends.DefaultKeep].
//
// Evicted entries are forgotten, with their versions.
func WithVersions() Option {
	return optionFunc(func(c config) config {
		c.versions = true
		return c
	})
}

// otterOptions returns the options that c stands for, or an error that joins
// one for each bad value.
func otterOptions[V any](c config) (*otter.Options[string, Item[V]], error) {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrBadOption}, args...)...))
	}
	o := &otter.Options[string, Item[V]]{
		InitialCapacity: c.initialCapacity,
		Executor:        runNow,
	}
	if c.initialCapacity < 0 {
		bad("the initial capacity is %d: it must not be negative", c.initialCapacity)
	}
	if c.hasSize && c.hasWeight {
		bad("both a maximum size and a maximum weight are set: choose one of them")
	}
	if !c.hasWeight {
		o.MaximumSize = c.size
		if c.size <= 0 {
			bad("the maximum size is %d: it must be positive", c.size)
		}
		return o, errors.Join(errs...)
	}
	o.MaximumWeight = c.weight
	if c.weight == 0 {
		bad("the maximum weight is 0: it must be positive")
	}
	switch weigher, ok := c.weigher.(func(string, V) uint32); {
	case !ok:
		bad("the weigher is a %T, but the backend keeps values of type %v: give it a parameter of that type",
			c.weigher, reflect.TypeFor[V]())
	case weigher == nil:
		bad("the weigher is nil: a maximum weight needs one")
	default:
		o.Weigher = func(key string, item Item[V]) uint32 {
			if item.expiresAt == deleted && item.change() != nil {
				return 1 // it has no value, and must not stay for ever
			}
			return weigher(key, item.Value)
		}
	}
	return o, errors.Join(errs...)
}

// runNow runs otter's upkeep on the goroutine of the write, or of the read that has
// filled a buffer. A goroutine for each write would cost more than the upkeep of one
// write, and the scheduler would run it in place of goroutines that have waited for the
// network: see BenchmarkWriteTail.
func runNow(upkeep func()) { upkeep() }
