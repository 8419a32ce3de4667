package backendtest_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

// flaw is a broken backend and the tests of the suite that find it out.
type flaw struct {
	backend func() backends.Backend[string]
	found   []string // by these
	perhaps string   // by this one too, as goroutines meet

	breakStore, hang func(t *testing.T, b backends.Backend[string])
}

// suite returns the suite with the settings that show the flaw.
func (f flaw) suite() backendtest.Suite[string] {
	s := suite(f.backend)
	s.Break, s.Hang = f.breakStore, f.hang
	return s
}

// keepsExpiry returns a backend that replaces the value and, where keep says so,
// not the expiry.
func keepsExpiry(keep func(old, now time.Time) bool) func() backends.Backend[string] {
	return func() backends.Backend[string] {
		s := newStore()
		return edited{s, func(key string, e entry) entry {
			if old, ok := s.Snapshot()[key]; ok && keep(old.ExpiresAt, e.ExpiresAt) {
				e.ExpiresAt = old.ExpiresAt
			}
			return e
		}}
	}
}

func never(context.Context, string, bool) (bool, error) { return false, nil }

// flaws are all of them.
func flaws() map[string]flaw {
	all := answerFlaws()
	maps.Copy(all, contextFlaws())
	maps.Copy(all, argumentFlaws())
	maps.Copy(all, errorFlaws())
	maps.Copy(all, atomicFlaws())
	maps.Copy(all, abilityFlaws())
	maps.Copy(all, versionFlaws())
	maps.Copy(all, conditionFlaws())
	maps.Copy(all, batchFlaws())
	maps.Copy(all, logFlaws())
	maps.Copy(all, stampFlaws())
	return all
}

