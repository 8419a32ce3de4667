package failsafebackend_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
	"github.com/tiercache/tiercache/backends/failsafebackend"
	"github.com/tiercache/tiercache/tier"
)

type write = backends.Write[string]

// newVersioned returns a store's client and faults around it.
func newVersioned() (*backendtest.Faults[string], *backendtest.Store[string], *backendtest.Client[string]) {
	s := backendtest.NewStore[string]()
	c := s.Client()
	return backendtest.WithFaults(c), s, c
}

func TestVersioned_Suite(t *testing.T) {
	t.Parallel()
	var behind *backendtest.Client[string]
	backendtest.Suite[string]{
		New: func(t *testing.T) backends.Backend[string] {
			t.Helper()
			behind = backendtest.NewStore[string]().Client()
			b := decorate(t, behind, all...)
			require.Equal(t, behind.Describe(), b.Describe())
			return b
		},
		Value:  func(i int) string { return time.Duration(i).String() },
		Sync:   func(*testing.T, backends.Backend[string]) { behind.Sync() },
		Bubble: true,
	}.Run(t)
}

func TestStamped_Suite(t *testing.T) {
	t.Parallel()
	backendtest.Suite[string]{
		New: func(t *testing.T) backends.Backend[string] {
			t.Helper()
			return decorate(t, backendtest.NewMap[string](), all...)
		},
		Value:  func(i int) string { return time.Duration(i).String() },
		Bubble: true,
	}.Run(t)
}

