package redis_test

import (
	"context"

	"github.com/tiercache/tiercache"
	"github.com/tiercache/tiercache/tier"
	"github.com/tiercache/tiercache/writepolicy"
)

// scriptScenario is one call of a cache that a script decides.
type scriptScenario struct {
	name    string
	options []tiercache.Option
	has     row    // both tiers have it before the call; zero: they have nothing
	deleted uint64 // source version of the deletion that L2 remembers; 0: none
	cold    bool   // L1 has nothing
	source  uint64 // version of the new row
	kind    tier.Kind
	refused bool  // L2 refuses the write
	whole   bool  // every byte of its commands is cut, too, and of the answers of a server without the script
	fresh   bool  // every byte of a new connection is cut, too
	err     error // of a call that is not cut
	decides int   // the number of the answer that decides; 0: the first
	call    func(ctx context.Context, r *scriptRun)
}

// The calls.
var (
	callSet = func(ctx context.Context, r *scriptRun) { r.err = r.cache.Set(ctx, key, r.new, 0) }

	callSetIfAbsent = func(ctx context.Context, r *scriptRun) {
		won, stored, err := r.cache.SetIfAbsent(ctx, key, r.new, 0)
		r.won, r.stored, r.err = &won, stored, err
	}

	callUpdate = func(ctx context.Context, r *scriptRun) {
		value, err := r.cache.Update(ctx, key, 0, func(row, bool) (row, error) { return r.new, nil })
		r.won, r.stored, r.err = &tiercache.Entry[row]{Value: value}, err == nil, err
	}

	callDelete = func(ctx context.Context, r *scriptRun) { r.err = r.cache.Delete(ctx, key) }

	callDeleteVersion = func(ctx context.Context, r *scriptRun) {
		r.err = r.cache.DeleteVersion(ctx, key, r.source)
	}
)

// scriptScenarios have a value of the source's version 5, or none, and calls with one that
// is greater or less. The commands of those that are not whole differ from those of the others
// in the bytes of arguments alone, and the server looks at none before it has them all.
func scriptScenarios() []*scriptScenario {
	sources := []tiercache.Option{tiercache.WithSourceVersion(func(r row) uint64 { return r.Version })}
	l2First := []tiercache.Option{tiercache.WithWritePolicy(writepolicy.Sequential(writepolicy.L2First))}
	old := row{oldValue, 5}
	return []*scriptScenario{
		// By set.lua, and the deletions by change.lua.
		{name: "Set", has: old, whole: true, fresh: true, kind: tier.Set, call: callSet},
		{name: "Set, L2 first", options: l2First, has: old, kind: tier.Set, call: callSet},
		{name: "Set, no source version", options: sources, has: old, kind: tier.Set, call: callSet},
		{name: "Delete", has: old, whole: true, kind: tier.Delete, call: callDelete},
		{name: "Delete, L2 first", options: l2First, has: old, kind: tier.Delete, call: callDelete},
		{name: "Delete, source versions", options: sources, has: old, kind: tier.Delete, call: callDelete},

		// By change.lua.
		{name: "Set, newer", options: sources, has: old, source: 6, whole: true, kind: tier.Set, call: callSet},
		{name: "Set, older", options: sources, has: old, cold: true, source: 4, kind: tier.Set, refused: true, call: callSet},
		{
			name: "Set, older than the deletion", options: sources, deleted: 5, cold: true, source: 4,
			kind: tier.Set, refused: true, call: callSet,
		},
		{name: "DeleteVersion, newer", options: sources, has: old, source: 6, whole: true, kind: tier.Delete, call: callDeleteVersion},
		{
			name: "DeleteVersion, older", options: sources, has: old, cold: true, source: 4,
			kind: tier.Delete, refused: true, call: callDeleteVersion,
		},
		{name: "SetIfAbsent, absent", cold: true, whole: true, kind: tier.Set, call: callSetIfAbsent},
		{name: "SetIfAbsent, deleted", options: sources, deleted: 5, cold: true, source: 6, kind: tier.Set, call: callSetIfAbsent},
		{
			name: "SetIfAbsent, deleted later", options: sources, deleted: 5, cold: true, source: 4,
			kind: tier.Set, refused: true, call: callSetIfAbsent,
		},
		{name: "SetIfAbsent, present", has: old, kind: tier.Set, refused: true, call: callSetIfAbsent},
		{name: "SetIfAbsent, present in L2", has: old, cold: true, kind: tier.Set, refused: true, call: callSetIfAbsent},
		{name: "Update", has: old, whole: true, kind: tier.Set, decides: 2, call: callUpdate},
		{name: "Update, absent", cold: true, kind: tier.Set, decides: 2, call: callUpdate},
		{name: "Update, newer", options: sources, has: old, source: 6, kind: tier.Set, decides: 2, call: callUpdate},
		{
			name: "Update, older", options: sources, has: old, cold: true, source: 4,
			kind: tier.Set, refused: true, err: tiercache.ErrConflict, decides: 2, call: callUpdate,
		},
	}
}
