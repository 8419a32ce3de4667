package tiercache

// WithSourceVersion tells the cache where a value carries the version that its source has given it:
// a row's version or time of update, a position in a log. V must be the cache's type of values.
// Version 0 means that a value has none: it replaces any value, and any value replaces it, even one
// that is older than the value before.
//
// A value then never replaces one of a greater version, in either tier, in any process, whichever
// comes first: Set, SetIfAbsent, Update, a loaded value or a refresh. If L2 refuses a value for
// this reason, Set returns nil, and the outcome in telemetry is "superseded"; an Update returns an
// error that wraps [ErrConflict]. An equal version is accepted. So the cache keeps the order of the
// database behind it: call Set with committed rows, and [Cache.DeleteVersion] for deleted ones, in
// any order.
//
// Every write goes to L2 first, which decides, and then to L1. So L2 must issue versions, and a
// write policy cannot be chosen; nor can a read policy that asks both tiers at once, because it
// could not tell which value is newer. Default, and for nil: values have no source version.
//
// The function must be quick and safe for concurrent use. If it panics, the write fails
// and changes nothing.
func WithSourceVersion[V any](of func(value V) uint64) Option {
	return optionFunc(func(c config) config {
		c.SourceVersion = nil
		if of != nil {
			c.SourceVersion = of
		}
		return c
	})
}