// Each case makes a write of key, which has a value at version v. Its attempts have the
// given fates, and those after them none.
func TestRetry_Write(t *testing.T) {
	t.Parallel()
	is := backends.Is
	absentAt := backends.AbsentAt
	expire := func(_ *testing.T, s *backendtest.Store[string], _ *backendtest.Client[string]) {
		s.Advance(90 * time.Minute)
	}
	notNewer := backends.NotNewer
	always := func(backends.Version) backends.Condition { return backends.Always }
	absent := func(backends.Version) backends.Condition { return backends.Absent() }
	const unknown = backends.Refusal(100) // the error of the attempt that was lost
	for name, tc := range map[string]struct {
		condition func(v backends.Version) backends.Condition
		fates     string
		operation uint64
		before    func(t *testing.T, s *backendtest.Store[string], c *backendtest.Client[string]) // the first attempt
		between   func(t *testing.T, s *backendtest.Store[string], c *backendtest.Client[string]) // after the first attempt
		calls     int
		want      backends.Refusal
	}{
		"is: a lost one is repeated":                    {condition: is, fates: "l", calls: 2},
		"not newer: a lost one is repeated":             {condition: notNewer, fates: "l", calls: 2},
		"always: a lost one is not":                     {condition: always, fates: "l", calls: 1, want: unknown},
		"absent: a lost one is not":                     {condition: absent, fates: "l", calls: 1, want: unknown},
		"always: what was not applied is":               {condition: always, fates: "f", calls: 2},
		"absent: what was not applied is, and refused":  {condition: absent, fates: "f", calls: 2, want: backends.RefusedCondition},
		"is: the first was applied, the operation says": {condition: is, fates: "g", operation: 7, calls: 2},
		"not newer: the same":                           {condition: notNewer, fates: "g", operation: 7, calls: 2},
		"is: the first was applied, nothing says":       {condition: is, fates: "g", calls: 2, want: unknown},
		"is: somebody else was faster, or overwrote it": {
			condition: is, fates: "l", operation: 7, calls: 2, want: unknown,
			between: func(t *testing.T, _ *backendtest.Store[string], c *backendtest.Client[string]) {
				t.Helper()
				_ = c.Set(t.Context(), "key", entry("other"))
			},
		},
		"is: the entry has expired, and nobody changed it": {
			condition: is, fates: "l", operation: 7, calls: 2, want: backends.RefusedCondition,
			between: func(_ *testing.T, s *backendtest.Store[string], _ *backendtest.Client[string]) { s.Advance(time.Hour) },
		},
		"is: it was forgotten": {
			condition: is, fates: "g", operation: 7, calls: 2, want: unknown,
			between: func(_ *testing.T, s *backendtest.Store[string], _ *backendtest.Client[string]) { s.Evict("key") },
		},
		"absent at: a lost one is repeated":                    {condition: absentAt, before: expire, fates: "l", calls: 2},
		"absent at: the first was applied, the operation says": {condition: absentAt, before: expire, fates: "g", operation: 7, calls: 2},
		"absent at: the first was applied, nothing says":       {condition: absentAt, before: expire, fates: "g", calls: 2, want: unknown},
		"absent at: nobody changed the entry that is there":    {condition: absentAt, fates: "l", operation: 7, calls: 2, want: backends.RefusedCondition},
		"absent at none: a lost one is not repeated": {
			condition: func(backends.Version) backends.Condition { return absentAt(0) },
			before:    func(_ *testing.T, s *backendtest.Store[string], _ *backendtest.Client[string]) { s.Evict("key") },
			fates:     "l", calls: 1, want: unknown,
		},
		"is: refused at once": {
			condition: func(v backends.Version) backends.Condition { return backends.Is(v + 1) },
			calls:     1, want: backends.RefusedCondition,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				faults, s, c := newVersioned()
				b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
				first, err := c.Write(t.Context(), &write{
					Key: "key", Kind: tier.Set, Entry: backends.Entry[string]{Value: "old", ExpiresAt: time.Now().Add(time.Hour)}, Keep: time.Hour,
				})
				require.NoError(t, err)
				if tc.before != nil {
					tc.before(t, s, c)
				}
				for _, fate := range tc.fates {
					faults.Next(tier.Set, func(ctx context.Context, apply func(context.Context) error) error {
						err := faultOf(fate)(ctx, apply)
						if tc.between != nil {
							tc.between(t, s, c)
						}
						return err
					})
				}
				w := write{Key: "key", Kind: tier.Set, Entry: entry("new"), If: tc.condition(first.Version), Operation: tc.operation}
				result, err := b.Write(t.Context(), &w)
				assert.Equal(t, tc.calls, faults.Calls(tier.Set))
				if tc.want == unknown {
					require.ErrorIs(t, err, errLost)
					assert.False(t, backends.CertainlyNotApplied(err))
					assert.Zero(t, result)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, tc.want, result.Refused)
				assert.Equal(t, s.Remembers("key").Version, result.Version)
				if tc.want == backends.NotRefused {
					assert.Equal(t, "new", s.Snapshot()["key"].Value)
				}
			})
		})
	}
}

// The error of a write of unknown outcome says how it came to be.
func TestRetry_Write_ErrorText(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults, _, c := newVersioned()
		b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
		first, err := c.Write(t.Context(), &write{Key: "key", Kind: tier.Set})
		require.NoError(t, err)
		faults.Next(tier.Set, faultOf(ghost))
		_, err = b.Write(t.Context(), &write{Key: "key", Kind: tier.Set, If: backends.Is(first.Version)})
		assert.EqualError(t, err, "failsafebackend: set failed after 2 attempts: lost; then the store refused a retry, "+
			"perhaps because an earlier attempt was applied")
	})
}

// A user's policy may repeat what is not safe: the answer is no lie even then.
func TestRetryPolicy_Write(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults, _, _ := newVersioned()
		b := decorate(t, faults, repeatsAll(1, time.Millisecond))
		faults.Next(tier.Set, faultOf(ghost))
		_, err := b.Write(t.Context(), &write{Key: "key", Kind: tier.Set, If: backends.Absent()})
		require.ErrorIs(t, err, errLost)
		assert.False(t, backends.CertainlyNotApplied(err))

		faults.Next(tier.Delete, faultOf(ghost))
		result, err := b.Write(t.Context(), &write{Key: "key", Kind: tier.Delete})
		require.NoError(t, err)
		assert.True(t, result.Applied())
	})
}

