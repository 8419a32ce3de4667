package keepinconsistent

import "time"

// The defaults of the limits.
const (
	DefaultMaxSpans = 8192
	DefaultMaxBytes = 8 << 20
	DefaultMaxAge   = 10 * time.Second
)

// Option configures a [Processor]. Only this package makes options.
type Option interface{ apply(c config) config }

type config struct {
	maxSpans int64
	maxBytes int64
	maxAge   time.Duration
}

type optionFunc func(config) config

func (f optionFunc) apply(c config) config { return f(c) }

// WithMaxSpans limits how many spans are followed at once: those that have started and
// those that wait for the end of their operation. Default, and for 0 or less:
// [DefaultMaxSpans].
func WithMaxSpans(n int) Option {
	return optionFunc(func(c config) config {
		if c.maxSpans = int64(n); n <= 0 {
			c.maxSpans = DefaultMaxSpans
		}
		return c
	})
}

// WithMaxBytes limits the size of the spans that wait for the end of their operation.
// It is an estimate: the texts and attributes that a span has, and 512 bytes for the
// span itself. Default, and for 0 or less: [DefaultMaxBytes].
func WithMaxBytes(n int) Option {
	return optionFunc(func(c config) config {
		if c.maxBytes = int64(n); n <= 0 {
			c.maxBytes = DefaultMaxBytes
		}
		return c
	})
}

// WithMaxAge limits how long spans of an operation wait, counted from its start. Make
// it longer than the cache's write timeout (tiercache.WithWriteTimeout, by default 5 s)
// and the slowest load. Default, and for 0 or less: [DefaultMaxAge].
func WithMaxAge(d time.Duration) Option {
	return optionFunc(func(c config) config {
		if c.maxAge = d; d <= 0 {
			c.maxAge = DefaultMaxAge
		}
		return c
	})
}

func newConfig(opts []Option) config {
	c := config{maxSpans: DefaultMaxSpans, maxBytes: DefaultMaxBytes, maxAge: DefaultMaxAge}
	for _, o := range opts {
		if o != nil {
			c = o.apply(c)
		}
	}
	return c
}
