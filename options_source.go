package tiercache

// WithSourceVersion says that values carry the version that their source has given them:
// a row's version or time of update, a position in a log. V must be the cache's type of
// values. Version 0 means that a value has none: it replaces any value, and any value
// replaces it, also one that is older than the value before.
//
// A value then never replaces one of a greater version, in either tier, in any process,
// whichever comes first: Set, SetIfAbsent, Update, a loaded value or a refresh. A write
// that is kept out so is no error; its outcome in telemetry is "superseded". An equal
// version is accepted. It is the way to keep a cache in the order of the database behind
// it: call Set with what the database has committed, or [Cache.DeleteVersion], in any
// order.
//
// Every write goes to L2 first, which decides, and then to L1. So L2 must issue versions,
// and a write policy cannot be chosen; nor can a read policy that asks both tiers at once,
// because it could not tell which value is newer. Nil turns it off, which is the default.
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