// A refusal is the answer of a healthy store.
func TestBreaker_Refusals(t *testing.T) {
	t.Parallel()
	faults, _, _ := newVersioned()
	b := decorate(t, faults, failsafebackend.WithCircuitBreaker(1, time.Hour))
	for _, w := range []write{
		{Key: "key", Kind: tier.Set, If: backends.Is(1)},
		{Key: "key", Kind: tier.Set, Before: time.Now().Add(-time.Hour)},
		{Key: "key", Kind: tier.Set, Note: make([]byte, 1000)}, // invalid
	} {
		for range 3 {
			result, err := b.Write(t.Context(), &w)
			assert.False(t, err == nil && result.Applied())
			require.NotErrorIs(t, err, circuitbreaker.ErrOpen)
		}
	}
	faults.Next(tier.Set, faultOf(lost))
	_, err := b.Write(t.Context(), &write{Key: "key", Kind: tier.Set})
	require.ErrorIs(t, err, errLost)
	_, err = b.Write(t.Context(), &write{Key: "key", Kind: tier.Set})
	require.ErrorIs(t, err, circuitbreaker.ErrOpen)
	assert.True(t, backends.CertainlyNotApplied(err))
	_, _, err = b.GetIf(t.Context(), "key", 0)
	require.ErrorIs(t, err, circuitbreaker.ErrOpen)
}

func TestRetry_GetIf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults, _, c := newVersioned()
		b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
		require.NoError(t, c.Set(t.Context(), "key", entry("v")))
		faults.Next(tier.Get, faultOf(lost), faultOf(ghost))
		got, answer, err := b.GetIf(t.Context(), "key", 0)
		require.NoError(t, err)
		assert.Equal(t, "v", got.Value)
		assert.Equal(t, c.Seen("key"), answer.Version)
		assert.Equal(t, 3, faults.Calls(tier.Get))
	})
}

func TestRetry_Stamps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		faults := newFaults()
		b := decorate(t, faults, failsafebackend.WithRetry(2, time.Millisecond, time.Second))
		stamp := backends.Stamp{Epoch: 3}
		faults.Next(tier.Set, faultOf(failed), nil, faultOf(lost))
		require.NoError(t, b.SetStamped(t.Context(), "key", entry("v"), stamp))
		require.ErrorIs(t, b.SetStamped(t.Context(), "key", entry("w"), stamp), errLost)
		faults.Next(tier.Get, faultOf(lost))
		got, gotStamp, ok, err := b.GetStamped(t.Context(), "key")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, entry("v"), got)
		assert.Equal(t, stamp, gotStamp)
		assert.Equal(t, []int{3, 2}, []int{faults.Calls(tier.Set), faults.Calls(tier.Get)})
	})
}

// Over a store that cannot do it, no policy is asked.
func TestOptional_Unsupported(t *testing.T) {
	t.Parallel()
	b := decorate(t, backendtest.NewMap[string]().Described(backends.Description{}), all...)
	ctx := t.Context()
	_, writeErr := b.Write(ctx, &write{Key: "key", Kind: tier.Set})
	_, _, getErr := b.GetIf(ctx, "key", 0)
	_, _, _, stampErr := b.GetStamped(ctx, "key")
	got, done := make([]backends.Got[string], 1), make([]backends.Done, 1)
	b.GetMany(ctx, []string{"key"}, got)
	b.WriteMany(ctx, []write{{Key: "key", Kind: tier.Set}}, done)
	for _, err := range []error{
		writeErr, getErr, stampErr, b.SetStamped(ctx, "key", entry("v"), backends.Stamp{}), got[0].Err, done[0].Err,
		b.Watch(ctx, nil), b.Walk(ctx, nil),
	} {
		require.ErrorIs(t, err, backends.ErrUnsupported)
	}
	assert.Zero(t, b.Seen("key"))
	_, _, ok := b.StoreTime()
	assert.False(t, ok)
}
