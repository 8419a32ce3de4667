package backendtest_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tiercache/tiercache/backends"
	"github.com/tiercache/tiercache/backends/backendtest"
)

func value(i int) string { return fmt.Sprint("value ", i) }

// newStore returns a map without abilities, so that a flaw of its Set or Get is its only one.
func newStore() *store {
	return backendtest.NewMap[string]().Described(backends.Description{InProcess: true})
}

// suite returns a Suite for backends that create makes.
func suite(create func() backends.Backend[string]) backendtest.Suite[string] {
	return backendtest.Suite[string]{
		New:    func(*testing.T) backends.Backend[string] { return create() },
		Value:  value,
		Bubble: true,
		Sync: func(_ *testing.T, b backends.Backend[string]) {
			if c, ok := b.(interface{ Sync() bool }); ok {
				c.Sync()
			}
		},
	}
}

func TestSuite_FindsFlaws(t *testing.T) {
	t.Parallel()
	for name, f := range flaws() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failures := f.suite().Failures(t)
			found := slices.DeleteFunc(slices.Collect(maps.Keys(failures)), func(name string) bool { return name == f.perhaps })
			assert.ElementsMatch(t, f.found, found, "%v", failures)
		})
	}
}

// Every test of the suite finds a flaw, so none of them is empty.
func TestSuite_EveryTestFindsAFlaw(t *testing.T) {
	t.Parallel()
	found := make(map[string]bool)
	for _, f := range flaws() {
		for _, name := range f.found {
			found[name] = true
		}
	}
	assert.ElementsMatch(t, backendtest.NamesOfTests(), slices.Collect(maps.Keys(found)))
}

func TestSuite_Precision(t *testing.T) {
	t.Parallel()
	s := suite(func() backends.Backend[string] {
		return reader{newStore(), func(_ context.Context, s *store, key string) (entry, bool, error) {
			e, ok := s.Snapshot()[key]
			if ok && !e.ExpiresAt.IsZero() && e.Expired(time.Now().Add(-time.Second)) {
				return entry{}, false, nil
			}
			return e, ok, nil
		}}
	})
	assert.Len(t, s.Failures(t), 2)
	s.Precision = time.Second - 2*time.Millisecond
	assert.Len(t, s.Failures(t), 2)
	s.Precision = time.Second
	assert.Empty(t, s.Failures(t))
}

func TestSuite_Equal(t *testing.T) {
	t.Parallel()
	s := suite(func() backends.Backend[string] {
		return edited{newStore(), func(_ string, e entry) entry { e.Value = strings.ToUpper(e.Value); return e }}
	})
	assert.NotEmpty(t, s.Failures(t))
	s.Equal = strings.EqualFold
	assert.Empty(t, s.Failures(t))
}

func TestSuite_Advance(t *testing.T) {
	t.Parallel()
	s := suite(func() backends.Backend[string] { return newStore() })
	var advanced []time.Duration
	s.Precision = time.Minute
	s.Advance = func(_ *testing.T, d time.Duration) {
		advanced = append(advanced, d)
		time.Sleep(d)
	}
	assert.Empty(t, s.Failures(t))
	const ttl, more = 1700 * time.Millisecond, time.Minute + time.Millisecond
	assert.Equal(t, []time.Duration{ttl - ttl/10, ttl/10 + more, ttl + more}, advanced)
	s.Advance = func(*testing.T, time.Duration) {} // no time passes
	assert.Len(t, s.Failures(t), 2)
}

// child runs a test of this binary by itself, where it fails, and returns its output.
func child(t *testing.T, test string, subtests ...string) string {
	t.Helper()
	pattern := "^" + test + "$"
	if len(subtests) > 0 {
		pattern += "/^(" + strings.Join(subtests, "|") + ")$"
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+pattern, "-test.v")
	// With one processor calls come one after the other, and a race must be found all the same.
	cmd.Env = append(os.Environ(), "BACKENDTEST_CHILD="+test, "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "the child should fail:\n%s", out)
	return string(out)
}

func isChild(t *testing.T) bool {
	t.Helper()
	return os.Getenv("BACKENDTEST_CHILD") == t.Name()
}

func TestSuite_ReportsFailures(t *testing.T) {
	if isChild(t) {
		suite(flaws()["keys are folded"].backend).Run(t)
		return
	}
	t.Parallel()
	out := child(t, "TestSuite_ReportsFailures")
	assert.Contains(t, out, "--- FAIL: TestSuite_ReportsFailures/keys-are-independent")
	assert.Contains(t, out, `Get: value "value 1", want "value 0"`)
	assert.Equal(t, len(backendtest.NamesOfTests())-1, strings.Count(out, "--- PASS: TestSuite_ReportsFailures/"), out)
}

func TestSuite_NeedsNewAndValue(t *testing.T) {
	if isChild(t) {
		backendtest.Suite[string]{Value: value}.Run(t)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestSuite_NeedsNewAndValue"), "backendtest: Suite needs New and Value")
}

func TestSuite_MaxKeySize(t *testing.T) {
	t.Parallel()
	longest := func(limit int) func() backends.Backend[string] {
		return before(func(_ context.Context, call, key string, _ entry) error {
			if len(key) > limit && call == "set" {
				return backends.NotApplied(errFlaw)
			}
			return nil
		})
	}
	assert.Empty(t, suite(longest(200)).Failures(t))
	s := suite(longest(16))
	assert.Len(t, s.Failures(t), 1)
	s.MaxKeySize = 16
	assert.Empty(t, s.Failures(t))
}

func TestSuite_MaxKeySizeIsTooSmall(t *testing.T) {
	if isChild(t) {
		s := suite(func() backends.Backend[string] { return newStore() })
		s.MaxKeySize = 15
		s.Run(t)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestSuite_MaxKeySizeIsTooSmall"), "backendtest: Suite.MaxKeySize is 15: it must be 16 at least")
}

// Bytes are printed as text.
func TestSuite_PrintsBytes(t *testing.T) {
	if isChild(t) {
		backendtest.Suite[[]byte]{
			New:    func(*testing.T) backends.Backend[[]byte] { return forgetful{backendtest.NewMap[[]byte]()} },
			Value:  func(i int) []byte { return []byte(value(i)) },
			Bubble: true,
		}.Run(t)
		return
	}
	t.Parallel()
	assert.Contains(t, child(t, "TestSuite_PrintsBytes"), `Get: value "value ", want "value 1"`)
}

// forgetful loses the last byte.
type forgetful struct{ *backendtest.Map[[]byte] }

func (b forgetful) Set(ctx context.Context, key string, e backends.Entry[[]byte]) error {
	e.Value = e.Value[:len(e.Value)-1]
	return b.Map.Set(ctx, key, e)
}

func TestSuite_NamesAreEasyToRun(t *testing.T) {
	t.Parallel()
	for _, name := range slices.Concat(backendtest.NamesOfTests(), backendtest.NamesOfCodecTests()) {
		assert.Regexp(t, "^[a-z-]+$", name)
	}
}
