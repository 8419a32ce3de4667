package engine

import (
	"context"
	"fmt"

	"github.com/tiercache/tiercache/internal/guard"
	"github.com/tiercache/tiercache/tier"
)

// sources asks values for the versions that their source has given them.
type sources[V any] struct {
	of func(value V) uint64 // nil: values have none
}

// version returns the version of a value's source; 0: it has none. The error is that of a
// function that panics.
func (s sources[V]) version(value V) (source uint64, err error) {
	defer guard.Catch(&err)
	return s.of(value), nil
}

// older reports whether a is certainly older than b, by the versions of their source.
func (s sources[V]) older(a, b V) bool {
	if s.of == nil {
		return false
	}
	va, _ := s.version(a) // 0 if the function panics
	vb, _ := s.version(b)
	return va != 0 && va < vb
}

// newerInL1 reports whether L1 has got a value since that its source calls newer: from
// another read, which has asked L2 later. It is called with the key's lock.
func (r *read[V]) newerInL1(ctx context.Context, value V) bool {
	e := r.engine
	if e.sources.of == nil {
		return false
	}
	l1 := e.lookupL1(ctx, r.key)
	if l1.err != nil || !l1.hit || !e.sources.older(value, l1.entry.Value) {
		return false
	}
	r.l1 = l1
	return true
}

// takeSources takes over the function of an option, whose type must be that of the
// values.
func (e *Engine[V]) takeSources(cfg Config) error {
	if cfg.SourceVersion == nil {
		return nil
	}
	of, ok := cfg.SourceVersion.(func(V) uint64)
	if !ok {
		return fmt.Errorf("%w: the function of WithSourceVersion is a %T: it must take the cache's type of values", tier.ErrInvalid, cfg.SourceVersion)
	}
	if !e.l2.Versioned() {
		return fmt.Errorf("%w: WithSourceVersion needs an l2 that keeps versions: %w", tier.ErrInvalid, errNoVersions)
	}
	e.sources.of = of
	return nil
}
