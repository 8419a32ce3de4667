package tiercache_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// actor is a place at which the cache runs somebody else's code.
type actor struct {
	name, place string
	ops         []string // in which it is called
	errors      bool     // it may return an error
	context     bool     // it gets a context
	telemetry   bool     // it is called only if telemetry is on
	l2Down      bool     // it is called only if a write of L2 fails
	writes      bool     // what it does decides what the tiers hold
	only        string   // the policy in which it is called; "": in all
}

// operation is an operation on the key.
type operation struct {
	name       string
	run        func(s *scenario, ctx context.Context) error
	inL1, inL2 bool // the tiers hold a value before it
	ttl        time.Duration
	ahead      bool
	writes     bool // under the write policy
	many       bool // on several keys at once
	decided    bool // by L2
	sourced    bool // values have versions of their source
	loads      bool // conditionally
}

func operations() []operation {
	get := func(s *scenario, ctx context.Context) error {
		_, _, err := s.Get(ctx, secretKey)
		return err
	}
	load := func(s *scenario, ctx context.Context) error {
		_, err := s.GetOrLoad(ctx, secretKey, time.Hour, s.load)
		return err
	}
	return []operation{
		{name: "set many", many: true, writes: true, inL1: true, inL2: true, ttl: time.Hour, run: func(s *scenario, ctx context.Context) error {
			return s.SetMany(ctx, maps.All(map[string]string{secretKey: "value", secretKey + ":2": "value"}), time.Hour)
		}},
		{name: "delete many", many: true, writes: true, inL1: true, inL2: true, ttl: time.Hour, run: func(s *scenario, ctx context.Context) error {
			return s.DeleteMany(ctx, secretKeys())
		}},
		{name: "refill many", many: true, inL2: true, ttl: time.Hour, run: func(s *scenario, ctx context.Context) error {
			_, err := s.GetMany(ctx, secretKeys())
			return err
		}},
		{name: "refill ahead many", many: true, inL2: true, ttl: time.Hour, ahead: true, run: func(s *scenario, ctx context.Context) error {
			_, err := s.GetMany(ctx, secretKeys()) // L1 is asked for entries, not for values alone
			return err
		}},
		{name: "load many", many: true, writes: true, run: func(s *scenario, ctx context.Context) error {
			_, err := s.GetOrLoadMany(ctx, secretKeys(), time.Hour, s.loadMany)
			return err
		}},
		{name: "set", writes: true, inL1: true, inL2: true, ttl: time.Hour, run: func(s *scenario, ctx context.Context) error {
			return s.Set(ctx, secretKey, "value", time.Hour)
		}},
		{name: "delete", writes: true, inL1: true, inL2: true, ttl: time.Hour, run: func(s *scenario, ctx context.Context) error {
			return s.Delete(ctx, secretKey)
		}},
		{name: "hit", inL1: true, inL2: true, ttl: time.Hour, run: get},
		{name: "refill", inL2: true, ttl: time.Hour, run: get},
		{name: "load", writes: true, run: load},
		{name: "load, refill", inL2: true, ttl: time.Hour, run: load},
		{name: "refresh", writes: true, inL1: true, inL2: true, ttl: time.Minute, ahead: true, run: load},
	}
}

// single returns the name of the operation on one key.
func (o operation) single() string {
	return strings.TrimSuffix(strings.TrimSuffix(o.name, " many"), " ahead")
}

// secretKeys are the keys of an operation on several.
func secretKeys() []string { return []string{secretKey, secretKey + ":2"} }

func actors() []actor {
	sets := []string{"set", "load", "refresh", "set many", "load many"}
	writes := append(slices.Clone(sets), "delete", "delete many")
	beyond := []string{"refill", "load", "load, refill"}
	many := []string{"refill many", "load many"}
	traced := append(slices.Clone(writes), "refill", "load, refill")
	for _, op := range conditionalOperations() {
		traced, writes = append(traced, op.name), append(writes, op.name)
	}
	return []actor{
		{name: "l1 GetValue", place: "l1 get value", ops: append(slices.Clone(beyond), "hit", "refill many"), errors: true, context: true},
		{name: "l1 Get", place: "l1 get", ops: []string{"load", "load, refill", "refresh", "load many", "refill ahead many"}, errors: true, context: true},
		{name: "l2 Get", place: "l2 get", ops: append(slices.Clone(beyond), many...), errors: true, context: true},
		{name: "l1 Set", place: "l1 set", ops: append(slices.Clone(sets), "refill", "load, refill", "refill many"), errors: true, context: true, writes: true},
		{name: "l2 Set", place: "l2 set", ops: sets, errors: true, context: true, writes: true},
		{name: "l1 Set, applied", place: "l1 set, applied", ops: append(slices.Clone(sets), "refill", "load, refill"), errors: true, context: true, writes: true},
		{name: "l2 Set, applied", place: "l2 set, applied", ops: sets, errors: true, context: true, writes: true},
		{name: "l1 Delete", place: "l1 delete", ops: []string{"delete", "delete many"}, errors: true, context: true, writes: true},
		{name: "l2 Delete", place: "l2 delete", ops: []string{"delete", "delete many"}, errors: true, context: true, writes: true},
		{name: "l1 Stage", place: "l1 stage", ops: sets, errors: true, context: true, writes: true},
		{name: "l2 Stage", place: "l2 stage", ops: sets, errors: true, context: true, writes: true},
		{name: "l1 staged Set", place: "l1 staged", ops: sets, errors: true, context: true, writes: true},
		{name: "l2 staged Set", place: "l2 staged", ops: sets, errors: true, context: true, writes: true},
		{name: "Encode", place: "codec encode", ops: sets, errors: true, writes: true},
		{name: "Decode", place: "codec decode", ops: []string{"refill", "load, refill", "refill many"}, errors: true},
		{name: "loader", place: "loader", ops: []string{"load", "refresh", "load many"}, errors: true, context: true},
		{name: "policy before it writes", place: "policy begin", ops: writes, errors: true, context: true, writes: true, only: "custom"},
		{name: "policy between two writes", place: "policy middle", ops: writes, errors: true, context: true, writes: true, only: "custom"},
		{name: "policy after it has written", place: "policy end", ops: writes, errors: true, context: true, writes: true, only: "custom"},
		{name: "done callback of a policy", place: "done callback", ops: writes, only: "custom"},
		{name: "classifier", place: "classifier", ops: writes, l2Down: true},
		{name: "hook", place: "hook", ops: writes, context: true, l2Down: true},
		{name: "slog handler", place: "slog handler", ops: writes, errors: true, context: true, telemetry: true, l2Down: true},
		{name: "slog handler's Enabled", place: "slog enabled", ops: writes, context: true, telemetry: true, l2Down: true},
		{name: "log processor", place: "log processor", ops: writes, errors: true, context: true, telemetry: true, l2Down: true},
		{name: "log processor's Enabled", place: "log enabled", ops: writes, context: true, telemetry: true, l2Down: true},
		{name: "key formatter", place: "formatter", ops: traced, telemetry: true},
		{name: "sampler", place: "sampler", ops: traced, context: true, telemetry: true},
		{name: "span processor's OnStart", place: "span start", ops: traced, context: true, telemetry: true},
		{name: "span processor's OnEnd", place: "span end", ops: traced, telemetry: true},
		{name: "exemplar filter", place: "exemplar filter", ops: traced, context: true, telemetry: true},
		{name: "view of a metric", place: "metric view", ops: traced, telemetry: true},
	}
}