// answerFlaws are backends that answer wrongly.
func answerFlaws() map[string]flaw {
	return map[string]flaw{
		"a miss is an error": {
			backend: func() backends.Backend[string] { return reader{newStore(), missIsError} },
			found: []string{
				"miss-is-no-error", "keys-are-independent", "delete-removes", "entry-expires",
				"expired-entry-is-a-miss", "set-replaces-the-expiry", "outcome-under-a-cancelled-context",
			},
		},
		"values are changed": {
			backend: func() backends.Backend[string] {
				return edited{newStore(), func(_ string, e entry) entry { e.Value += "!"; return e }}
			},
			found: []string{
				"get-returns-what-was-set", "set-replaces", "keys-are-independent", "delete-removes",
				"entry-expires", "set-replaces-the-expiry", "outcome-under-a-cancelled-context", "concurrent-use",
			},
		},
		"expiry is forgotten": {
			backend: func() backends.Backend[string] {
				return edited{newStore(), func(_ string, e entry) entry { e.ExpiresAt = time.Time{}; return e }}
			},
			found: []string{"get-returns-what-was-set", "entry-expires", "expired-entry-is-a-miss", "set-replaces-the-expiry"},
		},
		"expiry is ignored": {
			backend: func() backends.Backend[string] { return reader{newStore(), neverExpires} },
			found:   []string{"entry-expires", "expired-entry-is-a-miss", "set-replaces-the-expiry"},
		},
		"expiry is given back a little late": {
			backend: func() backends.Backend[string] {
				return reader{newStore(), func(ctx context.Context, s *store, key string) (entry, bool, error) {
					e, ok, err := s.Get(ctx, key)
					if !e.ExpiresAt.IsZero() {
						e.ExpiresAt = e.ExpiresAt.Add(time.Millisecond)
					}
					return e, ok, err
				}}
			},
			found: []string{"get-returns-what-was-set", "entry-expires", "set-replaces-the-expiry"},
		},
		"the first expiry stays": {
			backend: keepsExpiry(func(time.Time, time.Time) bool { return true }),
			found:   []string{"expired-entry-is-a-miss", "set-replaces-the-expiry"},
		},
		"an end cannot be taken away": {
			backend: keepsExpiry(func(old, now time.Time) bool { return !old.IsZero() && now.IsZero() }),
			found:   []string{"set-replaces-the-expiry"},
		},
		"what does not end never will": {
			backend: keepsExpiry(func(old, _ time.Time) bool { return old.IsZero() }),
			found:   []string{"expired-entry-is-a-miss", "set-replaces-the-expiry"},
		},
		"a TTL cannot be longer": {
			backend: keepsExpiry(func(old, now time.Time) bool { return !old.IsZero() && now.After(old) }),
			found:   []string{"set-replaces-the-expiry"},
		},
		"a TTL cannot be shorter": {
			backend: keepsExpiry(func(old, now time.Time) bool { return !now.IsZero() && now.Before(old) }),
			found:   []string{"set-replaces-the-expiry"},
		},
		"an expired entry is not stored, the old one stays": {
			backend: func() backends.Backend[string] {
				s := newStore()
				return edited{s, func(key string, e entry) entry {
					if !e.ExpiresAt.IsZero() && e.Expired(time.Now()) {
						return s.Snapshot()[key]
					}
					return e
				}}
			},
			found: []string{"expired-entry-is-a-miss"},
		},
		"set does not replace": {
			backend: func() backends.Backend[string] {
				return selective{store: newStore(), set: func(_ context.Context, _ string, present bool) (bool, error) { return !present, nil }}
			},
			found: []string{"set-replaces", "expired-entry-is-a-miss", "set-replaces-the-expiry", "concurrent-use"},
		},
		"set fails": {
			backend: func() backends.Backend[string] {
				return selective{store: newStore(), set: func(context.Context, string, bool) (bool, error) { return true, errFlaw }}
			},
			found: []string{
				"get-returns-what-was-set", "set-replaces", "keys-are-independent", "delete-removes", "entry-expires",
				"expired-entry-is-a-miss", "set-replaces-the-expiry", "outcome-under-a-cancelled-context", "concurrent-use",
			},
		},
		"keys are folded": {
			backend: func() backends.Backend[string] { return foldsCase{newStore()} },
			found:   []string{"keys-are-independent"},
		},
		"delete does nothing": {
			backend: func() backends.Backend[string] { return selective{store: newStore(), remove: never} },
			found:   []string{"keys-are-independent", "delete-removes", "outcome-under-a-cancelled-context"},
		},
		"deleting an absent key is an error": {
			backend: func() backends.Backend[string] {
				return selective{store: newStore(), remove: func(_ context.Context, _ string, present bool) (bool, error) {
					if present {
						return true, nil
					}
					return false, errFlaw
				}}
			},
			found:   []string{"delete-of-an-absent-key-is-no-error"},
			perhaps: "concurrent-use",
		},
		"nothing is set under a cancelled context, and nothing said": {
			backend: func() backends.Backend[string] {
				return selective{store: newStore(), set: func(ctx context.Context, _ string, _ bool) (bool, error) { return ctx.Err() == nil, nil }}
			},
			found: []string{"outcome-under-a-cancelled-context"},
		},
		"nothing is deleted under a cancelled context, and nothing said": {
			backend: func() backends.Backend[string] {
				return selective{store: newStore(), remove: func(ctx context.Context, _ string, _ bool) (bool, error) { return ctx.Err() == nil, nil }}
			},
			found: []string{"outcome-under-a-cancelled-context"},
		},
		"set under a cancelled context, and denied": {
			backend: func() backends.Backend[string] {
				return selective{store: newStore(), set: func(ctx context.Context, _ string, _ bool) (bool, error) {
					return true, backends.NotApplied(ctx.Err())
				}}
			},
			found: []string{"outcome-under-a-cancelled-context"},
		},
		"deleted under a cancelled context, and denied": {
			backend: func() backends.Backend[string] {
				return selective{store: newStore(), remove: func(ctx context.Context, _ string, _ bool) (bool, error) {
					return true, backends.NotApplied(ctx.Err())
				}}
			},
			found: []string{"outcome-under-a-cancelled-context"},
		},
		"a cancelled context is taken for a miss": {
			backend: func() backends.Backend[string] { return reader{newStore(), missWhenCancelled} },
			found:   []string{"outcome-under-a-cancelled-context"},
		},
		"staging writes at once": {
			backend: func() backends.Backend[string] { return stager{newStore(), stagesAtOnce} },
			found:   []string{"staging-writes-nothing", "a-nil-context-is-refused"},
		},
		"a staged write can be made once": {
			backend: func() backends.Backend[string] { return stager{newStore(), stagesOnce} },
			found:   []string{"staging-writes-nothing"},
		},
		"staging fails": {
			backend: func() backends.Backend[string] { return stager{newStore(), stagesNothing} },
			found:   []string{"staging-writes-nothing"},
		},
		"the description changes": {
			backend: func() backends.Backend[string] { return moody{newStore(), new(int)} },
			found:   []string{"description-does-not-change"},
		},
		"updates are lost": {
			backend: func() backends.Backend[string] { return &losesUpdates{entries: make(map[string]entry)} },
			found:   []string{"concurrent-use"},
		},
	}
}
